"""Microsoft Graph's provisioning resources, verbatim.

Property names, their spelling and their meaning are Graph's own, so that what the documentation says holds here, in
rules, in templates
and in tests. Every property is optional, since documented answers omit them freely. What Graph writes to say "never"
is null here:
year-1 and year-9999 instants, empty dates, empty or TimeSpan.MaxValue durations. Instants are aware and in UTC; a
naive one is taken as UTC.
Known enum members are given in their canonical spelling whatever the case on the wire; unknown ones stay as text,
for all these enums are
open (`IngestionInterrupted` was added years after the others).

Source: https://learn.microsoft.com/graph/api/resources/synchronization-overview and the v1.0 metadata of 2026-08.
"""

from __future__ import annotations

from collections.abc import ItemsView, Iterable, Iterator, Mapping, ValuesView
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from alertd.model.value import value

Value = TypeVar("Value", int, str)

_YEAR_2, _YEAR_9999 = datetime(2, 1, 1, tzinfo=UTC), datetime(9999, 1, 1, tzinfo=UTC)

# .NET's TimeSpan.MaxValue is 10,675,199 days; no schedule of this service is longer than a year.
_NEVER_INTERVAL = timedelta(days=10_000_000)

STATUS_CODES = ("NotConfigured", "NotRun", "Active", "Paused", "Quarantine")
EXECUTION_STATES = ("Succeeded", "Failed", "EntryLevelErrors")
SCHEDULE_STATES = ("Active", "Disabled", "Paused")
QUARANTINE_REASONS = (
    "EncounteredBaseEscrowThreshold",
    "EncounteredTotalEscrowThreshold",
    "EncounteredEscrowProportionThreshold",
    "EncounteredQuarantineException",
    "Unknown",
    "QuarantinedOnDemand",
    "TooManyDeletes",
    "IngestionInterrupted",
)


def _canonical(members: Iterable[str], **also: str) -> Mapping[str, str]:
    return {member.lower(): member for member in members} | also


_STATUS_CODE = _canonical(STATUS_CODES)
_EXECUTION_STATE = _canonical(EXECUTION_STATES)
_SCHEDULE_STATE = _canonical(SCHEDULE_STATES)
# The quarantine page writes QuarantineOnDemand where the API answers QuarantinedOnDemand.
_QUARANTINE_REASON = _canonical(QUARANTINE_REASONS, quarantineondemand="QuarantinedOnDemand")


def _is_sane(instant: datetime | None) -> bool:
    """Whether an instant can stay as it is: all that is read passes here, and hardly any is put right."""
    return instant is None or (instant.tzinfo is UTC and _YEAR_2 <= instant < _YEAR_9999)


def _put_right(value: object, *names: str) -> None:
    for name in names:
        instant = getattr(value, name)
        if not _is_sane(instant):
            object.__setattr__(value, name, _sane_instant(instant))


def _sane_instant(instant: datetime) -> datetime | None:
    if instant.year in {1, 9999}:
        return None
    return instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant.astimezone(UTC)


def _spell(value: object, name: str, canonical: Mapping[str, str]) -> None:
    text = getattr(value, name)
    if text is not None:
        object.__setattr__(value, name, canonical.get(text.lower(), text) or None)


class NamedValues(Mapping[str, Value]):
    """Graph's lists of key and value, as an immutable map that keeps Graph's order."""

    __slots__ = ("_values",)

    def __init__(self, values: Mapping[str, Value] | Iterable[tuple[str, Value]] = ()) -> None:
        self._values: dict[str, Value] = dict(values)

    def __getitem__(self, key: str) -> Value:
        return self._values[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    # Mapping derives these from the three above, five times as slow; rules ask them for every job of every round.
    def get(self, key: object, default: Any = None) -> Any:  # noqa: ANN401 - as Mapping has it
        """Give the value of a key, or the default."""
        return self._values.get(key, default)  # type: ignore[call-overload]  # any key may be asked for

    def values(self) -> ValuesView[Value]:
        """Give the values in Graph's order."""
        return self._values.values()

    def items(self) -> ItemsView[str, Value]:
        """Give keys and values in Graph's order."""
        return self._values.items()

    def __eq__(self, other: object) -> bool:
        # To ask first whether it is of the very same class, as it nearly always is, spares what isinstance costs with an abstract class.
        alike = type(other) is type(self) or isinstance(other, NamedValues)
        return self._values == other._values if alike else NotImplemented  # type: ignore[attr-defined]

    def __hash__(self) -> int:
        return hash(frozenset(self._values.items()))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._values!r})"


class EntryCounts(NamedValues[int]):
    """synchronizedEntryCountByType: such as ``user to User`` -> 33; on the wire a list of stringKeyLongValuePair."""

    __slots__ = ()


class JobSettings(NamedValues[str]):
    """synchronizationJobSettings: on the wire a list of keyValuePair (`name` and `value`); every value is text."""

    __slots__ = ()


