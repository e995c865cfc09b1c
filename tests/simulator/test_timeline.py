"""The notation of timelines: what each word makes a job answer."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from alertd.errors import ConfigError, PollErrorKind
from alertd.model.document import Document
from alertd.model.resources import SynchronizationJob, SynchronizationStatus
from alertd.simulator.timeline import (
    Absent,
    Answer,
    Failure,
    Good,
    at_step,
    expand,
    parse_tenant_timeline,
    parse_timeline,
    read_timeline,
)

START = datetime(2026, 1, 1, tzinfo=UTC)
STEP = timedelta(minutes=5)


def play(*steps: object) -> tuple[Answer, ...]:
    return expand(parse_timeline(steps), start=START, interval=STEP, job_id="SF.1")


def statuses(*steps: object) -> list[SynchronizationStatus]:
    answers = [answer for answer in play(*steps) if isinstance(answer, SynchronizationJob)]
    return [answer.status for answer in answers if answer.status is not None]


def instant(step: int) -> datetime:
    return START + step * STEP


class TestWords:
    def test_a_capitalised_word_is_a_status_code_and_nothing_else(self) -> None:
        (answer,) = play("Active")

        assert answer == SynchronizationJob(id="SF.1", status=SynchronizationStatus(code="Active"))

    def test_enums_are_open(self) -> None:
        assert [status.code for status in statuses("Hibernating")] == ["Hibernating"]

    def test_x_repeats(self) -> None:
        assert [status.code for status in statuses("Active x3", "Paused  x2")] == ["Active"] * 3 + ["Paused"] * 2

    def test_parentheses_give_a_quarantine_object_that_began_at_entry(self) -> None:
        status = statuses("Active x2", "Quarantine(TooManyDeletes) x2")[-1]

        assert status.quarantine is not None
        assert status.quarantine.reason == "TooManyDeletes"
        assert status.quarantine.currentBegan == status.quarantine.seriesBegan == instant(2)
        assert status.quarantine.nextAttempt is None

    def test_without_parentheses_there_is_no_quarantine_object(self) -> None:
        assert statuses("Quarantine(Unknown)", "Quarantine")[-1].quarantine is None

    def test_a_new_reason_does_not_move_the_entry(self) -> None:
        quarantine = statuses("Quarantine(Unknown)", "error", "absent", "Quarantine(TooManyDeletes)")[-1].quarantine

        assert quarantine is not None
        assert (quarantine.reason, quarantine.seriesBegan) == ("TooManyDeletes", instant(0))

    def test_leaving_and_coming_back_is_a_new_entry(self) -> None:
        quarantine = statuses("Quarantine(Unknown)", "Active", "Quarantine(Unknown)")[-1].quarantine

        assert quarantine is not None
        assert quarantine.seriesBegan == instant(2)

    def test_another_code_may_hold_a_quarantine_object_which_has_no_entry(self) -> None:
        """The documentation shows a paused job with one."""
        quarantine = statuses("Paused(EncounteredQuarantineException)")[0].quarantine

        assert quarantine is not None
        assert (quarantine.reason, quarantine.seriesBegan) == ("EncounteredQuarantineException", None)

    def test_a_word_keeps_all_else(self) -> None:
        status = statuses({"code": "Active", "countSuccessiveCompleteFailures": 4}, "Quarantine(Unknown)", "Active")[-1]

        assert status.countSuccessiveCompleteFailures == 4

    def test_same_is_the_last_answer(self) -> None:
        first, _, _, last = play({"code": "Paused", "quarantine": {"reason": "Unknown"}}, "error", "absent", "same")

        assert last == first

    def test_other_answers(self) -> None:
        answers = play("Active", "error", "error(permission)", "absent x2")

        assert answers[1:] == (
            Failure(PollErrorKind.SERVER),
            Failure(PollErrorKind.PERMISSION),
            Absent(),
            Absent(),
        )

    def test_a_shorter_timeline_keeps_answering_its_last_step(self) -> None:
        answers = play("Active", "failed(Oops)")

        assert at_step(answers, 7) == answers[1]

    def test_long_unchanged_stretches_share_one_value(self) -> None:
        answers = play("Active x3")

        assert answers[0] is answers[2]


class TestMappings:
    def test_a_mapping_merges_deeply(self) -> None:
        status = statuses(
            {"code": "Active", "lastExecution": {"state": "Succeeded", "countEscrowed": 3}},
            "error",
            "absent",
            {"lastExecution": {"countEscrowed": 5}},
        )[-1]

        assert status.lastExecution is not None
        assert (status.lastExecution.state, status.lastExecution.countEscrowed) == ("Succeeded", 5)

    def test_null_deletes(self) -> None:
        last = statuses(
            {"code": "Active", "escrowsPruned": True, "lastExecution": {"state": "Failed"}},
            {"escrowsPruned": None, "lastExecution": None},
        )[-1]

        assert (last.escrowsPruned, last.lastExecution) == (None, None)

    def test_dates_may_be_relative_to_the_step_they_are_written_at(self) -> None:
        first, _, merged = statuses(
            {"code": "Quarantine", "quarantine": {"seriesBegan": "-25d", "nextAttempt": "+2h30m"}},
            "same",
            {"quarantine": {"seriesCount": 9}},
        )

        assert first.quarantine is not None
        assert first.quarantine.seriesBegan == START - timedelta(days=25)
        assert first.quarantine.nextAttempt == START + timedelta(hours=2, minutes=30)
        assert first.quarantine.currentBegan == START
        assert merged.quarantine is not None
        assert merged.quarantine.seriesBegan == START - timedelta(days=25)

    def test_absolute_dates_are_utc_unless_they_say_otherwise(self) -> None:
        status = statuses(
            {
                "steadyStateFirstAchievedTime": "2026-01-05T09:00:00",
                "steadyStateLastAchievedTime": "2026-01-05T09:00:00+02:00",
            }
        )[0]

        assert status.steadyStateFirstAchievedTime == datetime(2026, 1, 5, 9, tzinfo=UTC)
        assert status.steadyStateLastAchievedTime == datetime(2026, 1, 5, 7, tzinfo=UTC)

    def test_quarantine_goes_when_the_code_is_another(self) -> None:
        assert statuses("Quarantine(Unknown)", {"code": "Active"})[-1].quarantine is None

    def test_unless_that_mapping_gives_it(self) -> None:
        quarantine = statuses({"code": "Paused", "quarantine": {"reason": "Unknown"}})[0].quarantine

        assert quarantine is not None
        assert quarantine.currentBegan is None

    def test_a_mapping_of_the_same_code_keeps_the_quarantine(self) -> None:
        quarantine = statuses("Quarantine(Unknown)", {"countSuccessiveCompleteFailures": 2})[-1].quarantine

        assert quarantine is not None
        assert quarantine.reason == "Unknown"

    def test_an_instant_given_as_null_is_not_filled_in(self) -> None:
        quarantine = statuses({"code": "Quarantine", "quarantine": {"reason": "Unknown", "seriesBegan": None}})[
            0
        ].quarantine

        assert quarantine is not None
        assert (quarantine.seriesBegan, quarantine.currentBegan) == (None, START)

    @pytest.mark.parametrize(
        "counts",
        [
            {"user to User": 33, "group to Group": 2},
            [{"key": "user to User", "value": 33}, {"key": "group to Group", "value": 2}],
        ],
        ids=["as a map", "as Graph writes it"],
    )
    def test_entry_counts_merge_by_key(self, counts: Any) -> None:
        status = statuses(
            {"synchronizedEntryCountByType": counts},
            {"synchronizedEntryCountByType": {"user to User": 0, "group to Group": None}},
        )[-1]

        assert dict(status.synchronizedEntryCountByType or {}) == {"user to User": 0}

    def test_schedule_and_the_rest_of_the_job(self) -> None:
        answer = play(
            {"code": "Paused", "schedule": {"state": "Disabled", "interval": "PT40M"}},
            {
                "schedule": {"interval": "1h"},
                "job": {"templateId": "aws", "settings": {"QuarantineTooManyDeletesThreshold": 500}},
            },
        )[-1]

        assert isinstance(answer, SynchronizationJob)
        assert answer.templateId == "aws"
        assert answer.schedule is not None
        assert (answer.schedule.state, answer.schedule.interval) == ("Disabled", timedelta(hours=1))
        assert dict(answer.synchronizationJobSettings or {}) == {"QuarantineTooManyDeletesThreshold": "500"}

    def test_progress_is_a_list(self) -> None:
        progress = statuses(
            {"progress": [{"completedUnits": 3, "totalUnits": 9, "progressObservationDateTime": "-1m"}]}
        )[0].progress

        assert progress is not None
        assert (progress[0].completedUnits, progress[0].progressObservationDateTime) == (
            3,
            START - timedelta(minutes=1),
        )


class TestRuns:
    def test_runs_start_from_active(self) -> None:
        status = statuses("failed(EntryConflict)")[0]

        assert status.code == "Active"

    def test_failed_counts_and_is_a_new_run_each_time(self) -> None:
        last = statuses("failed(SystemForX) x3")

        runs = [status.lastExecution for status in last if status.lastExecution is not None]
        assert [status.countSuccessiveCompleteFailures for status in last] == [1, 2, 3]
        assert len({run.activityIdentifier for run in runs}) == 3
        assert [(run.state, run.timeEnded, run.error.code if run.error else None) for run in runs] == [
            ("Failed", instant(step), "SystemForX") for step in range(3)
        ]

    def test_succeeded_resets_and_is_the_last_successful_execution(self) -> None:
        status = statuses("failed(X) x2", "succeeded")[-1]

        assert status.countSuccessiveCompleteFailures == 0
        assert status.lastExecution == status.lastSuccessfulExecution
        assert status.lastExecution is not None
        assert (status.lastExecution.state, status.lastExecution.error) == ("Succeeded", None)

    def test_entry_errors_neither_count_nor_reset(self) -> None:
        status = statuses("succeeded", "failed(X)", "entry_errors(12)")[-1]

        assert status.countSuccessiveCompleteFailures == 1
        assert status.lastExecution is not None
        assert (status.lastExecution.state, status.lastExecution.countEscrowed) == ("EntryLevelErrors", 12)
        assert status.lastSuccessfulExecution is not None
        assert status.lastSuccessfulExecution.timeEnded == instant(0)

    def test_a_run_keeps_the_current_code(self) -> None:
        status = statuses("Quarantine(Unknown)", "failed(X)")[-1]

        assert status.code == "Quarantine"
        assert status.quarantine is not None
        assert status.quarantine.seriesBegan == instant(0)

    def test_a_run_replaces_the_one_before(self) -> None:
        run = statuses({"code": "Active", "lastExecution": {"countExported": 9}}, "failed(X)")[-1].lastExecution

        assert run is not None
        assert run.countExported is None


@pytest.mark.parametrize(
    ("step", "found", "cure"),
    [
        ("active", "`active`", "did you mean `Active`?"),
        ("eror", "`eror`", "did you mean `error`?"),
        ("fail(X)", "`fail`", "did you mean `failed`?"),
        ("ok", "`ok`", "known are"),
        ("error(auht)", "`error(auht)`", "did you mean `auth`?"),
        ("failed", "`failed`", "failed(EntryConflict)"),
        ("entry_errors", "`entry_errors`", "entry_errors(12)"),
        ("entry_errors(many)", "`entry_errors(many)`", "entry_errors(12)"),
        ("absent(1)", "`absent(1)`", ""),
        ("Active x0", "`Active x0`", "interval"),
        ("Active x", "`Active x`", "repeats"),
        ("Active*3", "`Active*3`", "repeats"),
        ("Quarantine()", "`Quarantine()`", "`Quarantine` alone"),
        ("", "``", ""),
        (["Active"], "a list", ""),
        ({"cod": "Active"}, "unknown key `cod`", "did you mean `code`?"),
        ({"lastExecution": {"stat": "Failed"}}, "unknown key `stat`", "did you mean `state`?"),
        ({"job": {"id": "x"}}, "unknown key `id`", "known are"),
        ({"escrowsPruned": "yes"}, "`yes`", ""),
        ({"countSuccessiveCompleteFailures": "many"}, "`many`", ""),
        ({"steadyStateLastAchievedTime": "yesterday"}, "`yesterday`", ""),
        ({"schedule": {"interval": "often"}}, "`often`", ""),
        ({"lastExecution": "Failed"}, "`Failed`", "key: value"),
    ],
    ids=str,
)
def test_other_notation_is_refused_with_its_place_and_cure(step: object, found: str, cure: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_timeline(["Active", step])

    (problem,) = caught.value.problems
    assert problem.path.startswith("timeline[1]")
    assert problem.found == found
    assert cure in problem.cure


@pytest.mark.parametrize("steps", [[], ["same"], ["error", "absent", "same x2"]], ids=str)
def test_a_timeline_needs_something_to_answer(steps: list[object]) -> None:
    with pytest.raises(ConfigError):
        parse_timeline(steps)


def test_problems_of_a_file_stand_at_their_line() -> None:
    document = Document.parse("timeline:\n  - Active\n  - actve x2\n  - {code: Active, quarantin: {}}\n", "t.yaml")

    read_timeline(document.root.mapping("timeline")["timeline"])

    assert [(problem.file, problem.line, problem.path) for problem in document.problems] == [
        ("t.yaml", 3, "timeline[1]"),
        ("t.yaml", 4, "timeline[2].quarantin"),
    ]


def test_tenant_timelines() -> None:
    timeline = parse_tenant_timeline(["ok x2", "error(auth)", "error"])

    assert timeline.steps == (Good(), Good(), Failure(PollErrorKind.AUTH), Failure(PollErrorKind.SERVER))


@pytest.mark.parametrize("step", ["Active", "absent", {"code": "Active"}, "okay"], ids=str)
def test_tenant_timelines_know_only_their_own_words(step: object) -> None:
    with pytest.raises(ConfigError):
        parse_tenant_timeline(["ok", step])
