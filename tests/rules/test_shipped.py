"""The shipped rules, each where it must speak and where it must not."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import attrs
import pytest

from alertd.model.alert import SEVERITIES, Scope
from alertd.model.resources import (
    EntryCounts,
    SynchronizationError,
    SynchronizationProgress,
    SynchronizationQuarantine,
    SynchronizationSchedule,
    SynchronizationStatus,
    SynchronizationTaskExecution,
)
from alertd.model.views import Subject
from alertd.render.annotations import compile_annotations
from alertd.rules.evaluation import Verdict, evaluate
from alertd.rules.loader import RuleSet, builtin_rules, load_rules

MakeSubject = Callable[..., Subject]

NOW = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
FOLDER = Path(__file__).resolve().parents[2] / "rules"
RULES: RuleSet = load_rules(builtin_rules())

FIRES, CLEARED, NEITHER = Verdict(active=True), Verdict(cleared=True), Verdict()
BLOCKS = {"quarantine", "escrows", "failure", "deletes", "schedule", "gone", "tenant", "alertd", "default"}


def held(reason: str | None = "EncounteredQuarantineException", **more: Any) -> dict[str, Any]:
    """Give the properties of a quarantined status."""
    return {"code": "Quarantine", "quarantine": SynchronizationQuarantine(reason=reason, **more)}


def ran(**more: Any) -> SynchronizationTaskExecution:
    """Give a run that ended half an hour ago, five minutes long, unless said otherwise."""
    usual: dict[str, Any] = {
        "activityIdentifier": "run",
        "state": "Succeeded",
        "timeBegan": NOW - timedelta(minutes=35),
        "timeEnded": NOW - timedelta(minutes=30),
    }
    return SynchronizationTaskExecution(**usual | more)


def ended(ago: timedelta, lasted: timedelta | None = timedelta(minutes=5), **more: Any) -> dict[str, Any]:
    """Give the properties of a status whose last run ended so long ago."""
    began = None if lasted is None else NOW - ago - lasted
    return {"lastExecution": ran(timeEnded=NOW - ago, timeBegan=began), **more}


def escrowed(count: int | None, **more: Any) -> dict[str, Any]:
    return {"lastExecution": ran(countEscrowed=count), **more}


def counts(**kinds: int) -> dict[str, Any]:
    return {"synchronizedEntryCountByType": EntryCounts(kinds)}


def became(code: str) -> dict[str, Any]:
    """Give the instants of a job whose status became this some days ago."""
    return {"status.code": ((code, NOW - 3 * DAY),)}


def schedule(**more: Any) -> dict[str, Any]:
    return {"schedule": SynchronizationSchedule(**{"interval": timedelta(minutes=40), "state": "Active"} | more)}


PLACEHOLDER = SynchronizationTaskExecution(state="Failed", error=SynchronizationError(code="None", message=""))
NEW = {"code": "NotRun", "lastExecution": PLACEHOLDER, "steadyStateFirstAchievedTime": None}
FIRST_CYCLE = {"steadyStateFirstAchievedTime": None, "lastSuccessfulExecution": None}
MOVING = (SynchronizationProgress(completedUnits=5, totalUnits=10),)


def case(rule: str, expected: Verdict, id: str, status: Any = None, previous: Any = ..., **others: Any) -> Any:  # noqa: A002
    """Give one row: a rule, what it says, why, and the subject's properties that differ from a healthy job's."""
    given = {} if previous is ... else {"previous": previous}
    return pytest.param(rule, {"status": status, **given, **others}, expected, id=f"{rule}: {id}")


JOB_CASES = [
    case("JobQuarantined", FIRES, "quarantined", held()),
    case("JobQuarantined", FIRES, "at first sight", held(), None),
    case("JobQuarantined", FIRES, "without any detail: the code alone counts", {"code": "Quarantine", "quarantine": None}),
    case("JobQuarantined", CLEARED, "active", {}),
    case("JobQuarantined", NEITHER, "paused is no recovery", {"code": "Paused"}),
    case("JobQuarantined", NEITHER, "a left-over quarantine object on a paused job", held() | {"code": "Paused"}),
    case("JobQuarantined", NEITHER, "restarted and not run yet", {"code": "NotRun"}),
    case("JobQuarantined", NEITHER, "a code nobody has heard of", {"code": "Hibernated"}),

    case("QuarantineReasonChanged", FIRES, "another reason", held("TooManyDeletes"), held()),
    case("QuarantineReasonChanged", FIRES, "the reason becomes known", held(), held(None)),
    case("QuarantineReasonChanged", FIRES, "a reason nobody has heard of", held("Gremlins"), held()),
    case("QuarantineReasonChanged", NEITHER, "same reason", held(seriesCount=2), held(seriesCount=1)),
    case("QuarantineReasonChanged", NEITHER, "entry is no change of reason", held()),
    case("QuarantineReasonChanged", NEITHER, "first sight", held(), None),
    case("QuarantineReasonChanged", NEITHER, "the reason is left out for once", held(None), held()),
    case("QuarantineReasonChanged", NEITHER, "it leaves", {}, held()),

    case("QuarantineDisableIn7Days", FIRES, "seven days left", held(), job={"disableAt": NOW + 7 * DAY}),
    case("QuarantineDisableIn7Days", FIRES, "overdue", held(), job={"disableAt": NOW - DAY}),
    case("QuarantineDisableIn7Days", CLEARED, "a new series has begun", held(), job={"disableAt": NOW + 28 * DAY}),
    case("QuarantineDisableIn7Days", CLEARED, "active again", {}),
    case("QuarantineDisableIn7Days", NEITHER, "disabled is no recovery", {"code": "Paused"}),
    case("QuarantineDisableIn7Days", NEITHER, "nobody knows since when", held(), job={"disableAt": None}),
    case("QuarantineDisableIn3Days", FIRES, "three days left", held(), job={"disableAt": NOW + 3 * DAY}),
    case("QuarantineDisableIn3Days", CLEARED, "more than three", held(), job={"disableAt": NOW + 3 * DAY + HOUR}),
    case("QuarantineDisableIn1Day", FIRES, "a day left", held(), job={"disableAt": NOW + DAY}),
    case("QuarantineDisableIn1Day", CLEARED, "more than a day", held(), job={"disableAt": NOW + 2 * DAY}),

    case("JobDisabledAfterQuarantine", FIRES, "paused out of quarantine", {"code": "Paused"}, held()),
    case("JobDisabledAfterQuarantine", FIRES, "not configured any more", {"code": "NotConfigured"}, held()),
    case("JobDisabledAfterQuarantine", FIRES, "in quarantine and its schedule off", held(), held(), job=schedule(state="Disabled")),
    case("JobDisabledAfterQuarantine", FIRES, "neither run nor scheduled", {"code": "NotRun"}, held(), job=schedule(state="Disabled")),
    case("JobDisabledAfterQuarantine", NEITHER, "held while it stays paused", {"code": "Paused"}, {"code": "Paused"}),
    case("JobDisabledAfterQuarantine", NEITHER, "restarted: it is going to run", {"code": "NotRun"}, held()),
    case("JobDisabledAfterQuarantine", NEITHER, "still in quarantine", held(), held()),
    case("JobDisabledAfterQuarantine", NEITHER, "paused at first sight", {"code": "Paused"}, None),
    case("JobDisabledAfterQuarantine", CLEARED, "active again", {}, held()),

    case("TooManyDeletes", FIRES, "deletes held back", held("TooManyDeletes")),
    case("TooManyDeletes", CLEARED, "another reason took over", held()),
    case("TooManyDeletes", CLEARED, "active again", {}),
    case("TooManyDeletes", NEITHER, "paused: nobody has decided", {"code": "Paused"}),

    case("FailureStreak", FIRES, "three in a row", job={"failureStreak": 3}),
    case("FailureStreak", CLEARED, "two", job={"failureStreak": 2}),
    case("FailureStreak", CLEARED, "a placeholder run is no failure", NEW),
    case("FailureStreak", NEITHER, "pausing mends nothing", {"code": "Paused"}, job={"failureStreak": 9}),

    case("JobStale", FIRES, "three intervals and two hours are over", ended(timedelta(hours=2, minutes=6))),
    case("JobStale", CLEARED, "within two hours", ended(timedelta(hours=1, minutes=59))),
    case("JobStale", NEITHER, "a long run counts", ended(timedelta(hours=2, minutes=10), lasted=HOUR)),
    case("JobStale", FIRES, "a run without beginning", ended(timedelta(hours=2, minutes=1), lasted=None)),
    case("JobStale", CLEARED, "a slow schedule", ended(10 * HOUR), job=schedule(interval=timedelta(hours=4))),
    case("JobStale", FIRES, "a slow schedule missed", ended(13 * HOUR), job=schedule(interval=timedelta(hours=4))),
    case("JobStale", FIRES, "the schedule's state is left out", ended(DAY), job=schedule(state=None)),
    case("JobStale", CLEARED, "never scheduled", ended(DAY), job=schedule(interval=None)),
    case("JobStale", CLEARED, "schedule switched off", ended(DAY), job=schedule(state="Disabled")),
    case("JobStale", CLEARED, "paused", ended(DAY, code="Paused")),
    case("JobStale", NEITHER, "quarantine is retried once a day", ended(DAY, **held())),
    case("JobStale", NEITHER, "the first cycle may take days", ended(DAY, **FIRST_CYCLE, progress=MOVING)),
    case("JobStale", NEITHER, "the first cycle, nothing done yet", {"lastExecution": ran(timeEnded=NOW - DAY, state="Failed"), **FIRST_CYCLE}),
    case("JobStale", FIRES, "no steady state, but it has run well", ended(DAY, steadyStateFirstAchievedTime=None)),
    case("JobStale", NEITHER, "never run", NEW),

    case("InitialCycleStuck", FIRES, "started, not run, nothing moves", NEW, NEW),
    case("InitialCycleStuck", FIRES, "active, nothing moves", FIRST_CYCLE, FIRST_CYCLE),
    case("InitialCycleStuck", CLEARED, "first cycle done", {}),
    case("InitialCycleStuck", CLEARED, "a run ended", ended(HOUR, **FIRST_CYCLE), FIRST_CYCLE),
    case("InitialCycleStuck", CLEARED, "progress", FIRST_CYCLE, FIRST_CYCLE, job={"progressRatio": 0.2}, previous_job={"progressRatio": 0.1}),
    case("InitialCycleStuck", CLEARED, "objects are added", FIRST_CYCLE | counts(user=4), FIRST_CYCLE | counts(user=3)),
    case("InitialCycleStuck", CLEARED, "paused", NEW | {"code": "Paused"}, NEW),
    case("InitialCycleStuck", NEITHER, "not scheduled", NEW, NEW, job=schedule(state="Disabled")),
    case("InitialCycleStuck", NEITHER, "quarantine", FIRST_CYCLE | held(), FIRST_CYCLE | held()),

    case("EntryErrorsHigh", FIRES, "many", escrowed(100), job={"escrowRatio": 0.001}),
    case("EntryErrorsHigh", FIRES, "many for this run", escrowed(10), job={"escrowRatio": 0.1}),
    case("EntryErrorsHigh", FIRES, "many for the size of the job", escrowed(15, **counts(group=33, user=3))),
    case("EntryErrorsHigh", CLEARED, "few", escrowed(9), job={"escrowRatio": 0.9}),
    case("EntryErrorsHigh", CLEARED, "few of many", escrowed(20, **counts(user=5000)), job={"escrowRatio": 0.01}),
    case("EntryErrorsHigh", CLEARED, "nobody knows of how many", escrowed(20, synchronizedEntryCountByType=None)),
    case("EntryErrorsHigh", NEITHER, "pausing mends nothing", escrowed(500, code="Paused")),
    case("EntryErrorsHigh", NEITHER, "the count is left out", escrowed(None)),

    case("EscrowsRising", FIRES, "half as many again", escrowed(150), escrowed(100)),
    case("EscrowsRising", NEITHER, "not by so much", escrowed(149), escrowed(100)),
    case("EscrowsRising", NEITHER, "a small share of many", escrowed(1050), escrowed(1000)),
    case("EscrowsRising", NEITHER, "the first errors are told by EntryErrorsHigh", escrowed(150), escrowed(0)),
    case("EscrowsRising", NEITHER, "held while they stay", escrowed(150), escrowed(150)),
    case("EscrowsRising", NEITHER, "first sight", escrowed(150), None),
    case("EscrowsRising", CLEARED, "they fall", escrowed(140), escrowed(150)),
    case("EscrowsRising", CLEARED, "few are left", escrowed(49), escrowed(49)),

    case("EscrowsPruned", FIRES, "just now", {"escrowsPruned": True}),
    case("EscrowsPruned", FIRES, "at first sight", {"escrowsPruned": True}, None),
    case("EscrowsPruned", NEITHER, "told before", {"escrowsPruned": True}, {"escrowsPruned": True}),
    case("EscrowsPruned", NEITHER, "no", {}),

    case("SyncedEntriesDropped", FIRES, "a fifth is gone", counts(user=80), counts(user=100)),
    case("SyncedEntriesDropped", FIRES, "over all kinds", counts(user=70, group=10), counts(user=80, group=30)),
    case("SyncedEntriesDropped", FIRES, "reset", counts(), counts(user=100)),
    case("SyncedEntriesDropped", NEITHER, "less than a fifth", counts(user=81), counts(user=100)),
    case("SyncedEntriesDropped", NEITHER, "too few to speak of", counts(user=1), counts(user=9)),
    case("SyncedEntriesDropped", NEITHER, "counts left out for once", {"synchronizedEntryCountByType": None}, counts(user=100)),
    case("SyncedEntriesDropped", NEITHER, "first sight", counts(user=1), None),

    case("JobPaused", FIRES, "paused while we watched", {"code": "Paused"}, instants=became("Paused")),
    case("JobPaused", FIRES, "and stays so", {"code": "Paused"}, {"code": "Paused"}, instants=became("Paused")),
    case("JobPaused", FIRES, "by the service, which waits", {"code": "Paused", "escrowsPruned": True}, None),
    case("JobPaused", NEITHER, "paused for years", {"code": "Paused"}, {"code": "Paused"}),
    case("JobPaused", CLEARED, "runs", {}, {"code": "Paused"}, instants=became("Paused")),
    case("JobPaused", CLEARED, "started", {"code": "NotRun"}, {"code": "Paused"}),

    case("ScheduleChanged", FIRES, "another interval", job=schedule(interval=HOUR), previous_job=schedule()),
    case("ScheduleChanged", FIRES, "switched off", job=schedule(state="Disabled"), previous_job=schedule()),
    case("ScheduleChanged", FIRES, "will expire", job=schedule(expiration=NOW + DAY), previous_job=schedule()),
    case("ScheduleChanged", NEITHER, "along with a new status", {"code": "Paused"}, job=schedule(state="Disabled"), previous_job=schedule()),
    case("ScheduleChanged", NEITHER, "same", previous_job=schedule()),
    case("ScheduleChanged", NEITHER, "first sight", {}, None, job=schedule(state="Disabled")),

    case("JobGone", FIRES, "gone", job={"gone": True}),
    case("JobGone", NEITHER, "there"),
    case("JobAppeared", FIRES, "new", {}, None, job={"appeared": True}),
    case("JobAppeared", NEITHER, "known before", {}, None),
]  # fmt: skip


def tenant_case(rule: str, expected: Verdict, id: str, **tenant: Any) -> Any:  # noqa: A002
    return pytest.param(rule, tenant, expected, id=f"{rule}: {id}")


TENANT_CASES = [
    tenant_case("TenantUnreachable", FIRES, "three rounds", consecutivePollFailures=3, lastPollError="network"),
    tenant_case("TenantUnreachable", CLEARED, "two rounds", consecutivePollFailures=2, lastPollError="network"),
    tenant_case("PermissionLost", FIRES, "refused", consecutivePollFailures=1, lastPollError="permission"),
    tenant_case("PermissionLost", CLEARED, "another trouble", consecutivePollFailures=1, lastPollError="auth"),
    tenant_case("PermissionLost", CLEARED, "none"),
    tenant_case("CredentialExpiring", FIRES, "two weeks left", credentialExpiresAt=NOW + 14 * DAY),
    tenant_case("CredentialExpiring", FIRES, "expired", credentialExpiresAt=NOW - DAY),
    tenant_case("CredentialExpiring", CLEARED, "renewed", credentialExpiresAt=NOW + 15 * DAY),
    tenant_case("CredentialExpiring", CLEARED, "nobody knows"),
    tenant_case("PartialPoll", FIRES, "one of twenty does not answer", pollCoverage=0.95, failedServicePrincipals=1),
    tenant_case("PartialPoll", CLEARED, "all answer"),
    tenant_case("PartialPoll", NEITHER, "none answers: no recovery", pollCoverage=0.0, consecutivePollFailures=1),
]

ALERTD_CASES = [
    ("DeliveryFailed", {"failedDeliveries": 1}),
    ("RuleUnhealthy", {"unhealthyRules": 1}),
    ("ReloadFailed", {"reloadFailed": True}),
    ("StoreTrouble", {"storeTrouble": True}),
]


@pytest.mark.parametrize(("rule", "given", "expected"), JOB_CASES)
def test_rules_about_jobs(subject: MakeSubject, rule: str, given: dict[str, Any], expected: Verdict) -> None:
    assert evaluate(RULES.by_name[rule], subject(**given)) == expected


@pytest.mark.parametrize(("rule", "given", "expected"), TENANT_CASES)
def test_rules_about_tenants(tenant_subject: MakeSubject, rule: str, given: dict[str, Any], expected: Verdict) -> None:
    assert evaluate(RULES.by_name[rule], tenant_subject(**given)) == expected


@pytest.mark.parametrize(("rule", "given"), ALERTD_CASES)
def test_rules_about_alertd(alertd_subject: MakeSubject, rule: str, given: dict[str, Any]) -> None:
    assert evaluate(RULES.by_name[rule], alertd_subject(**given)) == FIRES
    assert evaluate(RULES.by_name[rule], alertd_subject()) == CLEARED


def test_every_rule_is_tested_both_ways() -> None:
    spoken = {(row.values[0], row.values[2].active) for row in (*JOB_CASES, *TENANT_CASES)}
    spoken |= {(name, active) for name, _ in ALERTD_CASES for active in (True, False)}

    assert spoken == {(rule.name, active) for rule in RULES.rules for active in (True, False)}


def test_the_files_of_the_repository_are_found_without_configuration() -> None:
    """In the order of their names, so that warnings and tables always come alike."""
    files = builtin_rules()

    assert [path.name for path in files] == sorted(path.name for path in FOLDER.glob("*.yaml"))
    assert {path.parent for path in files} == {FOLDER}


def test_those_inside_the_wheel_come_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beside an installed package may lie anything, also a folder of this name."""
    package = tmp_path / "alertd"
    for folder in (package / "_shipped" / "rules", tmp_path / "rules"):
        folder.mkdir(parents=True)
        for name in ("b.yaml", "a.yaml", "notes.txt"):
            (folder / name).touch()
    monkeypatch.setattr("alertd.rules.shipped._PACKAGE", package)

    assert builtin_rules() == (package / "_shipped" / "rules" / "a.yaml", package / "_shipped" / "rules" / "b.yaml")


