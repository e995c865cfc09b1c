"""Mails: read back as a mail program reads them."""

from __future__ import annotations

import email
import email.policy
import email.utils
from email.message import EmailMessage
from typing import Any

import attrs
import pytest

from alertd.model.notification import Notification, Reason
from alertd.notify.channels.email import EmailChannel
from alertd.notify.channels.http import ReceiverHttp
from alertd.notify.channels.settings import EmailSettings, GraphMailSettings, SmtpSettings
from alertd.render.environment import Templates
from alertd.render.samples import NOW, alert, ended, notification, samples, silence


@pytest.fixture
def channel(templates: Templates, make_http: Any, tokens: Any) -> EmailChannel:
    settings = EmailSettings(
        to=("oncall@example.com", "lead@example.com"),
        from_address="alertd <alertd@mail.example.com>",
        smtp=SmtpSettings(host="localhost"),
    )
    http: ReceiverHttp = make_http()
    return EmailChannel("oncall", settings, templates=templates, http=http, tokens=tokens)


def parsed(channel: EmailChannel, message: Notification) -> EmailMessage:
    raw = channel.render(message).body
    found = email.message_from_bytes(raw, policy=email.policy.default)
    assert isinstance(found, EmailMessage)
    assert not found.defects
    return found


def incident() -> tuple[Notification, Notification, Notification]:
    first = notification()
    repeat = attrs.evolve(first, reason=Reason.REPEAT, sequence=2, key="0f3a9b7c-2")
    end = attrs.evolve(
        first, reason=Reason.ALL_RESOLVED, sequence=3, key="0f3a9b7c-3", firing=(), resolved=(ended(alert()),)
    )
    return first, repeat, end


def test_envelope_and_marks(channel: EmailChannel) -> None:
    mail = parsed(channel, notification())

    assert mail["From"] == "alertd <alertd@mail.example.com>"
    assert mail["To"] == "oncall@example.com, lead@example.com"
    assert mail["Subject"] == "[alertd] contoso: Salesforce - JobQuarantined"
    assert email.utils.parsedate_to_datetime(mail["Date"]) == NOW
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["X-Auto-Response-Suppress"] == "All"
    assert mail["X-Alertd-Reason"] == "first_notification"
    assert mail["X-Alertd-Severity"] == "critical"
    assert mail["Importance"] == "high"
    assert channel.render(notification()).recipients == ("oncall@example.com", "lead@example.com")


def test_text_and_html_say_the_same(channel: EmailChannel) -> None:
    mail = parsed(channel, notification())

    assert mail.get_content_type() == "multipart/alternative"
    assert [part.get_content_type() for part in mail.iter_parts()] == ["text/plain", "text/html"]
    for part in mail.iter_parts():
        content = part.get_content()
        assert part["Content-Transfer-Encoding"] == "quoted-printable"
        for fact in (
            "Salesforce is in quarantine",
            "SalesforceInvalidCredentials",
            "first_notification",
            "2026-02-02 10:21 UTC",
        ):
            assert fact in content


def test_an_incident_is_one_thread(channel: EmailChannel) -> None:
    first, repeat, end = (parsed(channel, message) for message in incident())
    root = first["References"]

    assert {first["In-Reply-To"], repeat["In-Reply-To"], end["In-Reply-To"]} == {None, first["Message-ID"]}
    assert repeat["References"] == end["References"] == f"{root} {first['Message-ID']}"
    assert len({mail["Message-ID"] for mail in (first, repeat, end)} | {root}) == 4
    assert all(
        mail["Message-ID"].endswith("@mail.example.com>") and len(mail["Message-ID"]) < 78
        for mail in (first, repeat, end)
    )
    assert repeat["Subject"] == end["Subject"] == f"Re: {first['Subject']}"


def test_other_conversations_are_other_threads(channel: EmailChannel) -> None:
    one = parsed(channel, notification())
    other = parsed(channel, notification(conversation="other", key="other-1"))

    assert one["References"] != other["References"]
    assert one["Message-ID"] != other["Message-ID"]


def test_the_same_message_is_the_same_bytes(channel: EmailChannel) -> None:
    """A retry after a restart must not look like another mail."""
    assert channel.render(notification()).body == channel.render(notification()).body


def test_on_the_wire_it_is_seven_bits_and_crlf(channel: EmailChannel) -> None:
    raw = channel.render(notification(firing=(alert(name="Grünes Büro 😀", summary="Grün 😀 " * 100),))).body

    assert raw.isascii()
    assert b"\n" not in raw.replace(b"\r\n", b"")
    assert max(map(len, raw.split(b"\r\n"))) <= 998


