"""A job's record, brought from one entry of its history to the next."""

from __future__ import annotations

from datetime import timedelta

import attrs
import pytest

from alertd.alerts.replaying import advanced
from alertd.model.change import Change
from alertd.model.facts import Facts
from alertd.store.values import HistoryEntry, JobRecord

from .alerts import START
from .tenant import ACTIVE, PAUSED, POLL, QUARANTINE, Play, job

ENTERED = Change("status.code", "Active", "Quarantine")


def entry(sequence: int, **more: object) -> HistoryEntry:
    """Give an entry of the job's history at START, and whatever it holds."""
    return HistoryEntry(
        **{
            "tenant_key": "global/t-1",
            "service_principal_id": "sp-1",
            "job_id": "SF.1",
            "sequence": sequence,
            "at": START,
            **more,
        }
    )


def seen_first(**more: object) -> JobRecord:
    """Give the record after first sight of an active job at START."""
    record, _ = advanced(None, entry(1, full=ACTIVE, **more))
    assert record is not None
    return record


def test_history_leads_through_the_records_that_the_daemon_had() -> None:
    """The whole promise of a replay; `absent` and `appeared_at` are of readings, which have a history of their own."""
    play = Play()
    record: JobRecord | None = None
    for number, code in enumerate(["Active", "Quarantine", "Quarantine", "Active", "Paused"] * 30):
        play.read(job(code, countSuccessiveCompleteFailures=number // 2))

        while play.history:
            record, _ = advanced(record, play.history.pop(0))

        assert record == play.job


def test_first_sight_is_the_whole_snapshot_and_no_change() -> None:
    record, changes = advanced(None, entry(1, full=ACTIVE))

    assert record is not None
    assert (record.job, record.sequence, record.first_seen_at, record.changed_at) == (ACTIVE, 1, START, START)
    assert (record.tenant_key, record.service_principal_id) == ("global/t-1", "sp-1")
    assert changes == ()


def test_a_job_that_is_back_after_it_was_gone_begins_anew() -> None:
    """Its numbers start from one again, and nothing of what it was before is compared with it."""
    gone = attrs.evolve(seen_first(), facts=Facts(failureStreak=9))

    record, changes = advanced(gone, entry(1, full=QUARANTINE, at=START + POLL))

    assert record is not None
    assert (record.first_seen_at, record.facts.failureStreak, changes) == (START + POLL, 0, ())


def test_changes_are_applied_to_what_was_known() -> None:
    record, changes = advanced(seen_first(), entry(2, changes=(ENTERED,), at=START + POLL))

    assert record is not None
    assert (record.job, record.sequence, changes) == (QUARANTINE, 2, (ENTERED,))
    assert (record.first_seen_at, record.changed_at) == (START, START + POLL)
    assert record.facts.quarantinedSince == START + POLL


def test_a_full_snapshot_in_between_says_what_changed_as_well() -> None:
    record, changes = advanced(seen_first(), entry(50, full=QUARANTINE))

    assert record is not None
    assert (record.job, changes) == (QUARANTINE, (ENTERED,))


def test_facts_that_were_written_down_are_taken_as_they_are() -> None:
    """They may know of runs from before the oldest entry."""
    record, _ = advanced(seen_first(), entry(50, full=PAUSED, facts=Facts(failureStreak=7)))

    assert record is not None
    assert record.facts == Facts(failureStreak=7)


def test_changes_to_nothing_known_lead_nowhere() -> None:
    assert advanced(None, entry(7, changes=(ENTERED,))) == (None, ())


@pytest.mark.parametrize(
    ("known", "expected"),
    [
        pytest.param(None, START - timedelta(days=90), id="nothing is known: as the caller says"),
        pytest.param(seen_first(), START, id="it is known already"),
    ],
)
def test_first_sight_beyond_what_history_reaches_back_to(known: JobRecord | None, expected: object) -> None:
    record, _ = advanced(known, entry(50, full=PAUSED), first_seen_at=START - timedelta(days=90))

    assert record is not None
    assert record.first_seen_at == expected
