"""Rules: all shipped rules about one status, and one expression beside what else could compute it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from jinja2.sandbox import ImmutableSandboxedEnvironment

from alertd.alerts.book import RuleBook
from alertd.alerts.judgement import judge_events, judge_states
from alertd.alerts.sighting import Sighting, Watched
from alertd.model.alert import Scope
from alertd.model.resources import ServicePrincipal
from alertd.model.views import Subject
from alertd.rules.expression import Expression
from alertd.rules.loader import load_rules
from alertd.rules.shipped import builtin_rules
from alertd.store.values import PrincipalRecord, TenantRecord
from bench.contest import compete
from bench.contestant import Factory
from bench.loop import Loop
from bench.progress import Progress
from bench.records import BEGIN, TENANT, runs
from bench.result import Figure, Result, lines_of

_RULES = "all shipped job rules on one status"
_OURS, _HAND, _CEL, _JINJA = "alertd", "Python by hand", "cel-expr-python", "Jinja expression"
_BUDGET_RULES = 20

TEXT = 'status.code == "Quarantine" and status.quarantine.seriesCount >= 2 and age(status.quarantine.seriesBegan) > hours(1)'
_CEL_TEXT = 'code == "Quarantine" && seriesCount >= 2 && now - seriesBegan > duration("1h")'
_JINJA_TEXT = (
    "status.code == 'Quarantine' and status.quarantine.seriesCount >= 2 and now - status.quarantine.seriesBegan > hour"
)


def rules(jobs: int, rounds: int, progress: Progress) -> Result:
    """Ask all shipped rules."""
    course = compete({_RULES: partial(Loop, asking, jobs)}, rounds, progress)
    asked = len(_book().states(Scope.JOB)) + len(_book().events(Scope.JOB))
    cost = course.cpu_us(_RULES)
    return Result(
        name="rules",
        sizes={"statuses": jobs, "rounds": rounds, "rules": asked},
        thing="status",
        lines=lines_of(course),
        figures=(
            Figure(what=f"CPU of {asked} rules on one status", value=cost, unit="us"),
            Figure(what="CPU of 20 of them", value=cost * 20 / asked, unit="us", budget=_BUDGET_RULES),
        ),
    )


def expr(jobs: int, rounds: int, progress: Progress) -> Result:
    """Compute one expression."""
    contestants: dict[str, Factory] = {
        _OURS: partial(Loop, ours, jobs),
        _HAND: partial(Loop, by_hand, jobs),
        _CEL: partial(Loop, cel, jobs),
        _JINJA: partial(Loop, jinja, jobs),
    }
    for name, make in (("alertd", ours), ("by hand", by_hand), ("CEL", cel), ("Jinja", jinja)):
        assert make()() is True, f"{name}: what compares less is faster"  # noqa: S101
    course = compete(contestants, rounds, progress)
    return Result(
        name="expr",
        sizes={"evaluations": jobs, "rounds": rounds},
        thing="evaluation",
        lines=lines_of(course),
        figures=(
            Figure(what=f"CPU, {_OURS} : {_HAND}", value=course.ratio(_OURS, _HAND), unit="x", budget=5),
            Figure(what=f"CPU, {_CEL} : {_OURS}", value=course.ratio(_CEL, _OURS), unit="x"),
            Figure(what=f"CPU, {_JINJA} : {_OURS}", value=course.ratio(_JINJA, _OURS), unit="x"),
        ),
        notes=(f"`{TEXT}`, of a job in quarantine: every comparison is made.",),
    )


def asking() -> Callable[[], object]:
    """Put a job that ran before all rules, as a round would."""
    book = _book()
    _, (made, _), _ = runs(2)
    record = made[1]
    principal = PrincipalRecord(
        tenant_key=TENANT, principal=ServicePrincipal(id=record.service_principal_id), outcome="ok"
    )
    watched = Watched(key=TENANT, name="contoso", tenant_id="t")
    tenant = TenantRecord(key=TENANT, name="contoso")
    sighting = Sighting(watched=watched, tenant=tenant, now=BEGIN + timedelta(minutes=10))
    subject = sighting.subject(principal, record, before=record)
    case = sighting.case(principal, record, subject, (), alerts={}, changed=True, baseline=False, renewed=False)

    def ask() -> object:
        return [*judge_states(case, book), *judge_events(case, book)]

    assert ask() == []  # noqa: S101 - a rule that fires would cost what no quiet job costs
    return ask


def ours() -> Callable[[], object]:
    """Compile our expression."""
    truth, subject = Expression.compile(TEXT).truth, _subject()
    return lambda: truth(subject, {})


def by_hand() -> Callable[[], object]:
    """Write what a Python programmer would, nulls minded."""
    subject, hour = _subject(), timedelta(hours=1)

    def condition(subject: Subject) -> bool:
        status = subject.status
        if status is None or status.code != "Quarantine" or status.quarantine is None:
            return False
        quarantine = status.quarantine
        if quarantine.seriesCount is None or quarantine.seriesBegan is None:
            return False
        return quarantine.seriesCount >= 2 and subject.now - quarantine.seriesBegan > hour  # noqa: PLR2004 - the rule's own

    return lambda: condition(subject)


def cel() -> Callable[[], object]:
    """Compile it for Google's CEL; the values are handed over flat and typed, which is its fastest way."""
    from cel_expr_python import cel as library

    environment: Any = library.NewEnv(
        variables={
            "code": library.Type.STRING,
            "seriesCount": library.Type.INT,
            "now": library.Type.TIMESTAMP,
            "seriesBegan": library.Type.TIMESTAMP,
        }
    )
    compiled: Any = environment.compile(_CEL_TEXT)
    subject = _subject()

    def evaluate() -> object:
        status = subject.status
        assert status is not None  # noqa: S101 - ours
        assert status.quarantine is not None  # noqa: S101 - ours
        data = {
            "code": status.code,
            "seriesCount": status.quarantine.seriesCount,
            "now": subject.now,
            "seriesBegan": status.quarantine.seriesBegan,
        }
        return compiled.eval(data=data).value()

    return evaluate


def jinja() -> Callable[[], object]:
    """Compile it as a Jinja expression, sandboxed as operators' text has to be."""
    compiled = ImmutableSandboxedEnvironment().compile_expression(_JINJA_TEXT)
    subject, hour = _subject(), timedelta(hours=1)
    return lambda: compiled(status=subject.status, now=subject.now, hour=hour)


def _subject() -> Subject:
    (made, _), _, _ = runs(1)
    status = made[0].job.status
    assert status is not None  # noqa: S101 - the first of the jobs is in quarantine
    return Subject(now=datetime(2026, 1, 6, tzinfo=UTC), status=status)


def _book() -> RuleBook:
    return RuleBook(load_rules(builtin_rules()).rules, annotate=lambda *_: {})
