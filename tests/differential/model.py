"""What Alertmanager does, as a model of one page, and what alertd does otherwise: each difference is one rule of the model that may be turned over.

`play(case, frozenset())` is Alertmanager 0.25, `play(case, ALL)` is alertd. The comparison shows both: the model with nothing turned over
tells what the real Alertmanager tells, and with everything turned over what alertd tells. So whatever the two do differently has a name, and
nothing else is different.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

import attrs

from tests.differential.case import EARLY, END, LATE, Alert, Case, Message, Messages, Receiver, Route, Span
from tests.differential.difference import Difference

D = Difference
ALL = frozenset(D) - {D.REPEAT_AT_THE_TICK, D.LATE}  # not of decisions alone: their examples stand for these two
# Alertmanager looks for empty groups every 30 s: before the changes of these beats, as `theirs.py` has it begin.
SWEEPS = (28, 58)

GroupLabels = tuple[tuple[str, str], ...]


@attrs.define
class Life:
    """One span of an alert as a group knows it. starts: as messages say it."""

    alert: Alert
    span: Span
    starts: int
    over: bool = False

    @property
    def name(self) -> str:
        """The alert's."""
        return self.alert.name


@attrs.define
class Log:
    """What one webhook was told of one group. told: names of alerts, and whether the last message left them out. listed: ends it named."""

    told: dict[str, bool] = attrs.field(factory=dict)
    listed: set[str] = attrs.field(factory=set)
    at: int = 0

    @property
    def fires(self) -> set[str]:
        """What the last message said fires."""
        return {name for name, absent in self.told.items() if not absent}

    def forget(self, ended: Iterable[Life]) -> None:
        """Take it that these ends are known."""
        for life in ended:
            self.told.pop(life.name, None)


@attrs.define
class Group:
    """A group of a route."""

    route: Route
    labels: GroupLabels
    due: int
    flushed: bool = False
    members: dict[str, Life] = attrs.field(factory=dict)


@attrs.define
class Play:
    """A case being played, with these differences."""

    case: Case
    differences: frozenset[Difference]
    firing: dict[str, Life] = attrs.field(factory=dict)
    groups: dict[tuple[int, GroupLabels], Group] = attrs.field(factory=dict)
    logs: dict[tuple[int, GroupLabels, str, int], Log] = attrs.field(factory=dict)
    told: list[Message] = attrs.field(factory=list)

    def play(self) -> Messages:
        """Play it to its end."""
        root = inherited(self.case.root, Route(), empty_counts=D.GROUP_BY_NOTHING in self.differences)
        for beat in range(END):
            if beat in SWEEPS and D.GROUPS_END not in self.differences:
                self.groups = {key: group for key, group in self.groups.items() if group.members}
            self._change(root, beat)
            for key, group in list(self.groups.items()):
                if group.due == beat:
                    self._flush(key, group, beat)
        return tuple(sorted(self.told))

    def _change(self, root: Route, beat: int) -> None:
        for alert in self.case.alerts:
            for span in alert.spans:
                if span.ends == beat:
                    self.firing.pop(alert.name).over = True
                if span.appears == beat:
                    starts = beat if D.WAIT_FROM_FIRING in self.differences else span.starts
                    self._fire(root, Life(alert, span, starts), beat)

    def _fire(self, root: Route, life: Life, beat: int) -> None:
        self.firing[life.name] = life
        for route in matching(root, life.alert.labels):
            labels = shared(route, life.alert.labels)
            fresh = Group(route, labels, due=beat + (route.group_wait or 0))
            group = self.groups.setdefault((id(route), labels), fresh)
            group.members[life.name] = life
            if not group.flushed and life.starts + (route.group_wait or 0) < beat:
                group.due = beat

    def _flush(self, key: tuple[int, GroupLabels], group: Group, beat: int) -> None:
        held = {life.name for life in group.members.values() if self._held(group.route, life.alert, beat)}
        firing = [life for life in group.members.values() if not life.over and life.name not in held]
        ended = [life for life in group.members.values() if life.over]
        if D.ENDS_WHILE_HELD not in self.differences:
            ended = [life for life in ended if life.name not in held]
        (receiver,) = (one for one in self.case.receivers if one.name == group.route.receiver)
        for number in range(len(receiver.webhooks)):
            log = self.logs.setdefault((*key, receiver.name, number), Log())
            self._tell(receiver, number, group, log, firing, ended, beat)
        group.members = {name: life for name, life in group.members.items() if not life.over}
        group.due, group.flushed = beat + (group.route.group_interval or 0), True
        if not group.members and D.GROUPS_END in self.differences:
            del self.groups[key]

    def _tell(
        self, receiver: Receiver, number: int, group: Group, log: Log, firing: list[Life], ended: list[Life], beat: int
    ) -> None:
        """Say what there is to say, and write down that it was said."""
        if not firing and not ended:
            return
        sends_ends = receiver.webhooks[number]
        over = [life for life in ended if life.name in log.told or D.ENDS_OF_WHAT_WAS_TOLD not in self.differences]
        if self._speaks(log, firing, over, group.route, beat, sends_ends=sends_ends):
            shown = over if sends_ends else []
            self.told.append(_message(beat, receiver, number, group, firing, shown))
            before = log.told if D.EVERY_ALERT_REMEMBERED in self.differences else {}
            log.told = dict.fromkeys(before, True) | {life.name: False for life in firing}
            log.listed, log.at = {life.name for life in over}, beat
            log.forget(over)
        if not sends_ends and D.ENDS_WITHOUT_A_WORD in self.differences:
            log.forget(ended)
        elif not sends_ends and not firing:
            log.told.clear()  # Alertmanager, too, where nothing fires any more

    def _speaks(
        self, log: Log, firing: list[Life], over: list[Life], route: Route, beat: int, *, sends_ends: bool
    ) -> bool:
        if {life.name for life in firing} - log.fires:
            return True
        if sends_ends and D.ENDS_OF_WHAT_WAS_TOLD in self.differences:
            news_of_ends = bool(over)
        elif firing:
            news_of_ends = sends_ends and not {life.name for life in over} <= log.listed
        else:
            news_of_ends = sends_ends and bool(log.told)
        return news_of_ends or bool(firing and beat - log.at >= (route.repeat_interval or 0))

    def _held(self, route: Route, alert: Alert, beat: int) -> bool:
        return self._muted(route, beat) or self._silenced(alert, beat) or self._inhibited(alert)

    def _muted(self, route: Route, beat: int) -> bool:
        now = EARLY if beat < self.case.boundary else LATE
        return now in route.mute or bool(route.active and now not in route.active)

    def _silenced(self, alert: Alert, beat: int) -> bool:
        return any(
            silence.starts <= beat < silence.ends and matches(silence.matchers, alert.labels)
            for silence in self.case.silences
        )

    def _inhibited(self, target: Alert) -> bool:
        for rule in self.case.inhibit_rules:
            both = matches(rule.source, target.labels)
            for source in (life.alert.labels for life in self.firing.values()):
                agree = all(source.get(name, "") == target.labels.get(name, "") for name in rule.equal)
                itself = both and matches(rule.target, source)
                if matches(rule.target, target.labels) and matches(rule.source, source) and agree and not itself:
                    return True
        return False


