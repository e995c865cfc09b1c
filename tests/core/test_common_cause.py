"""Common causes: when many are one, who belongs to it, what joins, and how it ends."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alertd.alerts.common_cause import TEMPLATE, CommonCause, gathered
from alertd.alerts.judgement import Move
from alertd.alerts.lifecycle import end
from alertd.model.alert import Alert, Child, Ended, Evidence, Identity, State
from alertd.model.resources import SynchronizationError, SynchronizationQuarantine, SynchronizationStatus
from alertd.model.views import Job
from alertd.notify.inhibition import inhibitor
from alertd.notify.matchers import parse_matcher

T0 = datetime(2026, 1, 5, 9, tzinfo=UTC)
CAUSE = CommonCause(
    alert="Many",
    matchers=(parse_matcher("alertname=Quarantined"),),
    within=timedelta(minutes=10),
    at_least=3,
    labels={"team": "identity"},
    annotate=lambda _labels, evidence: {"summary": f"{evidence.children_total} of them"},
)
BY_CODE = attrs.evolve(CAUSE, alert="OneCode", equal=("error_code",))


def at(minutes: float) -> datetime:
    return T0 + timedelta(minutes=minutes)


def job(name: str, minute: float, tenant: str = "contoso", *, code: str | None = None, **given: Any) -> Alert:
    """Give a job's alert that began to fire at a minute."""
    quarantine = SynchronizationQuarantine(error=SynchronizationError(code=code)) if code else None
    labels = {
        "alertname": "Quarantined", "severity": "error", "tenant": tenant, "tenant_id": f"id-{tenant}", "job_id": name,
        "service_principal": name, "service_principal_id": f"sp-{name}", "template_id": "scim", "region": "emea",
    }  # fmt: skip
    likely = {
        "state": State.FIRING, "severity": "error", "labels": labels, "episode": 1, "activeSince": at(minute), "startsAt": at(minute),
        "evidence": Evidence(status=SynchronizationStatus(code="Quarantine", quarantine=quarantine)),
    }  # fmt: skip
    identity = Identity(
        rule="Quarantined", tenant_key=f"global/{tenant}", service_principal_id=f"sp-{name}", job_id=name
    )
    return Alert(identity=identity, **likely | given)


def moves(*alerts: Alert, cause: CommonCause = CAUSE, minute: float = 30, moved: tuple[Move, ...] = ()) -> list[Move]:
    return list(gathered([cause], alerts, at(minute), moved))


def parent_of(*alerts: Alert, cause: CommonCause = CAUSE, minute: float = 30) -> Alert:
    (move,) = moves(*alerts, cause=cause, minute=minute)
    assert move.after is not None
    return move.after


THREE = (job("a", 0), job("b", 4), job("c", 9))


# When.


@pytest.mark.parametrize(
    ("minutes", "expected"),
    [
        pytest.param([0, 4, 10], 3, id="at the border of the window"),
        pytest.param([0, 4, 10.1], None, id="just beyond it"),
        pytest.param([0, 4], None, id="too few"),
        pytest.param([0, 20, 24, 28], 3, id="an early one goes its own way"),
        pytest.param([0, 4, 8, 300], 4, id="a late one belongs to it"),
        pytest.param([0, 9, 18, 27], None, id="a slow row of which no three are near each other"),
    ],
)
def test_enough_within_the_window(minutes: list[float], expected: int | None) -> None:
    found = moves(*(job(f"{number}", minute) for number, minute in enumerate(minutes)))

    assert [move.after.evidence.children_total for move in found if move.after] == ([expected] if expected else [])


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(job("c", 9, tenant="fabrikam"), id="another tenant"),
        pytest.param(job("c", 9, labels={"alertname": "Stale", "tenant": "contoso"}), id="another rule"),
        pytest.param(job("c", 9, state=State.PENDING, startsAt=None), id="one that does not fire yet"),
        pytest.param(job("c", 9, state=State.RESOLVED, ended=Ended.RESOLVED), id="one that has ended"),
    ],
)
def test_what_does_not_agree_does_not_count(other: Alert) -> None:
    assert moves(job("a", 0), job("b", 4), other) == []


def test_the_parent_is_an_alert_with_the_labels_that_route_it() -> None:
    parent = parent_of(*THREE)

    assert parent.labels == {
        "alertname": "Many", "severity": "critical", "tenant": "contoso", "tenant_id": "id-contoso", "region": "emea", "team": "identity",
    }  # fmt: skip
    assert (parent.state, parent.startsAt, parent.activeSince, parent.episode) == (State.FIRING, at(30), at(0), 1)
    assert (parent.template, parent.annotations) == (TEMPLATE, {"summary": "3 of them"})
    assert (parent.evidence.observed_from, parent.evidence.observed_to) == (at(0), at(30))
    assert [child.title for child in parent.evidence.children] == ["c", "b", "a"]