def test_without_any_there_are_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("alertd.rules.shipped._PACKAGE", tmp_path / "alertd")

    assert builtin_rules() == ()


def test_the_list_of_shipped_rules() -> None:
    """Their names are a contract: overrides, routes and silences use them."""
    assert {rule.name: rule.scope for rule in RULES.rules if rule.scope is not Scope.JOB} == {
        "TenantUnreachable": Scope.TENANT,
        "PermissionLost": Scope.TENANT,
        "CredentialExpiring": Scope.TENANT,
        "PartialPoll": Scope.TENANT,
        "DeliveryFailed": Scope.ALERTD,
        "RuleUnhealthy": Scope.ALERTD,
        "ReloadFailed": Scope.ALERTD,
        "StoreTrouble": Scope.ALERTD,
    }
    assert {rule.name for rule in RULES.for_scope(Scope.JOB)} == {
        "JobQuarantined", "QuarantineReasonChanged", "QuarantineDisableIn7Days", "QuarantineDisableIn3Days",
        "QuarantineDisableIn1Day", "JobDisabledAfterQuarantine", "EscrowsPruned", "FailureStreak", "EntryErrorsHigh",
        "EscrowsRising", "TooManyDeletes", "JobPaused", "JobStale", "InitialCycleStuck", "SyncedEntriesDropped",
        "JobGone", "JobAppeared", "ScheduleChanged",
    }  # fmt: skip


