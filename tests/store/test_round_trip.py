"""Any value at all comes back equal, from every adapter."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any, get_type_hints

import attrs
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from alertd.model.alert import Alert, Event
from alertd.model.change import Change
from alertd.model.facts import Facts
from alertd.model.resources import (
    EntryCounts,
    JobSettings,
    SynchronizationError,
    SynchronizationProgress,
    SynchronizationSchedule,
    SynchronizationStatus,
    SynchronizationTaskExecution,
)
from alertd.notify.silences import Silence
from alertd.store.port import Store
from alertd.store.values import (
    Conversation,
    Delivery,
    Group,
    HistoryEntry,
    JobRecord,
    LogEntry,
    PrincipalRecord,
    ReadingChange,
    RoundEntry,
    TenantRecord,
    TransitionEntry,
)

pytestmark = pytest.mark.anyio

EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)

texts = st.text(max_size=12) | st.uuids().map(str)
numbers = st.integers(-(2**63), 2**63 - 1)
# From 1900 to 2190, to the microsecond.
instants = st.integers(-(2 * 10**15), 7 * 10**15).map(lambda number: EPOCH + dt.timedelta(microseconds=number))
durations = st.timedeltas(dt.timedelta(days=-40_000), dt.timedelta(days=40_000))
fractions = st.floats(allow_nan=False)
scalars = st.none() | st.booleans() | numbers | fractions | texts | instants | durations
maps = st.dictionaries(texts, texts, max_size=3)

PLAIN = {
    str: texts,
    int: numbers,
    bool: st.booleans(),
    float: fractions,
    bytes: st.binary(max_size=40),
    dt.datetime: instants,
    dt.timedelta: durations,
    EntryCounts: st.dictionaries(texts, numbers, max_size=3).map(EntryCounts),
    JobSettings: maps.map(JobSettings),
}


def values(kind: type[Any]) -> st.SearchStrategy[Any]:
    """Any value of an attrs class, every property drawn."""
    return st.builds(kind, **{name: drawn(hint) for name, hint in get_type_hints(kind).items()})


def drawn(hint: Any) -> st.SearchStrategy[Any]:
    if hint in PLAIN:
        return PLAIN[hint]
    arguments = getattr(hint, "__args__", ())
    if getattr(hint, "__origin__", None) is tuple:
        return st.lists(drawn(arguments[0]), max_size=2).map(tuple)
    if getattr(hint, "__origin__", None) is Mapping:
        return maps
    if arguments:  # a union
        return st.one_of(*(st.none() if part is type(None) else drawn(part) for part in arguments))
    return st.sampled_from(list(hint)) if not attrs.has(hint) else st.deferred(lambda: values(hint))


PLAIN |= {
    Change: st.builds(Change, texts, *[scalars | st.lists(values(SynchronizationProgress), max_size=2).map(tuple)] * 2),
}
for resource in (SynchronizationError, SynchronizationTaskExecution, SynchronizationStatus, SynchronizationSchedule):
    PLAIN[resource] = values(resource)
PLAIN[Facts] = values(Facts).flatmap(
    lambda facts: st.dictionaries(
        texts, st.lists(st.tuples(st.none() | st.booleans() | texts, instants), max_size=3).map(tuple), max_size=2
    ).map(lambda became: attrs.evolve(facts, instants=became))
)

anything = settings(
    max_examples=settings.default.max_examples // 4,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)


@anything
@given(record=values(TenantRecord), principal=values(PrincipalRecord), job=values(JobRecord))
async def test_tenants_principals_and_jobs(
    store: Store, record: TenantRecord, principal: PrincipalRecord, job: JobRecord
) -> None:
    async with store.transaction() as transaction:
        await transaction.save_tenant(record)
        await transaction.save_principals([principal])
        await transaction.save_jobs([job])

    async with store.reading() as reader:
        assert await reader.tenant(record.key) == record
        assert principal in await reader.principals(principal.tenant_key)
        assert job in await reader.jobs(job.tenant_key, [job.service_principal_id])


@anything
@given(alert=values(Alert), event=values(Event), group=values(Group))
async def test_alerts_events_and_groups(store: Store, alert: Alert, event: Event, group: Group) -> None:
    async with store.transaction() as transaction:
        await transaction.delete_events(group.key, [event.key])
        await transaction.save_alerts([(alert, [group.key])])
        await transaction.save_events(group.key, [event])
        await transaction.save_group(group)

    async with store.reading() as reader:
        assert alert in await reader.alerts_in(group.key)
        assert event in await reader.events_in(group.key)
        assert await reader.group(group.key) == group


@anything
@given(talk=values(Conversation), delivery=values(Delivery))
async def test_conversations_and_deliveries(store: Store, talk: Conversation, delivery: Delivery) -> None:
    told = {(line.fingerprint, line.episode): line for line in talk.told}  # the ledger has one line for each
    talk = attrs.evolve(talk, told=tuple(told.values()))
    async with store.transaction() as transaction:
        await transaction.save_conversation(talk)
        await transaction.save_delivery(attrs.evolve(delivery, conversation_id=delivery.id))

    async with store.reading() as reader:
        assert await reader.conversation(talk.id) == talk
        assert await reader.delivery(delivery.id) == attrs.evolve(delivery, conversation_id=delivery.id)


@anything
@given(silence=values(Silence))
async def test_silences(store: Store, silence: Silence) -> None:
    async with store.transaction() as transaction:
        await transaction.save_silence(silence)

    async with store.reading() as reader:
        assert silence in await reader.silences()


@anything
@given(entry=values(HistoryEntry))
async def test_history(store: Store, entry: HistoryEntry) -> None:
    async with store.transaction() as transaction:
        await transaction.append_history([entry])

    async with store.reading() as reader:
        assert entry in [found async for found in reader.history(tenant_key=entry.tenant_key, job_id=entry.job_id)]


@anything
@given(
    round_=values(RoundEntry), reading=values(ReadingChange), moved=values(TransitionEntry), decided=values(LogEntry)
)
async def test_logs(
    store: Store, round_: RoundEntry, reading: ReadingChange, moved: TransitionEntry, decided: LogEntry
) -> None:
    async with store.transaction() as transaction:
        await transaction.append_round(round_)
        await transaction.append_reading_changes([reading])
        await transaction.append_transitions([moved])
        await transaction.append_log([decided])

    async with store.reading() as reader:
        assert round_ in await reader.rounds(round_.tenant_key)
        assert reading in await reader.reading_changes(reading.tenant_key)
        assert moved in await reader.transitions(fingerprint=moved.fingerprint, since=moved.at)
        assert decided in await reader.log(group_key=decided.group_key, since=decided.at)
