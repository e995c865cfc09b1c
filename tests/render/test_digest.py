"""Digests in every channel that shows them: whole where there is room, counts where there is not, harmless whatever they name."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import attrs
import pytest

from alertd.model.notification import Notification, Reason
from alertd.notify.channels import apprise, chats, teams
from alertd.notify.channels.settings import WebhookFormat
from alertd.notify.channels.webhook import _form
from alertd.render.environment import Templates
from alertd.render.message import Form, render
from alertd.render.samples import AWKWARD, digest, notification, samples
from tests.render.conftest import FORMS

CHANNELS = {
    "teams": teams.FORM,
    "slack": chats.SLACK_FORM,
    "google_chat": chats.GOOGLE_CHAT_FORM,
    "discord": chats.DISCORD_FORM,
    "apprise": apprise.FORM,
    "email": FORMS["email"],
    "alertd": _form(WebhookFormat.ALERTD),
    "alertmanager": _form(WebhookFormat.ALERTMANAGER),
    "cloudevents": _form(WebhookFormat.CLOUDEVENTS),
}
PEOPLE = [name for name in CHANNELS if name not in {"alertd", "alertmanager", "cloudevents"}]
DIGESTS = ["digest", *(name for name in AWKWARD if name.startswith("digest"))]


@pytest.mark.parametrize("channel", CHANNELS)
@pytest.mark.parametrize("name", DIGESTS)
def test_every_channel_carries_every_digest_by_its_template(templates: Templates, channel: str, name: str) -> None:
    form = CHANNELS[channel]

    rendered = render(samples()[name], form, templates)

    assert rendered.fallback == ""
    assert len(rendered.body) <= form.body_bytes_max


@pytest.mark.parametrize("channel", PEOPLE)
def test_people_read_what_needs_them(templates: Templates, channel: str) -> None:
    text = render(samples()["digest"], CHANNELS[channel], templates).body.decode()

    for fact in ("4 of 40 jobs in quarantine", "Workday to Entra ID", "2026-01-07 08:41 UTC", "tailspin", "no answer in 31 rounds", "(+350)",
                 "managers/email/default", "2 messages given up", "35 Active", "JobStale", "(silenced)", "2025-12-29 10:41 UTC"):  # fmt: skip
        assert fact in text.replace("\\\\", "").replace("\\-", "-"), fact


@pytest.mark.parametrize("channel", PEOPLE)
def test_where_all_is_well_one_sentence_says_so(templates: Templates, channel: str) -> None:
    text = render(samples()["digest well"], CHANNELS[channel], templates).body.decode()

    assert "all is well with 40 jobs in 2 tenants" in text
    assert "Nothing needs doing" in text
    assert "In quarantine" not in text


@pytest.mark.parametrize("channel", PEOPLE)
def test_what_is_left_out_is_counted(templates: Templates, channel: str) -> None:
    rendered = render(samples()["digest hostile"], CHANNELS[channel], templates)

    shown = rendered.body.decode().count("disabled in")
    assert 0 < shown <= 10 * (2 if channel == "email" else 1)
    assert "more" in rendered.body.decode()
    assert rendered.shortened


def test_the_count_of_what_is_left_out_is_of_all_there_are(templates: Templates) -> None:
    many = attrs.evolve(digest(), quarantined_total=3_000)

    card = render(told(many), teams.FORM, templates).body.decode()

    assert "+2996 more" in card


@pytest.mark.parametrize("channel", ["alertd", "alertmanager", "cloudevents"])
def test_webhooks_carry_it_as_data(templates: Templates, channel: str) -> None:
    body = json.loads(render(samples()["digest"], CHANNELS[channel], templates).body)

    data = body if channel == "alertmanager" else body["data"]
    assert data["digest"]["quarantined_total"] == 4
    assert data["digest"]["quarantined"][0]["disable_at"] == "2026-01-07T08:41:00Z"
    assert data["digest"]["trends"][0] | {"url": None} == {
        "tenant": "contoso", "title": "SAP Cloud Identity", "job_id": "sap.1", "before": 80, "now": 430, "url": None,
    }  # fmt: skip
    assert data.get("alerts", []) == []


def test_nothing_in_a_card_is_read_as_markup(card: Callable[..., dict[str, Any]]) -> None:
    texts = [block["text"] for block in _blocks(card(samples()["digest hostile"])) if block.get("type") == "TextBlock"]

    assert not [text for text in texts if "](https" in text or "<b>" in text]


def _blocks(value: Any) -> list[dict[str, Any]]:
    if isinstance(value, list):
        return [block for item in value for block in _blocks(item)]
    return [value, *(block for item in value.values() for block in _blocks(item))] if isinstance(value, dict) else []


@pytest.mark.parametrize("channel", CHANNELS)
def test_a_broken_template_gives_the_plain_digest(own_templates: Callable[..., Templates], channel: str) -> None:
    form = CHANNELS[channel]
    names = {f"{form.kind}/digest.{part.name}.j2": "{{ digest.nope.x }}" for part in form.parts}

    rendered = render(samples()["digest"], form, own_templates(names))

    text = rendered.body.decode()
    assert "digest" in rendered.fallback
    assert "Workday to Entra ID" in text
    assert "tailspin" in text


def test_a_name_that_is_not_there_is_found_by_check(own_templates: Callable[..., Templates]) -> None:
    templates = own_templates({"email/digest.subject.txt.j2": "{{ digest.quarantine_total }}"})

    found = [problem for problem in templates.check() if "unknown name" in problem.found]

    assert [(problem.found, problem.cure) for problem in found] == [
        ("unknown name `digest.quarantine_total`", "did you mean `quarantined_total`?")
    ]


def told(of: Any, **given: Any) -> Notification:
    return notification(Reason.DIGEST, firing=(), group_labels={}, digest=of, **given)


def test_one_that_may_have_come_before_says_so(templates: Templates) -> None:
    forms: list[Form] = [CHANNELS[name] for name in PEOPLE]

    assert all(
        "may be a repeat" in render(told(digest(), repeated=True), form, templates).body.decode() for form in forms
    )
