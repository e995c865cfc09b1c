"""What sections say about each other: names that have to exist, numbers that have to fit."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import timedelta

import attrs

from alertd.config.digest import FLOW_SILENCE_MAX, Digest
from alertd.config.places import items_of, place_of
from alertd.config.root import Config
from alertd.config.route import ChildRoute, EscalationStep, ReminderStep, Route
from alertd.config.route_tree import route_tree
from alertd.config.sections import Poll
from alertd.model.document import Node
from alertd.model.duration import format_duration
from alertd.model.suggestion import did_you_mean
from alertd.notify.channels.settings import EmailSettings, ReceiverSettings, TeamsSettings
from alertd.notify.pace import Pace
from alertd.render.frames import DIGEST_KINDS


def check_references(config: Config, root: Node) -> None:
    """Note every reference that leads nowhere, at the place where it is written."""
    _check_names(root, "receivers", "receiver", [receiver.name for receiver in config.receivers])
    if config.time_intervals:
        _check_names(root, "time_intervals", "time interval", [interval.name for interval in config.time_intervals])
    _check_routes(config, root)
    _check_fallbacks(config, root)
    _check_tenants_of_receivers(config, root)
    _check_times(config, root)
    _check_digests(config, root)
    _check_causes(config, root)
    if not config.tenants and not root.document.errors:
        root.problem("no tenant: nothing is watched", cure="add one to `tenants`", warning=True)


def _check_names(root: Node, section: str, what: str, names: Iterable[str], key: str = "name") -> None:
    seen: set[str] = set()
    for name, node in zip(names, items_of(place_of(root, section)), strict=False):
        if name in seen:
            place_of(node, key).problem(f"{what} `{name}` a second time", expected="each name once")
        seen.add(name)


def _check_routes(config: Config, root: Node) -> None:
    names = [receiver.name for receiver in config.receivers if receiver.name]
    for route, node in _routes(config, root):
        _check_receiver(route.receiver, place_of(node, "receiver"), names)
        _check_intervals(route, node, {interval.name for interval in config.time_intervals})
        _check_reach(route.children, items_of(place_of(node, "routes")) if route.children else [])
    for tree, (route, node) in zip(route_tree(config.route).every(), _routes(config, root), strict=True):
        _check_escalation(route.escalate or (), tree.receiver, place_of(node, "escalate"), names)
        _check_reminders(route.deadline_reminders or (), tree.receiver, place_of(node, "deadline_reminders"), names)


def _check_receiver(name: str | None, place: Node, names: Sequence[str]) -> None:
    if names and name and name not in names:
        place.problem(f"receiver `{name}`", expected="a receiver's name", cure=did_you_mean(name, names))


def _check_escalation(steps: Sequence[EscalationStep], receiver: str, node: Node, names: Sequence[str]) -> None:
    """Note steps that tell nobody, or nobody new."""
    seen = {receiver: "the route's own receiver, which is told from the start"}
    for step, item in zip(steps, items_of(node) if steps else (), strict=False):
        place = place_of(item, "receiver")
        _check_receiver(step.receiver, place, names)
        if step.receiver and step.receiver in seen:
            found = f"receiver `{step.receiver}`, {seen[step.receiver]}"
            place.problem(found, expected="another receiver", cure="name another one, or remove the step")
        seen.setdefault(step.receiver, "a second time")


def _check_reminders(steps: Sequence[ReminderStep], receiver: str, node: Node, names: Sequence[str]) -> None:
    """Note reminders that reach nobody, or somebody twice at a time."""
    seen: set[tuple[str, timedelta]] = set()
    for step, item in zip(steps, items_of(node) if steps else (), strict=False):
        _check_receiver(step.receiver, place_of(item, "receiver"), names)
        key = (step.receiver or receiver, step.before)
        if key in seen:
            found = f"a reminder of `{key[0]}` {format_duration(step.before)} before, a second time"
            place_of(item, "before").problem(found, expected="each time once", cure="remove one of the two")
        seen.add(key)


def _check_fallbacks(config: Config, root: Node) -> None:
    """Note fallbacks that lead nowhere, or in the end back to whom they stand in for."""
    names = [receiver.name for receiver in config.receivers if receiver.name]
    for receiver, node in zip(config.receivers, items_of(place_of(root, "receivers")), strict=False):
        if not receiver.fallback:
            continue
        place = place_of(node, "fallback")
        _check_receiver(receiver.fallback, place, names)
        way = _way(receiver.name, config.fallbacks)
        if way[-1] == receiver.name:
            shown = " to ".join(f"`{name}`" for name in way[1:])
            cure = "leave one of them without a fallback"
            place.problem(f"a fallback from `{receiver.name}` to {shown}", expected="one that ends", cure=cure)


def _way(name: str, fallbacks: Mapping[str, str]) -> list[str]:
    """Give who is told in whose place, up to the first that comes a second time."""
    way = [name]
    while (following := fallbacks.get(way[-1])) is not None:
        way.append(following)
        if following in way[:-1]:
            break
    return way


def _check_intervals(route: Route | ChildRoute, node: Node, known: Collection[str]) -> None:
    if isinstance(route, Route):  # it is never mute
        return
    for key in ("mute_time_intervals", "active_time_intervals"):
        names = getattr(route, key)
        for name, place in zip(names, items_of(place_of(node, key)) if names else (), strict=False):
            if name and name not in known:
                expected = "a name of `time_intervals`"
                place.problem(f"time interval `{name}`", expected=expected, cure=did_you_mean(name, known))


def _check_reach(siblings: Sequence[ChildRoute], nodes: Sequence[Node]) -> None:
    """Note a route that takes everything before others are asked."""
    for sibling, node in zip(siblings[:-1], nodes, strict=False):
        if not sibling.matchers and not sibling.continues:
            cure = "give it `matchers`, or `continue: true`, or put it last"
            found = "a route without matchers: those after it get nothing"
            node.problem(found, cure=cure, code="unreachable-route", warning=True)


def _routes(config: Config, root: Node) -> Iterator[tuple[Route | ChildRoute, Node]]:
    """Give all routes with their places, depth first."""
    found: list[tuple[Route | ChildRoute, Node]] = [(config.route, place_of(root, "route"))]
    while found:
        route, node = found.pop(0)
        yield route, node
        below = items_of(place_of(node, "routes")) if route.children else []
        found[:0] = zip(route.children, below, strict=False)


def _check_tenants_of_receivers(config: Config, root: Node) -> None:
    names = [tenant.name for tenant in config.tenants]
    for receiver, node in zip(config.receivers, items_of(place_of(root, "receivers")), strict=False):
        for path, tenant in _tenants_of(receiver):
            if tenant and tenant not in names:
                place = place_of(node, *path)
                place.problem(f"tenant `{tenant}`", expected="a tenant's name", cure=did_you_mean(tenant, names))


def _tenants_of(receiver: ReceiverSettings) -> Iterable[tuple[tuple[str | int, ...], str]]:
    """Give the tenants whose application a receiver's integrations use, each with its place below the receiver."""
    for index, teams in enumerate(receiver.teams):
        if teams.auth is not None:
            yield ("teams", index, "auth", "entra", "tenant"), teams.auth.tenant
    for index, email in enumerate(receiver.email):
        if email.graph is not None:
            yield ("email", index, "graph", "tenant"), email.graph.tenant
        if email.smtp is not None and email.smtp.auth is not None:
            yield ("email", index, "smtp", "auth", "entra", "tenant"), email.smtp.auth.tenant