def test_the_linter_has_nothing_to_say() -> None:
    assert RULES.warnings == ()


@pytest.mark.parametrize("rule", RULES.rules, ids=lambda rule: rule.name)
def test_every_rule_has_its_words_and_its_block(rule: Any) -> None:
    assert rule.enabled
    assert rule.severity in SEVERITIES
    assert rule.template in BLOCKS
    assert set(rule.annotations) == {"summary", "description"}


def spoken(rule: str, subject: Subject) -> dict[str, str]:
    """Render a rule's annotations."""
    written = RULES.by_name[rule]
    return compile_annotations(written.annotations)(subject, params=written.params, labels={})


FIRING = [row for row in JOB_CASES if row.values[2].active]


@pytest.mark.parametrize(("rule", "given", "expected"), FIRING)
def test_words_fit_on_a_line_and_name_the_job(
    subject: MakeSubject, rule: str, given: dict[str, Any], expected: Verdict
) -> None:
    """Whatever is missing in the answer, the sentence stands."""
    words = spoken(rule, subject(**given))

    assert "Salesforce" in words["summary"]
    assert len(words["summary"]) <= 120
    for text in words.values():
        assert text == " ".join(text.split())
        assert not any(odd in text for odd in ("None", "null", "{{", "{%", "rule annotation", "()", " ,", " .", " :"))


