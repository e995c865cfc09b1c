"""From routes as they are written to the tree that works by them: inherited values filled in, and an id for each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import chain, count

import attrs

from alertd.config.route import ChildRoute, EscalationStep, ReminderStep, Route
from alertd.notify import routes
from alertd.notify.intervals import NamedIntervals
from alertd.notify.matchers import Matcher
from alertd.notify.pace import Pace
from alertd.notify.steps import DeadlineReminder, Escalation, Step

ROOT_ID = "{}"

Intervals = Mapping[str, NamedIntervals]  # by name; a name that is not there has been told as a problem


def route_tree(root: Route, intervals: Iterable[NamedIntervals] = ()) -> routes.Route:
    """Give the tree. Its root's id is that of a route without matchers. intervals: what routes call by name."""
    pace = Pace(**{attribute.name: getattr(root, attribute.name) for attribute in attrs.fields(Pace)})
    node = routes.Route(
        id=ROOT_ID,
        receiver=root.receiver,
        group_by=root.group_by,
        pace=pace,
        steps=_steps(root.escalate, root.deadline_reminders),
    )
    by_name = {interval.name: interval for interval in intervals}
    return _ready(attrs.evolve(node, children=_below(node, root.children, by_name)))


def _below(parent: routes.Route, written: Iterable[ChildRoute], intervals: Intervals) -> tuple[routes.Route, ...]:
    """Give a route's children.

    An id says the matchers on the way. Siblings with the same matchers, which make sense with `continue`, are told apart by their receivers, and
    at last by a number; the first one keeps the bare id.
    """
    taken: set[str] = set()
    children = []
    for child in written:
        bare = f"{parent.id}/{{{_shown(child.matchers)}}}"
        named = f"{bare}@{child.receiver or parent.receiver}"
        ids = chain((bare, named), (f"{named}#{number}" for number in count(2)))
        children.append(_child(parent, child, next(one for one in ids if one not in taken), intervals))
        taken.add(children[-1].id)
    return tuple(children)


def _child(parent: routes.Route, written: ChildRoute, route_id: str, intervals: Intervals) -> routes.Route:
    node = routes.Route(
        id=route_id,
        receiver=written.receiver or parent.receiver,
        group_by=parent.group_by if written.group_by is None else written.group_by,
        pace=_pace(parent.pace, written),
        matchers=written.matchers,
        continues=written.continues,
        mute=tuple(intervals[name] for name in written.mute_time_intervals if name in intervals),
        active=tuple(intervals[name] for name in written.active_time_intervals if name in intervals),
        mute_summary=written.mute_summary,
        steps=_steps(written.escalate, written.deadline_reminders, parent.steps),
    )
    return attrs.evolve(node, children=_below(node, written.children, intervals))


def _steps(
    escalate: Iterable[EscalationStep] | None,
    reminders: Iterable[ReminderStep] | None,
    inherited: Iterable[Step] = (),
) -> tuple[Step, ...]:
    """Give a route's steps, of either kind its parent's where it gives none itself. A receiver without a name is the route's own."""
    known = tuple(inherited)
    first = [step for step in known if isinstance(step, Escalation)]
    second = [step for step in known if isinstance(step, DeadlineReminder)]
    if escalate is not None:
        first = [Escalation(receiver=step.receiver, after=step.after) for step in escalate]
    if reminders is not None:
        second = [DeadlineReminder(receiver=step.receiver or "", before=step.before) for step in reminders]
    return (*first, *second)


def _ready(node: routes.Route) -> routes.Route:
    """Name each route's own receiver in its reminders, and leave out escalation to it, which it may have inherited: it is told from the start."""
    steps: list[Step] = []
    for step in node.steps:
        if isinstance(step, DeadlineReminder):
            steps.append(attrs.evolve(step, receiver=step.receiver or node.receiver))
        elif step.receiver != node.receiver:
            steps.append(step)
    return attrs.evolve(node, steps=tuple(steps), children=tuple(_ready(child) for child in node.children))


def _pace(parent: Pace, written: ChildRoute) -> Pace:
    names = (attribute.name for attribute in attrs.fields(Pace))
    own = {name: getattr(written, name) for name in names}
    return attrs.evolve(parent, **{name: value for name, value in own.items() if value is not None})


def _shown(matchers: Iterable[Matcher]) -> str:
    """Write matchers so that their order makes no difference."""
    return ", ".join(sorted({str(matcher) for matcher in matchers}))