@pytest.mark.parametrize("odd", ["a", "b", "c"])
def test_a_label_that_one_child_has_otherwise_is_none_of_the_parent_s(odd: str) -> None:
    labels = {one.labels["job_id"]: {**one.labels} for one in THREE}
    labels[odd]["region"] = "apac"

    parent = parent_of(*(attrs.evolve(one, labels=labels[one.labels["job_id"]]) for one in THREE))

    assert "region" not in parent.labels


def test_where_a_label_is_missing_the_children_agree_in_its_absence() -> None:
    by_region = attrs.evolve(CAUSE, equal=("tenant", "region", "zone"))

    parent = parent_of(*THREE, cause=by_region)

    assert parent.identity.cause == '{region="emea", zone=""}'
    assert (parent.labels["region"], parent.labels["zone"]) == ("emea", "")
    assert by_region.owns(parent)


def test_a_child_began_when_it_began_to_fire() -> None:
    """What it was pending before counts neither for the window nor for when the parent began."""
    parent = parent_of(*(attrs.evolve(one, activeSince=at(-60 * place)) for place, one in enumerate(THREE)))

    assert parent.activeSince == at(0)
    assert [child.startsAt for child in parent.evidence.children] == [at(9), at(4), at(0)]


def test_a_child_is_told_with_where_it_is_to_be_seen() -> None:
    seen = Job(id="a", servicePrincipalId="sp-a", displayName="Salesforce", url="https://entra.microsoft.com/sp-a")
    known = job("a", 0, code="Refused")
    known = attrs.evolve(known, evidence=attrs.evolve(known.evidence, job=seen))
    anonymous = job("b", 0, labels={"alertname": "Quarantined", "job_id": "b"}, tenant="contoso")

    parent = parent_of(known, anonymous, THREE[2])

    children = {child.fingerprint: child for child in parent.evidence.children}
    assert children[known.fingerprint] == Child(
        fingerprint=known.fingerprint,
        name="Quarantined",
        title="Salesforce",
        tenant="contoso",
        startsAt=at(0),
        error_code="Refused",
        url="https://entra.microsoft.com/sp-a",
    )
    assert (children[anonymous.fingerprint].tenant, children[anonymous.fingerprint].url) == ("", None)


@pytest.mark.parametrize(
    ("codes", "expected"),
    [
        pytest.param(["Refused", "Refused", "Refused"], "a", id="one explains them all: the first child's status"),
        pytest.param(["Refused", "Refused", "Expired"], None, id="two codes"),
        pytest.param(["Refused", None, "Refused"], None, id="one has none"),
        pytest.param([None, None, None], None, id="none has one"),
    ],
)
def test_a_status_says_what_to_do_where_one_code_explains_all(codes: list[str | None], expected: str | None) -> None:
    """The page of one job's errors would mislead: a parent is about all of them."""
    children = [job(name, minute, code=code) for name, minute, code in zip("abc", (0, 4, 9), codes, strict=True)]
    children = [_with_page(child) for child in children]

    status = parent_of(*children).evidence.status

    assert (status and status.synchronizedEntryCountByType) == (expected and {expected: 1})
    assert status is None or status.troubleshootingUrl is None


def _with_page(child: Alert) -> Alert:
    status = attrs.evolve(
        child.evidence.status,
        troubleshootingUrl=f"https://entra.microsoft.com/{child.labels['job_id']}",
        synchronizedEntryCountByType={child.labels["job_id"]: 1},
    )
    return attrs.evolve(child, evidence=attrs.evolve(child.evidence, status=status))


def test_across_tenants_by_error_code() -> None:
    """Those without a code, or with Graph's word for none, agree with nobody."""
    parent = parent_of(
        job("a", 0, code="Refused"),
        job("b", 1, "fabrikam", code="Refused"),
        job("c", 2, "northwind", code="Refused"),
        *(job(f"none-{number}", 3) for number in range(5)),
        *(job(f"None-{number}", 3, code="None") for number in range(5)),
        cause=BY_CODE,
    )

    assert (parent.identity.tenant_key, parent.identity.cause) == ("", '{error_code="Refused"}')
    assert "tenant" not in parent.labels
    assert (parent.labels["error_code"], parent.labels["region"]) == ("Refused", "emea")
    assert parent.evidence.status is not None


def test_each_value_has_a_parent_of_its_own() -> None:
    fabrikam = [job(name, 5, "fabrikam") for name in "xyz"]

    parents = [move.after for move in moves(*THREE, *fabrikam) if move.after]

    assert {parent.labels["tenant"] for parent in parents} == {"contoso", "fabrikam"}
    assert len({parent.fingerprint for parent in parents}) == 2


# While it fires.


def test_nothing_moves_where_nothing_has_changed() -> None:
    parent = parent_of(*THREE)

    assert moves(*THREE, parent, minute=35) == []


