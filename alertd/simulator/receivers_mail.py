"""A stand-in for a mail server, over real SMTP, in the caller's event loop.

It takes mail for anybody and passes it on to nobody. Without encryption and log-in, which is why it listens on loopback alone.
"""

from __future__ import annotations

import asyncio
import re
import warnings
import weakref
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from typing import TYPE_CHECKING

from alertd.simulator.inbox import Inbox, Medium, Message
from alertd.simulator.receivers_behaviour import Behaviour, Mode

if TYPE_CHECKING:
    from aiosmtpd.smtp import SMTP, Envelope, Session

MAIL_BYTES_MAX = 5_000_000

_ANSWERS = {
    Mode.DOWN: "451 4.3.2 The service is not available for the moment",
    Mode.THROTTLED: "452 4.5.3 Too many messages, try again later",
    Mode.REFUSING: "550 5.7.1 Not accepted here",
}
_REASON = re.compile(r"Why you get this: ([a-z_]+)")


class MailReceiver:
    """A mail server. `start` raises OSError when the port is taken."""

    def __init__(self, inbox: Inbox, stopping: asyncio.Event, *, host: str = "127.0.0.1", port: int = 0) -> None:
        self.behaviour = Behaviour()
        self.host = host
        self.port = port
        self._inbox = inbox
        self._stopping = stopping
        self._server: asyncio.Server | None = None
        self._sessions: weakref.WeakSet[SMTP] = weakref.WeakSet()

    async def start(self) -> None:
        """Listen."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(self._session, self.host, self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Stop listening, and hang up."""
        if self._server is None:
            return
        self._server.close()
        for session in self._sessions:
            if session.transport is not None:
                session.transport.close()
        await self._server.wait_closed()
        self._server = None

    def _session(self) -> SMTP:
        with warnings.catch_warnings():  # it speaks of its own version 2 and of asyncio's functions that are going away
            warnings.simplefilter("ignore", DeprecationWarning)
            from aiosmtpd.smtp import SMTP

            session = SMTP(
                self, hostname="mail.demo.invalid", ident="alertd demo", data_size_limit=MAIL_BYTES_MAX, loop=_loop()
            )
        self._sessions.add(session)
        return session

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: ARG002, N802 - aiosmtpd's
        """Take one mail."""
        content = envelope.original_content or b""
        recipients = tuple(envelope.rcpt_tos)
        mode = self.behaviour.next()
        if mode is Mode.HANGING:
            self._inbox.add(Medium.EMAIL, read_mail(content, recipients), answer=0)
            await self._stopping.wait()
        answer = _ANSWERS.get(mode, "250 2.0.0 Taken")
        self._inbox.add(Medium.EMAIL, read_mail(content, recipients), answer=int(answer[:3]))
        return answer


def _loop() -> asyncio.AbstractEventLoop:
    return asyncio.get_running_loop()


def parse_mail(content: bytes) -> EmailMessage:
    """Read a mail."""
    return BytesParser(policy=policy.default).parsebytes(content)


def mail_part(mail: EmailMessage, kind: str) -> str:
    """Give the mail's text of a kind, ``plain`` or ``html``; empty if it has none."""
    part = mail.get_body((kind,))
    return str(part.get_content()) if part is not None else ""


def read_mail(content: bytes, recipients: tuple[str, ...]) -> Message:
    """Give what a mail program shows of it."""
    mail = parse_mail(content)
    said = mail.get("X-Alertd-Reason") or _found_reason(mail_part(mail, "plain"))
    faults = (
        ()
        if mail.get("Subject") and (mail_part(mail, "plain") or mail_part(mail, "html"))
        else ("no subject or no text",)
    )
    return Message(
        body=content,
        content_type="message/rfc822",
        headers={name: str(value) for name, value in mail.items()},
        recipients=recipients,
        title=str(mail.get("Subject", "")),
        reason=str(said),
        faults=faults,
    )


def _found_reason(text: str) -> str:
    found = _REASON.search(text)
    return found[1] if found else ""