@pytest.mark.parametrize(
    "name", ["Evil\r\nBcc: all@example.com", "Evil\u2028Bcc: x", "Evil\x00", "a@b.c, d@e.f", "x" * 5_000, "\ud800"]
)
def test_no_name_gets_into_the_headers(channel: EmailChannel, name: str) -> None:
    mail = parsed(channel, notification(firing=(alert(name=name),), receiver=name, conversation=name))

    assert mail["Bcc"] is None
    assert mail["To"] == "oncall@example.com, lead@example.com"
    assert "\n" not in mail["Subject"]
    assert len(mail["Subject"]) <= 200


def test_html_is_escaped(channel: EmailChannel) -> None:
    mail = parsed(channel, notification(firing=(alert(name="<img src=x>", summary="<script>alert(1)</script>"),)))
    html = mail.get_body(("html",)).get_content()

    assert "<script" not in html
    assert "<img" not in html
    assert "&lt;script&gt;" in html


def test_the_comment_of_a_silence_is_said_and_escaped(channel: EmailChannel) -> None:
    mail = parsed(channel, notification(Reason.SILENCE_ENDING, silence=silence("<script>alert(1)</script> renewal")))

    assert "<script" not in mail.get_body(("html",)).get_content()
    assert "Silenced by ada@example.com until 2026-01-05 11:11 UTC:" in mail.get_body(("html",)).get_content()
    assert "renewal. What still fires then is told." in mail.get_body(("plain",)).get_content()
    assert mail["Subject"].startswith("[alertd] Silence ends soon: ")


def test_html_needs_nothing_from_outside(channel: EmailChannel) -> None:
    html = parsed(channel, notification()).get_body(("html",)).get_content()

    assert not [word for word in ("<img", "<link", "<script", "src=", "@import", "url(") if word in html]


@pytest.mark.parametrize("name", samples())
def test_every_sample_is_a_mail_without_defects(channel: EmailChannel, name: str) -> None:
    rendered = channel.render(samples()[name])
    mail = parsed(channel, samples()[name])

    assert rendered.fallback == ""
    assert len(rendered.body) <= 100_000
    assert mail.get_body(("plain",)).get_content().strip()


def test_a_drill_says_so_in_the_subject(channel: EmailChannel) -> None:
    mail = parsed(channel, notification(Reason.DRILL))

    assert mail["Subject"].startswith("[alertd] DRILL ")
    assert "This is a drill" in mail.get_body(("plain",)).get_content()
    assert mail["Importance"] is None


def test_an_all_clear_is_not_urgent(channel: EmailChannel) -> None:
    mail = parsed(channel, incident()[2])

    assert mail["Importance"] is None
    assert mail.get_body(("plain",)).get_content().startswith("Resolved: Salesforce left quarantine")


def test_a_flood_fits_what_mail_programs_show(channel: EmailChannel) -> None:
    rendered = channel.render(
        notification(firing=tuple(alert(name=f"App {number}", number=number) for number in range(2_000)))
    )

    assert len(rendered.body) <= 100_000
    assert "more" in "".join(
        part.get_content() for part in email.message_from_bytes(rendered.body, policy=email.policy.default).iter_parts()
    )


def test_the_graph_driver_s_sender_is_the_mailbox(templates: Templates, make_http: Any, tokens: Any) -> None:
    settings = EmailSettings(
        to=("oncall@example.com",), graph=GraphMailSettings(tenant="contoso", sender="alerts@contoso.com")
    )

    channel = EmailChannel("oncall", settings, templates=templates, http=make_http(), tokens=tokens)

    assert parsed(channel, notification())["From"] == "alerts@contoso.com"
    assert not channel.integration.deduplicates


@pytest.mark.parametrize(
    "settings",
    [
        EmailSettings(to=("a@example.com",), from_address="b@example.com"),
        EmailSettings(to=("a@example.com",), smtp=SmtpSettings(host="x")),
    ],
)
def test_settings_without_a_driver_or_a_sender_are_a_bug(
    settings: EmailSettings, templates: Templates, make_http: Any, tokens: Any
) -> None:
    """The configuration's loader has refused them long before."""
    with pytest.raises(ValueError, match=r"no (driver|sender)"):
        EmailChannel("oncall", settings, templates=templates, http=make_http(), tokens=tokens)
