"""Who hears of which group, in which manner, and what a route holds back."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

import attrs
import pytest

from alertd.model.notification import Withheld
from alertd.notify.channels.port import Integration, Limits
from alertd.notify.decide import Manner
from alertd.notify.inhibition import InhibitRule
from alertd.notify.intervals import NamedIntervals, TimeInterval
from alertd.notify.matchers import parse_matcher
from alertd.notify.pace import Pace
from alertd.notify.reminders import Backoff
from alertd.notify.routes import Route
from alertd.notify.routing import Routing
from alertd.notify.silences import Silence
from alertd.store.values import Conversation

from .alerts import START, alert, event
from .desk import HOUR, MINUTE, route

ALWAYS = NamedIntervals(name="always", time_intervals=(TimeInterval(),))


def integration(receiver: str, kind: str = "teams", **more: object) -> Integration:
    given: Mapping[str, object] = {"closes_silently": True, "deduplicates": False, **more}
    return Integration(
        receiver=receiver,
        kind=kind,
        limits=Limits(body_bytes_max=1000, blocks_max=10),
        **given,  # type: ignore[arg-type]
    )


OPS = (integration("ops"), integration("ops", "email"))
AUDIT = (integration("audit", "webhook", send_resolved=False, closes_silently=False),)
CHILD = attrs.evolve(route("audit", 'region="emea"', wait=HOUR), id="child")
ROUTING = Routing(root=route("ops", wait=MINUTE, children=(CHILD,)), receivers={"ops": OPS, "audit": AUDIT})


def talk(integration_id: str) -> Conversation:
    """Give a conversation of a group of the root."""
    return Conversation(
        id="c",
        group_key="root:{}",
        route_id="root",
        integration_id=integration_id,
        receiver=integration_id.partition("/")[0],
        started_at=START,
    )


# Where things stand.


def test_groups_by_key_with_their_routes() -> None:
    assert ROUTING.groups_of({"region": "emea"}) == {"child:{}": CHILD}
    assert ROUTING.groups_of({"region": "apac"}) == {"root:{}": ROUTING.root}


def test_routes_and_integrations_by_their_ids() -> None:
    assert ROUTING.route("child") is CHILD
    assert ROUTING.route("removed") is None
    assert ROUTING.integration("ops/email/default") is OPS[1]
    assert ROUTING.integration("ops/slack/default") is None


def test_a_removed_route_goes_at_the_pace_of_the_root() -> None:
    assert ROUTING.pace("child") == CHILD.pace
    assert ROUTING.pace("removed") == ROUTING.root.pace


def test_the_longest_wait_of_all_routes() -> None:
    assert ROUTING.longest_wait == HOUR


# Who hears of a group.


def test_all_integrations_of_the_receiver_listen() -> None:
    listeners = ROUTING.listeners("root", ())

    assert [(one.receiver, one.integration_id) for one in listeners] == [
        ("ops", "ops/teams/default"),
        ("ops", "ops/email/default"),
    ]
    assert not any(one.leaving or one.late for one in listeners)


def test_who_was_told_and_is_not_named_any_more_listens_after_them_until_the_end() -> None:
    talks = (talk("audit/webhook/default"), talk("ops/teams/default"), talk("gone/teams/default"))

    listeners = ROUTING.listeners("root", talks)

    assert [(one.integration_id, one.leaving) for one in listeners] == [
        ("ops/teams/default", False),
        ("ops/email/default", False),
        ("audit/webhook/default", True),
    ]


def test_a_group_whose_route_is_removed_has_only_those_who_leave() -> None:
    assert [
        (one.integration_id, one.leaving) for one in ROUTING.listeners("removed", (talk("ops/teams/default"),))
    ] == [("ops/teams/default", True)]


# In which manner.


def manner(one: Integration, **pace: object) -> Manner:
    root: Route = attrs.evolve(route("x"), pace=attrs.evolve(Pace(), **pace))
    (listener,) = Routing(root=root, receivers={"x": (one,)}, round_interval=7 * MINUTE).listeners("root", ())
    return listener.manner


@pytest.mark.parametrize("send_resolved", [True, False])
@pytest.mark.parametrize("closes_silently", [True, False])
def test_an_integration_says_which_ends_it_wants(send_resolved: bool, closes_silently: bool) -> None:
    found = manner(integration("x", send_resolved=send_resolved, closes_silently=closes_silently))

    assert (found.send_resolved, found.closes_silently) == (send_resolved, closes_silently)
    assert found.integration_id == "x/teams/default"


def test_a_route_says_when_its_receivers_are_reminded() -> None:
    backoff = Backoff(factor=3)

    found = manner(integration("x"), repeat_interval=4 * HOUR, repeat_backoff=backoff)

    assert (found.repeat_interval, found.repeat_backoff, found.attempt_grace) == (4 * HOUR, backoff, None)


def test_the_outcome_of_an_attempt_is_known_a_round_later() -> None:
    assert manner(integration("x"), repeat_after_attempt=True).attempt_grace == 7 * MINUTE


def test_a_machine_that_forgets_is_kept_up_to_date_whatever_the_route_says() -> None:
    found = manner(
        integration("x", refresh_interval=timedelta(minutes=2)),
        repeat_interval=4 * HOUR,
        repeat_backoff=Backoff(),
        repeat_after_attempt=True,
    )

    assert (found.repeat_interval, found.repeat_backoff, found.attempt_grace) == (timedelta(minutes=2), None, None)


# What is held back.

SOURCE, TARGET = alert("Source"), alert("Target")
INHIBIT = InhibitRule(
    source_matchers=(parse_matcher('alertname="Source"'),), target_matchers=(parse_matcher('alertname="Target"'),)
)


def silence(starts: timedelta = timedelta(0), ends: timedelta = HOUR) -> Silence:
    return Silence(
        id="s",
        matchers=(parse_matcher('alertname="Target"'),),
        starts_at=START + starts,
        ends_at=START + ends,
        created_by="ada",
        comment="planned",
    )


@pytest.mark.parametrize(
    ("firing", "silences", "mute", "expected"),
    [
        pytest.param([], [], False, None, id="nothing holds it back"),
        pytest.param([SOURCE], [], False, Withheld.INHIBITED, id="inhibited"),
        pytest.param([TARGET], [], False, None, id="fires itself: that inhibits nothing"),
        pytest.param([], [silence()], False, Withheld.SILENCED, id="silenced"),
        pytest.param([], [silence(starts=MINUTE)], False, None, id="a silence that is yet to come"),
        pytest.param([], [silence(starts=-HOUR, ends=timedelta(0))], False, None, id="a silence that is over"),
        pytest.param([], [], True, Withheld.MUTED, id="muted"),
        pytest.param([SOURCE], [silence()], True, Withheld.INHIBITED, id="inhibited before all else"),
        pytest.param([], [silence()], True, Withheld.SILENCED, id="silenced rather than muted"),
    ],
)
def test_what_holds_an_alert_back(
    firing: list[object], silences: list[Silence], mute: bool, expected: Withheld | None
) -> None:
    root = attrs.evolve(route("ops"), mute=(ALWAYS,) if mute else ())
    routing = attrs.evolve(ROUTING, root=root, inhibit_rules=(INHIBIT,))

    judge = routing.withhold("root", firing, silences, START)  # type: ignore[arg-type]

    assert judge(TARGET) is expected
    assert judge(event("Target")) is expected


def test_a_removed_route_mutes_nothing() -> None:
    routing = attrs.evolve(ROUTING, root=attrs.evolve(route("ops"), mute=(ALWAYS,)))

    assert routing.withhold("removed", (), (), START)(TARGET) is None
