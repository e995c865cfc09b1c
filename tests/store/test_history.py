"""Every adapter: history in order of time, whole from any instant on, and replayable after every pruning."""

from __future__ import annotations

from typing import Any

import attrs
import pytest

from alertd.diff import apply
from alertd.model.change import Change
from alertd.model.facts import step
from alertd.model.notification import DeliveryState
from alertd.store.port import Store
from alertd.store.values import HistoryEntry, Outline

pytestmark = pytest.mark.anyio

OTHER = "global/22222222-2222-2222-2222-222222222222"


async def appended(store: Store, *batches: list[HistoryEntry]) -> None:
    for batch in batches:
        async with store.transaction() as transaction:
            await transaction.append_history(batch)


async def read(store: Store, **asked: Any) -> list[HistoryEntry]:
    async with store.reading() as reader:
        return [entry async for entry in reader.history(**asked)]


def code(entry: HistoryEntry) -> str | None:
    return entry.full.status.code if entry.full and entry.full.status else None


async def test_entries_come_by_time_then_job_then_sequence(store: Store, make: Any) -> None:
    late, early = make.chain(["Active", "Paused"], "b", start=10), make.chain(["Active", "Paused"], "a", start=5)
    same = [make.entry(1, 10, "a", full=make.snapshot("a"), tenant_key=OTHER)]
    await appended(store, late, early + same)

    entries = await read(store)

    assert [(entry.at, entry.tenant_key, entry.job_id, entry.sequence) for entry in entries] == sorted(
        (entry.at, entry.tenant_key, entry.job_id, entry.sequence) for entry in late + early + same
    )
    assert entries[0] == early[0]


async def test_jobs_known_and_new_are_appended_together(store: Store, make: Any) -> None:
    """Of one principal some jobs are known, and a job of the same ids in another tenant is another job."""
    known = [make.entry(1, 0, "a", full=make.snapshot("a"))]
    beside = [make.entry(1, 5, name, full=make.snapshot(name)) for name in ("b", "c")]
    elsewhere = [make.entry(1, 5, "a", full=make.snapshot("a"), tenant_key=OTHER)]
    again = [make.entry(2, 5, "a", full=make.snapshot("a", "Paused")), make.entry(3, 6, "a", gone=True)]

    await appended(store, known, [*beside, *elsewhere, *again])

    entries = await read(store)
    assert [(entry.tenant_key == OTHER, entry.job_id, entry.sequence, entry.gone) for entry in entries] == [
        (False, "a", 1, False),
        (False, "a", 2, False),
        (False, "b", 1, False),
        (False, "c", 1, False),
        (True, "a", 1, False),
        (False, "a", 3, True),
    ]
    assert [entry.job_id for entry in await read(store, tenant_key=OTHER)] == ["a"]


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        pytest.param({}, ["a", "b", "a", "c"], id="all"),
        pytest.param({"job_id": "a"}, ["a", "a"], id="of a job id, in every tenant"),
        pytest.param({"tenant_key": OTHER}, ["a", "c"], id="of a tenant"),
        pytest.param({"tenant_key": OTHER, "job_id": "a"}, ["a"], id="of one job"),
        pytest.param({"tenant_key": "?"}, [], id="of nobody"),
    ],
)
async def test_entries_are_found(store: Store, make: Any, asked: dict[str, str], expected: list[str]) -> None:
    entries = [
        make.entry(job="a", full=make.snapshot("a")),
        make.entry(job="b", full=make.snapshot("b")),
        make.entry(job="a", full=make.snapshot("a"), tenant_key=OTHER),
        make.entry(job="c", full=make.snapshot("c"), tenant_key=OTHER),
    ]
    await appended(store, entries)

    assert [entry.job_id for entry in await read(store, **asked)] == expected


async def test_whole_entries_are_given_as_they_were_saved(store: Store, make: Any) -> None:
    chain = make.chain(["Active", "Quarantine", "Active", "gone"])
    await appended(store, chain)

    assert await read(store) == chain


CUTS = [
    pytest.param(0, ["Active", None, None, None], id="before everything"),
    pytest.param(5, ["Quarantine", None, None], id="at a change"),
    pytest.param(7, ["Paused", None], id="between two"),
    pytest.param(15, ["Active"], id="at the last"),
    pytest.param(16, [], id="behind it"),
]


@pytest.mark.parametrize(("minute", "expected"), CUTS)
async def test_the_first_entry_given_of_a_job_is_whole(
    store: Store, make: Any, minute: float, expected: list[str | None]
) -> None:
    """It is rebuilt from the last whole one before, with the facts stepped through."""
    chain = make.chain(["Active", "Quarantine", "Paused", "Active"])
    await appended(store, chain[:2], chain[2:])

    entries = await read(store, since=make.at(minute))

    assert [code(entry) for entry in entries] == expected
    assert entries[1:] == chain[len(chain) - len(entries) + 1 :]