def test_one_that_joins_makes_it_news() -> None:
    parent = parent_of(*THREE)

    after = parent_of(*THREE, job("d", 40), parent, minute=40)

    assert (after.episode, after.inherits_from, after.startsAt) == (2, 2, parent.startsAt)
    assert after.evidence.children_total == 4
    assert after.annotations == {"summary": "4 of them"}
    assert moves(*THREE, job("d", 40), after, minute=45) == []


def test_one_that_leaves_is_no_news() -> None:
    parent = parent_of(*THREE)

    after = parent_of(*THREE[:2], parent, minute=40)

    assert (after.episode, after.evidence.children_total) == (1, 2)


def test_it_inhibits_its_children_and_nothing_else() -> None:
    before, stranger = job("old", -1), job("x", 5, "fabrikam")
    parent = parent_of(*THREE)

    held = {
        one.labels["job_id"] for one in (*THREE, before, stranger, job("late", 60)) if inhibitor(one, [parent], [CAUSE])
    }

    assert held == {"a", "b", "c", "late"}
    assert inhibitor(parent, [parent], [CAUSE]) is None
    assert inhibitor(THREE[0], [attrs.evolve(parent, state=State.RESOLVED)], [CAUSE]) is None


def test_a_parent_is_nobody_s_child() -> None:
    anything = attrs.evolve(CAUSE, matchers=(parse_matcher("tenant=contoso"),))
    parent = parent_of(*THREE, cause=anything)

    assert moves(*THREE, parent, cause=anything, minute=35) == []
    assert anything.key(parent) is None


# Its end.


def test_with_fewer_than_two_left_it_ends() -> None:
    parent = parent_of(*THREE)

    after = parent_of(THREE[0], parent, minute=40)

    assert (after.state, after.ended, after.endsAt) == (State.RESOLVED, Ended.RESOLVED, at(40))


@pytest.mark.parametrize(
    ("ways", "expected"),
    [
        pytest.param([Ended.RESOLVED, Ended.RESOLVED], Ended.RESOLVED, id="all well"),
        pytest.param([Ended.RESOLVED, Ended.GONE], Ended.GONE, id="one of the last is gone"),
        pytest.param([Ended.NOT_WATCHED, Ended.RULE_REMOVED], Ended.NOT_WATCHED, id="nobody asks any more"),
    ],
)
def test_an_end_that_is_no_all_clear_says_so(ways: list[Ended], expected: Ended) -> None:
    parent = parent_of(*THREE)
    ended = tuple(Move(one, end(one, how, at(40))) for one, how in zip(THREE, ways, strict=False))

    (move,) = moves(THREE[2], parent, *(one.after for one in ended if one.after), minute=40, moved=ended)

    assert move.after is not None
    assert move.after.ended is expected


def test_it_fires_again_as_its_next_episode() -> None:
    """Whoever was not yet told of its end hears nothing new, as with any alert."""
    over = parent_of(parent_of(*THREE), minute=40)

    again = parent_of(job("a", 50), job("b", 51), job("c", 52), over, minute=52)

    assert (again.state, again.episode, again.inherits_from, again.ended, again.activeSince) == (
        State.FIRING,
        2,
        1,
        None,
        at(50),
    )


def test_one_that_was_joined_is_news_up_to_its_next_episode() -> None:
    """Whoever has heard of it only before others joined has not heard of them."""
    joined = parent_of(*THREE, job("d", 40), parent_of(*THREE), minute=40)
    over = parent_of(joined, minute=45)

    again = parent_of(job("a", 50), job("b", 51), job("c", 52), over, minute=52)

    assert (again.episode, again.inherits_from) == (3, 2)


def test_alerts_that_nobody_keeps_any_more_say_nothing_of_an_end() -> None:
    parent = parent_of(*THREE)

    (move,) = moves(THREE[0], parent, minute=40, moved=(Move(THREE[1], None),))

    assert move.after is not None
    assert move.after.ended is Ended.RESOLVED


def test_a_cause_that_agrees_in_something_else_now_owns_it_no_more() -> None:
    parent = parent_of(*THREE)

    assert CAUSE.owns(parent)
    assert not attrs.evolve(CAUSE, equal=("tenant", "region")).owns(parent)
    assert not attrs.evolve(CAUSE, equal=()).owns(parent)
    assert not attrs.evolve(CAUSE, alert="Others").owns(parent)


@given(st.lists(st.tuples(st.integers(0, 60), st.sampled_from(["contoso", "fabrikam"])), max_size=12), st.randoms())
def test_order_does_not_matter_and_once_is_enough(begun: list[tuple[int, str]], luck: Any) -> None:
    """However the alerts come, the parents are the same, and looking again changes nothing."""
    alerts = [job(f"{number}", minute, tenant) for number, (minute, tenant) in enumerate(begun)]
    mixed = luck.sample(alerts, len(alerts))

    first = moves(*alerts, minute=90)

    assert moves(*mixed, minute=90) == first
    assert moves(*alerts, *(move.after for move in first if move.after), minute=95) == []
