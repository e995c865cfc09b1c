"""The route tree: depth first, the first child that matches wins unless it continues."""

from __future__ import annotations

import pytest

from alertd.notify.matchers import parse_matcher
from alertd.notify.pace import Pace
from alertd.notify.routes import Route


def route(name: str, *matchers: str, continues: bool = False, children: tuple[Route, ...] = ()) -> Route:
    return Route(
        id=name,
        receiver=name,
        group_by=("tenant", "alertname"),
        pace=Pace(),
        matchers=tuple(parse_matcher(text) for text in matchers),
        continues=continues,
        children=children,
    )


def taken(root: Route, **labels: str) -> list[str]:
    return [found.receiver for found in root.matching(labels)]


TREE = route(
    "root",
    children=(
        route(
            "critical",
            'severity="critical"',
            children=(
                route("identity", 'team="identity"'),
                route("workday", 'service_principal=~"Workday.*"'),
            ),
        ),
        route("audit", 'region="emea"', continues=True),
        route("emea", 'region="emea"'),
        route("late", 'team="identity"'),
    ),
)


@pytest.mark.parametrize(
    ("labels", "receivers"),
    [
        pytest.param({}, ["root"], id="no child matches: the root"),
        pytest.param({"severity": "critical"}, ["critical"], id="no grandchild matches: the child"),
        pytest.param({"severity": "critical", "team": "identity"}, ["identity"], id="the deepest that matches"),
        pytest.param(
            {"severity": "critical", "team": "identity", "service_principal": "Workday A"},
            ["identity"],
            id="the first of two that match",
        ),
        pytest.param({"severity": "critical", "region": "emea"}, ["critical"], id="what is taken goes no further"),
        pytest.param({"region": "emea"}, ["audit", "emea"], id="continue: the next sibling too"),
        pytest.param({"region": "emea", "team": "identity"}, ["audit", "emea"], id="only up to the next that does not"),
        pytest.param({"team": "identity"}, ["late"], id="grandchildren are asked only below their parent"),
    ],
)
def test_matching(labels: dict[str, str], receivers: list[str]) -> None:
    assert taken(TREE, **labels) == receivers


def test_a_root_with_matchers_that_does_not_match_takes_nothing() -> None:
    assert taken(route("root", 'a="x"')) == []


def test_continue_on_the_last_child_does_not_bring_the_parent_back() -> None:
    tree = route("root", children=(route("child", 'a="x"', continues=True),))

    assert taken(tree, a="x") == ["child"]


def test_continue_before_a_sibling_that_does_not_match() -> None:
    tree = route("root", children=(route("child", 'a="x"', continues=True), route("other", 'b="y"')))

    assert taken(tree, a="x") == ["child"]


def test_continue_of_a_grandchild_stays_among_its_siblings() -> None:
    """What the child took is taken: continue speaks to its own level only."""
    first = route("first", 'a="x"', children=(route("deep", 'b="y"', continues=True), route("deeper", 'b="y"')))
    tree = route("root", children=(first, route("second", 'a="x"')))

    assert taken(tree, a="x", b="y") == ["deep", "deeper"]


def test_continue_of_a_child_whose_own_children_do_not_match() -> None:
    child = route("child", 'a="x"', continues=True, children=(route("deep", 'b="y"'),))
    tree = route("root", children=(child, route("second", 'a="x"')))

    assert taken(tree, a="x") == ["child", "second"]


def test_every_route_from_the_root_downwards() -> None:
    names = [found.receiver for found in TREE.every()]

    assert names == ["root", "critical", "identity", "workday", "audit", "emea", "late"]


# Groups.


def grouped(*names: str) -> Route:
    return Route(id="root", receiver="root", group_by=names, pace=Pace())


LABELS = {"alertname": "JobQuarantined", "tenant": "contoso", "job_id": "SF.1"}


@pytest.mark.parametrize(
    ("group_by", "labels"),
    [
        pytest.param(("tenant",), {"tenant": "contoso"}, id="one label"),
        pytest.param(("tenant", "region"), {"tenant": "contoso"}, id="a label that is not there is left out"),
        pytest.param((), {}, id="one group for everything"),
        pytest.param(("...",), LABELS, id="a group for each set of labels"),
        pytest.param(("...", "tenant"), LABELS, id="all labels, and one of them"),
    ],
)
def test_group_labels(group_by: tuple[str, ...], labels: dict[str, str]) -> None:
    assert grouped(*group_by).group_labels(LABELS) == labels


def test_a_group_key_is_readable() -> None:
    assert grouped("tenant", "alertname").group_key(LABELS) == 'root:{alertname="JobQuarantined", tenant="contoso"}'


def test_a_group_key_does_not_depend_on_the_order_of_group_by() -> None:
    assert grouped("tenant", "alertname").group_key(LABELS) == grouped("alertname", "tenant").group_key(LABELS)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param({"tenant": "a"}, {"tenant": "b"}, id="another value"),
        pytest.param({"tenant": "a"}, {"alertname": "a"}, id="another label"),
        pytest.param({"tenant": 'a", alertname="b'}, {"tenant": "a", "alertname": "b"}, id="a value that looks like labels"),
        pytest.param({"tenant": "a\\"}, {"tenant": "a\\\\"}, id="backslashes"),
    ],
)  # fmt: skip
def test_different_groups_have_different_keys(one: dict[str, str], other: dict[str, str]) -> None:
    both = grouped("tenant", "alertname")

    assert both.group_key(one) != both.group_key(other)


def test_two_routes_never_share_a_group() -> None:
    assert TREE.group_key(LABELS) != TREE.children[0].group_key(LABELS)
