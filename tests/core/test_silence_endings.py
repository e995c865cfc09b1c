"""The word before a silence ends: when it is due, and who hears what."""

from __future__ import annotations

from datetime import timedelta

import attrs
import pytest

from alertd.model.alert import Alert
from alertd.model.notification import EndingSilence
from alertd.notify.channels.port import Integration, Limits
from alertd.notify.matchers import parse_matcher
from alertd.notify.pace import Pace
from alertd.notify.routes import Route
from alertd.notify.routing import Routing
from alertd.notify.silence_endings import ending, hearers, word_due_at
from alertd.notify.silences import Episode, Silence

from .alerts import START, alert

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
A, B = alert("A"), alert("B")
SILENCE = Silence(
    id="s",
    matchers=(parse_matcher('alertname="A"'),),
    starts_at=START,
    ends_at=START + 2 * HOUR,
    created_by="ada",
    comment="change 4711",
)


def integration(kind: str = "teams", **more: bool) -> Integration:
    limits = Limits(body_bytes_max=1, blocks_max=1)
    return Integration(receiver="ops", kind=kind, closes_silently=True, deduplicates=False, limits=limits, **more)


TEAMS = integration()
ROUTING = Routing(root=Route(id="{}", receiver="ops", group_by=(), pace=Pace()), receivers={"ops": (TEAMS,)})


@pytest.mark.parametrize(
    ("silence", "due"),
    [
        pytest.param(SILENCE, START + 90 * MINUTE, id="half an hour before the end"),
        pytest.param(attrs.evolve(SILENCE, end_noted=True), None, id="given already"),
        pytest.param(attrs.evolve(SILENCE, ends_at=START + 30 * MINUTE), None, id="made for no longer"),
        pytest.param(
            attrs.evolve(SILENCE, ends_at=None, episodes=(Episode(A.fingerprint, 1),)), None, id="no fixed end"
        ),
        pytest.param(
            attrs.evolve(SILENCE, episodes=(Episode(A.fingerprint, 1),)),
            START + 90 * MINUTE,
            id="made for episodes, but with a fixed end",
        ),
    ],
)
def test_when_the_word_is_due(silence: Silence, due: object) -> None:
    assert word_due_at(silence, 30 * MINUTE) == due


@pytest.mark.parametrize(
    ("firing", "told"),
    [
        pytest.param((A, B), {TEAMS: (A,)}, id="what it hides, and nothing else"),
        pytest.param((B,), {}, id="it hides nothing"),
        pytest.param(
            (attrs.evolve(A, withheld_integrations=(TEAMS.id,)),), {}, id="an alert that must not go through there"
        ),
    ],
)
def test_who_hears_what(firing: tuple[Alert, ...], told: object) -> None:
    assert hearers(SILENCE, firing, [SILENCE], ROUTING, START + 90 * MINUTE) == told


def test_a_silence_that_has_ended_or_not_begun_is_not_spoken_of() -> None:
    assert hearers(SILENCE, [A], [SILENCE], ROUTING, START + 2 * HOUR) == {}
    assert hearers(SILENCE, [A], [SILENCE], ROUTING, START - MINUTE) == {}


def test_another_silence_counts_only_if_it_is_in_force_at_the_end() -> None:
    longer = attrs.evolve(SILENCE, id="longer", ends_at=START + 3 * HOUR)
    as_long = attrs.evolve(SILENCE, id="as long")
    later = attrs.evolve(SILENCE, id="later", starts_at=START + 2 * HOUR, ends_at=START + 3 * HOUR)

    def heard(other: Silence) -> object:
        return hearers(SILENCE, [A], [SILENCE, other], ROUTING, START + 90 * MINUTE)

    assert [heard(longer), heard(as_long), heard(later)] == [{}, {TEAMS: (A,)}, {}]


def test_an_alert_of_two_routes_to_one_receiver_is_named_once_and_a_machine_that_keeps_alerts_is_not_told() -> None:
    pager = integration("pagerduty", keeps_alerts=True)
    below = (
        Route(id="1", receiver="ops", group_by=(), pace=Pace(), continues=True),
        Route(id="2", receiver="ops", group_by=("job_id",), pace=Pace()),
    )
    routing = Routing(root=attrs.evolve(ROUTING.root, children=below), receivers={"ops": (TEAMS, pager)})

    assert hearers(SILENCE, [A], [SILENCE], routing, START + 90 * MINUTE) == {TEAMS: (A,)}


def test_the_word_says_whose_the_silence_is_and_until_when() -> None:
    assert ending(SILENCE, START + 2 * HOUR) == EndingSilence(
        id="s", created_by="ada", comment="change 4711", starts_at=START, ends_at=START + 2 * HOUR
    )
