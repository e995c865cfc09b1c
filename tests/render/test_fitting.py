"""Whatever has to be said fits, stays valid, and keeps what matters most."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import attrs
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from alertd.model.alert import Alert
from alertd.model.change import Change
from alertd.model.notification import Notification, Reason, Rendered
from alertd.model.resources import SynchronizationError
from alertd.notify.channels.teams import FORM, LIMITS
from alertd.render import cards
from alertd.render.environment import Templates
from alertd.render.fitting import _shares
from alertd.render.message import render
from alertd.render.samples import alert, ended, event, evidence, notification, status

Card = Callable[..., dict[str, Any]]

NASTY = (
    "x",
    "é",
    "😀",
    "\u202e",
    "\x00",
    "\ud800",
    "*",
    "[a](https://evil.example)",
    "</script>",
    '"',
    "\\",
    "{{DATE(1)}}",
    "\n",
    "ﷺ",
)
texts = st.builds(
    lambda part, times, tail: part * times + tail, st.sampled_from(NASTY), st.integers(0, 3_000), st.text(max_size=40)
)


def told(name: str, summary: str, error: str, number: int) -> Alert:
    """An alert in which everything that others choose is chosen."""
    seen = evidence()
    fault = SynchronizationError(code=error[:40], message=error)
    quarantined = attrs.evolve(status(), quarantine=attrs.evolve(status().quarantine, error=fault))
    about = attrs.evolve(seen.job, displayName=name, id=f"{name}.{number}")
    changes = (*seen.changes, Change("status.quarantine.error.code", name, error))
    whole = attrs.evolve(seen, status=quarantined, job=about, changes=changes, note=error)
    return attrs.evolve(alert(name=name, number=number, summary=summary), evidence=whole)


@settings(max_examples=settings.default.max_examples // 4, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    names=st.lists(st.tuples(texts, texts, texts), min_size=0, max_size=6),
    copies=st.sampled_from([1, 1, 2, 40]),
    resolved=st.integers(0, 3),
    reason=st.sampled_from(Reason),
)
def test_any_message_fits_a_card_and_is_a_valid_one(
    templates_for_properties: Templates, names: list[tuple[str, str, str]], copies: int, resolved: int, reason: Reason
) -> None:
    """Any number of alerts, any text: at most 20,000 bytes, valid, with its headline, and nothing drops without a word."""
    firing = tuple(told(*row, number) for number, row in enumerate(names * copies))
    over = tuple(ended(alert(number=900 + number)) for number in range(resolved))

    result = render(notification(reason, firing=firing, resolved=over), FORM, templates_for_properties)

    assert len(result.body) <= LIMITS.body_bytes_max
    card = json.loads(result.body)["attachments"][0]["content"]
    assert cards.faults(card) == []
    assert list(structural_faults(card)) == []
    assert card["body"][0]["items"][0]["text"]
    assert result.fallback == ""
    left_out = sum(map(int, re.findall(r'"\+(\d+) more"', result.body.decode())))
    assert left_out < max(1, len(firing) + len(over))
    assert (left_out > 0) == any(f"{left_out} of " in words for words in result.shortened)


@pytest.fixture(scope="module")
def templates_for_properties() -> Templates:
    return Templates.load()


def structural_faults(element: Any) -> Iterator[str]:
    """What Teams swallows without a word: no wrapping on a phone, text that is Markdown by accident, odd actions."""
    if isinstance(element, list):
        for item in element:
            yield from structural_faults(item)
    if isinstance(element, dict):
        kind = element.get("type")
        if kind == "TextBlock" and element.get("wrap") is not True:
            yield f"a TextBlock that does not wrap: {element}"
        if kind == "Action.OpenUrl" and not element["url"].startswith("https://"):
            yield f"a link elsewhere: {element}"
        if str(kind).startswith("Action.") and kind != "Action.OpenUrl":
            yield f"an action: {element}"
        for value in element.values():
            yield from structural_faults(value)


def many(count: int) -> Notification:
    return notification(
        Reason.NEW_ALERTS, firing=tuple(alert(name=f"App {number:04d}", number=number) for number in range(count))
    )


@pytest.mark.parametrize("count", [1, 5, 6, 40, 200, 5_000])
def test_more_alerts_than_fit_are_counted(rendered: Callable[..., Rendered], count: int) -> None:
    result = rendered(many(count), "teams")
    text = result.body.decode()

    shown = sum(f"App {number:04d}" in text for number in range(count))
    more = count - shown
    assert len(result.body) <= LIMITS.body_bytes_max
    assert (f"+{more} more" in text) == (more > 0)
    assert (f"{more} of {count} alerts" in "; ".join(result.shortened)) == (more > 0)
    assert f"{count} alerts in contoso" in text or count == 1


def test_long_texts_go_first(card: Card, rendered: Callable[..., Rendered]) -> None:
    """Four long errors: they are cut before anything else is."""
    firing = tuple(told(f"App {number}", "short", "An error. " * 500, number) for number in range(5))
    message = notification(firing=firing)

    result = rendered(message, "teams")

    assert result.shortened
    assert "texts longer than" in result.shortened[0]
    assert not any("left out" in words and "alerts" in words for words in result.shortened)
    assert all(f"App {number}" in result.body.decode() for number in range(5))


def test_headline_link_and_counts_survive_everything(card: Card) -> None:
    flood = notification(
        Reason.SOME_RESOLVED,
        firing=many(800).firing,
        resolved=tuple(ended(alert(name=f"Over {number}", number=1_000 + number)) for number in range(50)),
        events=(event(),),
    )

    shown = card(flood)

    text = json.dumps(shown, ensure_ascii=False)
    assert "800 firing, 50 resolved, 1 event in contoso" in shown["body"][0]["items"][0]["text"]
    assert "Over " in text
    assert "App " in text
    assert shown["actions"][-1]["url"] == "https://alertd.example.com"


def test_what_fits_is_not_cut(rendered: Callable[..., Rendered]) -> None:
    assert rendered(notification(), "teams").shortened == ()


@pytest.mark.parametrize(
    ("sizes", "most", "expected"),
    [
        ([5, 0, 0], 3, [3, 0, 0]),
        ([100, 1, 10], 12, [7, 1, 4]),
        ([2, 1, 1], 10, [2, 1, 1]),
        ([5, 5, 5], 0, [0, 0, 0]),
        ([1, 0, 50], 20, [1, 0, 19]),
    ],
)
def test_every_list_keeps_a_fair_share(sizes: list[int], most: int, expected: list[int]) -> None:
    assert _shares(sizes, most) == expected


SCHEMA = Path(__file__).resolve().parents[2].parent / "shared" / "channels" / "adaptive-card-1.4.0.schema.json"


@pytest.mark.skipif(
    not SCHEMA.is_file(), reason="Microsoft's schema is not at hand; the structural checks are always made"
)
def test_every_sample_is_valid_by_microsoft_s_schema(card: Card) -> None:
    import jsonschema

    from alertd.render.samples import samples

    schema = json.loads(SCHEMA.read_text())
    schema["definitions"]["AdaptiveCard"]["properties"]["msteams"] = {"type": "object"}
    validator = jsonschema.Draft6Validator(schema)

    for name, sample in samples().items():
        fault = jsonschema.exceptions.best_match(validator.iter_errors(card(sample)))
        assert fault is None, (name, fault.message, list(fault.absolute_path))