async def test_facts_that_no_entry_holds_are_stepped_through(store: Store, make: Any) -> None:
    chain = make.chain(["Active", "Quarantine", "Paused"])
    await appended(store, chain)

    (entry,) = await read(store, since=make.at(10))

    first = chain[0].full
    second = apply(first, chain[1].changes)
    third = apply(second, chain[2].changes)
    facts = step(step(chain[0].facts, first, second, chain[1].at), second, third, chain[2].at)
    assert entry == attrs.evolve(chain[2], full=third, changes=(), facts=facts)


async def test_facts_that_an_entry_holds_are_given(store: Store, make: Any) -> None:
    told = make.facts(failureStreak=3)
    chain = make.chain(["Active", "Quarantine"])
    await appended(store, [chain[0], attrs.evolve(chain[1], facts=told)])

    (entry,) = await read(store, since=make.at(5))

    assert entry.facts == told


async def test_changes_of_one_property_are_taken_in_their_order(store: Store, make: Any) -> None:
    """Facts are told, so all changes are applied at once: the last of a path holds, and what was undone is undone."""
    codes = ["Active", "Quarantine", "Paused", "Quarantine", "Active"]
    chain = [attrs.evolve(entry, facts=make.facts()) for entry in make.chain(codes)]
    chain[1] = attrs.evolve(chain[1], changes=(*chain[1].changes, Change("status.quarantine.reason", None, "Unknown")))
    chain[3] = attrs.evolve(chain[3], changes=(*chain[3].changes, Change("status.quarantine.reason", "Unknown", None)))
    await appended(store, chain)

    (entry,) = await read(store, since=make.at(20))

    expected = chain[0].full
    for known in chain[1:]:
        expected = apply(expected, known.changes)
    assert entry.full == expected


async def test_a_job_that_vanished_first_of_all_is_given_with_its_last_snapshot(store: Store, make: Any) -> None:
    await appended(store, make.chain(["Active", "Quarantine", "gone"]))

    (entry,) = await read(store, since=make.at(10))

    assert entry.gone
    assert code(entry) == "Quarantine"


async def test_a_job_that_came_back_begins_anew(store: Store, make: Any) -> None:
    first = make.chain(["Active", "Quarantine", "gone"])
    again = make.chain(["Paused", "Active"], start=20)
    await appended(store, first, again)

    assert [code(entry) for entry in await read(store, since=make.at(25))] == ["Active"]
    assert [code(entry) for entry in await read(store, since=make.at(20))] == ["Paused", None]


async def test_many_jobs_are_cut_at_once(store: Store, make: Any) -> None:
    """More than one batch of the stream, so that a job's first entry may come in any of them."""
    chains = [make.chain(["Active", "Quarantine", "Paused"], f"job-{n:04}") for n in range(1100)]
    await appended(store, *([chain[step] for chain in chains] for step in range(3)))

    entries = await read(store, since=make.at(5))

    assert len(entries) == 2200
    assert {code(entry) for entry in entries[:1100]} == {"Quarantine"}
    assert {code(entry) for entry in entries[1100:]} == {None}


async def test_reading_may_stop_in_the_middle(store: Store, make: Any) -> None:
    await appended(store, [make.entry(job=f"job-{n:04}", full=make.snapshot()) for n in range(1500)])

    async with store.reading() as reader:
        async for entry in reader.history():
            assert entry.job_id == "job-0000"
            break

    async with store.transaction() as transaction:
        async for _ in transaction.history():
            break
        await transaction.append_round(make.round())
    assert len(await read(store)) == 1500


async def test_history_may_be_read_and_written_in_one_transaction(store: Store, make: Any) -> None:
    await appended(store, make.chain(["Active", "Paused"]))

    async with store.transaction() as transaction:
        async for entry in transaction.history():
            await transaction.append_round(make.round(error=entry.job_id))

        assert len(await transaction.rounds(make.tenant().key)) == 2


async def outlined(store: Store) -> list[Outline]:
    async with store.reading() as reader:
        return [outline async for page in reader.outlines() for outline in page]


async def test_outlines_say_what_changed_before_anybody_reads_it(store: Store, make: Any) -> None:
    chain = make.chain(["Active", "Quarantine", "Active", "gone"])
    await appended(store, chain)

    outlines = await outlined(store)

    assert [(one.key, one.sequence, one.at) for one in outlines] == [
        ((entry.tenant_key, entry.service_principal_id, entry.job_id), entry.sequence, entry.at) for entry in chain
    ]
    assert [(one.paths, one.gone) for one in outlines] == [
        (None, False),
        (("status.code",), False),
        (("status.code",), False),
        ((), True),
    ]
    assert [one.read() for one in outlines] == chain


async def test_outlines_come_by_time_whenever_they_were_written(store: Store, make: Any) -> None:
    """A history that is imported beside another one is older than what is there."""
    late, early = make.chain(["Active", "Paused"], "a", start=10), make.chain(["Active", "Paused"], "b", start=4)
    await appended(store, late, early)

    assert [(one.key[-1], one.sequence) for one in await outlined(store)] == [("b", 1), ("b", 2), ("a", 1), ("a", 2)]