@value(kw_only=True)
class SynchronizationError:
    """synchronizationError: `code` is ``None`` (as text) where there was none; `tenantActionable` says whether the
    tenant can act.
    """

    code: str | None = None
    message: str | None = None
    tenantActionable: bool | None = None


@value(kw_only=True)
class SynchronizationProgress:
    """synchronizationProgress: how far a long run has come, in `units`."""

    completedUnits: int | None = None
    totalUnits: int | None = None
    progressObservationDateTime: datetime | None = None
    units: str | None = None

    def __attrs_post_init__(self) -> None:
        if not _is_sane(self.progressObservationDateTime):
            _put_right(self, "progressObservationDateTime")


@value(kw_only=True)
class SynchronizationTaskExecution:
    """synchronizationTaskExecution: one run. Failures of single objects show in the counts, not in `state`."""

    activityIdentifier: str | None = None
    countEntitled: int | None = None
    countEntitledForProvisioning: int | None = None
    countEscrowed: int | None = None
    countEscrowedRaw: int | None = None
    countExported: int | None = None
    countExports: int | None = None
    countImported: int | None = None
    countImportedDeltas: int | None = None
    countImportedReferenceDeltas: int | None = None
    error: SynchronizationError | None = None
    state: str | None = None
    timeBegan: datetime | None = None
    timeEnded: datetime | None = None

    def __attrs_post_init__(self) -> None:
        if not (_is_sane(self.timeBegan) and _is_sane(self.timeEnded)):
            _put_right(self, "timeBegan", "timeEnded")
        if self.state not in EXECUTION_STATES:
            _spell(self, "state", _EXECUTION_STATE)


@value(kw_only=True)
class SynchronizationQuarantine:
    """synchronizationQuarantine: why and since when; `seriesBegan` starts the 28 days after which the job is
    disabled.
    """

    currentBegan: datetime | None = None
    nextAttempt: datetime | None = None
    reason: str | None = None
    seriesBegan: datetime | None = None
    seriesCount: int | None = None
    error: SynchronizationError | None = None

    def __attrs_post_init__(self) -> None:
        if not (_is_sane(self.currentBegan) and _is_sane(self.nextAttempt) and _is_sane(self.seriesBegan)):
            _put_right(self, "currentBegan", "nextAttempt", "seriesBegan")
        if self.reason not in QUARANTINE_REASONS:
            _spell(self, "reason", _QUARANTINE_REASON)


@value(kw_only=True)
class SynchronizationSchedule:
    """synchronizationSchedule: `interval` is null where Graph says TimeSpan.MaxValue, that is, never."""

    expiration: datetime | None = None
    interval: timedelta | None = None
    state: str | None = None

    def __attrs_post_init__(self) -> None:
        if not _is_sane(self.expiration):
            _put_right(self, "expiration")
        if self.state not in SCHEDULE_STATES:
            _spell(self, "state", _SCHEDULE_STATE)
        if self.interval is not None and self.interval > _NEVER_INTERVAL:
            object.__setattr__(self, "interval", None)


@value(kw_only=True)
class SynchronizationStatus:
    """synchronizationStatus: the state of a job, the thing alertd watches."""

    code: str | None = None
    countSuccessiveCompleteFailures: int | None = None
    escrowsPruned: bool | None = None
    lastExecution: SynchronizationTaskExecution | None = None
    lastSuccessfulExecution: SynchronizationTaskExecution | None = None
    lastSuccessfulExecutionWithExports: SynchronizationTaskExecution | None = None
    progress: tuple[SynchronizationProgress, ...] | None = None
    quarantine: SynchronizationQuarantine | None = None
    steadyStateFirstAchievedTime: datetime | None = None
    steadyStateLastAchievedTime: datetime | None = None
    synchronizedEntryCountByType: EntryCounts | None = None
    troubleshootingUrl: str | None = None

    def __attrs_post_init__(self) -> None:
        if not (_is_sane(self.steadyStateFirstAchievedTime) and _is_sane(self.steadyStateLastAchievedTime)):
            _put_right(self, "steadyStateFirstAchievedTime", "steadyStateLastAchievedTime")
        if self.code not in STATUS_CODES:
            _spell(self, "code", _STATUS_CODE)


@value(kw_only=True)
class SynchronizationJob:
    """synchronizationJob: `id` is unique together with tenant and service principal only."""

    id: str
    templateId: str | None = None
    schedule: SynchronizationSchedule | None = None
    status: SynchronizationStatus | None = None
    synchronizationJobSettings: JobSettings | None = None


@value(kw_only=True)
class ServicePrincipal:
    """servicePrincipal: the application in a tenant on which jobs hang; only what we ask for."""

    id: str
    appId: str | None = None
    displayName: str | None = None
    accountEnabled: bool | None = None
    servicePrincipalType: str | None = None
    applicationTemplateId: str | None = None
