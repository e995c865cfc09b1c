"""Mail, built once and sent by one of three drivers: SMTP, Microsoft Graph, or a mail service's HTTP interface."""

from alertd.notify.channels.email.channel import EmailChannel

__all__ = ["EmailChannel"]