async def test_outlines_of_many_jobs_come_in_pages(store: Store, make: Any) -> None:
    await appended(store, [make.entry(job=f"job-{n:04}", full=make.snapshot()) for n in range(1500)])

    assert len({one.key for one in await outlined(store)}) == 1500


PRUNINGS = [
    pytest.param(["Active", "Quarantine", "Active"], 0, 0, [1, 2, 3], id="nothing is older"),
    pytest.param(
        ["Active", "Quarantine", "Active"], 60, 0, [1, 2, 3], id="all is older, but the last whole one is the first"
    ),
    pytest.param(["Active", "Quarantine", "+Active", "Paused"], 60, 2, [3, 4], id="up to the last whole one"),
    pytest.param(
        ["Active", "Quarantine", "+Active", "Paused"], 10, 2, [3, 4], id="a whole one at the very instant stays"
    ),
    pytest.param(
        ["Active", "Quarantine", "+Active", "Paused"],
        9,
        0,
        [1, 2, 3, 4],
        id="a whole one that is younger does not count",
    ),
    pytest.param(["Active", "+Paused", "gone"], 60, 3, [], id="a job that vanished before"),
    pytest.param(["Active", "+Paused", "gone"], 10, 1, [2, 3], id="a job that vanished at the very instant"),
]


@pytest.mark.parametrize(("codes", "minute", "deleted", "kept"), PRUNINGS)
async def test_pruning_keeps_what_a_replay_needs(
    store: Store, make: Any, codes: list[str], minute: float, deleted: int, kept: list[int]
) -> None:
    """`+` marks a further whole entry."""
    chain = make.chain([word.lstrip("+") for word in codes])
    for place, word in enumerate(codes):
        if word.startswith("+"):
            chain[place] = attrs.evolve(chain[place], changes=(), full=make.snapshot(code=word[1:]))
    untouched = make.chain(["Active"], "young", start=120)
    await appended(store, chain, untouched)
    before = await read(store, since=make.at(minute))

    async with store.transaction() as transaction:
        assert await transaction.prune(make.at(minute)) == deleted

    assert [entry.sequence for entry in await read(store, job_id="job-1")] == kept
    assert await read(store, since=make.at(minute)) == before
    async with store.transaction() as transaction:
        assert await transaction.prune(make.at(minute)) == 0


async def test_pruning_a_job_that_vanished_leaves_the_one_that_came_back(store: Store, make: Any) -> None:
    again = make.chain(["Paused", "Active"], start=20)
    await appended(store, make.chain(["Active", "gone"]), again)

    async with store.transaction() as transaction:
        assert await transaction.prune(make.at(60)) == 2

    assert await read(store) == again


async def test_pruning_deletes_what_else_is_older(store: Store, make: Any) -> None:
    ends = {"d-old": 4, "d-at": 5, "d-open": None}
    async with store.transaction() as transaction:
        for minute in (4, 5):
            await transaction.append_round(make.round(minute))
        await transaction.append_transitions([make.transition(4), make.transition(5)])
        await transaction.append_log([make.decision(4, alerts=("f1", "f2")), make.decision(5)])
        for name, minute in ends.items():
            ended_at = None if minute is None else make.at(minute)
            await transaction.save_delivery(make.delivery(name, state=DeliveryState.SKIPPED, ended_at=ended_at))

        assert await transaction.prune(make.at(5)) == 4

        assert await transaction.rounds(make.tenant().key) == (make.round(5),)
        assert await transaction.transitions() == (make.transition(5),)
        assert await transaction.log(fingerprint="f1") == (make.decision(5),)
        assert {row.id for row in await transaction.deliveries()} == {"d-at", "d-open"}


async def test_pruning_keeps_the_reading_outcome_in_force(store: Store, make: Any) -> None:
    """Run-length: a principal's last change before the instant says how it answered at it."""
    changes = [
        make.reading("ok", 0),
        make.reading("server", 1),
        make.reading("ok", 2),
        make.reading("auth", 9),
        make.reading("ok", 0, "sp-2"),
    ]
    async with store.transaction() as transaction:
        await transaction.append_reading_changes(changes)

        assert await transaction.prune(make.at(5)) == 2

        assert set(await transaction.reading_changes(make.tenant().key)) == {changes[2], changes[3], changes[4]}


async def test_changes_that_fit_no_snapshot_are_an_error_that_names_the_job(store: Store, make: Any) -> None:
    from alertd.errors import StoreError

    chain = make.chain(["Active", "Paused"])
    await appended(store, [chain[0], attrs.evolve(chain[1], changes=(Change("status.unheard.of", 1, 2),))])

    assert len(await read(store)) == 2
    with pytest.raises(StoreError, match="job-1"):
        await read(store, since=make.at(5))