@pytest.mark.parametrize(("rule", "given", "expected"), [row for row in TENANT_CASES if row.values[2].active])
def test_words_about_tenants(tenant_subject: MakeSubject, rule: str, given: dict[str, Any], expected: Verdict) -> None:
    words = spoken(rule, tenant_subject(**given))

    assert words["summary"].startswith("contoso")
    assert not any(odd in words["summary"] + words["description"] for odd in ("None", " .", "1 applications"))


@pytest.mark.parametrize(("rule", "given"), ALERTD_CASES)
def test_words_about_alertd(alertd_subject: MakeSubject, rule: str, given: dict[str, Any]) -> None:
    assert all(spoken(rule, alertd_subject(**given)).values())


def test_the_words_of_a_quarantine_hold_what_one_needs_at_night(subject: MakeSubject) -> None:
    began = NOW - 3 * DAY
    error = SynchronizationError(code="SalesforceInvalidCredentials", message="token expired")
    given = held(seriesBegan=began, nextAttempt=NOW + 5 * HOUR, error=error)

    words = spoken("JobQuarantined", subject(given, job={"quarantinedSince": began, "disableAt": began + 28 * DAY}))

    assert words["summary"] == "Salesforce is in quarantine: EncounteredQuarantineException"
    for fact in (
        "2026-01-02 09:00",
        "2026-01-05 14:00",
        "2026-01-30 09:00",
        "SalesforceInvalidCredentials: token expired",
    ):
        assert fact in words["description"]


def test_deleted_counts_are_told(subject: MakeSubject) -> None:
    words = spoken("SyncedEntriesDropped", subject(counts(user=70, group=10), counts(user=80, group=30)))

    assert words["summary"] == "Salesforce: synchronized objects went from 110 to 80"


EVERYTHING_MISSING = SynchronizationStatus()


@pytest.mark.parametrize("rule", RULES.for_scope(Scope.JOB), ids=lambda rule: rule.name)
def test_an_empty_status_makes_nothing_fire(subject: MakeSubject, rule: Any) -> None:
    """Documented answers hold ``status: {}``."""
    bare = attrs.evolve(subject(), status=EVERYTHING_MISSING, previous=None, previous_job=None)

    assert not evaluate(rule, bare).active


def test_a_healthy_job_and_tenant_are_quiet(
    subject: MakeSubject, tenant_subject: MakeSubject, alertd_subject: MakeSubject
) -> None:
    subjects = {Scope.JOB: subject(), Scope.TENANT: tenant_subject(), Scope.ALERTD: alertd_subject()}

    assert [rule.name for rule in RULES.rules if evaluate(rule, subjects[rule.scope]).active] == []