def _check_times(config: Config, root: Node) -> None:
    """Note what works, but hardly as meant."""
    poll = config.poll
    if poll.timeout >= poll.interval:
        shown = f"timeout {format_duration(poll.timeout)} with interval {format_duration(poll.interval)}"
        place_of(root, "poll").problem(
            shown, expected="several attempts in one round", cure="shorten the timeout", warning=True
        )
    _check_budget(poll, root)
    for route, (written, node) in zip(route_tree(config.route).every(), _routes(config, root), strict=True):
        pace = route.pace
        place = place_of(node, "repeat_interval")
        if pace.repeat_interval and pace.repeat_interval < pace.group_interval:
            cure = "reminders go out at the group's ticks"
            place.problem(expected="no shorter than group_interval", cure=cure, warning=True)
        _check_backoff(pace, written, node)


def _check_backoff(pace: Pace, written: Route | ChildRoute, node: Node) -> None:
    """Note a longest wait that is shorter than the first one, where a route says either."""
    backoff, first = pace.repeat_backoff, pace.repeat_interval
    says_either = written.repeat_backoff is not None or written.repeat_interval is not None
    if backoff is not None and backoff.longest < first and says_either:
        shown = f"max {format_duration(backoff.longest)} with repeat_interval {format_duration(first)}"
        place = place_of(node, "repeat_backoff", "max")
        place.problem(shown, expected="max no shorter than repeat_interval", cure="raise `max`")