def play(case: Case, differences: frozenset[Difference]) -> Messages:
    """Give what is told in a case: by Alertmanager, but for these differences."""
    return Play(case, differences).play()


def differing(case: Case) -> frozenset[Difference]:
    """Name the differences that change what is told in a case."""
    ours, theirs = play(case, ALL), play(case, frozenset())
    return frozenset(one for one in ALL if play(case, ALL - {one}) != ours or play(case, frozenset({one})) != theirs)


def _message(
    beat: int, receiver: Receiver, number: int, group: Group, firing: Iterable[Life], resolved: Iterable[Life]
) -> Message:
    told = tuple(sorted((life.name, life.starts) for life in firing))
    return Message(
        beat=beat,
        receiver=receiver.name,
        webhook=number,
        group=group.labels,
        status="firing" if told else "resolved",
        firing=told,
        resolved=tuple(sorted((life.name, life.starts, life.span.ends or 0) for life in resolved)),
    )


def inherited(route: Route, parent: Route, *, empty_counts: bool) -> Route:
    """Fill in what a route has from its parent. empty_counts: an empty group_by says something."""
    own = route.group_by if route.group_by or (empty_counts and route.group_by is not None) else None
    grouped = parent.group_by if own is None else own
    filled = attrs.evolve(
        route,
        receiver=route.receiver or parent.receiver,
        group_by=grouped or (),
        group_wait=parent.group_wait if route.group_wait is None else route.group_wait,
        group_interval=parent.group_interval if route.group_interval is None else route.group_interval,
        repeat_interval=parent.repeat_interval if route.repeat_interval is None else route.repeat_interval,
    )
    return attrs.evolve(
        filled, routes=tuple(inherited(child, filled, empty_counts=empty_counts) for child in route.routes)
    )


def matching(route: Route, labels: Mapping[str, str]) -> Iterator[Route]:
    """Give the routes that take an alert: the first child that matches, and the next ones while it says `continue`."""
    found = False
    for child in route.routes:
        if matches(child.matchers, labels):
            yield from matching(child, labels)
            found = True
            if not child.continues:
                break
    if not found:
        yield route


def shared(route: Route, labels: Mapping[str, str]) -> GroupLabels:
    """Give the labels of an alert's group."""
    names = route.group_by or ()
    return tuple(sorted((name, value) for name, value in labels.items() if name in names or "..." in names))


def matches(matchers: Iterable[str], labels: Mapping[str, str]) -> bool:
    """Whether all matchers hold."""
    return all(_holds(*re.split(r"(=~|!~|!=|=)", matcher, maxsplit=1), labels) for matcher in matchers)


def _holds(name: str, operator: str, quoted: str, labels: Mapping[str, str]) -> bool:
    found, value = labels.get(name, ""), quoted.strip('"')
    if operator in {"=", "!="}:
        return (found == value) == (operator == "=")
    return (re.fullmatch(value, found) is not None) == (operator == "=~")
