"""Mail through a server: SMTP, always with the protection that was asked for, never "if possible".

A server may take a mail for some recipients and refuse others: those refused for now stay open, those refused for good
are named in the result. Before DATA a broken connection means "not accepted"; from there on nobody knows.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Callable, Mapping
from datetime import datetime

import aiosmtplib
import attrs

from alertd.errors import DeliveryError, DeliveryFailureReason
from alertd.model.notification import Rendered
from alertd.notify.channels.authorization import token_header
from alertd.notify.channels.email.mail import Mail, address_of, mime
from alertd.notify.channels.port import Accepted, TokenSource
from alertd.notify.channels.settings import EntraAuth, SmtpSettings, Tls
from alertd.redaction import redact
from alertd.render.hostile import plain

_PORTS: Mapping[Tls, int] = {Tls.STARTTLS: 587, Tls.IMPLICIT: 465, Tls.NONE: 25}
# Seconds for each stage; an attempt as a whole takes no longer than a minute.
_CONNECT, _ENVELOPE, _DATA = 20.0, 15.0, 25.0
# What tokens for mail are asked for; the application needs SMTP.SendAsApp and the right to send as the mailbox.
_SCOPES: Mapping[str, str] = {
    "global": "https://outlook.office365.com/.default",
    "usgov": "https://outlook.office365.us/.default",
    "usgov-dod": "https://webmail.apps.mil/.default",
    "china": "https://partner.outlook.cn/.default",
}
_SAID_MAX = 200
_TEMPORARY = range(400, 500)
# Exchange Online switches passwords off for mail clients, tenant by tenant, from the end of 2026.
_NO_PASSWORDS = "5.7.30"  # a status code of theirs
_HINT = (
    "Exchange Online takes no passwords here any more; send by `graph: {tenant: NAME, sender: ADDRESS}`, "
    "or log in with `auth: {entra: {tenant: NAME}}`"
)


@attrs.frozen(kw_only=True)
class _Refused:
    """Recipients that the server did not take: for now, and for good."""

    now: Mapping[str, str] = attrs.field(factory=dict)
    for_good: Mapping[str, str] = attrs.field(factory=dict)


class SmtpDriver:
    """One mail server."""

    content_type = "message/rfc822"
    deduplicates = False

    def __init__(
        self,
        settings: SmtpSettings,
        *,
        sender: str,
        trust: Callable[[], ssl.SSLContext],
        tokens: TokenSource,
        who: str,
    ) -> None:
        self._settings = settings
        self._sender = address_of(sender)
        self._trust = trust
        self._tokens = tokens
        self._who = who

    def body(self, content: Mail) -> bytes:
        """Give the mail as it goes on the wire."""
        return mime(content)

    async def send(
        self,
        rendered: Rendered,
        recipients: tuple[str, ...],
        *,
        key: str,  # noqa: ARG002 - it stands in the mail's Message-ID
        now: datetime,  # noqa: ARG002 - nothing here depends on it
    ) -> Accepted:
        """Hand the mail over; see the module for what becomes of refused recipients."""
        client = await self._connected()
        try:
            refused = await self._envelope(client, recipients)
            said = await self._data(client, rendered.body)
        finally:
            await _quit(client)
        return _result(self._who, said, refused)

    async def check(self) -> Accepted:
        """Connect, protect and log in, as for a mail; then leave."""
        client = await self._connected()
        await _quit(client)
        return Accepted("connected" + (" and logged in" if self._settings.username else ""))

    async def _connected(self) -> aiosmtplib.SMTP:
        settings = self._settings
        protected = settings.tls is not Tls.NONE
        client = aiosmtplib.SMTP(
            hostname=settings.host,
            port=settings.port or _PORTS[settings.tls],
            use_tls=settings.tls is Tls.IMPLICIT,
            start_tls=settings.tls is Tls.STARTTLS,
            tls_context=self._trust() if protected else None,
            timeout=_DATA,
        )
        async with _mapped(self._who, _CONNECT):
            await client.connect()
            try:
                await self._log_in(client)
            except BaseException:
                client.close()
                raise
        return client

    async def _log_in(self, client: aiosmtplib.SMTP) -> None:
        settings = self._settings
        if settings.password is None and settings.auth is None:
            return
        if settings.tls is Tls.NONE:
            raise DeliveryError(
                DeliveryFailureReason.AUTH, f"{self._who}: a password is not sent without TLS", retriable=False
            )
        if settings.auth is not None:
            await self._log_in_with_token(client, settings.auth)
        elif settings.password is not None:
            await client.login(settings.username, settings.password.reveal())

    async def _log_in_with_token(self, client: aiosmtplib.SMTP, auth: EntraAuth) -> None:
        """Log in with a token; one that is refused is replaced once, since it may have been revoked meanwhile."""
        scope = _SCOPES.get(auth.cloud, _SCOPES["global"])
        header = await token_header(self._tokens, auth.tenant, scope)
        try:
            await client.auth_xoauth2(self._settings.username, _token(header))
        except aiosmtplib.SMTPAuthenticationError:
            renewed = await token_header(self._tokens, auth.tenant, scope, rejected=header)
            if renewed == header:
                raise
            await client.auth_xoauth2(self._settings.username, _token(renewed))

    async def _envelope(self, client: aiosmtplib.SMTP, recipients: tuple[str, ...]) -> _Refused:
        now: dict[str, str] = {}
        for_good: dict[str, str] = {}
        async with _mapped(self._who, _ENVELOPE):
            await client.mail(self._sender)
            for recipient in recipients:
                try:
                    await client.rcpt(recipient)
                except aiosmtplib.SMTPRecipientRefused as exc:
                    (now if exc.code in _TEMPORARY else for_good)[recipient] = f"{exc.code} {_said(exc.message)}"
        refused = _Refused(now=now, for_good=for_good)
        if len(now) + len(for_good) == len(recipients):
            raise _nobody(self._who, refused)
        return refused

    async def _data(self, client: aiosmtplib.SMTP, body: bytes) -> str:
        """Send the mail itself. From here on a connection that breaks leaves the outcome open."""
        async with _mapped(self._who, _DATA, ambiguous=True):
            answer = await client.data(body)
        return f"{answer.code} {_said(answer.message)}"


@contextlib.asynccontextmanager
async def _mapped(who: str, seconds: float, *, ambiguous: bool = False) -> AsyncIterator[None]:
    """Turn what aiosmtplib and the network raise into DeliveryError."""
    try:
        async with asyncio.timeout(seconds):
            yield
    except DeliveryError:
        raise
    except aiosmtplib.SMTPResponseException as exc:
        raise _answered(exc, who) from exc
    except TimeoutError as exc:
        raise DeliveryError(
            DeliveryFailureReason.TIMEOUT, f"{who}: no answer in time", retriable=True, ambiguous=ambiguous
        ) from exc
    except aiosmtplib.SMTPNotSupported as exc:
        raise DeliveryError(DeliveryFailureReason.CLIENT_ERROR, f"{who}: {_said(str(exc))}", retriable=False) from exc
    except (aiosmtplib.SMTPException, OSError) as exc:
        raise DeliveryError(
            DeliveryFailureReason.NETWORK, f"{who}: {_said(str(exc))}", retriable=True, ambiguous=ambiguous
        ) from exc


def _answered(exc: aiosmtplib.SMTPResponseException, who: str) -> DeliveryError:
    """Map a code: 4xx is for now, anything else for good."""
    for_now = exc.code in _TEMPORARY
    reason = DeliveryFailureReason.SERVER_ERROR if for_now else DeliveryFailureReason.CLIENT_ERROR
    if isinstance(exc, aiosmtplib.SMTPAuthenticationError) or _NO_PASSWORDS in exc.message:
        reason = DeliveryFailureReason.AUTH
    hint = f": {_HINT}" if _NO_PASSWORDS in exc.message else ""
    return DeliveryError(
        reason, f"{who} answered {exc.code}: {_said(exc.message)}{hint}", retriable=for_now, status=exc.code
    )


def _nobody(who: str, refused: _Refused) -> DeliveryError:
    told = "; ".join(f"{name}: {said}" for name, said in {**refused.now, **refused.for_good}.items())
    hint = f": {_HINT}" if _NO_PASSWORDS in told else ""
    return DeliveryError(
        DeliveryFailureReason.SERVER_ERROR if refused.now else DeliveryFailureReason.CLIENT_ERROR,
        f"{who}: every recipient was refused: {told}{hint}",
        retriable=bool(refused.now),
        remaining=tuple(refused.now) if refused.now else None,
    )


def _result(who: str, said: str, refused: _Refused) -> Accepted:
    """Give the acceptance, or raise for those who are still to get the mail."""
    for_good = "; ".join(f"{name}: {why}" for name, why in refused.for_good.items())
    if refused.now:
        told = "; ".join(f"{name}: {why}" for name, why in refused.now.items())
        lost = f"; refused for good: {for_good}" if for_good else ""
        raise DeliveryError(
            DeliveryFailureReason.SERVER_ERROR,
            f"{who}: accepted for some, refused for now: {told}{lost}",
            retriable=True,
            remaining=tuple(refused.now),
        )
    return Accepted(f"{said}; refused for good: {for_good}" if for_good else said)


async def _quit(client: aiosmtplib.SMTP) -> None:
    """Leave politely if that is quickly done; the mail's fate is decided already."""
    with contextlib.suppress(aiosmtplib.SMTPException, OSError, TimeoutError):
        async with asyncio.timeout(2):
            await client.quit()
    client.close()


def _token(header: str) -> str:
    return header.removeprefix("Bearer ")


def _said(text: str) -> str:
    return plain(redact(text), _SAID_MAX)
