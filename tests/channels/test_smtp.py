"""Mail servers: real ones, with TLS, log-ins and opinions about recipients."""

from __future__ import annotations

import asyncio
import base64
import email
import email.policy
import socket
import ssl
import warnings
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import attrs
import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from alertd.errors import DeliveryError, DeliveryFailureReason
from alertd.model.secret import Secret
from alertd.notify.channels.email import EmailChannel
from alertd.notify.channels.settings import EmailSettings, EntraAuth, SmtpSettings, Tls
from alertd.render.environment import Templates
from alertd.render.samples import notification

NOW = datetime(2026, 1, 5, 10, 41, tzinfo=UTC)
TO = ("oncall@example.com", "lead@example.com")


@attrs.define
class Postman:
    """What the server says to recipients and mails; what it took."""

    recipients: dict[str, str] = attrs.field(factory=dict)
    answer: str = "250 2.0.0 queued as 42"
    taken: list[Envelope] = attrs.field(factory=list)
    silent: bool = False
    forever: bool = False
    seen_tls: list[bool] = attrs.field(factory=list)

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        said = self.recipients.get(address, "250 ok")
        if said.startswith("250"):
            envelope.rcpt_tos.append(address)
        return said

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        self.seen_tls.append(server.transport.get_extra_info("sslcontext") is not None)
        if self.forever:
            await asyncio.Event().wait()
        if self.silent:
            server.transport.abort()
            await asyncio.Event().wait()
        if self.answer.startswith("250"):
            self.taken.append(envelope)
        return self.answer


def authenticate(server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: Any) -> AuthResult:
    right = isinstance(data, LoginPassword) and (data.login, data.password) == (b"alertd", b"right")
    return AuthResult(success=right, handled=right)


Post = tuple[Postman, int]


@pytest.fixture
def serve(server_tls: ssl.SSLContext) -> Iterator[Callable[..., Post]]:
    running: list[Controller] = []

    def start(*, starttls: bool = False, implicit: bool = False, **options: Any) -> Post:
        postman = Postman()
        with socket.create_server(("localhost", 0)) as free:
            port = free.getsockname()[1]
        tls = {"tls_context": server_tls, "require_starttls": True} if starttls else {}
        tls |= {"ssl_context": server_tls} if implicit else {}
        controller = Controller(postman, hostname="localhost", port=port, **tls, **options)
        controller.start()
        running.append(controller)
        return postman, port

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # aiosmtpd warns of itself
        yield start
        for controller in running:
            controller.stop()


@pytest.fixture
def make(templates: Templates, make_http: Any, tokens: Any) -> Callable[..., EmailChannel]:
    def channel(port: int, **smtp: Any) -> EmailChannel:
        settings = SmtpSettings(host="localhost", port=port, **smtp)
        mail = EmailSettings(to=TO, from_address="alertd <alertd@example.com>", smtp=settings)
        return EmailChannel("oncall", mail, templates=templates, http=make_http(), tokens=tokens)

    return channel


async def send(channel: EmailChannel, recipients: tuple[str, ...] = ()) -> str:
    rendered = channel.render(notification())
    return (await channel.send(rendered, key="c1-1", attempt=1, now=NOW, recipients=recipients)).detail


async def failed(channel: EmailChannel, recipients: tuple[str, ...] = ()) -> DeliveryError:
    with pytest.raises(DeliveryError) as failure:
        await send(channel, recipients)
    return failure.value


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("server", "tls", "protected"),
    [
        pytest.param({}, Tls.NONE, False, id="none"),
        pytest.param({"starttls": True}, Tls.STARTTLS, True, id="starttls"),
        pytest.param({"implicit": True}, Tls.IMPLICIT, True, id="implicit"),
    ],
)
async def test_a_mail_arrives_as_it_was_built(
    serve: Any, make: Any, server: dict[str, bool], tls: Tls, protected: bool
) -> None:
    postman, port = serve(**server)
    channel = make(port, tls=tls)

    detail = await send(channel)

    envelope = postman.taken[0]
    assert "queued as 42" in detail
    assert (envelope.mail_from, tuple(envelope.rcpt_tos)) == ("alertd@example.com", TO)
    assert envelope.content.rstrip(b"\r\n") == channel.render(notification()).body.rstrip(b"\r\n")
    assert postman.seen_tls == [protected]
    assert email.message_from_bytes(envelope.content, policy=email.policy.default)["Subject"].startswith("[alertd]")


@pytest.mark.anyio
async def test_starttls_is_never_only_if_possible(serve: Any, make: Any) -> None:
    """A server without it, or somebody in between who hides it, gets nothing in clear text."""
    postman, port = serve()

    error = await failed(make(port, tls=Tls.STARTTLS))

    assert postman.taken == []
    assert not error.ambiguous


