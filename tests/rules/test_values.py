"""What expressions give: null stays quiet, arithmetic has types, functions do what they say."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import pytest

from alertd.model.alert import Scope
from alertd.model.facts import TRACKED_PATHS
from alertd.model.resources import (
    EntryCounts,
    JobSettings,
    SynchronizationProgress,
    SynchronizationQuarantine,
    SynchronizationSchedule,
    SynchronizationStatus,
    SynchronizationTaskExecution,
)
from alertd.model.views import Alertd, Job, Subject, Tenant
from alertd.rules.expression import Expression

NOW = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
PARAMS: Mapping[str, object] = {"threshold": 3, "window": 2 * HOUR, "codes": ("Active", "Paused"), "code": "Active"}

FULL = Subject(
    now=NOW,
    status=SynchronizationStatus(
        code="Quarantine",
        countSuccessiveCompleteFailures=4,
        escrowsPruned=False,
        lastExecution=SynchronizationTaskExecution(countEscrowed=0, timeEnded=NOW - HOUR, state="Failed"),
        progress=(SynchronizationProgress(), SynchronizationProgress()),
        quarantine=SynchronizationQuarantine(reason="TooManyDeletes", seriesBegan=NOW - 48 * HOUR),
        synchronizedEntryCountByType=EntryCounts({"user to User": 30, "group to Group": 3}),
    ),
    previous=SynchronizationStatus(
        code="Active",
        countSuccessiveCompleteFailures=1,
        lastExecution=SynchronizationTaskExecution(timeEnded=NOW - 3 * HOUR),
    ),
    job=Job(
        id="j",
        servicePrincipalId="s",
        displayName="Workday to AD",
        schedule=SynchronizationSchedule(interval=timedelta(minutes=40), state="Active"),
        settings=JobSettings({"Threshold": " 500 ", "Odd": "x"}),
        escrowRatio=0.25,
        disableAt=NOW + 26 * 24 * HOUR,
    ),
    previous_job=Job(id="j", servicePrincipalId="s", schedule=SynchronizationSchedule(interval=timedelta(minutes=20))),
    tenant=Tenant(name="contoso", id="1", labels={"region": "emea"}),
)
EMPTY = Subject(now=NOW)


def value(text: str, subject: Subject = FULL) -> object:
    """Compute an expression, and see that the interpreter agrees."""
    expression = Expression.compile(text, params=PARAMS)
    computed = expression.evaluate(subject, PARAMS)
    assert expression.trace(subject, PARAMS).value == computed
    assert expression.truth(subject, PARAMS) is bool(computed)
    return computed


def quick_value(text: str, subject: Subject = FULL) -> object:
    """Compute an expression by its compiled code alone, which hands over to the interpreter where it raises: the same, but slowly."""
    expression = Expression.compile(text, params=PARAMS)
    evaluate, truth = expression.evaluate, expression.truth
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("alertd.rules.compiler.interpret", lambda *_: pytest.fail(f"{text}: handed over"))
        computed = evaluate(subject, PARAMS)
        assert truth(subject, PARAMS) is bool(computed)
    return computed


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1 + 2 * 3 - 4", 3),
        ("7 / 2", 3.5),
        ("7 % 4", 3),
        ("-(2 - 5)", 3),
        ("1_000 + 0x10", 1016),
        ("now - status.lastExecution.timeEnded", HOUR),
        ("now + hours(1) > now", True),
        ("hours(1) + now == now + hours(1)", True),
        ("now - days(1) < now", True),
        ("hours(2) / 4", timedelta(minutes=30)),
        ("hours(2) / minutes(30)", 4.0),
        ("hours(2) % minutes(50)", timedelta(minutes=20)),
        ("1.5 * hours(2)", 3 * HOUR),
        ("hours(1) - hours(3)", -2 * HOUR),
        ("-hours(1)", -HOUR),
        ("seconds(60) == minutes(1)", True),
        ("params.threshold * job.schedule.interval", 2 * HOUR),
        ("params.window", 2 * HOUR),
        ("1 < 2 < 3", True),
        ("1 < 2 > 3", False),
        ("3 > 2 > status.countSuccessiveCompleteFailures", False),
        ('status.code == "Quarantine"', True),
        ('status.code != "Quarantine"', False),
        ('status.code in ["Active", "Quarantine"]', True),
        ('status.code not in ["Active", "Quarantine"]', False),
        ("status.code in params.codes", False),
        ('"Active" in params.codes', True),
        ('"user to User" in status.synchronizedEntryCountByType', True),
        ('"arant" in status.code', True),
        ("params.threshold in [1, 2, 3]", True),
        ("true and 1 == 1", True),
        ("false or null", False),
        ("not null", True),
        ("1 if status.escrowsPruned else 2", 2),
        ('1 if (status.code == "Quarantine") else 2', 1),
        ('status.code == "Active" or status.quarantine != null', True),
        ("1 / status.countSuccessiveCompleteFailures", 0.25),
        ("1 / (status.countSuccessiveCompleteFailures * 2)", 0.125),
        ("status.countSuccessiveCompleteFailures * 2 == null", False),
        ("1000000000000000000 * 1", 10**18),
        ("status.code if true else null", "Quarantine"),
        ("[1, 2] != null", True),
        ("True and not False and None == null", True),
        ('"a" "b"', "ab"),
    ],
)
def test_values(text: str, expected: object) -> None:
    assert value(text) == quick_value(text) == expected
    assert type(value(text)) is type(quick_value(text)) is type(expected)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("status.quarantine.reason", None, id="an attribute of null is null"),
        pytest.param("job.schedule.interval * 3", None, id="arithmetic with null is null"),
        pytest.param("null + 1", None, id="also with the word"),
        pytest.param("-status.countSuccessiveCompleteFailures", None, id="minus null is null"),
        pytest.param("status.countSuccessiveCompleteFailures > 3", False, id="ordering null is false"),
        pytest.param("status.countSuccessiveCompleteFailures <= 3", False, id="either way"),
        pytest.param("not (status.countSuccessiveCompleteFailures > 3)", True, id="and its negation true"),
        pytest.param("status.code == null", True, id="null equals null"),
        pytest.param("status.code != null", False, id="and is not unequal"),
        pytest.param('status.code == "Active"', False, id="null equals nothing else"),
        pytest.param('status.code != "Active"', True, id="and differs from everything else"),
        pytest.param("status.code == previous.code", True, id="two nulls are equal"),
        pytest.param("null == null", True, id="also in words"),
        pytest.param("null != null", False, id="and not unequal"),
        pytest.param("1 == null", False, id="a constant is not null"),
        pytest.param("1 != null", True, id="and differs from it"),
        pytest.param("now != null", True, id="as does what is always there"),
        pytest.param("status.countSuccessiveCompleteFailures * 2 == null", True, id="a product with null is null"),
        pytest.param("1 / (status.countSuccessiveCompleteFailures * 2)", None, id="and so is what it divides"),
        pytest.param("1 / status.countSuccessiveCompleteFailures", None, id="null divides nothing"),
        pytest.param('status.code in ["Active"]', False, id="null is in no list"),
        pytest.param('status.code not in ["Active"]', True, id="so it is not in"),
        pytest.param("status.code in [null]", True, id="but in one with null"),
        pytest.param('status.code in "Active"', False, id="null is in no text"),
        pytest.param('"x" in status.synchronizedEntryCountByType', False, id="nothing is in a null map"),
        pytest.param("not previous.escrowsPruned", True, id="where truth is wanted null is false"),
        pytest.param("status.escrowsPruned and true", False, id="and gives true or false"),
        pytest.param("1 if previous else 2", 2, id="a null object is false"),
        pytest.param("tenant.labels['region']", None, id="a key of a null map"),
        pytest.param("len(status.code)", None, id="len of null is null"),
        pytest.param("lower(status.code)", None, id="lower of null is null"),
        pytest.param("contains(status.code, 'x')", False, id="a predicate of null is false"),
        pytest.param("contains('x', status.code)", False, id="also by its second argument"),
        pytest.param("like(status.code, '*')", False, id="null is like nothing"),
        pytest.param("max(1, status.countSuccessiveCompleteFailures)", None, id="max with null is null"),
        pytest.param("total(status.synchronizedEntryCountByType)", None, id="total of null is null"),
        pytest.param("age(job.lastSeenAt)", None, id="age of null is null"),
        pytest.param("age(job.lastSeenAt) < days(1)", False, id="so no age is small"),
        pytest.param("number(status.code)", None, id="number of null is null"),
        pytest.param("changed(status.code)", False, id="nothing changed at first sight"),
        pytest.param("increased(status.countSuccessiveCompleteFailures)", False, id="nothing increased"),
        pytest.param("delta(status.countSuccessiveCompleteFailures)", None, id="no difference"),
        pytest.param("1 < status.countSuccessiveCompleteFailures < 3", False, id="null within a chain"),
        pytest.param("status.code == null == null", True, id="chain of equalities"),
    ],
)
def test_null_is_quiet(text: str, expected: object) -> None:
    assert value(text, EMPTY) == quick_value(text, EMPTY) == expected


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("1 / 0", id="division by zero"),
        pytest.param("1 / status.lastExecution.countEscrowed", id="division by a zero that was read"),
        pytest.param("status.countSuccessiveCompleteFailures % 0", id="remainder by zero"),
        pytest.param("hours(1) / 0", id="duration by zero"),
        pytest.param("hours(1) / seconds(0)", id="duration by no duration"),
        pytest.param("hours(1) % seconds(0)", id="remainder by no duration"),
        pytest.param('status.synchronizedEntryCountByType["nobody"]', id="missing key"),
        pytest.param("job.settings[null]", id="null as key"),
        pytest.param("now + days(10000000)", id="beyond the calendar"),
        pytest.param("now - days(800000)", id="before the calendar"),
        pytest.param("days(1000000000000)", id="longer than any duration"),
        pytest.param("hours(1) * 1000000000000000", id="a duration grown too long"),
        pytest.param("1000000000000000000 * 10", id="a product beyond all bounds"),
        pytest.param("1 / 0.0000000000000000001", id="a quotient beyond all bounds"),
        pytest.param("number('x')", id="a text that is no number"),
        pytest.param("number('1e5')", id="a number in a notation of machines"),
        pytest.param("number('inf')", id="infinity in words"),
        pytest.param("number('99999999999999999999')", id="more digits than we count with"),
    ],
)
def test_what_cannot_be_computed_is_null(text: str) -> None:
    assert value(text) is None


def test_what_cannot_be_computed_is_no_more_than_null_in_what_is_built_of_it() -> None:
    """The compiled code raises in its middle; the whole has a value all the same."""
    assert value("1 if now + days(10000000) > now else 2") == 2


def test_a_key_that_is_missing_is_null_to_whatever_calculates_with_it() -> None:
    assert quick_value('status.synchronizedEntryCountByType["nobody"] + 1') is None
    assert quick_value('status.synchronizedEntryCountByType["nobody"] == null') is True


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("age(status.lastExecution.timeEnded)", HOUR),
        ("until(job.disableAt) == days(26)", True),
        ("until(status.lastExecution.timeEnded)", -HOUR),
        ("days(2) == hours(48)", True),
        ("changed(status.code)", True),
        ("changed(status.quarantine)", True),
        ("changed(status.quarantine.reason)", True),
        ("changed(job.id)", False),
        ("changed(job.schedule.interval)", True),
        ('changed(status.synchronizedEntryCountByType["user to User"])', True),
        ("changed(status.synchronizedEntryCountByType)", True),
        ("increased(status.countSuccessiveCompleteFailures)", True),
        ("decreased(status.countSuccessiveCompleteFailures)", False),
        ("increased(job.schedule.interval)", True),
        ("increased(status.lastExecution.timeEnded)", True),
        ("increased(status.lastExecution.countEscrowed)", False),
        ("delta(status.countSuccessiveCompleteFailures)", 3),
        ("delta(status.lastExecution.timeEnded)", 2 * HOUR),
        ("delta(job.schedule.interval)", timedelta(minutes=20)),
        ('contains(job.displayName, "to")', True),
        ('contains(job.displayName, "TO")', False),
        ('contains(lower(job.displayName), "to ad")', True),
        ('startswith(job.displayName, "Workday")', True),
        ('endswith(job.displayName, "AD")', True),
        ('like(job.displayName, "Work*AD")', True),
        ('like(job.displayName, "work*")', False),
        ('like(job.displayName, "Work")', False),
        ('like(status.code, "[A-Q]u?rantine")', True),
        ('like("a.b", "a?b") and not like("a\\nb", "a")', True),
        ('like(status.code, lower("Q*"))', False),
        ("len(status.code)", 10),
        ("len(status.progress)", 2),
        ("len(status.synchronizedEntryCountByType)", 2),
        ("len(params.codes)", 2),
        ("min(3, 1, 2)", 1),
        ("max(3, status.countSuccessiveCompleteFailures)", 4),
        ("max(1, status.countSuccessiveCompleteFailures, 3)", 4),
        ("min(hours(1), params.window)", HOUR),
        ("max(status.lastExecution.timeEnded, now) == now", True),
        ("abs(-3)", 3),
        ("abs(hours(1) - hours(2))", HOUR),
        ("total(status.synchronizedEntryCountByType)", 33),
        ('number(job.settings["Threshold"])', 500),
        ("minutes(status.countSuccessiveCompleteFailures)", timedelta(minutes=4)),
        ("days(job.escrowRatio)", 6 * HOUR),
        ('number("-1.50")', -1.5),
        ('number("+5")', 5),
        ('number("123456789012345678")', 123456789012345678),
        ('number("1234567890123456789")', None),
        ('number("0.123456789012345678")', 0.123456789012345678),
        ('number("0.1234567890123456789")', None),
        ('status.synchronizedEntryCountByType["user to User"]', 30),
        ('job.settings["Odd"]', "x"),
        ('number(job.settings["Odd"]) > 5', False),
        ('tenant.labels["region"] == "emea"', True),
    ],
)
def test_functions(text: str, expected: object) -> None:
    assert value(text) == quick_value(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param('transitions(status.code, to="Quarantine", within=hours(2))', 2, id="the whole span counts"),
        pytest.param('transitions(status.code, to="Quarantine", within=minutes(119))', 1, id="older ones do not"),
        pytest.param('transitions(status.code, to="Quarantine", within=days(9))', 3, id="all"),
        pytest.param('transitions(status.code, to="Paused", within=days(9))', 0, id="another value"),
        pytest.param("transitions(status.escrowsPruned, to=true, within=days(1))", 1, id="a flag"),
        pytest.param("transitions(status.quarantine.reason, to=null, within=days(1))", 1, id="to null"),
        pytest.param("transitions(job.schedule.state, to='Disabled', within=days(1))", 0, id="nothing is known"),
        pytest.param("transitions(status.code, to='Active', within=null)", None, id="no span"),
    ],
)
def test_transitions_count_how_often_a_value_came_about(text: str, expected: int | None) -> None:
    subject = Subject(
        now=NOW,
        status=FULL.status,
        instants={
            "status.code": (
                ("Quarantine", NOW - 30 * HOUR),
                ("Active", NOW - 29 * HOUR),
                ("Quarantine", NOW - 2 * HOUR),
                ("Active", NOW - HOUR),
                ("Quarantine", NOW),
            ),
            "status.escrowsPruned": ((True, NOW - HOUR),),
            "status.quarantine.reason": ((None, NOW - HOUR),),
        },
    )
    assert value(text, subject) == quick_value(text, subject) == expected


@pytest.mark.parametrize("path", TRACKED_PATHS)
def test_every_path_whose_history_is_kept_can_be_counted(path: str) -> None:
    Expression.compile(f"transitions({path}, to=null, within=hours(1))")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("status.code == 'x'", {"status.code"}),
        ("changed(status.code)", {"status.code", "previous.code"}),
        ("changed(job.schedule.state)", {"job.schedule.state", "previous_job.schedule.state"}),
        ("age(status.lastExecution.timeEnded) > hours(1)", {"status.lastExecution.timeEnded", "now"}),
        ("transitions(status.code, to='x', within=params.window) > 1", {"status.code", "now", "params.window"}),
        ('job.settings[params.code] == "x"', {"job.settings", "params.code"}),
        ("status.quarantine == null", {"status.quarantine"}),
        ("previous != null and now > job.lastSeenAt", {"previous", "now", "job.lastSeenAt"}),
        ("total(status.synchronizedEntryCountByType) > 1", {"status.synchronizedEntryCountByType"}),
        ("1 < 2", set()),
    ],
)
def test_an_expression_says_what_it_looks_at(text: str, expected: set[str]) -> None:
    assert Expression.compile(text, params=PARAMS).reads == expected


@pytest.mark.parametrize(
    ("scope", "subject"),
    [
        (Scope.TENANT, Subject(now=NOW, tenant=Tenant(name="x", id="1", consecutivePollFailures=3))),
        (Scope.ALERTD, Subject(now=NOW, alertd=Alertd(failedDeliveries=3))),
    ],
)
def test_other_scopes(scope: Scope, subject: Subject) -> None:
    text = "tenant.consecutivePollFailures >= 3" if scope is Scope.TENANT else "alertd.failedDeliveries >= 3"
    expression = Expression.compile(text, scope=scope)

    assert expression.truth(subject, {}) is True
    assert expression.truth(EMPTY, {}) is False


def test_constants_may_change_from_one_evaluation_to_the_next() -> None:
    """Overrides give other constants to the same compiled code."""
    expression = Expression.compile("status.countSuccessiveCompleteFailures >= params.threshold", params=PARAMS)

    assert [expression.truth(FULL, {"threshold": threshold}) for threshold in (3, 4, 5)] == [True, True, False]


def test_line_breaks_and_remarks_are_allowed() -> None:
    assert value('status.code ==  # what it is\n  "Quarantine"\n  and\xa0true') is True


def test_a_trace_shows_every_part_with_its_value() -> None:
    expression = Expression.compile(
        'status.code == "Active" and age(status.lastExecution.timeEnded) > params.window', params=PARAMS
    )

    node = expression.trace(FULL, PARAMS)

    left, right = node.children
    assert (node.value, left.value, right.value) == (False, False, False)
    assert [(child.text, child.value) for child in left.children] == [
        ("status.code", "Quarantine"),
        ('"Active"', "Active"),
    ]
    assert (right.children[0].text, right.children[0].value) == ("age(status.lastExecution.timeEnded)", HOUR)
    assert right.children[1].value == 2 * HOUR


def test_a_trace_of_a_change_shows_both_readings() -> None:
    node = Expression.compile("changed(status.code)").trace(FULL)

    assert [(child.text, child.value) for child in node.children] == [
        ("status.code", "Quarantine"),
        ("previous.code", "Active"),
    ]
