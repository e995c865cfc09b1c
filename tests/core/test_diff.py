"""Snapshots to changes, and back."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from types import NoneType
from typing import get_args, get_type_hints

import attrs
import pytest
from hypothesis import given

from alertd.diff import _ROOTS, _comparer, apply, diff, value_at
from alertd.model.change import Change
from alertd.model.resources import (
    EntryCounts,
    JobSettings,
    SynchronizationError,
    SynchronizationJob,
    SynchronizationProgress,
    SynchronizationQuarantine,
    SynchronizationSchedule,
    SynchronizationStatus,
    SynchronizationTaskExecution,
)

from .alerts import START
from .strategies import ODD_KEYS, essence, jobs


def job(**status: object) -> SynchronizationJob:
    return SynchronizationJob(id="SF.1", status=SynchronizationStatus(**status))


# What must hold of any two snapshots.


@given(jobs, jobs)
def test_changes_lead_from_one_snapshot_to_the_other(previous: SynchronizationJob, current: SynchronizationJob) -> None:
    """Judged by `essence` too, since a `diff` that never finds anything would satisfy itself."""
    reached = apply(previous, diff(previous, current))

    assert diff(reached, current) == ()
    assert essence(reached) == essence(current)


@given(jobs, jobs)
def test_the_way_back_is_the_same_changes_reversed(previous: SynchronizationJob, current: SynchronizationJob) -> None:
    there = {(change.path, str(change.before), str(change.after)) for change in diff(previous, current)}
    back = {(change.path, str(change.after), str(change.before)) for change in diff(current, previous)}

    assert there == back


@given(jobs, jobs)
def test_each_change_names_a_path_once_and_a_true_difference(
    previous: SynchronizationJob, current: SynchronizationJob
) -> None:
    changes = diff(previous, current)

    assert len({change.path for change in changes}) == len(changes)
    assert all(change.before != change.after for change in changes)


@given(jobs, jobs)
def test_there_are_changes_exactly_where_the_snapshots_say_different_things(
    previous: SynchronizationJob, current: SynchronizationJob
) -> None:
    assert bool(diff(previous, current)) == (essence(previous) != essence(current))


@given(jobs)
def test_no_changes_lead_nowhere(snapshot: SynchronizationJob) -> None:
    assert apply(snapshot, ()) == snapshot


# Paths as rules write them.


RUN = SynchronizationTaskExecution
QUARANTINE = SynchronizationQuarantine(reason="TooManyDeletes", seriesBegan=START)


@pytest.mark.parametrize(
    ("previous", "current", "changes"),
    [
        pytest.param(
            job(code="Active"), job(code="Quarantine"), [Change("status.code", "Active", "Quarantine")], id="a scalar"
        ),
        pytest.param(
            job(lastExecution=RUN(error=SynchronizationError(code="A"))),
            job(lastExecution=RUN(error=SynchronizationError(code="B"))),
            [Change("status.lastExecution.error.code", "A", "B")],
            id="a leaf three levels down",
        ),
        pytest.param(
            job(),
            job(quarantine=QUARANTINE),
            [
                Change("status.quarantine.reason", None, "TooManyDeletes"),
                Change("status.quarantine.seriesBegan", None, START),
            ],
            id="an object that was not there: its leaves",
        ),
        pytest.param(
            job(quarantine=QUARANTINE),
            SynchronizationJob(id="SF.1"),
            [
                Change("status.quarantine.reason", "TooManyDeletes", None),
                Change("status.quarantine.seriesBegan", START, None),
            ],
            id="a holder gone with all it held",
        ),
        pytest.param(
            SynchronizationJob(id="SF.1", schedule=SynchronizationSchedule(interval=timedelta(minutes=40))),
            SynchronizationJob(id="SF.1", schedule=SynchronizationSchedule(interval=timedelta(hours=1))),
            [Change("job.schedule.interval", timedelta(minutes=40), timedelta(hours=1))],
            id="the schedule belongs to the job",
        ),
        pytest.param(
            SynchronizationJob(id="SF.1", templateId="scim"),
            SynchronizationJob(id="SF.1"),
            [Change("job.templateId", "scim", None)],
            id="the template belongs to the job",
        ),
        pytest.param(
            SynchronizationJob(id="SF.1", synchronizationJobSettings=JobSettings({"Domain": "a", "Gone": "x"})),
            SynchronizationJob(id="SF.1", synchronizationJobSettings=JobSettings({"New": "y", "Domain": "b"})),
            [
                Change('job.settings["Domain"]', "a", "b"),
                Change('job.settings["Gone"]', "x", None),
                Change('job.settings["New"]', None, "y"),
            ],
            id="settings by name, known ones first",
        ),
        pytest.param(
            job(synchronizedEntryCountByType=EntryCounts({"user to User": 0})),
            job(synchronizedEntryCountByType=EntryCounts()),
            [Change('status.synchronizedEntryCountByType["user to User"]', 0, None)],
            id="zero is not null",
        ),
        pytest.param(
            job(escrowsPruned=False), job(), [Change("status.escrowsPruned", False, None)], id="false is not null"
        ),
        pytest.param(
            job(progress=(SynchronizationProgress(completedUnits=1),)),
            job(progress=(SynchronizationProgress(completedUnits=2),)),
            [
                Change(
                    "status.progress",
                    (SynchronizationProgress(completedUnits=1),),
                    (SynchronizationProgress(completedUnits=2),),
                )
            ],
            id="progress is one leaf",
        ),
        pytest.param(
            job(code="Active", quarantine=QUARANTINE, progress=(SynchronizationProgress(units="objects"),)),
            job(
                code="Paused",
                quarantine=SynchronizationQuarantine(
                    reason="TooManyDeletes", seriesBegan=datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
                ),
                progress=(SynchronizationProgress(units="objects"),),
            ),
            [Change("status.code", "Active", "Paused")],
            id="equal is equal, though every reading makes it anew",
        ),
    ],
)
def test_paths(previous: SynchronizationJob, current: SynchronizationJob, changes: list[Change]) -> None:
    assert list(diff(previous, current)) == changes


def test_changes_come_in_the_order_of_the_documentation() -> None:
    previous = SynchronizationJob(id="SF.1", templateId="a", status=SynchronizationStatus(code="Active"))
    current = SynchronizationJob(
        id="SF.1",
        templateId="b",
        schedule=SynchronizationSchedule(state="Active"),
        status=SynchronizationStatus(
            code="Quarantine", quarantine=QUARANTINE, escrowsPruned=True, countSuccessiveCompleteFailures=3
        ),
        synchronizationJobSettings=JobSettings({"Domain": "a"}),
    )

    assert [change.path for change in diff(previous, current)] == [
        "job.templateId",
        "job.schedule.state",
        "status.code",
        "status.countSuccessiveCompleteFailures",
        "status.escrowsPruned",
        "status.quarantine.reason",
        "status.quarantine.seriesBegan",
        'job.settings["Domain"]',
    ]


@pytest.mark.parametrize(
    ("previous", "current"),
    [
        pytest.param(job(quarantine=SynchronizationQuarantine()), job(), id="an object of nulls is a null"),
        pytest.param(job(), SynchronizationJob(id="SF.1"), id="an empty status is no status"),
        pytest.param(
            job(lastExecution=RUN(error=SynchronizationError())), job(lastExecution=None), id="nulls all the way down"
        ),
        pytest.param(
            job(synchronizedEntryCountByType=EntryCounts()),
            job(synchronizedEntryCountByType=None),
            id="an empty map is no map",
        ),
        pytest.param(
            job(synchronizedEntryCountByType=EntryCounts({"a": 1, "b": 2})),
            job(synchronizedEntryCountByType=EntryCounts({"b": 2, "a": 1})),
            id="the order of a map says nothing",
        ),
        pytest.param(
            SynchronizationJob(id="SF.1", templateId="scim"),
            SynchronizationJob(id="SF.2", templateId="scim"),
            id="the id is who it is, not how it is",
        ),
    ],
)
def test_what_makes_no_change(previous: SynchronizationJob, current: SynchronizationJob) -> None:
    assert diff(previous, current) == ()
    assert diff(current, previous) == ()


def _leaves(kind: type, path: str) -> Iterator[tuple[str, object]]:
    """Name every leaf that a resource can have, with a value for it."""
    for name, hint in get_type_hints(kind).items():
        (held,) = (option for option in get_args(hint) if option is not NoneType)
        if attrs.has(held):
            yield from _leaves(held, f"{path}.{name}")
        elif held is EntryCounts:
            yield f'{path}.{name}["user to User"]', 7
        else:
            yield f"{path}.{name}", _VALUES.get(held, (SynchronizationProgress(units="objects"),))


_VALUES: dict[object, object] = {
    bool: True,
    int: 7,
    str: "Later",
    datetime: START + timedelta(hours=1),
    timedelta: timedelta(hours=1),
}
_LEAVES = [*_leaves(SynchronizationStatus, "status"), *_leaves(SynchronizationSchedule, "job.schedule")]


@pytest.mark.parametrize(("path", "value"), [pytest.param(*leaf, id=leaf[0]) for leaf in _LEAVES])
def test_every_leaf_is_compared(path: str, value: object) -> None:
    """Whatever a resource holds, and whether what would hold the leaf is there on both sides, on one or on none."""
    nothing, beside = SynchronizationJob(id="SF.1"), job(quarantine=QUARANTINE, lastExecution=RUN(state="Failed"))

    for before in (nothing, beside):
        change = Change(path, value_at(before, path), value)
        assert diff(before, apply(before, [change])) == (change,)


def test_the_comparison_says_the_same_however_often_it_is_written() -> None:
    """It is written once, when the module is loaded: here once more, so that what writes it is tested too."""
    before = SynchronizationJob(id="SF.1", templateId="a", status=SynchronizationStatus(quarantine=QUARANTINE))
    after = SynchronizationJob(
        id="SF.2",
        schedule=SynchronizationSchedule(state="Active"),
        status=SynchronizationStatus(
            code="Active",
            quarantine=SynchronizationQuarantine(seriesBegan=START, error=SynchronizationError(code="A")),
            synchronizedEntryCountByType=EntryCounts({"user to User": 1}),
        ),
        synchronizationJobSettings=JobSettings({"Domain": "a"}),
    )
    found: list[Change] = []

    _comparer(SynchronizationJob, _ROOTS)(before, after, found)

    assert tuple(found) == diff(before, after)
    assert [change.path for change in found] == [
        "job.templateId",
        "job.schedule.state",
        "status.code",
        "status.quarantine.reason",
        "status.quarantine.error.code",
        'status.synchronizedEntryCountByType["user to User"]',
        'job.settings["Domain"]',
    ]


# Back from changes.


@pytest.mark.parametrize("key", [pytest.param(key, id=repr(key)) for key in ODD_KEYS])
def test_any_map_key_survives_its_path(key: str) -> None:
    before = job(synchronizedEntryCountByType=EntryCounts({"other": 1}))
    after = job(synchronizedEntryCountByType=EntryCounts({"other": 1, key: 7}))

    changes = diff(before, after)

    assert len(changes) == 1
    assert apply(before, changes) == after
    assert apply(after, diff(after, before)) == before


def test_a_holder_that_holds_nothing_any_more_is_null() -> None:
    emptied = apply(job(quarantine=QUARANTINE), diff(job(quarantine=QUARANTINE), job(code="Active")))

    assert emptied.status == SynchronizationStatus(code="Active")


def test_the_snapshot_keeps_its_id() -> None:
    assert apply(job(code="Active"), [Change("status.code", "Active", None)]) == SynchronizationJob(id="SF.1")


@pytest.mark.parametrize(
    "path",
    [
        "",
        "job",
        "job.id",
        "job.noSuch",
        "noSuch",
        "status.noSuch",
        "status.code.length",
        "status.progress.units",
        "status.quarantine.",
        ".status.code",
        "status..code",
        "status code",
        'status.synchronizedEntryCountByType["a"',
        'status.synchronizedEntryCountByType["a"].b',
        "job.settings[a]",
        'job.settings["a"]["b"]',
        '["status"]',
    ],
)
def test_a_path_that_names_no_property_is_refused(path: str) -> None:
    """One kind of error for all of them: replay of a damaged history has one thing to catch."""
    with pytest.raises(ValueError, match=r"path|propert"):
        apply(job(code="Active"), [Change(path, None, "x")])


@pytest.mark.parametrize(
    ("upper", "lower"),
    [
        pytest.param("status.lastExecution", "status.lastExecution.state", id="right below"),
        pytest.param("status.lastExecution", "status.lastExecution.error.code", id="further below"),
        pytest.param("job.settings", 'job.settings["a"]', id="a key"),
    ],
)
def test_changes_of_which_one_lies_in_another_are_refused(upper: str, lower: str) -> None:
    """Whichever came later would win, silently; of a damaged history that is no answer."""
    for paths in ((upper, lower), (lower, upper)):
        with pytest.raises(ValueError, match=r"lies above or below another change"):
            apply(job(code="Active"), [Change(path, None, None) for path in paths])


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("status.code", "Active"),
        ("status.lastExecution.state", "Failed"),
        ("job.schedule.state", None),
        ('job.settings["a"]', "x"),
        ('job.settings["b"]', None),
        ("status.quarantine.error.code", None),
    ],
)
def test_what_stands_at_a_path(path: str, expected: object) -> None:
    """Null where it, or whatever would hold it, is not there."""
    status = SynchronizationStatus(code="Active", lastExecution=SynchronizationTaskExecution(state="Failed"))
    known = SynchronizationJob(id="SF.1", status=status, synchronizationJobSettings=JobSettings({"a": "x"}))

    assert value_at(known, path) == expected
