"""A mail as all drivers send it: headers that thread an incident and keep out-of-office robots quiet. Pure.

Every mail of a conversation refers to a virtual root that no mail is, which holds a thread together even where a provider
rewrites Message-IDs; follow-ups answer the first mail too. Ids follow from conversation and sequence number, so nothing
has to be remembered. RFC 5322 (threading), RFC 3834 (Auto-Submitted), MS-OXCMAIL (X-Auto-Response-Suppress).
"""

from __future__ import annotations

import email.message
import email.policy
import email.utils
import hashlib
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import attrs

from alertd.model.notification import Notification, Reason
from alertd.render import wording
from alertd.render.hostile import clean, plain, shorten
from alertd.render.parts import HTML, SUBJECT, TEXT

_HEADER_MAX = 200
_SUBJECT_MAX = 180
_QUIET_REASONS = frozenset({Reason.DRILL, Reason.DIGEST})


@attrs.frozen(kw_only=True)
class Mail:
    """One mail. headers: beyond those that have a member of their own."""

    sender: str
    to: tuple[str, ...]
    subject: str
    text: str
    html: str
    message_id: str
    at: datetime
    headers: Mapping[str, str]


def mail(values: Mapping[str, Any], notification: Notification, *, sender: str, to: tuple[str, ...]) -> Mail:
    """Make a mail of a message's parts."""
    domain = address_of(sender).rpartition("@")[2]
    return Mail(
        sender=sender,
        to=to,
        subject=shorten(clean(values[SUBJECT.name]), _SUBJECT_MAX),
        text=values[TEXT.name],
        html=values[HTML.name],
        message_id=_id(notification, str(notification.sequence), domain),
        at=notification.at,
        headers=_thread(notification, domain) | _marks(notification),
    )


def address_of(text: str) -> str:
    """Give the address alone, where a name may stand before it: ``alertd <alertd@example.com>``."""
    return email.utils.parseaddr(text)[1]


def _id(notification: Notification, part: str, domain: str) -> str:
    incident = hashlib.sha256(notification.conversation.encode(errors="replace")).hexdigest()[:24]
    return f"<{part}.{incident}@{domain}>"


def _thread(notification: Notification, domain: str) -> dict[str, str]:
    root, first = _id(notification, "root", domain), _id(notification, "1", domain)
    if notification.sequence <= 1:
        return {"References": root}
    return {"In-Reply-To": first, "References": f"{root} {first}"}


def _marks(notification: Notification) -> dict[str, str]:
    severity = wording.worst(alert.severity for alert in notification.firing)
    urgent = severity == "critical" and notification.reason not in _QUIET_REASONS
    marks = {
        "Auto-Submitted": "auto-generated",
        "X-Auto-Response-Suppress": "All",
        "X-Alertd-Key": notification.key,
        "X-Alertd-Conversation": notification.conversation,
        "X-Alertd-Sequence": str(notification.sequence),
        "X-Alertd-Reason": notification.reason.value,
        "X-Alertd-Receiver": notification.receiver,
        "X-Alertd-Severity": severity or "none",
    }
    return {name: plain(text, _HEADER_MAX) for name, text in marks.items()} | ({"Importance": "high"} if urgent else {})


def mime(content: Mail) -> bytes:
    """Write it as it goes on the wire: text and HTML alternatives, seven bits, CRLF; the same bytes every time."""
    message = email.message.EmailMessage(policy=email.policy.SMTP)
    message["From"] = content.sender
    message["To"] = ", ".join(content.to)
    message["Subject"] = content.subject
    message["Date"] = email.utils.format_datetime(content.at)
    message["Message-ID"] = content.message_id
    for name, text in content.headers.items():
        message[name] = text
    message.set_content(content.text, cte="quoted-printable")
    message.add_alternative(content.html, subtype="html", cte="quoted-printable")
    message.set_boundary(f"alertd-{hashlib.sha256(content.message_id.encode()).hexdigest()[:32]}")
    return message.as_bytes()
