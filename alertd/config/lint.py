"""What is allowed in a configuration and yet probably not meant: warnings, never errors, each with a code.

Rules are known here by name and severity alone; what is said of them is certain, what is not said may be.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import combinations

from alertd.config.places import place_of
from alertd.config.root import Config
from alertd.config.route import ChildRoute, Route
from alertd.model.document import Node
from alertd.model.suggestion import did_you_mean
from alertd.notify.matchers import Matcher, Operator

_NAME = "alertname"


def lint(config: Config, root: Node, rules: Iterable[str]) -> None:
    """Note all findings at the places where they are written. rules: the names of all there are; none: nobody knows."""
    known = frozenset(rules)
    _unused_receivers(config, root)
    _idle_summaries(config.route.children, place_of(root, "route", "routes"))
    _unknown_children(config, root, known)
    told = known and known | {cause.alert for cause in config.common_causes}
    _unreachable_routes(config.route.children, place_of(root, "route", "routes"), (), told)


def _unused_receivers(config: Config, root: Node) -> None:
    """A receiver that no route names is never told."""
    named = {config.route.receiver, *_later(config.route), *_receivers(config.route.children)}
    named |= {receiver.fallback for receiver in config.receivers if receiver.fallback}
    named |= {digest.receiver for digest in config.digest}
    for index, receiver in enumerate(config.receivers):
        if receiver.name and receiver.name not in named:
            cure = "name it in a route, or remove it"
            found = f"receiver `{receiver.name}` that no route names"
            place_of(root, "receivers", index, "name").problem(found, cure=cure, code="unused-receiver", warning=True)


def _idle_summaries(routes: tuple[ChildRoute, ...], node: Node) -> None:
    """A summary of what a muted time held back, on a route that is never muted: its parent's times are not its own."""
    for index, route in enumerate(routes):
        place = place_of(node, index)
        if route.mute_summary and not route.mute_time_intervals and not route.active_time_intervals:
            cure = (
                "give the route `mute_time_intervals` or `active_time_intervals`: those of its parent are not its own"
            )
            found = "a summary on a route that is never muted"
            place_of(place, "mute_summary").problem(found, cure=cure, code="idle-mute-summary", warning=True)
        _idle_summaries(route.children, place_of(place, "routes"))


def _unknown_children(config: Config, root: Node, rules: frozenset[str]) -> None:
    """A common cause that asks for an alert of a name that no rule has speaks for nothing."""
    for index, cause in enumerate(config.common_causes):
        reason = _no_such_rule(cause.matchers, rules, "a common cause")
        if reason:
            found, cure = reason
            place = place_of(root, "common_causes", index, "matchers")
            place.problem(found, cure=cure, code="unknown-alert", warning=True)


def _receivers(routes: Iterable[ChildRoute]) -> Iterator[str]:
    for route in routes:
        if route.receiver:
            yield route.receiver
        yield from _later(route)
        yield from _receivers(route.children)


def _later(route: Route | ChildRoute) -> Iterator[str]:
    """Give those whom a route tells later."""
    yield from (step.receiver for step in route.escalate or ())
    yield from (step.receiver for step in route.deadline_reminders or () if step.receiver)


def _unreachable_routes(
    routes: tuple[ChildRoute, ...], node: Node, above: tuple[Matcher, ...], rules: frozenset[str]
) -> None:
    """A route that no alert can ever take: by its own matchers and those above, or since an earlier one takes all that it would."""
    for index, route in enumerate(routes):
        matchers = (*above, *route.matchers)
        place = place_of(node, index)
        reason = _excluded(matchers) or _no_such_rule(matchers, rules) or _taken_before(routes[:index], route)
        if reason:
            found, cure = reason
            place.problem(found, cure=cure, code="unreachable-route", warning=True)
        else:
            _unreachable_routes(route.children, place_of(place, "routes"), matchers, rules)


def _excluded(matchers: tuple[Matcher, ...]) -> tuple[str, str] | None:
    for one, other in combinations(matchers, 2):
        if _exclude(one, other) or _exclude(other, one):
            return f"a route for `{one}` and `{other}`, which exclude each other", "remove one of them"
    return None


def _exclude(fixed: Matcher, other: Matcher) -> bool:
    """Whether a label that has one value certainly fails the other condition."""
    return (
        fixed.name == other.name and fixed.operator is Operator.EQUAL and not other.matches({other.name: fixed.value})
    )


def _no_such_rule(
    matchers: tuple[Matcher, ...], rules: frozenset[str], what: str = "a route"
) -> tuple[str, str] | None:
    for matcher in matchers:
        if rules and matcher.name == _NAME and not any(matcher.matches({_NAME: rule}) for rule in rules):
            return f"{what} for `{matcher}`, and no rule has such a name", did_you_mean(matcher.value, sorted(rules))
    return None


def _taken_before(earlier: Iterable[ChildRoute], route: ChildRoute) -> tuple[str, str] | None:
    """Say which route before takes everything; one without matchers has been told of at its own place."""
    for sibling in earlier:
        if not sibling.continues and sibling.matchers and set(sibling.matchers) <= set(route.matchers):
            shown = ", ".join(f"`{matcher}`" for matcher in sibling.matchers)
            return (
                f"a route after one for {shown}, which takes all of it",
                "put it before that one, or give that `continue: true`",
            )
    return None
