"""Random snapshots, alerts and ledgers: small domains, so that two draws often share values."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import attrs
from hypothesis import strategies as st

from alertd.model.alert import Alert, Ended, Identity, State
from alertd.model.notification import Withheld
from alertd.model.resources import (
    EXECUTION_STATES,
    QUARANTINE_REASONS,
    SCHEDULE_STATES,
    STATUS_CODES,
    EntryCounts,
    JobSettings,
    NamedValues,
    SynchronizationError,
    SynchronizationJob,
    SynchronizationProgress,
    SynchronizationQuarantine,
    SynchronizationSchedule,
    SynchronizationStatus,
    SynchronizationTaskExecution,
)
from alertd.notify.decide import Ledger, Manner, Member, member

from .alerts import START, announced_line, told_line

# Everything that would end a map key early if it were not escaped, and the empty one.
ODD_KEYS = ("", '"', "\\", '\\"', "]", "[", '"]', '["a"]', "a.b", "user to User", "\n", "\\n", "é", "a", "b")


def instants() -> st.SearchStrategy[datetime]:
    """Give one of a few instants around START, to the second."""
    return st.integers(-3, 3).map(lambda hours: START + timedelta(hours=hours))


def _maybe(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.none() | values


def _some(kind: type[Any], **properties: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.builds(kind, **{name: _maybe(values) for name, values in properties.items()})


_counts = st.integers(0, 3)
_keys = st.sampled_from(ODD_KEYS) | st.text(max_size=4)

errors = _some(
    SynchronizationError,
    code=st.sampled_from(["None", "InvalidCredentials", "SystemUnavailable"]),
    message=st.sampled_from(["", "Refused"]),
    tenantActionable=st.booleans(),
)

runs = _some(
    SynchronizationTaskExecution,
    activityIdentifier=st.sampled_from(["run-1", "run-2", "run-3"]),
    countEntitledForProvisioning=_counts,
    countEscrowed=_counts,
    countExported=_counts,
    error=errors,
    state=st.sampled_from([*EXECUTION_STATES, "Interrupted"]),
    timeBegan=instants(),
    timeEnded=instants(),
)

quarantines = _some(
    SynchronizationQuarantine,
    currentBegan=instants(),
    nextAttempt=instants(),
    reason=st.sampled_from(QUARANTINE_REASONS),
    seriesBegan=instants(),
    seriesCount=_counts,
    error=errors,
)

progress = st.lists(
    _some(SynchronizationProgress, completedUnits=_counts, totalUnits=_counts, units=st.just("objects")), max_size=2
).map(tuple)

statuses = _some(
    SynchronizationStatus,
    code=st.sampled_from([*STATUS_CODES, "Renovating"]),
    countSuccessiveCompleteFailures=_counts,
    escrowsPruned=st.booleans(),
    lastExecution=runs,
    lastSuccessfulExecution=runs,
    progress=progress,
    quarantine=quarantines,
    steadyStateLastAchievedTime=instants(),
    synchronizedEntryCountByType=st.dictionaries(_keys, _counts, max_size=3).map(EntryCounts),
    troubleshootingUrl=st.sampled_from(["", "https://portal.azure.com"]),
)

schedules = _some(
    SynchronizationSchedule,
    expiration=instants(),
    interval=st.sampled_from([timedelta(minutes=40), timedelta(hours=1)]),
    state=st.sampled_from(SCHEDULE_STATES),
)

jobs = st.builds(
    SynchronizationJob,
    id=st.just("SF.1"),
    templateId=_maybe(st.sampled_from(["salesforce", "scim"])),
    schedule=_maybe(schedules),
    status=_maybe(statuses),
    synchronizationJobSettings=_maybe(
        st.dictionaries(_keys, st.sampled_from(["", "on", "off"]), max_size=3).map(JobSettings)
    ),
)


def essence(value: Any) -> Any:
    """Reduce a snapshot to what it says: holders that hold nothing vanish. Written apart from `diff`, to judge it."""
    if isinstance(value, NamedValues):
        return dict(value) or None
    if attrs.has(type(value)):
        said: Mapping[str, Any] = {name: essence(getattr(value, name)) for name in attrs.fields_dict(type(value))}
        return {name: held for name, held in said.items() if held is not None} or None
    return value


# Alerts in all their standings, and what an integration may have been told of them.

_NAMES = ("A", "B", "C")


def _alerts(name: str) -> st.SearchStrategy[Alert]:
    return st.builds(
        lambda state, how, episode, inherits, kept_off: Alert(
            identity=Identity(rule=name),
            state=state,
            severity="error",
            labels={"alertname": name},
            episode=episode,
            inherits_from=min(inherits, episode),
            activeSince=START,
            startsAt=START,
            endsAt=START if how else None,
            ended=how,
            withheld_integrations=("ops/teams/default",) if kept_off else (),
        ),
        st.just(State.FIRING) | st.sampled_from([State.PENDING, State.RESOLVED]),
        st.none() | st.sampled_from(Ended),
        st.integers(1, 3),
        st.integers(1, 3),
        st.sampled_from([False, False, False, True]),
    ).filter(
        lambda alert: (
            (alert.ended is None)
            if alert.state is State.FIRING
            else alert.state is State.PENDING or alert.ended is not None
        )
    )


def _members(name: str) -> st.SearchStrategy[Member]:
    return st.builds(member, _alerts(name), st.none() | st.sampled_from([Withheld.SILENCED, Withheld.MUTED]))


_hours = st.integers(0, 47).map(lambda hours: timedelta(hours=hours))


@st.composite
def groups(draw: st.DrawFn) -> tuple[Ledger, list[Member]]:
    """Give what an integration knows and how the group stands; nobody can know of an episode that is yet to come."""
    everyone = [draw(_members(name)) for name in draw(st.lists(st.sampled_from(_NAMES), unique=True))]
    told, announced = {}, set()
    for entry in everyone:
        name, episodes = entry.alert.fingerprint, st.integers(1, entry.alert.episode)
        if draw(st.booleans()):
            told[name] = told_line(name, draw(episodes), START + draw(_hours), absent=draw(st.booleans()))
        announced |= {announced_line(name, draw(episodes))} if draw(st.booleans()) else set()
    last = draw(st.none() | _hours.map(lambda age: START + age))
    return Ledger(told=told, announced=frozenset(announced), last_message_at=last), everyone


manners = st.builds(
    Manner,
    integration_id=st.just("ops/teams/default"),
    send_resolved=st.booleans(),
    closes_silently=st.booleans(),
    repeat_interval=st.sampled_from([timedelta(0), timedelta(hours=4), timedelta(hours=24)]),
)


def announced_lines(known: Ledger, alert: Alert) -> bool:
    """Whether messages that nobody accepted spoke of this alert."""
    return any(line.fingerprint == alert.fingerprint for line in known.announced)
