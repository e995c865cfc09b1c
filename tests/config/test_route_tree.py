"""Routes as written and the tree they become: what is inherited, and ids that last."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from alertd.config import parse_config
from alertd.config.route_tree import route_tree
from alertd.notify.pace import Pace
from alertd.notify.reminders import Backoff
from alertd.notify.routes import Route
from alertd.notify.steps import Escalation

_RECEIVERS = "receivers: [{name: a}, {name: b}, {name: 'b#2'}]\n"


def tree(*routes: str) -> Route:
    below = "".join(f"    - {text}\n" for text in routes)
    config = parse_config(f"{_RECEIVERS}route:\n  receiver: a\n  routes:\n{below}", directory=Path.cwd())
    return route_tree(config.route)


def ids(*routes: str) -> list[str]:
    return [route.id for route in tree(*routes).every()][1:]


def test_what_a_route_does_not_say_is_its_parents() -> None:
    root = tree(
        "{matchers: [x=y], receiver: b, group_by: [tenant], repeat_interval: 0s, continue: true, routes: [{group_wait: 0s}]}"
    )
    (child,), ((grandchild,),) = root.children, [child.children for child in root.children]

    assert (child.receiver, child.group_by, child.continues) == ("b", ("tenant",), True)
    assert child.pace == Pace(repeat_interval=timedelta(0)), "zero is said, and not the same as nothing"
    assert (grandchild.receiver, grandchild.group_by, grandchild.continues) == ("b", ("tenant",), False)
    assert grandchild.pace == Pace(repeat_interval=timedelta(0), group_wait=timedelta(0))


def test_steps_are_inherited_until_a_route_gives_its_own_and_none_leads_to_its_own_receiver() -> None:
    config = parse_config(
        f"{_RECEIVERS}route:\n  receiver: a\n  escalate: [{{after: 1h, receiver: b}}]\n  routes:\n"
        "    - {matchers: [x=y]}\n    - {matchers: [x=z], escalate: []}\n"
        "    - {matchers: [x=u], receiver: b, routes: [{matchers: [v=w], receiver: 'b#2'}]}\n",
        directory=Path.cwd(),
    )
    step = Escalation(receiver="b", after=timedelta(hours=1))

    root = route_tree(config.route)

    assert [route.steps for route in root.every()] == [(step,), (step,), (), (), (step,)]
    assert root.receivers == ("a", "b")


def test_a_reminder_without_a_receiver_is_each_routes_own() -> None:
    config = parse_config(
        f"{_RECEIVERS}route:\n  receiver: a\n  escalate: [{{after: 1h, receiver: b}}]\n"
        "  deadline_reminders: [{before: 7d}, {before: 1d, receiver: b}]\n  routes:\n"
        "    - {matchers: [x=y], receiver: b}\n    - {matchers: [x=z], deadline_reminders: []}\n",
        directory=Path.cwd(),
    )

    steps = [[(step.reason.value, step.receiver) for step in route.steps] for route in route_tree(config.route).every()]

    assert steps == [
        [("escalation", "b"), ("reminder_deadline", "a"), ("reminder_deadline", "b")],
        [("reminder_deadline", "b"), ("reminder_deadline", "b")],
        [("escalation", "b")],
    ]


def test_an_empty_group_by_is_not_inherited_away() -> None:
    assert tree("{group_by: []}").children[0].group_by == ()


@pytest.mark.parametrize(
    ("routes", "expected"),
    [
        pytest.param(["{matchers: [x=y]}"], ['{}/{x="y"}'], id="the matchers"),
        pytest.param(["{}"], ["{}/{}"], id="no matchers"),
        pytest.param(["{matchers: [x=y, a!=b]}"], ['{}/{a!="b", x="y"}'], id="in any order"),
        pytest.param(["{matchers: [x=y], routes: [{matchers: [a=b]}]}"], ['{}/{x="y"}', '{}/{x="y"}/{a="b"}'], id="the way"),
        pytest.param(
            ["{matchers: [x=y], continue: true}", "{matchers: [x=y], receiver: b}", "{matchers: [x=y], receiver: b}"],
            ['{}/{x="y"}', '{}/{x="y"}@b', '{}/{x="y"}@b#2'],
            id="siblings with the same matchers, by receiver",
        ),
        pytest.param(
            ["{}", "{receiver: 'b#2'}", "{receiver: b}", "{receiver: b}"],
            ["{}/{}", "{}/{}@b#2", "{}/{}@b", "{}/{}@b#3"],
            id="a receiver whose name looks like a number",
        ),
    ],
)  # fmt: skip
def test_ids(routes: list[str], expected: list[str]) -> None:
    assert ids(*routes) == expected


def test_a_sibling_more_changes_no_id() -> None:
    before = ids("{matchers: [x=y]}", "{matchers: [a=b], routes: [{matchers: [c=d]}]}")

    after = ids("{matchers: [n=ew]}", "{matchers: [a=b], routes: [{matchers: [c=d]}]}", "{matchers: [x=y]}")

    assert set(before) < set(after)


def test_a_value_that_looks_like_a_way_is_no_way() -> None:
    found = ids("""{matchers: ['x="y}/{a"']}""", "{matchers: [x=y], routes: [{matchers: ['a=']}]}")

    assert len(set(found)) == len(found)


def test_how_reminders_go_is_inherited_and_can_be_switched_off_below() -> None:
    text = "repeat_backoff: {factor: 1.5, max: 3d}, repeat_after_attempt: true"
    root = tree(f"{{{text}, routes: [{{}}, {{repeat_backoff: {{factor: 1}}, repeat_after_attempt: false}}]}}")
    child = root.children[0]
    same, other = child.children

    assert child.pace == same.pace
    assert child.pace == Pace(repeat_backoff=Backoff(factor=1.5, longest=timedelta(days=3)), repeat_after_attempt=True)
    assert (other.pace.repeat_backoff, other.pace.repeat_after_attempt) == (Backoff(factor=1), False)
