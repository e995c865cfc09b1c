"""Readings: what each service principal answered about its jobs, twenty of them in a batch, given as they come."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterable, Sequence
from datetime import datetime
from itertools import islice

import msgspec

from alertd.errors import PollError
from alertd.graph.answers import Place
from alertd.graph.client import BudgetSpentError, GraphClient
from alertd.graph.digest import digest_of
from alertd.graph.paging import Page, decode_page
from alertd.graph.segments import segment
from alertd.model.decoding import MalformedResource, decode_job
from alertd.model.reading import Failed, Known, NotAsked, Ok, Reading, Unchanged, nothing_known
from alertd.model.resources import SynchronizationJob


class _Id(msgspec.Struct):
    id: str


_id = msgspec.json.Decoder(_Id)
_UNCHANGED = Unchanged()


async def read_principals(
    client: GraphClient, ids: Iterable[str], *, deadline: datetime, known: Known = nothing_known
) -> AsyncGenerator[dict[str, Reading], None]:
    """Give the readings of all service principals that are asked for, some at a time as they come; no failure of any is raised.

    No more batches are under way than may be in flight, so what is held does not grow with what is asked. Without a token nobody is asked,
    and every reading is that failure. An answer whose digest is `known` is not read again: it is Unchanged.
    """
    asked = list(dict.fromkeys(ids))
    try:
        await client.tokens.header()
    except PollError as exc:
        yield dict.fromkeys(asked, _failed(exc))
        return
    chunks = (asked[start : start + client.parts_max] for start in range(0, len(asked), client.parts_max))
    under_way: set[asyncio.Task[dict[str, Reading]]] = set()
    try:
        while True:
            for chunk in islice(chunks, client.settings.concurrency - len(under_way)):
                under_way.add(asyncio.create_task(_read_chunk(client, chunk, deadline, known)))
            if not under_way:
                return
            done, under_way = await asyncio.wait(under_way, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                yield task.result()
    finally:
        await _cancelled(under_way)


async def _cancelled(tasks: Iterable[asyncio.Task[dict[str, Reading]]]) -> None:
    """End what nobody waits for any more."""
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def _read_chunk(client: GraphClient, ids: Sequence[str], deadline: datetime, known: Known) -> dict[str, Reading]:
    paths = [f"/servicePrincipals/{segment(identifier)}/synchronization/jobs" for identifier in ids]
    parts = await client.batch(paths, deadline=deadline)
    readings: dict[str, Reading] = {}
    for identifier, part in zip(ids, parts, strict=True):
        if isinstance(part, PollError):
            readings[identifier] = NotAsked() if isinstance(part, BudgetSpentError) else _failed(part)
            continue
        digest = digest_of(part)
        try:
            same = known(identifier) == digest
            readings[identifier] = _UNCHANGED if same else await _read_part(client, part, digest, deadline)
        except PollError as exc:
            readings[identifier] = _failed(exc)
    return readings


async def _read_part(client: GraphClient, part: msgspec.Raw, digest: int, deadline: datetime) -> Reading:
    """Read a body; its digest stands for all of it only where no further page does."""
    page = decode_page(part)
    if page.next_link:
        return _reading(await _all_entries(client, page, deadline))
    return _reading(page.value, digest)


async def _all_entries(client: GraphClient, first: Page, deadline: datetime) -> list[msgspec.Raw]:
    """Read on to the last page: half an answer is none, or the jobs of the other half would look gone."""
    entries = list(first.value)
    async for page in client.pages(first.next_link or "", place=Place.SYNCHRONIZATION, deadline=deadline):
        entries += page.value
    return entries


def _reading(entries: Iterable[msgspec.Raw], digest: int | None = None) -> Reading:
    """Read the jobs, each alone."""
    jobs: list[SynchronizationJob] = []
    unreadable: list[tuple[str, str]] = []
    for raw in entries:
        job = _read_job(raw)
        if isinstance(job, SynchronizationJob):
            jobs.append(job)
        else:
            unreadable.append(job)
    return Ok(jobs=tuple(jobs), unreadable=tuple(unreadable), digest=digest)


def _read_job(raw: msgspec.Raw) -> SynchronizationJob | tuple[str, str]:
    """Read one job, or give its id, empty where that cannot be read either, and the path of what is wrong."""
    try:
        return decode_job(raw)
    except MalformedResource as exc:
        fault = str(exc)
    try:
        return _id.decode(raw).id, fault
    except (msgspec.DecodeError, UnicodeDecodeError):
        return "", fault


def _failed(error: PollError) -> Failed:
    return Failed(kind=error.kind, message=str(error), cure=error.cure)
