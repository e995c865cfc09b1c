"""What Graph is known to write, read: tolerant in content, strict in shape."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import attrs
import msgspec
import pytest

from alertd.model.decoding import MalformedResource, decode, decode_job, encode
from alertd.model.resources import (
    EntryCounts,
    JobSettings,
    ServicePrincipal,
    SynchronizationJob,
    SynchronizationProgress,
    SynchronizationQuarantine,
    SynchronizationSchedule,
    SynchronizationStatus,
    SynchronizationTaskExecution,
)

SHARED = Path(__file__).resolve().parents[2].parent / "shared" / "graph" / "examples"


def job(**properties: Any) -> SynchronizationJob:
    return decode_job(json.dumps({"id": "SF.1"} | properties).encode())


def status(**properties: Any) -> SynchronizationStatus:
    found = job(status=properties).status
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        pytest.param({}, None, id="no status"),
        pytest.param({"status": None}, None, id="null"),
        pytest.param({"status": {}}, SynchronizationStatus(), id="empty, as the overview page shows it"),
    ],
)
def test_a_status_may_be_missing_or_empty(body: dict[str, Any], expected: SynchronizationStatus | None) -> None:
    assert job(**body).status == expected


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("Active", "Active"),
        ("quarantine", "Quarantine"),
        ("NOTRUN", "NotRun"),
        ("notConfigured", "NotConfigured"),
        ("Hibernating", "Hibernating"),
        ("", None),
        (None, None),
    ],
)
def test_codes_are_canonical_and_unknown_ones_stay(written: str | None, expected: str | None) -> None:
    assert status(code=written).code == expected


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("TooManyDeletes", "TooManyDeletes"),
        ("encounteredquarantineexception", "EncounteredQuarantineException"),
        ("QuarantineOnDemand", "QuarantinedOnDemand"),
        ("quarantinedOnDemand", "QuarantinedOnDemand"),
        ("IngestionInterrupted", "IngestionInterrupted"),
        ("SomethingOfNextYear", "SomethingOfNextYear"),
        ("", None),
        (None, None),
    ],
)
def test_reasons_likewise(written: str | None, expected: str | None) -> None:
    quarantine = status(quarantine={"reason": written}).quarantine

    assert quarantine is not None
    assert quarantine.reason == expected


def test_states_likewise() -> None:
    found = job(schedule={"state": "disabled"}, status={"lastExecution": {"state": "entryLevelErrors"}})

    assert found.schedule is not None
    assert found.status is not None
    assert found.status.lastExecution is not None
    assert (found.schedule.state, found.status.lastExecution.state) == ("Disabled", "EntryLevelErrors")


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        pytest.param(
            "2019-11-20T16:17:24.7957721Z", datetime(2019, 11, 20, 16, 17, 24, 795772, UTC), id="seven digits"
        ),
        pytest.param("2019-11-20T16:15:21.116098Z", datetime(2019, 11, 20, 16, 15, 21, 116098, UTC), id="six digits"),
        pytest.param("2019-11-20T16:15:21.1Z", datetime(2019, 11, 20, 16, 15, 21, 100000, UTC), id="one digit"),
        pytest.param("2019-11-20T16:15:21Z", datetime(2019, 11, 20, 16, 15, 21, tzinfo=UTC), id="none"),
        pytest.param("2019-11-20T16:15:21", datetime(2019, 11, 20, 16, 15, 21, tzinfo=UTC), id="naive is UTC"),
        pytest.param("2019-11-20T08:15:21-08:00", datetime(2019, 11, 20, 16, 15, 21, tzinfo=UTC), id="west of UTC"),
        pytest.param("0001-01-01T00:00:00Z", None, id="year 1"),
        pytest.param("0001-01-01T00:00:00", None, id="year 1, naive"),
        pytest.param("0001-01-01T00:00:00+14:00", None, id="year 1, east of UTC"),
        pytest.param("9999-12-31T23:59:59.9999999Z", None, id="year 9999"),
        pytest.param("9999-12-31T23:59:59-08:00", None, id="year 9999, west of UTC"),
        pytest.param("", None, id="empty text"),
        pytest.param(None, None, id="null"),
    ],
)
@pytest.mark.parametrize("holder", ["status", "quarantine", "execution", "progress", "schedule"])
def test_instants(holder: str, written: str | None, expected: datetime | None) -> None:
    body: dict[str, Any] = {
        "schedule": {"expiration": written},
        "status": {
            "steadyStateLastAchievedTime": written,
            "quarantine": {"nextAttempt": written},
            "lastExecution": {"timeEnded": written},
            "progress": [{"progressObservationDateTime": written}],
        },
    }

    found = job(**body)

    assert found.status is not None
    assert found.schedule is not None
    assert found.status.quarantine is not None
    assert found.status.lastExecution is not None
    assert found.status.progress is not None
    instants = {
        "status": found.status.steadyStateLastAchievedTime,
        "quarantine": found.status.quarantine.nextAttempt,
        "execution": found.status.lastExecution.timeEnded,
        "progress": found.status.progress[0].progressObservationDateTime,
        "schedule": found.schedule.expiration,
    }
    assert instants[holder] == expected
    assert expected is None or instants[holder].tzinfo is UTC  # type: ignore[union-attr]


_HOLDERS = [
    SynchronizationStatus,
    SynchronizationTaskExecution,
    SynchronizationQuarantine,
    SynchronizationProgress,
    SynchronizationSchedule,
]
_INSTANTS = [
    pytest.param(kind, field.name, id=f"{kind.__name__}.{field.name}")
    for kind in _HOLDERS
    for field in attrs.fields(kind)
    if "datetime" in str(field.type)
]


@pytest.mark.parametrize(("kind", "name"), _INSTANTS)
def test_every_instant_is_put_right_whatever_stands_beside_it(kind: type[Any], name: str) -> None:
    fine = {other.values[1]: datetime(2026, 1, 5, tzinfo=UTC) for other in _INSTANTS if other.values[0] is kind}
    expected = {
        datetime(2026, 1, 5): datetime(2026, 1, 5, tzinfo=UTC),  # noqa: DTZ001 - as Graph writes some
        datetime(2026, 1, 5, 1, tzinfo=timezone(timedelta(hours=1))): datetime(2026, 1, 5, tzinfo=UTC),
        datetime(1, 12, 31, 23, 59, 59, tzinfo=UTC): None,
        datetime(2, 1, 1, tzinfo=UTC): datetime(2, 1, 1, tzinfo=UTC),
        datetime(9998, 12, 31, 23, 59, 59, tzinfo=UTC): datetime(9998, 12, 31, 23, 59, 59, tzinfo=UTC),
        datetime(9999, 1, 1, tzinfo=UTC): None,
        None: None,
    }

    found = {written: kind(**fine | {name: written}) for written in expected}

    assert {written: getattr(value, name) for written, value in found.items()} == expected
    assert all(getattr(value, name).tzinfo is UTC for value in found.values() if getattr(value, name))
    assert all(getattr(value, other) == fine[other] for value in found.values() for other in fine.keys() - {name})


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("PT40M", timedelta(minutes=40)),
        ("PT2M", timedelta(minutes=2)),
        ("P1DT2H", timedelta(days=1, hours=2)),
        ("P10675199DT2H48M5.4775807S", None),
        ("", None),
        (None, None),
    ],
    ids=["40 minutes", "2 minutes", "26 hours", "TimeSpan.MaxValue", "empty", "null"],
)
def test_intervals(written: str | None, expected: timedelta | None) -> None:
    schedule = job(schedule={"interval": written}).schedule

    assert schedule is not None
    assert schedule.interval == expected


def test_pairs_become_maps() -> None:
    found = job(
        status={"synchronizedEntryCountByType": [{"key": "user to User", "value": 33}, {"key": "group to Group"}]},
        synchronizationJobSettings=[{"name": "Domain", "value": "{}"}, {"name": "Empty", "value": None}],
    )

    assert found.status is not None
    assert dict(found.status.synchronizedEntryCountByType or {}) == {"user to User": 33, "group to Group": 0}
    assert dict(found.synchronizationJobSettings or {}) == {"Domain": "{}", "Empty": ""}


def test_the_last_of_two_pairs_of_one_name_counts_in_the_place_of_the_first() -> None:
    pairs = [("b", "1"), ("a", "2"), ("b", "3")]

    found = job(synchronizationJobSettings=[{"name": name, "value": value} for name, value in pairs])

    assert list((found.synchronizationJobSettings or {}).items()) == [("b", "3"), ("a", "2")]


@pytest.mark.parametrize(
    ("pair", "message"),
    [
        pytest.param(1, "Expected an object with `key`", id="no object"),
        pytest.param({}, "Expected an object with `key`", id="no key"),
        pytest.param({"key": 1, "value": 1}, "Expected an object with `key`", id="the key is a number"),
        pytest.param({"key": "b", "value": True}, "Expected `int` as value of 'b', got `bool`", id="true is no number"),
        pytest.param({"key": "b", "value": 1.0}, "Expected `int` as value of 'b', got `float`", id="a fraction"),
    ],
)
def test_a_pair_that_is_none_is_malformed(pair: object, message: str) -> None:
    """Also behind one that is as it should be."""
    with pytest.raises(MalformedResource, match=re.escape(message)):
        job(status={"synchronizedEntryCountByType": [{"key": "a", "value": 1}, pair]})


def test_maps_are_equal_by_what_they_hold() -> None:
    counts = EntryCounts({"a": 1})

    assert counts == EntryCounts({"a": 1})
    assert counts != EntryCounts({"a": 2})
    assert EntryCounts() == JobSettings()
    assert counts != {"a": 1}


def test_unknown_properties_are_left_out() -> None:
    found = decode_job(b'{"@odata.context":"x","id":"a","schema":{"deep":[1]},"bulkUpload":null,"status":{"future":1}}')

    assert found == SynchronizationJob(id="a", status=SynchronizationStatus())


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({"status": {"code": 5}}, "$.status.code"),
        ({"status": {"countSuccessiveCompleteFailures": "many"}}, "$.status.countSuccessiveCompleteFailures"),
        ({"status": {"escrowsPruned": "false"}}, "$.status.escrowsPruned"),
        ({"status": {"quarantine": []}}, "$.status.quarantine"),
        ({"status": {"lastExecution": {"timeEnded": "yesterday"}}}, "$.status.lastExecution.timeEnded"),
        (
            {"status": {"lastExecution": {"error": {"tenantActionable": 1}}}},
            "$.status.lastExecution.error.tenantActionable",
        ),
        ({"status": {"progress": [{"totalUnits": 1}, {"totalUnits": 1.5}]}}, "$.status.progress[1].totalUnits"),
        ({"status": {"synchronizedEntryCountByType": {"user": 1}}}, "$.status.synchronizedEntryCountByType"),
        (
            {"status": {"synchronizedEntryCountByType": [{"key": "a", "value": "1"}]}},
            "$.status.synchronizedEntryCountByType",
        ),
        ({"schedule": {"interval": 40}}, "$.schedule.interval"),
        ({"synchronizationJobSettings": [{"key": "a"}]}, "$.synchronizationJobSettings"),
        ({"templateId": 7}, "$.templateId"),
        ({"id": None}, "$.id"),
        ({"status": "Active"}, "$.status"),
    ],
    ids=str,
)
def test_a_wrong_type_is_malformed_and_names_its_path(body: dict[str, Any], path: str) -> None:
    with pytest.raises(MalformedResource) as caught:
        job(**body)

    assert path in str(caught.value)


@pytest.mark.parametrize("raw", [b"", b"{", b"null", b"[]", b'"x"', b"{}", b"\xff\xfe", b"<html>"])
def test_what_is_no_job_is_malformed(raw: bytes) -> None:
    with pytest.raises(MalformedResource):
        decode_job(raw)


def test_a_job_is_read_from_a_part_of_a_page_too() -> None:
    page = msgspec.json.decode(b'{"value":[{"id":"a"},{"id":"b"}]}', type=dict[str, list[msgspec.Raw]])

    assert [decode_job(raw).id for raw in page["value"]] == ["a", "b"]


def test_what_is_written_is_read_back_the_same() -> None:
    found = job(
        templateId="aws",
        schedule={"interval": "PT40M", "state": "Active"},
        status={
            "code": "Quarantine",
            "quarantine": {"reason": "TooManyDeletes", "seriesBegan": "2026-01-05T09:00:00Z"},
            "progress": [{"completedUnits": 1}],
            "synchronizedEntryCountByType": [{"key": "user to User", "value": 33}],
        },
        synchronizationJobSettings=[{"name": "Domain", "value": "x"}],
    )

    assert decode_job(encode(found)) == found


def test_service_principals_are_read_the_same_way() -> None:
    found = decode(b'{"id":"a","displayName":"Salesforce","accountEnabled":true,"tags":["x"]}', ServicePrincipal)

    assert found == ServicePrincipal(id="a", displayName="Salesforce", accountEnabled=True)


@pytest.mark.skipif(not SHARED.exists(), reason="documented examples are not part of the repository")
@pytest.mark.parametrize(
    "path", sorted([*SHARED.glob("*job-*.json"), *SHARED.glob("*jobs-*.json")]), ids=lambda path: path.stem
)
def test_documented_jobs_are_read(path: Path) -> None:
    """Whatever the documentation shows is a job, and survives being written and read again."""
    plain = json.loads(path.read_bytes())
    bodies = plain.get("value", [plain])

    for body in bodies:
        found = decode_job(json.dumps(body).encode())
        assert found.id == body["id"]
        assert decode_job(encode(found)) == found


@pytest.mark.skipif(not SHARED.exists(), reason="documented examples are not part of the repository")
def test_the_documented_placeholder_run_has_no_instants() -> None:
    """A job that was just started shows a failed run that never was."""
    found = decode_job((SHARED / "job-get-azure2azure-notrun-placeholder-failed.json").read_bytes())

    assert found.status is not None
    run = found.status.lastExecution
    assert run is not None
    assert run.error is not None
    assert (run.state, run.error.code, run.timeBegan, run.timeEnded) == ("Failed", "None", None, None)
