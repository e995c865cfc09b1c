"""Files of tests: rules, perhaps a configuration, and scripts. Everything wrong with one is told at once, each with its place."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import attrs

from alertd.config import BUILTIN, Config, Secrets, load_config
from alertd.errors import ConfigError, Problem
from alertd.model.document import Document, Node
from alertd.model.duration import format_duration
from alertd.model.suggestion import did_you_mean
from alertd.notify.matchers import Matcher, parse_matcher
from alertd.rehearsal.notation import read_expected_alerts, read_expected_notification, read_job_name
from alertd.rehearsal.script import (
    DEFAULT_INTERVAL,
    DEFAULT_START,
    Behaviour,
    JobScript,
    Script,
    SilenceScript,
    Span,
    TenantScript,
)
from alertd.rehearsal.setting import DEFAULT_RECEIVER, Setting
from alertd.rules.loader import load_rules
from alertd.rules.rule import RuleSet
from alertd.rules.shipped import builtin_rules
from alertd.simulator.timeline import read_tenant_timeline, read_timeline

_TEST_KEYS = (
    "name",
    "interval",
    "start",
    "only",
    "jobs",
    "tenants",
    "silences",
    "receivers_down",
    "answers",
    "restarts",
    "until",
    "expect_alerts",
    "expect_notifications",
)
_DOWN = 503
_GLOB = frozenset("*?[")


@attrs.frozen(kw_only=True)
class RehearsalFile:
    """A file of tests as it was read. setting: what is the same for all of them."""

    path: str
    setting: Setting
    scripts: tuple[Script, ...]


def read_file(path: Path) -> RehearsalFile:
    """Read a file of tests, its rules and its configuration; raises ConfigError with everything that is wrong with any of them."""
    document = Document.load(path)
    if document.problems:  # no YAML, or no file: nothing below is worth a word
        raise ConfigError(document.problems)
    reader = _Reader(document, path.parent)
    setting, scripts = reader.read()
    problems = [*_by_place(document.problems), *reader.problems]
    if setting is None or any(not problem.warning for problem in problems):
        raise ConfigError(problems)
    return RehearsalFile(path=str(path), setting=setting, scripts=scripts)


def _by_place(problems: Iterable[Problem]) -> list[Problem]:
    return sorted(problems, key=lambda problem: (problem.line, problem.column))


class _Reader:
    """Reads one file. problems: those of the files it names."""

    def __init__(self, document: Document, directory: Path) -> None:
        self._root = document.root
        self._directory = directory
        self.problems: list[Problem] = []

    def read(self) -> tuple[Setting | None, tuple[Script, ...]]:
        fields = self._root.mapping("rule_files", "config", "tests")
        rules = self._rules(fields["rule_files"])
        config = self._config(fields["config"])
        tests = _listed(fields["tests"], "tests", "write `tests: [{name: ..., jobs: [...]}]`")
        scripts = tuple(_script(node, config, rules) for node in tests)
        return self._setting(rules, config), scripts

    def _rules(self, node: Node) -> RuleSet | None:
        places = _listed(node, "rule files", "write `rule_files: [rules.yaml]`")
        paths = [path for place in places for path in self._paths(place)]
        try:
            return load_rules(tuple(dict.fromkeys(paths)))
        except ConfigError as error:
            self.problems += error.problems
            return None

    def _paths(self, node: Node) -> Iterator[Path]:
        text = node.text()
        if text == BUILTIN:
            yield from builtin_rules()
            return
        path = self._directory / text
        found = sorted(path.parent.glob(path.name)) if _GLOB & set(path.name) else [path]
        if not found or not found[0].is_file():
            node.problem(expected="a file of rules", cure="paths are relative to this file")
            return
        yield from found

    def _config(self, node: Node) -> Config | None:
        if node.null:
            return None
        path = self._directory / node.text()
        if not path.is_file():
            node.problem(expected="a configuration", cure="the path is relative to this file")
            return None
        try:
            return load_config(path, secrets=Secrets.IGNORE)
        except ConfigError as error:
            self.problems += error.problems
            return None

    def _setting(self, rules: RuleSet | None, config: Config | None) -> Setting | None:
        if rules is None or self.problems:
            return None
        try:
            return Setting.of(rules.rules, config)
        except ConfigError as error:
            self.problems += error.problems
            return None


def _listed(node: Node, what: str, cure: str) -> list[Node]:
    """Give the entries of a list that must not be empty."""
    places = node.sequence()
    if not places and (node.null or isinstance(node.plain(), list)):
        node.problem(f"no {what}", expected="a list with one at least", cure=cure)
    return places


def _script(node: Node, config: Config | None, rules: RuleSet | None) -> Script:
    fields = node.mapping(*_TEST_KEYS)
    receivers = [receiver.name for receiver in config.receivers] if config else [DEFAULT_RECEIVER]
    down, answers = fields["receivers_down"].sequence(), fields["answers"].sequence()
    expected = fields["expect_notifications"]
    script = Script(
        name=fields["name"].text(),
        line=node.line,
        interval=fields["interval"].duration(DEFAULT_INTERVAL, least=timedelta(seconds=1)),
        start=_instant(fields["start"]),
        only=tuple(_rule_name(place, rules) for place in fields["only"].sequence()),
        jobs=_jobs(fields["jobs"]),
        tenants=_tenants(fields["tenants"]),
        silences=tuple(_silence(place) for place in fields["silences"].sequence()),
        behaviours=(*(_down(place, receivers) for place in down), *(_answer(place, receivers) for place in answers)),
        restarts=tuple(place.duration() for place in fields["restarts"].sequence()),
        until=fields["until"].duration(None),
        expected_alerts=tuple(read_expected_alerts(place) for place in fields["expect_alerts"].sequence()),
        expected_notifications=tuple(read_expected_notification(place) for place in expected.sequence())
        if expected.given
        else None,
    )
    _check_end(fields["until"], script)
    return script


def _check_end(node: Node, script: Script) -> None:
    if script.until is not None and script.until < script.last_step:
        last = format_duration(script.last_step)
        node.problem(expected=f"{last} or later, since that is the last step", cure="shorten the timelines instead")


def _instant(node: Node) -> datetime:
    text = node.text(None)
    if text is None:
        return DEFAULT_START
    try:
        instant = datetime.fromisoformat(text)
        return instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant.astimezone(UTC)
    except (ValueError, OverflowError):
        node.problem(expected="an instant such as 2026-01-05T09:00:00Z")
        return DEFAULT_START


def _rule_name(node: Node, rules: RuleSet | None) -> str:
    name = node.text()
    if rules is not None and name not in rules.by_name:
        node.problem(expected="the name of a rule in `rule_files`", cure=did_you_mean(name, rules.by_name))
    return name


def _jobs(node: Node) -> tuple[JobScript, ...]:
    found: dict[tuple[str, str, str], JobScript] = {}
    for place in node.sequence():
        fields = place.mapping("job", "timeline")
        name, timeline = read_job_name(fields["job"]), read_timeline(fields["timeline"])
        if name is None:
            continue
        key = (name.tenant, name.principal_id, name.id)
        if key in found:
            fields["job"].problem(f"job `{name}` a second time", expected="each job once")
        found[key] = JobScript(name=name, timeline=timeline)
    return tuple(found.values())


def _tenants(node: Node) -> tuple[TenantScript, ...]:
    found: dict[str, TenantScript] = {}
    for place in node.sequence():
        fields = place.mapping("tenant", "timeline")
        name, timeline = fields["tenant"].text(), read_tenant_timeline(fields["timeline"])
        if name in found:
            fields["tenant"].problem(f"tenant `{name}` a second time", expected="each tenant once")
        found[name] = TenantScript(tenant=name, timeline=timeline)
    return tuple(found.values())


def _silence(node: Node) -> SilenceScript:
    fields = node.mapping("matchers", "starts", "ends")
    places = _listed(fields["matchers"], "matchers", "write `matchers: ['alertname=\"JobStale\"']`")
    matchers = tuple(_matcher(place) for place in places)
    return SilenceScript(matchers=matchers, span=_span(fields["starts"], fields["ends"]))


def _matcher(node: Node) -> Matcher:
    try:
        return parse_matcher(node.text())
    except ValueError as exc:
        if node.scalar:
            node.problem(expected=str(exc))
        return parse_matcher("alertname=x")


def _span(starts: Node, ends: Node) -> Span:
    span = Span(starts=starts.duration(), ends=ends.duration())
    if starts.given and ends.given and span.ends <= span.starts:
        ends.problem(expected=f"later than {format_duration(span.starts)}")
    return span


def _down(node: Node, receivers: list[str]) -> Behaviour:
    fields = node.mapping("receiver", "from", "to")
    return Behaviour(
        receiver=_receiver(fields["receiver"], receivers), span=_span(fields["from"], fields["to"]), answer=_DOWN
    )


def _answer(node: Node, receivers: list[str]) -> Behaviour:
    fields = node.mapping("receiver", "from", "to", "status", "retry_after", "hang")
    hangs = fields["hang"].boolean(False)
    if hangs == (not fields["status"].null):
        node.problem("both `status` and `hang`" if hangs else "neither `status` nor `hang`", expected="one of them")
    if hangs and not fields["retry_after"].null:
        fields["retry_after"].problem("`retry_after` beside `hang`", expected="it beside `status`")
    status = fields["status"].integer(_DOWN, least=100, most=599)
    return Behaviour(
        receiver=_receiver(fields["receiver"], receivers),
        span=_span(fields["from"], fields["to"]),
        answer="hang" if hangs else status,
        retry_after=fields["retry_after"].duration(None),
    )


def _receiver(node: Node, known: list[str]) -> str:
    name = node.text()
    if node.scalar and name not in known:
        node.problem(expected="the name of a receiver", cure=did_you_mean(name, known))
    return name
