"""A broken template costs its looks, never the message."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping

import pytest

from alertd.model.notification import Notification, Reason, Rendered
from alertd.render.environment import Templates
from alertd.render.samples import alert, ended, notification, samples

Load = Callable[[Mapping[str, str]], Templates]
Render = Callable[..., Rendered]

BROKEN = "{{ group.labels.tenant.nope }}"
FRAMES = {
    "teams": "teams/message.card.json.j2",
    "email": "email/message.body.html.j2",
    "alertd": "webhook/message.alertd.json.j2",
    "alertmanager": "webhook/message.alertmanager.json.j2",
}
FACTS = ("Salesforce is in quarantine", "JobQuarantined", "contoso", "critical")


@pytest.mark.parametrize("channel", FRAMES)
def test_a_broken_frame_gives_the_plain_message_with_the_facts_and_the_error(
    own_templates: Load, rendered: Render, channel: str
) -> None:
    templates = own_templates({FRAMES[channel]: f"\n{BROKEN}"})

    result = rendered(notification(), channel, templates)

    text = result.body.decode()
    assert f"{FRAMES[channel]}:2: 'str object' has no attribute 'nope'" in result.fallback
    assert "no attribute" in text
    assert all(fact in text for fact in FACTS), text


@pytest.mark.parametrize("channel", FRAMES)
@pytest.mark.parametrize("name", samples())
def test_every_sample_can_be_told_plainly(own_templates: Load, rendered: Render, channel: str, name: str) -> None:
    """The plain message must not fail where the templates have."""
    broken = BROKEN.replace("tenant", "x.y") + "{{ none_such }}"
    frames = (FRAMES[channel], FRAMES[channel].replace("/message.", "/digest."))
    templates = own_templates(dict.fromkeys(frames, broken))

    result = rendered(samples()[name], channel, templates)

    assert "none_such" in result.fallback
    assert json.loads(result.body)


def test_a_broken_block_costs_only_itself(own_templates: Load, rendered: Render) -> None:
    templates = own_templates({"teams/blocks/quarantine.card.json.j2": "[{{ job.displayName.nope.x }}]"})
    two = notification(firing=(alert(), alert("JobStale", name="Box", number=2, template="failure")))

    result = rendered(two, "teams", templates)

    text = result.body.decode()
    assert result.fallback.startswith("teams/blocks/quarantine.card.json.j2:1:")
    assert "plain, because the template failed" in text
    assert "What to do" in text
    assert "2 alerts in contoso" in text


@pytest.mark.parametrize(
    "output",
    [
        pytest.param("no json", id="no JSON"),
        pytest.param('{"type": "AdaptiveCard", "version": "1.6"}', id="a card that Teams does not show"),
        pytest.param(
            '{"type": "AdaptiveCard", "version": "1.4", "body": [{"type": "TextBlock"}, "x"]}', id="a body that is none"
        ),
        pytest.param(
            '{"type": "AdaptiveCard", "version": "1.4", "fallbackText": "' + "x" * 30_000 + '"}',
            id="a card that never fits",
        ),
        pytest.param("[" * 100_000, id="brackets without end"),
    ],
)
def test_a_card_that_teams_would_not_show_is_replaced(own_templates: Load, rendered: Render, output: str) -> None:
    result = rendered(notification(), "teams", own_templates({"teams/message.card.json.j2": output}))

    card = json.loads(result.body)["attachments"][0]["content"]
    assert result.fallback
    assert "Salesforce is in quarantine" in card["body"][0]["text"]
    assert card["actions"][0]["url"].startswith("https://entra.microsoft.com/")


def test_the_plain_message_fits_too(own_templates: Load, rendered: Render) -> None:
    flood = notification(firing=tuple(alert(name="😀" * 300, number=number) for number in range(500)))

    result = rendered(flood, "teams", own_templates({"teams/message.card.json.j2": "{{ nope }}"}))

    assert len(result.body) <= 20_000
    assert "500 alerts in contoso" in result.body.decode()
    assert "more" in result.body.decode()


@pytest.mark.parametrize(
    "message",
    [
        notification(Reason.ALL_RESOLVED, firing=(), resolved=(ended(alert()),)),
        notification(Reason.DRILL, firing=()),
        notification(repeated=True),
    ],
)
def test_the_plain_message_says_what_kind_it_is(own_templates: Load, rendered: Render, message: Notification) -> None:
    text = rendered(message, "email", own_templates({"email/message.body.txt.j2": "{{ nope }}"})).body.decode()

    assert message.reason.value in text
    assert ("may be a repeat" in text) == message.repeated


def test_html_of_the_plain_message_is_escaped(own_templates: Load, rendered: Render) -> None:
    templates = own_templates({"email/message.body.html.j2": "{{ nope }}"})

    html = json.loads(rendered(notification(firing=(alert(summary="<script>x</script>"),)), "email", templates).body)[
        "body.html"
    ]

    assert "<script>" not in html
