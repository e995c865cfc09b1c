"""Properties of the language: expressions are total, and the compiler agrees with the interpreter."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, timezone
from functools import cache

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from alertd.model.resources import (
    EntryCounts,
    JobSettings,
    SynchronizationError,
    SynchronizationProgress,
    SynchronizationQuarantine,
    SynchronizationSchedule,
    SynchronizationStatus,
    SynchronizationTaskExecution,
)
from alertd.model.views import Job, Subject, Tenant
from alertd.rules.expression import Expression
from alertd.rules.fault import ExpressionError, Fault
from alertd.rules.scan import LENGTH_MAX, LEVELS_MAX, scan
from alertd.rules.term import Term

PARAMS: Mapping[str, object] = {
    "limit": 3,
    "share": 0.25,
    "nothing": None,
    "code": "Active",
    "window": timedelta(hours=2),
    "codes": ("Active", "Paused"),
    "strict": True,
}

PATHS = {
    "number": [
        "countSuccessiveCompleteFailures",
        "lastExecution.countEscrowed",
        'synchronizedEntryCountByType["user to User"]',
    ],
    "text": ["code", "lastExecution.state", "quarantine.reason", "lastExecution.error.message"],
    "date": ["lastExecution.timeEnded", "quarantine.seriesBegan", "steadyStateFirstAchievedTime"],
    "bool": ["escrowsPruned", "lastExecution.error.tenantActionable"],
}
JOB_PATHS = {
    "number": ["failureStreak", "escrowRatio"],
    "text": ["displayName", 'settings["Threshold"]', "schedule.state"],
    "date": ["lastSeenAt", "disableAt"],
    "duration": ["schedule.interval"],
    "bool": ["gone"],
}
CONSTANTS = {
    "number": ["0", "1", "-2", "0.5", "1e17", "params.limit", "params.share", "params.nothing"],
    "text": ['"Active"', '""', '"5"', "params.code", "null"],
    "date": ["now", "null"],
    "duration": ["hours(2)", "seconds(0)", "days(1e9)", "params.window", "minutes(params.limit)"],
    "bool": ["true", "false", "null", "params.strict"],
}


def paths(kind: str) -> list[str]:
    """Give every path of a kind, at this reading and the one before."""
    return [
        *(f"{root}.{path}" for root in ("status", "previous") for path in PATHS.get(kind, [])),
        *(f"{root}.{path}" for root in ("job", "previous_job") for path in JOB_PATHS.get(kind, [])),
    ]


def leaf(kind: str) -> st.SearchStrategy[str]:
    return st.sampled_from([*CONSTANTS[kind], *paths(kind)])


def current(kind: str) -> st.SearchStrategy[str]:
    return st.sampled_from([path for path in paths(kind) if not path.startswith("previous")])


def shaped(shape: str, *kinds: str, depth: int) -> st.SearchStrategy[str]:
    return st.tuples(*(expressions(kind, depth) for kind in kinds)).map(lambda parts: shape.format(*parts))


@cache
def expressions(kind: str, depth: int = 3) -> st.SearchStrategy[str]:
    """Give the text of a well-typed expression of a kind."""
    if depth == 0:
        return leaf(kind)
    inner = depth - 1
    common = [leaf(kind), shaped("({} if {} else {})", kind, "bool", kind, depth=inner)]
    return st.one_of(*common, *FORMS[kind](inner))


def number_forms(depth: int) -> list[st.SearchStrategy[str]]:
    return [
        *(shaped(f"({{}} {sign} {{}})", "number", "number", depth=depth) for sign in "+-*/%"),
        shaped("({} / {})", "duration", "duration", depth=depth),
        shaped("-{}", "number", depth=depth),
        shaped("abs({})", "number", depth=depth),
        shaped("min({}, {})", "number", "number", depth=depth),
        shaped("max({}, {}, {})", "number", "number", "number", depth=depth),
        shaped("len({})", "text", depth=depth),
        shaped("number({})", "text", depth=depth),
        st.sampled_from(["total(status.synchronizedEntryCountByType)", "len(status.progress)", "len(params.codes)"]),
        current("number").map("delta({})".format),
        shaped("transitions(status.code, to={}, within={})", "text", "duration", depth=depth),
    ]


def text_forms(depth: int) -> list[st.SearchStrategy[str]]:
    return [shaped("lower({})", "text", depth=depth), shaped("job.settings[{}]", "text", depth=depth)]


def date_forms(depth: int) -> list[st.SearchStrategy[str]]:
    forms = ("({} + {})", "({} - {})")
    return [
        *(shaped(form, "date", "duration", depth=depth) for form in forms),
        shaped("max({}, {})", "date", "date", depth=depth),
    ]


def duration_forms(depth: int) -> list[st.SearchStrategy[str]]:
    return [
        shaped("age({})", "date", depth=depth),
        shaped("until({})", "date", depth=depth),
        shaped("({} - {})", "date", "date", depth=depth),
        shaped("({} + {})", "duration", "duration", depth=depth),
        shaped("({} * {})", "duration", "number", depth=depth),
        shaped("({} * {})", "number", "duration", depth=depth),
        shaped("({} / {})", "duration", "number", depth=depth),
        shaped("({} % {})", "duration", "duration", depth=depth),
        shaped("min({}, {})", "duration", "duration", depth=depth),
        shaped("hours({})", "number", depth=depth),
        current("date").map("delta({})".format),
    ]


def bool_forms(depth: int) -> list[st.SearchStrategy[str]]:
    ordered, every = ("number", "date", "duration"), ("number", "text", "date", "duration", "bool")
    return [
        shaped("({} and {})", "bool", "bool", depth=depth),
        shaped("({} or {})", "bool", "bool", depth=depth),
        shaped("({} and {})", "number", "text", depth=depth),
        shaped("(not {})", "bool", depth=depth),
        *(shaped(f"({{}} {sign} {{}})", kind, kind, depth=depth) for kind in ordered for sign in ("<", ">=")),
        *(shaped(f"({{}} {sign} {{}})", kind, kind, depth=depth) for kind in every for sign in ("==", "!=")),
        shaped("({} < {} <= {})", "number", "number", "number", depth=depth),
        shaped("({} == {} != {})", "text", "text", "text", depth=depth),
        shaped("({} in [{}, {}])", "text", "text", "text", depth=depth),
        shaped("({} not in [1, {}])", "number", "number", depth=depth),
        shaped("({} in params.codes)", "text", depth=depth),
        shaped("({} in {})", "text", "text", depth=depth),
        shaped("({} not in {})", "text", "text", depth=depth),
        shaped("({} in status.synchronizedEntryCountByType)", "text", depth=depth),
        *(shaped(f"{name}({{}}, {{}})", "text", "text", depth=depth) for name in ("contains", "startswith", "like")),
        current("text").map("changed({})".format),
        current("number").map("increased({})".format),
        current("date").map("decreased({})".format),
        st.sampled_from(["(status.quarantine == null)", "(previous != null)", "changed(status.quarantine)"]),
    ]


FORMS = {
    "number": number_forms,
    "text": text_forms,
    "date": date_forms,
    "duration": duration_forms,
    "bool": bool_forms,
}

DATES = st.one_of(
    st.none(),
    st.datetimes(timezones=st.just(UTC), min_value=datetime(2, 1, 1), max_value=datetime(9998, 12, 31)),  # noqa: DTZ001
    st.just(datetime(2026, 1, 5, tzinfo=UTC)),
)
COUNTS = st.one_of(st.none(), st.sampled_from([0, 1, -1, 500, 10**18, 10**400]), st.integers())
TEXTS = st.one_of(st.none(), st.sampled_from(["", "Active", "Paused", "Quarantine", "5", "1e5", "[x", "a*"]), st.text())
BOOLS = st.sampled_from([None, True, False])
RATIOS = st.one_of(st.none(), st.floats(allow_nan=False))
SPANS = st.one_of(st.none(), st.sampled_from([timedelta(0), timedelta(minutes=40), timedelta.max]), st.timedeltas())

ERRORS = st.builds(SynchronizationError, code=TEXTS, message=TEXTS, tenantActionable=BOOLS)
RUNS = st.builds(
    SynchronizationTaskExecution,
    countEscrowed=COUNTS,
    state=TEXTS,
    timeEnded=DATES,
    error=st.none() | ERRORS,
)
STATUSES = st.none() | st.builds(
    SynchronizationStatus,
    code=TEXTS,
    countSuccessiveCompleteFailures=COUNTS,
    escrowsPruned=BOOLS,
    lastExecution=st.none() | RUNS,
    progress=st.none() | st.just((SynchronizationProgress(),)),
    quarantine=st.none() | st.builds(SynchronizationQuarantine, reason=TEXTS, seriesBegan=DATES),
    steadyStateFirstAchievedTime=DATES,
    synchronizedEntryCountByType=st.none() | st.just(EntryCounts({"user to User": 3, "Active": 10**400})),
)
JOBS = st.none() | st.builds(
    Job,
    id=st.just("j"),
    servicePrincipalId=st.just("s"),
    displayName=TEXTS,
    failureStreak=st.integers(0, 5),
    escrowRatio=RATIOS,
    lastSeenAt=DATES,
    disableAt=DATES,
    gone=st.booleans(),
    schedule=st.none() | st.builds(SynchronizationSchedule, interval=SPANS, state=TEXTS),
    settings=st.none() | st.just(JobSettings({"Threshold": "500", "Active": "x"})),
)
INSTANTS = st.lists(st.tuples(TEXTS, DATES.filter(bool)), max_size=3).map(lambda seen: {"status.code": tuple(seen)})
SUBJECTS = st.builds(
    Subject,
    now=DATES.filter(bool),
    status=STATUSES,
    previous=STATUSES,
    job=JOBS,
    previous_job=JOBS,
    tenant=st.just(Tenant(name="contoso", id="1")),
    instants=INSTANTS,
)


@pytest.mark.parametrize("kind", ["bool", "number", "duration", "date", "text"])
@settings(deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_compiled_code_agrees_with_the_interpreter(kind: str, data: st.DataObject) -> None:
    """Whatever a well-typed expression meets, both ways of computing it give the same value, and neither raises."""
    text = data.draw(expressions(kind))
    expression = Expression.compile(text, params=PARAMS)
    subjects = data.draw(st.lists(SUBJECTS, min_size=1, max_size=5))

    for subject in subjects:
        slow = expression.trace(subject, PARAMS).value

        assert same(expression.evaluate(subject, PARAMS), slow), text
        assert expression.truth(subject, PARAMS) is bool(slow), text


def same(one: object, other: object) -> bool:
    """Equal and of one type: true is no 1."""
    return one == other and type(one) is type(other)


@settings(deadline=None)
@given(text=expressions("bool"), subject=SUBJECTS)
def test_a_missing_constant_is_null(text: str, subject: Subject) -> None:
    """Constants that an evaluation does not get are null; nothing raises."""
    expression = Expression.compile(text, params=PARAMS)

    assert expression.truth(subject, {}) is bool(expression.trace(subject, {}).value)


class Broken:
    """A value that raises at every touch, as nothing that was read from Graph ever should."""

    def __getattr__(self, name: str) -> object:
        raise RuntimeError(name)

    def __eq__(self, other: object) -> bool:
        raise RuntimeError

    def __bool__(self) -> bool:
        raise RuntimeError

    __hash__ = None  # type: ignore[assignment]


@pytest.mark.parametrize("text", ['status.code == "x"', "status.code", "1 + status.countSuccessiveCompleteFailures"])
def test_even_values_that_raise_do_no_harm(text: str) -> None:
    """A value of a type that cannot be there is taken for null."""
    subject = Subject(now=datetime(2026, 1, 5, tzinfo=UTC), status=Broken())  # type: ignore[arg-type]

    assert Expression.compile(text).evaluate(subject, {}) in {None, False}


def test_a_naive_date_is_only_incomparable() -> None:
    """Dates are aware by construction; one that is not makes a comparison false."""
    naive = Tenant(name="x", id="1", lastPollAt=datetime(2026, 1, 5))  # noqa: DTZ001
    subject = Subject(now=datetime(2026, 1, 5, tzinfo=timezone(timedelta(hours=1))), tenant=naive)

    assert Expression.compile("age(tenant.lastPollAt) < hours(1)").truth(subject, {}) is False


@settings(max_examples=5 * settings.default.max_examples, deadline=None)
@given(text=st.text(alphabet=" ().,[]'\"#=<>!+-*/%abnotrifelsdu:=\n\\{}1", max_size=80))
@example("'" * 7)
@example('"""')
@example("lambda")
@example("a\x00b")
@example("\ud800")
@example("1_0.e")
@example("0777")
@example("0x")
@example("-" * 2000)
@example("(" * 2000)
@example("not " * 500)
@example("a." * 1000)
@example("1if 1else 1")
def test_any_text_is_an_expression_or_an_error(text: str) -> None:
    """No text makes the reader raise anything but its own error, with a place inside the text."""
    faults = faults_of(text)

    assert all(0 <= fault.offset <= len(text) and fault.found for fault in faults)


def faults_of(text: str) -> tuple[Fault, ...]:
    try:
        Expression.compile(text)
    except ExpressionError as exc:
        return exc.faults
    return ()


@settings(max_examples=3 * settings.default.max_examples, deadline=None)
@given(text=expressions("bool", 4))
def test_levels_counted_before_parsing_bound_those_of_the_tree(text: str) -> None:
    """What the first look lets pass is no deeper than it says, so no later recursion goes further."""
    try:
        scan(text)
    except ExpressionError:
        return

    assert depth(Expression.compile(text, params=PARAMS).term) <= LEVELS_MAX + 5
    assert len(text) <= LENGTH_MAX


def depth(term: Term) -> int:
    return 1 + max((depth(child) for child in term.children), default=0)