@pytest.mark.anyio
async def test_a_certificate_that_nobody_vouches_for_is_refused(serve: Any, templates: Templates, tokens: Any) -> None:
    from alertd.graph.trust import make_ssl_context
    from alertd.notify.channels.http import ReceiverHttp

    postman, port = serve(implicit=True)
    mail = EmailSettings(
        to=TO, from_address="a@example.com", smtp=SmtpSettings(host="localhost", port=port, tls=Tls.IMPLICIT)
    )
    channel = EmailChannel(
        "oncall", mail, templates=templates, http=ReceiverHttp(trust=make_ssl_context), tokens=tokens
    )

    error = await failed(channel)

    assert (error.reason, error.ambiguous, postman.taken) == (DeliveryFailureReason.NETWORK, False, [])


@pytest.mark.anyio
@pytest.mark.parametrize(("password", "arrives"), [("right", True), ("wrong", False)])
async def test_log_in(serve: Any, make: Any, password: str, arrives: bool) -> None:
    postman, port = serve(starttls=True, authenticator=authenticate, auth_required=True)
    channel = make(port, username="alertd", password=Secret(password))

    if arrives:
        await send(channel)
        assert len(postman.taken) == 1
    else:
        error = await failed(channel)
        assert (error.reason, error.retriable, error.ambiguous) == (DeliveryFailureReason.AUTH, False, False)
        assert password not in str(error)


@pytest.mark.anyio
async def test_a_password_never_goes_out_in_clear_text(serve: Any, make: Any) -> None:
    postman, port = serve(authenticator=authenticate, auth_require_tls=False)

    error = await failed(make(port, tls=Tls.NONE, username="alertd", password=Secret("right")))

    assert error.reason is DeliveryFailureReason.AUTH
    assert postman.taken == []


@pytest.mark.anyio
async def test_those_refused_for_now_stay_open_and_only_they(serve: Any, make: Any) -> None:
    postman, port = serve()
    postman.recipients["lead@example.com"] = "451 4.2.1 mailbox busy"
    channel = make(port, tls=Tls.NONE)

    error = await failed(channel)
    postman.recipients.clear()
    await send(channel, error.remaining)

    assert (error.remaining, error.retriable, error.ambiguous) == (("lead@example.com",), True, False)
    assert [envelope.rcpt_tos for envelope in postman.taken] == [["oncall@example.com"], ["lead@example.com"]]
    assert postman.taken[0].content == postman.taken[1].content


@pytest.mark.anyio
async def test_one_refused_for_good_does_not_hold_up_the_others(serve: Any, make: Any) -> None:
    postman, port = serve()
    postman.recipients["lead@example.com"] = "550 5.1.1 no such user"

    detail = await send(make(port, tls=Tls.NONE))

    assert postman.taken[0].rcpt_tos == ["oncall@example.com"]
    assert "lead@example.com: 550" in detail


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("answers", "retriable", "remaining"),
    [
        pytest.param(("550 no", "550 no"), False, None, id="all for good"),
        pytest.param(("451 busy", "451 busy"), True, TO, id="all for now"),
        pytest.param(("550 no", "451 busy"), True, ("lead@example.com",), id="one of each"),
    ],
)
async def test_nobody_was_accepted(
    serve: Any, make: Any, answers: tuple[str, str], retriable: bool, remaining: tuple[str, ...] | None
) -> None:
    postman, port = serve()
    postman.recipients = dict(zip(TO, answers, strict=True))

    error = await failed(make(port, tls=Tls.NONE))

    assert (error.retriable, error.remaining, error.ambiguous) == (retriable, remaining, False)
    assert postman.taken == []


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("answer", "reason", "retriable", "hint"),
    [
        ("451 4.3.0 try later", DeliveryFailureReason.SERVER_ERROR, True, "try later"),
        ("554 5.7.1 spam", DeliveryFailureReason.CLIENT_ERROR, False, "spam"),
        (
            "550 5.7.30 Basic authentication is not supported for Client Submission.",
            DeliveryFailureReason.AUTH,
            False,
            "send by `graph",
        ),
    ],
)
async def test_answers_to_the_mail_itself(
    serve: Any, make: Any, answer: str, reason: DeliveryFailureReason, retriable: bool, hint: str
) -> None:
    postman, port = serve()
    postman.answer = answer

    error = await failed(make(port, tls=Tls.NONE))

    assert (error.reason, error.retriable, error.ambiguous, error.status) == (reason, retriable, False, int(answer[:3]))
    assert hint in str(error)


@pytest.mark.anyio
async def test_a_connection_lost_after_the_mail_leaves_the_outcome_open(serve: Any, make: Any) -> None:
    postman, port = serve()
    postman.silent = True

    error = await failed(make(port, tls=Tls.NONE))

    assert (error.reason, error.retriable, error.ambiguous) == (DeliveryFailureReason.NETWORK, True, True)