def _check_budget(poll: Poll, root: Node) -> None:
    """Note a budget with which a round cannot even ask one that fails and one that works."""
    per_minute = poll.max_requests_per_minute
    if per_minute is not None and per_minute * poll.interval < timedelta(minutes=2):
        found = f"{per_minute} a minute with interval {format_duration(poll.interval)}"
        place_of(root, "poll", "max_requests_per_minute").problem(
            found, expected="two requests in a round or more", cure="raise it, or the interval"
        )


def _check_digests(config: Config, root: Node) -> None:
    seen: set[str] = set()
    for digest, node in zip(config.digest, items_of(place_of(root, "digest")) if config.digest else (), strict=False):
        receiver = config.receivers_by_name.get(digest.receiver)
        if receiver is not None:
            _check_digest(digest, receiver, node)
        elif digest.receiver and config.receivers_by_name:
            cure = did_you_mean(digest.receiver, config.receivers_by_name)
            found = f"receiver `{digest.receiver}`"
            place_of(node, "receiver").problem(found, expected="a receiver's name", cure=cure)
        key = digest.schedule(config.timezone).key
        if key in seen and not root.document.errors:
            node.problem("the same digest a second time", expected="each once", cure="remove it")
        seen.add(key)


def _check_causes(config: Config, root: Node) -> None:
    if not config.common_causes:
        return
    _check_names(root, "common_causes", "common cause", [cause.alert for cause in config.common_causes], key="alert")
    for cause, node in zip(config.common_causes, items_of(place_of(root, "common_causes")), strict=False):
        known = {**cause.labels, "alertname": cause.alert, "severity": cause.severity}
        fixed = [matcher for matcher in cause.matchers if matcher.name in known]
        if cause.alert and all(matcher.matches(known) for matcher in fixed):
            found = f"matchers that match `{cause.alert}` itself"
            cure = "name the alerts it speaks for: 'alertname=\"JobQuarantined\"'"
            place_of(node, "matchers").problem(found, cure=cure)


def _check_digest(digest: Digest, receiver: ReceiverSettings, node: Node) -> None:
    """Note a digest that nobody can show, and one that comes too seldom to keep a flow of Teams alive."""
    kinds = receiver.kinds
    if kinds and not DIGEST_KINDS.intersection(kinds):
        found = f"receiver `{receiver.name}`, which has only {' and '.join(kinds)} and can show no digest"
        cure = "give it a chat, mail or webhook, or name another receiver"
        place_of(node, "receiver").problem(found, cure=cure)
    gap = digest.cron.longest_gap()
    if receiver.teams and gap is not None and gap > FLOW_SILENCE_MAX:
        cure = "send it at least every 90 days"
        found = f"{gap.days} days between two digests; Power Automate switches a flow off that is silent for 90"
        place_of(node, "cron").problem(found, cure=cure, code="silent-flow", warning=True)


def with_clouds(config: Config) -> Config:
    """Give the configuration whose integrations know the cloud of the tenant they speak for: its tokens are worth nothing elsewhere."""
    clouds = {tenant.name: tenant.settings.cloud for tenant in config.tenants}
    return attrs.evolve(
        config, receivers=tuple(_receiver_with_clouds(receiver, clouds) for receiver in config.receivers)
    )


def _receiver_with_clouds(receiver: ReceiverSettings, clouds: dict[str, str]) -> ReceiverSettings:
    return attrs.evolve(
        receiver,
        teams=tuple(_teams_with_cloud(teams, clouds) for teams in receiver.teams),
        email=tuple(_email_with_cloud(email, clouds) for email in receiver.email),
    )


def _teams_with_cloud(teams: TeamsSettings, clouds: dict[str, str]) -> TeamsSettings:
    if teams.auth is None:
        return teams
    return attrs.evolve(teams, auth=attrs.evolve(teams.auth, cloud=clouds.get(teams.auth.tenant, "global")))


def _email_with_cloud(email: EmailSettings, clouds: dict[str, str]) -> EmailSettings:
    smtp, graph = email.smtp, email.graph
    if smtp is not None and smtp.auth is not None:
        auth = attrs.evolve(smtp.auth, cloud=clouds.get(smtp.auth.tenant, "global"))
        return attrs.evolve(email, smtp=attrs.evolve(smtp, auth=auth))
    if graph is not None:
        return attrs.evolve(email, graph=attrs.evolve(graph, cloud=clouds.get(graph.tenant, "global")))
    return email
