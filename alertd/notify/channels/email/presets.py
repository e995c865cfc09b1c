"""Mail services with an HTTP interface: what differs between them is a row of a table here. Pure.

Only Resend knows repeats by a key; the others send a repeated request twice.
https://resend.com/docs/api-reference/emails/send-email, https://postmarkapp.com/developer/api/email-api,
https://www.twilio.com/docs/sendgrid/api-reference/mail-send/mail-send,
https://documentation.mailgun.com/docs/mailgun/api-reference/send/mailgun/messages,
https://learn.microsoft.com/rest/api/communication/email/email/send and .../azure/communication-services/tutorials/hmac-header-tutorial
"""

from __future__ import annotations

import base64
import binascii
import email.utils
import hashlib
import hmac
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any
from urllib.parse import urlencode, urlsplit

import attrs

from alertd.notify.channels.email.mail import Mail
from alertd.notify.channels.settings import MailPreset
from alertd.render import cards

JSON, FORM = "application/json", "application/x-www-form-urlencoded"


@attrs.frozen(kw_only=True)
class Request:
    """What is about to be sent, for those who sign it. now: of this attempt."""

    url: str
    body: bytes
    now: datetime


@attrs.frozen(kw_only=True)
class Preset:
    """One service.

    url: with ``{domain}`` for the sender's, or ``{url}`` for the configured one where each customer has an address of their own.
    authorize: headers that prove who we are, of the key and the request; raises ValueError for a key that cannot be one.
    idempotency: the header that makes a repeat harmless; empty if there is none. encode: the mail as the service wants it.
    passing: names of errors that pass by themselves although their status says otherwise. receipt: the member of the answer, or else the
    header, that names the mail.
    """

    url: str
    authorize: Callable[[str, Request], Mapping[str, str]]
    idempotency: str = ""
    encode: Callable[[Mail], bytes]
    content_type: str = JSON
    passing: frozenset[str] = frozenset()
    receipt: str = "id"

    @property
    def needs_url(self) -> bool:
        """Whether there is no address that serves everybody."""
        return "{url}" in self.url


def _in(name: str, form: str = "{}") -> Callable[[str, Request], Mapping[str, str]]:
    """Authorize by a header that holds the key."""
    return lambda key, _: {name: form.format(key)}


def _basic(key: str, _: Request) -> Mapping[str, str]:
    return {"Authorization": f"Basic {base64.b64encode(f'api:{key}'.encode()).decode()}"}


def _signed(key: str, request: Request) -> Mapping[str, str]:
    """Sign with a Communication Services access key: date, host, path and the body's digest."""
    parts = urlsplit(request.url)
    date = email.utils.format_datetime(request.now, usegmt=True)
    digest = base64.b64encode(hashlib.sha256(request.body).digest()).decode()
    text = f"POST\n{parts.path}?{parts.query}\n{date};{parts.netloc};{digest}"
    try:
        secret = base64.b64decode(key, validate=True)
    except binascii.Error:
        raise ValueError("the access key is no base64; copy `Primary key`, not the connection string") from None
    signature = base64.b64encode(hmac.new(secret, text.encode(), hashlib.sha256).digest()).decode()
    return {
        "x-ms-date": date,
        "x-ms-content-sha256": digest,
        "Authorization": f"HMAC-SHA256 SignedHeaders=x-ms-date;host;x-ms-content-sha256&Signature={signature}",
    }


def _headers(mail: Mail) -> dict[str, str]:
    return {"Message-ID": mail.message_id, **mail.headers}


def _address(text: str) -> tuple[str, str]:
    """Split into name and address."""
    return email.utils.parseaddr(text)


def _resend(mail: Mail) -> bytes:
    return cards.compact(
        {
            "from": mail.sender,
            "to": list(mail.to),
            "subject": mail.subject,
            "text": mail.text,
            "html": mail.html,
            "headers": _headers(mail),
        }
    )


def _postmark(mail: Mail) -> bytes:
    headers = {**_headers(mail), "X-PM-KeepID": "true"}  # else it makes a Message-ID of its own
    return cards.compact(
        {
            "From": mail.sender,
            "To": ", ".join(mail.to),
            "Subject": mail.subject,
            "TextBody": mail.text,
            "HtmlBody": mail.html,
            "MessageStream": "outbound",
            "Headers": [{"Name": name, "Value": text} for name, text in headers.items()],
        }
    )


def _sendgrid(mail: Mail) -> bytes:
    def person(text: str) -> dict[str, Any]:
        name, address = _address(text)
        return {"email": address, **({"name": name} if name else {})}

    return cards.compact(
        {
            "personalizations": [{"to": [person(one) for one in mail.to]}],
            "from": person(mail.sender),
            "subject": mail.subject,
            # Plain before HTML: SendGrid refuses the other order.
            "content": [{"type": "text/plain", "value": mail.text}, {"type": "text/html", "value": mail.html}],
            "headers": _headers(mail),
        }
    )


def _mailgun(mail: Mail) -> bytes:
    fields = [("from", mail.sender), *(("to", one) for one in mail.to), ("subject", mail.subject)]
    fields += [("text", mail.text), ("html", mail.html)]
    fields += [(f"h:{name}", text) for name, text in _headers(mail).items()]
    return urlencode(fields).encode()


def _communication_services(mail: Mail) -> bytes:
    def person(text: str) -> dict[str, str]:
        name, address = _address(text)
        return {"address": address, **({"displayName": name} if name else {})}

    return cards.compact(
        {
            "senderAddress": _address(mail.sender)[1],
            "content": {"subject": mail.subject, "plainText": mail.text, "html": mail.html},
            "recipients": {"to": [person(one) for one in mail.to]},
            "headers": _headers(mail),
        }
    )


PRESETS: Mapping[MailPreset, Preset] = {
    MailPreset.RESEND: Preset(
        url="https://api.resend.com/emails",
        authorize=_in("Authorization", "Bearer {}"),
        idempotency="Idempotency-Key",
        encode=_resend,
        passing=frozenset({"concurrent_idempotent_requests"}),
    ),
    MailPreset.POSTMARK: Preset(
        url="https://api.postmarkapp.com/email",
        authorize=_in("X-Postmark-Server-Token"),
        encode=_postmark,
        receipt="MessageID",
    ),
    MailPreset.SENDGRID: Preset(
        url="https://api.sendgrid.com/v3/mail/send",
        authorize=_in("Authorization", "Bearer {}"),
        encode=_sendgrid,
        receipt="x-message-id",
    ),
    MailPreset.MAILGUN: Preset(
        url="https://api.mailgun.net/v3/{domain}/messages",
        authorize=_basic,
        encode=_mailgun,
        content_type=FORM,
    ),
    MailPreset.ACS: Preset(
        url="{url}/emails:send?api-version=2025-09-01",
        authorize=_signed,
        encode=_communication_services,
    ),
}