@pytest.mark.anyio
async def test_no_answer_to_the_mail_leaves_the_outcome_open(
    serve: Any, make: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from alertd.notify.channels.email import smtp

    postman, port = serve()
    postman.forever = True
    monkeypatch.setattr(smtp, "_DATA", 0.3)

    error = await failed(make(port, tls=Tls.NONE))

    assert (error.reason, error.ambiguous) == (DeliveryFailureReason.TIMEOUT, True)


@pytest.mark.anyio
async def test_nobody_listens(make: Any) -> None:
    with socket.create_server(("localhost", 0)) as free:
        port = free.getsockname()[1]

    error = await failed(make(port, tls=Tls.NONE))

    assert (error.reason, error.retriable, error.ambiguous) == (DeliveryFailureReason.NETWORK, True, False)


@pytest.mark.anyio
async def test_a_password_file_that_is_gone_may_come_back(serve: Any, make: Any, tmp_path: Path) -> None:
    _, port = serve(starttls=True, authenticator=authenticate)

    error = await failed(make(port, username="alertd", password=Secret.from_file(tmp_path / "password")))

    assert (error.retriable, error.ambiguous) == (True, False)


@pytest.mark.anyio
async def test_check_logs_in_and_sends_nothing(serve: Any, make: Any) -> None:
    postman, port = serve(starttls=True, authenticator=authenticate)

    accepted = await make(port, username="alertd", password=Secret("right")).check()

    assert accepted.detail == "connected and logged in"
    assert postman.taken == []
    with pytest.raises(DeliveryError):
        await make(port, username="alertd", password=Secret("wrong")).check()


@pytest.mark.anyio
async def test_a_line_that_begins_with_a_dot_stays_one(serve: Any, make: Any) -> None:
    postman, port = serve()
    channel = make(port, tls=Tls.NONE)
    rendered = attrs.evolve(channel.render(notification()), body=b"Subject: x\r\n\r\n.dot\r\n..two\r\n")

    await channel.send(rendered, key="c1-1", attempt=1, now=NOW)

    assert postman.taken[0].content == b"Subject: x\r\n\r\n.dot\r\n..two\r\n"


class TokenPostman(Postman):
    """A server that takes tokens alone. right: the only token that it takes."""

    right: str = "token-1"
    asked: list[str]

    async def auth_XOAUTH2(self, server: SMTP, args: list[str]) -> AuthResult:  # noqa: N802 - aiosmtpd's name
        told = base64.b64decode(args[1]).decode()
        self.asked = [*getattr(self, "asked", []), told]
        right = told == f"user=alerts@contoso.com\x01auth=Bearer {self.right}\x01\x01"
        if not right:
            await server.push("535 5.7.3 Authentication unsuccessful")
        return AuthResult(success=right, handled=not right)


@pytest.fixture
def tokens_only(server_tls: ssl.SSLContext) -> Iterator[tuple[TokenPostman, int]]:
    postman = TokenPostman()
    with socket.create_server(("localhost", 0)) as free:
        port = free.getsockname()[1]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # aiosmtpd warns of itself
        options: dict[str, Any] = {
            "require_starttls": True,
            "auth_required": True,
            "auth_exclude_mechanism": ["LOGIN", "PLAIN"],
        }
        controller = Controller(postman, hostname="localhost", port=port, tls_context=server_tls, **options)
        controller.start()
        yield postman, port
        controller.stop()


TOKEN = {"username": "alerts@contoso.com", "auth": EntraAuth(tenant="contoso")}


@pytest.mark.anyio
async def test_a_token_instead_of_a_password(tokens_only: Any, make: Callable[..., EmailChannel], tokens: Any) -> None:
    postman, port = tokens_only

    await send(make(port, **TOKEN))

    assert len(postman.taken) == 1
    assert tokens.asked == [("contoso", "https://outlook.office365.com/.default")]


@pytest.mark.anyio
async def test_a_token_that_is_refused_is_replaced_once(tokens_only: Any, make: Callable[..., EmailChannel]) -> None:
    postman, port = tokens_only
    postman.right = "token-2"

    await send(make(port, **TOKEN))

    assert len(postman.asked) == 2
    assert len(postman.taken) == 1


@pytest.mark.anyio
async def test_a_mailbox_that_is_not_ours_is_refused_for_good(
    tokens_only: Any, make: Callable[..., EmailChannel]
) -> None:
    postman, port = tokens_only
    postman.right = "never"

    error = await failed(make(port, **TOKEN))

    assert (error.reason, error.retriable, error.ambiguous) == (DeliveryFailureReason.AUTH, False, False)
    assert "token-" not in str(error)
    assert len(postman.asked) == 2


@pytest.mark.anyio
async def test_a_token_never_goes_out_in_clear_text(tokens_only: Any, make: Callable[..., EmailChannel]) -> None:
    error = await failed(make(tokens_only[1], tls=Tls.NONE, **TOKEN))

    assert error.reason is DeliveryFailureReason.AUTH
    assert not hasattr(tokens_only[0], "asked")


@pytest.mark.anyio
async def test_check_logs_in_with_the_token(tokens_only: Any, make: Callable[..., EmailChannel]) -> None:
    assert (await make(tokens_only[1], **TOKEN).check()).detail == "connected and logged in"
