"""Every adapter: what was saved is read back equal, in the promised order; saving is an upsert; deleting what is not there is no error."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import attrs
import pytest

from alertd.model.alert import State
from alertd.model.notification import DeliveryState, Reason
from alertd.store.port import Reader, Store, Transaction
from alertd.store.values import Due

pytestmark = pytest.mark.anyio

OTHER = "global/22222222-2222-2222-2222-222222222222"

Save = Callable[[Transaction, Any], Awaitable[None]]
Find = Callable[[Reader, Any], Awaitable[Any]]


async def saved(store: Store, save: Save, *values: Any) -> None:
    async with store.transaction() as transaction:
        for value in values:
            await save(transaction, value)


async def found(store: Store, find: Callable[[Reader], Awaitable[Any]]) -> Any:
    """Ask in a view and in a transaction: both answer alike."""
    async with store.reading() as reader:
        seen = await find(reader)
    async with store.transaction() as transaction:
        assert await find(transaction) == seen
    return seen


KINDS = [
    pytest.param(
        lambda make: make.tenant(),
        {"name": "renamed", "epoch": 4, "lastPollError": "auth"},
        lambda transaction, value: transaction.save_tenant(value),
        lambda reader, value: reader.tenant(value.key),
        id="tenant",
    ),
    pytest.param(
        lambda make: make.principal(),
        {"outcome": "throttled", "not_found": 1},
        lambda transaction, value: transaction.save_principals([value]),
        lambda reader, value: only(reader.principals(value.tenant_key)),
        id="principal",
    ),
    pytest.param(
        lambda make: make.job(),
        {"sequence": 9, "absent": 1},
        lambda transaction, value: transaction.save_jobs([value]),
        lambda reader, value: only(reader.jobs(value.tenant_key)),
        id="job",
    ),
    pytest.param(
        lambda make: make.alert(),
        {"state": State.RESOLVED, "episode": 3},
        lambda transaction, value: transaction.save_alerts([(value, ["g"])]),
        lambda reader, value: only(reader.alerts(tenant_key=value.identity.tenant_key)),
        id="alert",
    ),
    pytest.param(
        lambda make: make.group(),
        {"sequence": 5, "dirty": False},
        lambda transaction, value: transaction.save_group(value),
        lambda reader, value: reader.group(value.key),
        id="group",
    ),
    pytest.param(
        lambda make: make.conversation(),
        {"told": (), "open_delivery": "d-9", "recheck": True},
        lambda transaction, value: transaction.save_conversation(value),
        lambda reader, value: reader.conversation(value.id),
        id="conversation",
    ),
    pytest.param(
        lambda make: make.delivery(),
        {"state": DeliveryState.UNKNOWN, "attempts": 2, "error": "timed out"},
        lambda transaction, value: transaction.save_delivery(value),
        lambda reader, value: reader.delivery(value.id),
        id="delivery",
    ),
]


async def only(answer: Awaitable[tuple[Any, ...]]) -> Any:
    (value,) = await answer
    return value


@pytest.mark.parametrize(("build", "changed", "save", "find"), KINDS)
async def test_saving_again_replaces_what_stands_under_the_key(
    store: Store, make: Any, build: Callable[[Any], Any], changed: dict[str, Any], save: Save, find: Find
) -> None:
    first = build(make)
    second = attrs.evolve(first, **changed)

    await saved(store, save, first)
    assert await found(store, lambda reader: find(reader, first)) == first
    await saved(store, save, second)

    assert await found(store, lambda reader: find(reader, first)) == second


@pytest.mark.parametrize(
    "find",
    [
        pytest.param(lambda reader: reader.tenant("?"), id="tenant"),
        pytest.param(lambda reader: reader.group("?"), id="group"),
        pytest.param(lambda reader: reader.conversation("?"), id="conversation"),
        pytest.param(lambda reader: reader.delivery("?"), id="delivery"),
        pytest.param(lambda reader: reader.next_group_due(), id="next group due"),
        pytest.param(lambda reader: reader.next_delivery_due(), id="next delivery due"),
    ],
)
async def test_what_is_not_there_is_none(store: Store, find: Callable[[Reader], Awaitable[Any]]) -> None:
    assert await found(store, find) is None


@pytest.mark.parametrize(
    "delete",
    [
        pytest.param(lambda transaction: transaction.delete_jobs([(OTHER, "sp", "job")]), id="job"),
        pytest.param(lambda transaction: transaction.delete_alerts(["?"]), id="alert"),
        pytest.param(lambda transaction: transaction.delete_events("g", ["?"]), id="event"),
        pytest.param(lambda transaction: transaction.delete_group("?"), id="group"),
        pytest.param(lambda transaction: transaction.delete_conversation("?"), id="conversation"),
    ],
)
async def test_deleting_what_is_not_there_is_no_error(
    store: Store, make: Any, everything: Any, delete: Callable[[Transaction], Awaitable[None]]
) -> None:
    async with store.transaction() as transaction:
        await transaction.save_jobs([make.job()])
        await transaction.save_alerts([(make.alert(), ["g"])])
        await transaction.save_events("g", [make.event()])
        await transaction.save_conversation(make.conversation())
        before = await everything(transaction)
        await delete(transaction)

        assert await everything(transaction) == before


async def test_tenants_come_by_key(store: Store, make: Any) -> None:
    await saved(store, lambda transaction, key: transaction.save_tenant(make.tenant(key)), "b", "ä", "a", "B")

    tenants = await found(store, lambda reader: reader.tenants())

    assert [tenant.key for tenant in tenants] == ["B", "a", "b", "ä"]


async def test_principals_are_those_of_the_tenant_by_id(store: Store, make: Any) -> None:
    records = [make.principal("sp-2"), make.principal("sp-1"), make.principal("sp-0", OTHER)]
    await saved(store, lambda transaction, value: transaction.save_principals(value), records)

    principals = await found(store, lambda reader: reader.principals(make.tenant().key))

    assert [record.principal.id for record in principals] == ["sp-1", "sp-2"]


@pytest.mark.parametrize(
    ("principal_ids", "expected"),
    [
        pytest.param(None, [("sp-1", "a"), ("sp-1", "b"), ("sp-2", "a")], id="all of the tenant"),
        pytest.param(
            ["sp-2", "sp-1", "sp-2", "sp-9"], [("sp-1", "a"), ("sp-1", "b"), ("sp-2", "a")], id="of some, each once"
        ),
        pytest.param(["sp-2"], [("sp-2", "a")], id="of one"),
        pytest.param([], [], id="of none"),
        pytest.param(
            [*(f"none-{n}" for n in range(1200)), "sp-2"], [("sp-2", "a")], id="of more than one question can name"
        ),
    ],
)
async def test_jobs_come_by_principal_and_id(store: Store, make: Any, principal_ids: Any, expected: Any) -> None:
    records = [make.job("a", "sp-2"), make.job("b"), make.job("a"), make.job("a", "sp-1", OTHER)]
    await saved(store, lambda transaction, value: transaction.save_jobs(value), records)

    jobs = await found(store, lambda reader: reader.jobs(make.tenant().key, principal_ids))

    assert [(job.service_principal_id, job.job.id) for job in jobs] == expected


async def test_a_deleted_job_is_gone_and_its_history_stays(store: Store, make: Any) -> None:
    job = make.job()
    async with store.transaction() as transaction:
        await transaction.save_jobs([job, make.job("other")])
        await transaction.append_history([make.entry(full=job.job)])
        await transaction.delete_jobs([job.key])

    assert [kept.job.id for kept in await found(store, lambda reader: reader.jobs(job.tenant_key))] == ["other"]
    async with store.reading() as reader:
        assert [entry.job_id async for entry in reader.history()] == ["job-1"]


@pytest.mark.parametrize(
    ("find", "expected"),
    [
        pytest.param(lambda reader: reader.alerts(), ["A", "B", "C", "D", "E"], id="all"),
        pytest.param(lambda reader: reader.alerts(tenant_key=OTHER), ["C"], id="of a tenant"),
        pytest.param(lambda reader: reader.alerts(tenant_key=""), ["E"], id="of alertd itself"),
        pytest.param(lambda reader: reader.alerts_of(OTHER, ["sp-1", "sp-2"]), ["C"], id="of principals"),
        pytest.param(lambda reader: reader.alerts_of("?", ["sp-1"]), [], id="of principals of nobody"),
        pytest.param(lambda reader: reader.alerts_in("g1"), ["A", "B"], id="in a group"),
        pytest.param(lambda reader: reader.alerts_in("g2"), ["B"], id="in another group of the same"),
        pytest.param(lambda reader: reader.firing_alerts(), ["A", "C", "E"], id="that fire"),
    ],
)
async def test_alerts_are_found_and_come_by_fingerprint(
    store: Store, make: Any, find: Callable[[Reader], Awaitable[Any]], expected: list[str]
) -> None:
    async with store.transaction() as transaction:
        placed = [
            (make.alert("A"), ["g1"]),
            (make.alert("B", state=State.RESOLVED), ("g1", "g2")),
            (make.alert("C", "sp-1", OTHER), []),
            (make.alert("D", "", state=State.PENDING), []),
            (make.alert("E", "", ""), []),
        ]
        await transaction.save_alerts(placed)

    alerts = await found(store, find)

    assert sorted(alert.name for alert in alerts) == expected
    assert [alert.fingerprint for alert in alerts] == sorted(alert.fingerprint for alert in alerts)


async def test_an_alert_moves_between_groups(store: Store, make: Any) -> None:
    alert = make.alert()
    await saved(store, lambda transaction, keys: transaction.save_alerts([(alert, keys)]), ["g1", "g2"], ["g2", "g3"])

    homes = await found(store, lambda reader: _homes(reader, ["g1", "g2", "g3"]))

    assert homes == [(), (alert,), (alert,)]


async def test_a_deleted_alert_leaves_its_groups(store: Store, make: Any) -> None:
    alert = make.alert()
    async with store.transaction() as transaction:
        await transaction.save_alerts([(alert, ["g1"])])
        await transaction.append_transitions([make.transition(fingerprint=alert.fingerprint)])
        await transaction.delete_alerts([alert.fingerprint])

    assert await found(store, lambda reader: _homes(reader, ["g1"])) == [()]
    assert len(await found(store, lambda reader: reader.transitions(fingerprint=alert.fingerprint))) == 1


async def _homes(reader: Reader, keys: list[str]) -> list[Any]:
    return [await reader.alerts_in(key) for key in keys]


async def test_events_wait_oldest_first_and_the_first_report_stays(store: Store, make: Any) -> None:
    late, early = make.event(sequence=2, minute=5), make.event(sequence=3, minute=1)
    async with store.transaction() as transaction:
        await transaction.save_events("g", [late, early])
        await transaction.save_events("g", [attrs.evolve(late, severity="info")])

    assert await found(store, lambda reader: reader.events_in("g")) == (early, late)


async def test_an_event_waits_in_each_of_its_groups(store: Store, make: Any) -> None:
    event = make.event()
    async with store.transaction() as transaction:
        await transaction.save_events("g1", [event])
        await transaction.save_events("g2", [event])
        await transaction.delete_events("g1", [event.key])

    assert await found(store, _waiting) == [(), (event,)]


async def _waiting(reader: Reader) -> list[Any]:
    return [await reader.events_in(key) for key in ("g1", "g2")]


async def test_due_groups_come_the_longest_due_first(store: Store, make: Any) -> None:
    groups = [make.group("c", due=2), make.group("b", due=1), make.group("a", due=2), make.group("later", due=9)]
    await saved(store, lambda transaction, group: transaction.save_group(group), *groups)

    assert await found(store, lambda reader: reader.due_groups(make.at(2), 10)) == ("b", "a", "c")
    assert await found(store, lambda reader: reader.due_groups(make.at(2), 2)) == ("b", "a")
    assert await found(store, lambda reader: reader.next_group_due()) == make.at(1)
    assert [group.key for group in await found(store, lambda reader: reader.groups())] == ["a", "b", "c", "later"]


async def test_conversations_come_with_their_ledgers(store: Store, make: Any) -> None:
    talks = [
        make.conversation("c", integration_id="z"),
        make.conversation("b", integration_id="a", told=()),
        make.conversation("a", "other group"),
    ]
    await saved(store, lambda transaction, talk: transaction.save_conversation(talk), *talks)

    assert await found(store, lambda reader: reader.conversations()) == (talks[2], talks[1], talks[0])
    assert await found(store, lambda reader: reader.conversations_in("route:contoso")) == (talks[1], talks[0])


async def test_a_deleted_conversation_leaves_its_deliveries(store: Store, make: Any) -> None:
    talk, delivery = make.conversation(), make.delivery(conversation_id="talk-1")
    async with store.transaction() as transaction:
        await transaction.save_conversation(talk)
        await transaction.save_delivery(delivery)
        await transaction.delete_conversation(talk.id)

    assert await found(store, lambda reader: reader.conversations()) == ()
    assert await found(store, lambda reader: reader.delivery(delivery.id)) == delivery


async def test_due_deliveries_wait_for_an_attempt(store: Store, make: Any) -> None:
    states = {"pending": 3, "unknown": 1, "sending": 0, "delivered": 0, "failed": 0, "skipped": 0, "superseded": 0}
    rows = [make.delivery(f"d-{state}", minute, state=DeliveryState(state)) for state, minute in states.items()]
    await saved(store, lambda transaction, row: transaction.save_delivery(row), *rows, make.delivery("d-later", 9))

    unknown, pending = (Due(rows[place].due_at, rows[place].id, rows[place].integration_id) for place in (1, 0))
    assert await found(store, lambda reader: reader.due_deliveries(make.at(3), 10)) == (unknown, pending)
    assert await found(store, lambda reader: reader.due_deliveries(make.at(3), 1)) == (unknown,)
    assert await found(store, lambda reader: reader.next_delivery_due()) == make.at(1)


async def test_the_first_delivery_of_each_integration_is_found_due_or_not(store: Store, make: Any) -> None:
    rows = [
        make.delivery("d-late", 9, integration_id="quick"),
        make.delivery("d-2", 2, integration_id="slow"),
        make.delivery("d-1", 2, integration_id="slow", state=DeliveryState.UNKNOWN),
        make.delivery("d-gone", 0, integration_id="quick", state=DeliveryState.FAILED),
        make.delivery("d-under-way", 0, integration_id="other", state=DeliveryState.SENDING),
    ]
    await saved(store, lambda transaction, row: transaction.save_delivery(row), *rows)

    first = (Due(make.at(2), "d-1", "slow"), Due(make.at(9), "d-late", "quick"))
    assert await found(store, lambda reader: reader.first_deliveries()) == first


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        pytest.param({}, ["d3", "d1", "d2", "d0"], id="all, the latest decided first"),
        pytest.param({"limit": 2}, ["d3", "d1"], id="the latest two"),
        pytest.param({"states": {DeliveryState.FAILED}}, ["d1"], id="of a state"),
        pytest.param({"states": set()}, [], id="of no state"),
        pytest.param({"integration_id": "b"}, ["d2"], id="of an integration"),
        pytest.param({"integration_id": "a", "states": [DeliveryState.PENDING]}, ["d3", "d0"], id="of both"),
    ],
)
async def test_deliveries_are_listed(store: Store, make: Any, asked: dict[str, Any], expected: list[str]) -> None:
    rows = [
        make.delivery("d0", 0, integration_id="a"),
        make.delivery("d1", 5, integration_id="a", state=DeliveryState.FAILED),
        make.delivery("d2", 5, integration_id="b"),
        make.delivery("d3", 5, integration_id="a", sequence=2),
    ]
    await saved(store, lambda transaction, row: transaction.save_delivery(row), *rows)

    listed = await found(store, lambda reader: reader.deliveries(**asked))

    assert [row.id for row in listed] == expected


@pytest.mark.parametrize(
    ("ends", "expected"),
    [
        pytest.param(["failed", "failed"], {"oncall/teams/0": 2}, id="given up twice"),
        pytest.param(["failed", "delivered"], {}, id="accepted one since"),
        pytest.param(["delivered", "failed"], {"oncall/teams/0": 1}, id="given up since"),
        pytest.param(["skipped", "superseded", "pending"], {}, id="nothing was given up"),
    ],
)
async def test_failed_integrations_are_counted_since_their_last_success(
    store: Store, make: Any, ends: list[str], expected: dict[str, int]
) -> None:
    rows = [make.ended(f"d-{n}", n, DeliveryState(state)) for n, state in enumerate(ends)]
    await saved(store, lambda transaction, row: transaction.save_delivery(row), *rows, rows[-1])

    assert dict(await found(store, lambda reader: reader.failed_integrations())) == expected


async def test_a_success_says_nothing_of_another_integration(store: Store, make: Any) -> None:
    rows = [make.ended("d-1", 1, DeliveryState.FAILED, "a"), make.ended("d-2", 2, DeliveryState.DELIVERED, "b")]
    await saved(store, lambda transaction, row: transaction.save_delivery(row), *rows)

    assert dict(await found(store, lambda reader: reader.failed_integrations())) == {"a": 1}


async def test_a_failure_is_remembered_though_its_row_is_pruned(store: Store, make: Any) -> None:
    """Retention is no success: an all-clear for DeliveryFailed would be false."""
    async with store.transaction() as transaction:
        await transaction.save_delivery(make.ended("d-1", 0, DeliveryState.FAILED, "a"))
        await transaction.prune(make.at(60))

        assert dict(await transaction.failed_integrations()) == {"a": 1}


async def test_recovered_deliveries_are_those_that_nobody_sends(store: Store, make: Any) -> None:
    leases = {"none": None, "over": 4, "at its end": 5, "running": 6}
    rows = [
        make.delivery(f"d-{name}", state=DeliveryState.SENDING, leased_until=None if end is None else make.at(end))
        for name, end in leases.items()
    ]
    await saved(store, lambda transaction, row: transaction.save_delivery(row), *rows, make.delivery("d-pending"))

    async with store.transaction() as transaction:
        recovered = await transaction.recover_deliveries(make.at(5))

    assert {row.id for row in recovered} == {"d-none", "d-over", "d-at its end"}


async def test_hastening_makes_due_what_waits_for_the_integration(store: Store, make: Any) -> None:
    rows = [
        make.delivery("d-late", 60),
        make.delivery("d-later", 90),
        make.delivery("d-due", 1),
        make.delivery("d-unknown", 60, state=DeliveryState.UNKNOWN),
        make.delivery("d-elsewhere", 60, integration_id="other"),
    ]
    await saved(store, lambda transaction, row: transaction.save_delivery(row), *rows)

    async with store.transaction() as transaction:
        assert await transaction.hasten("oncall/teams/0", make.at(5)) == 3

    due = await found(store, lambda reader: reader.due_deliveries(make.at(5), 10))
    assert tuple(one.delivery_id for one in due) == ("d-due", "d-late", "d-later", "d-unknown")
    assert await found(store, lambda reader: reader.delivery("d-late")) == attrs.evolve(rows[0], due_at=make.at(5))


async def test_rounds_readings_transitions_and_decisions_come_oldest_first(store: Store, make: Any) -> None:
    async with store.transaction() as transaction:
        for minute in (5, 0):
            await transaction.append_round(make.round(minute))
        await transaction.append_reading_changes([make.reading("server", 5), make.reading("ok", 0)])
        await transaction.append_transitions([make.transition(5), make.transition(0)])
        await transaction.append_log([make.decision(5, reason=Reason.REPEAT), make.decision(0)])

    key, since = make.tenant().key, make.at(5)
    assert await found(store, lambda reader: reader.rounds(key)) == (make.round(0), make.round(5))
    assert await found(store, lambda reader: reader.rounds(key, since=since)) == (make.round(5),)
    assert await found(store, lambda reader: reader.rounds("?")) == ()
    assert await found(store, lambda reader: reader.reading_changes(key)) == (
        make.reading("ok", 0),
        make.reading("server", 5),
    )
    assert await found(store, lambda reader: reader.reading_changes(key, since=since)) == (make.reading("server", 5),)
    assert await found(store, lambda reader: reader.transitions()) == (make.transition(0), make.transition(5))
    assert await found(store, lambda reader: reader.transitions(fingerprint="f1", since=since)) == (make.transition(5),)
    assert await found(store, lambda reader: reader.transitions(fingerprint="?")) == ()
    assert await found(store, lambda reader: reader.log()) == (make.decision(0), make.decision(5, reason=Reason.REPEAT))


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        pytest.param({"group_key": "g1"}, [0, 1], id="of a group"),
        pytest.param({"fingerprint": "f1"}, [0, 2], id="of an alert"),
        pytest.param({"fingerprint": "f1", "group_key": "g1"}, [0], id="of both"),
        pytest.param({"fingerprint": "f2", "since_minute": 2}, [2], id="of an alert, since"),
    ],
)
async def test_decisions_are_found(store: Store, make: Any, asked: dict[str, Any], expected: list[int]) -> None:
    decided = [
        make.decision(0, "g1", ("f1", "f2")),
        make.decision(1, "g1", ()),
        make.decision(2, "g2", ("f2", "f1", "f1")),
    ]
    async with store.transaction() as transaction:
        await transaction.append_log(decided)
    if "since_minute" in asked:
        asked = {**asked, "since": make.at(asked["since_minute"])}
        del asked["since_minute"]

    entries = await found(store, lambda reader: reader.log(**asked))

    assert list(entries) == [decided[n] for n in expected]


async def test_the_groups_of_an_alert_are_those_it_was_saved_with_last(store: Store, make: Any) -> None:
    """None where there is no such alert."""
    alert = make.alert("A")
    async with store.transaction() as transaction:
        await transaction.save_alerts([(alert, ["g2", "g1"])])
        first = await transaction.groups_of(alert.fingerprint)
        await transaction.save_alerts([(alert, ["g1"])])

    async with store.reading() as reader:
        after = await reader.groups_of(alert.fingerprint)
        nobody = await reader.groups_of("0" * 16)

    assert (first, after, nobody) == (("g1", "g2"), ("g1",), ())
