"""Messages as people see them: cards by Microsoft's own renderer with Teams' colours, mails by a browser.

The pictures are kept in the folder that SHOTS names.
"""

from __future__ import annotations

import email
import email.policy
import json
from collections.abc import Callable
from typing import Any

import pytest

from alertd.model.notification import Notification, Reason
from alertd.notify.channels.email import EmailChannel
from alertd.notify.channels.http import ReceiverHttp
from alertd.notify.channels.settings import EmailSettings, SmtpSettings
from alertd.notify.channels.teams import FORM
from alertd.render.environment import Templates
from alertd.render.message import render
from alertd.render.samples import alert, notification, samples

pytestmark = pytest.mark.browser

Show = Callable[..., str]

PICTURES = (
    "first_notification",
    "new_alerts",
    "some_resolved",
    "all_resolved",
    "event",
    "subject_gone",
    "reminder_deadline",
    "escalation",
    "fallback",
    "drill",
    "silence_ending",
    "mute_summary",
    "template deletes",
    "template tenant",
    "template common_cause",
    "many alerts",
    "hostile names",
    "first sight",
    "nothing known",
    "digest",
    "digest well",
    "digest hostile",
)


def card_of(message: Notification, templates: Templates) -> dict[str, Any]:
    card: dict[str, Any] = json.loads(render(message, FORM, templates).body)["attachments"][0]["content"]
    return card


@pytest.fixture
def html_of(templates: Templates) -> Callable[[Notification], str]:
    settings = EmailSettings(to=("a@example.com",), from_address="b@example.com", smtp=SmtpSettings(host="localhost"))
    http = ReceiverHttp(trust=lambda: pytest.fail("nothing is sent"))
    channel = EmailChannel("oncall", settings, templates=templates, http=http, tokens=None)

    def html(message: Notification) -> str:
        mail = email.message_from_bytes(channel.render(message).body, policy=email.policy.default)
        content: str = mail.get_body(("html",)).get_content()
        return content

    return html


@pytest.mark.parametrize("name", PICTURES)
def test_the_renderer_finds_no_fault_with_a_card(name: str, templates: Templates, show_card: Show) -> None:
    text = show_card(card_of(samples()[name], templates), name.replace(" ", "-"))

    assert "Why you get this" in text
    assert "None" not in text
    assert "\\" not in text


@pytest.mark.parametrize("name", ["first_notification", "all_resolved", "template deletes", "many alerts", "digest"])
def test_cards_in_the_dark(name: str, templates: Templates, show_card: Show) -> None:
    assert "contoso" in show_card(card_of(samples()[name], templates), name.replace(" ", "-"), "dark")


@pytest.mark.parametrize("name", PICTURES)
def test_mails(name: str, html_of: Callable[[Notification], str], show_mail: Show) -> None:
    text = show_mail(html_of(samples()[name]), name.replace(" ", "-"))

    assert "Why you get this" in text
    assert "None" not in text


def test_the_plain_message_is_a_card_too(templates: Templates, show_card: Show) -> None:
    """The built-in card, which nobody writes a template for."""
    from alertd.render.context import message
    from alertd.render.parts import CARD

    card = CARD.builtin(message(samples()["some_resolved"]), "teams/message.card.json.j2:3: 'x' is undefined")

    assert "the template failed" in show_card(card, "plain")


HARM = (
    "[click](https://evil.example)",
    "<https://evil.example>",
    "https://evil.example/x",
    "**bold** _it_ `code` ~~gone~~",
    "<img src=x onerror=alert(1)>",
    "![pixel](https://evil.example/p.png)",
    "# title",
    "1. item",
    "- item",
    "&lt;b&gt; &amp;",
    "{{DATE(2026-01-05T10:00:00Z,SHORT)}}",
    "<at>everyone</at>",
    "\\*not\\* \\[x\\](y)",
)


@pytest.mark.parametrize("harm", HARM)
def test_text_from_outside_is_shown_as_it_stands(
    harm: str, templates: Templates, card_elements: Callable[..., Any]
) -> None:
    """In the headline, which is Markdown, as in the names and errors beside it, which are not."""
    text, links, images = card_elements(card_of(hostile(harm), templates))

    assert harm.replace("](", "] (") in text.replace("\u200b", "")
    assert not [link for link in links if "evil" in link]
    assert images == 0


def hostile(harm: str) -> Notification:
    return notification(Reason.FIRST_NOTIFICATION, firing=(alert(name=harm, summary=harm),))
