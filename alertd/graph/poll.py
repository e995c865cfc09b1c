"""Readings: what each service principal answered about its jobs, twenty of them in a batch."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from datetime import datetime
from urllib.parse import quote

import msgspec

from alertd.errors import PollError
from alertd.graph.answers import Place
from alertd.graph.batch import PARTS_MAX
from alertd.graph.client import GraphClient
from alertd.graph.paging import decode_page
from alertd.model.decoding import MalformedResource, decode_job
from alertd.model.reading import Failed, Ok, Reading
from alertd.model.resources import SynchronizationJob


class _Id(msgspec.Struct):
    id: str


_id = msgspec.json.Decoder(_Id)


async def read_principals(client: GraphClient, ids: Iterable[str], *, deadline: datetime) -> dict[str, Reading]:
    """Give the reading of every service principal that is asked for, by object id; no failure of any is raised.

    Without a token nobody is asked, and every reading is that failure.
    """
    asked = list(dict.fromkeys(ids))
    try:
        await client.tokens.header()
    except PollError as exc:
        return dict.fromkeys(asked, _failed(exc))
    chunks = [asked[start : start + PARTS_MAX] for start in range(0, len(asked), PARTS_MAX)]
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(_read_chunk(client, chunk, deadline)) for chunk in chunks]
    return {identifier: reading for task in tasks for identifier, reading in task.result().items()}


async def _read_chunk(client: GraphClient, ids: Sequence[str], deadline: datetime) -> dict[str, Reading]:
    paths = [f"/servicePrincipals/{quote(identifier, safe='')}/synchronization/jobs" for identifier in ids]
    parts = await client.batch(paths, deadline=deadline)
    return {identifier: await _reading(client, part, deadline) for identifier, part in zip(ids, parts, strict=True)}


async def _reading(client: GraphClient, part: msgspec.Raw | PollError, deadline: datetime) -> Reading:
    """Read one principal's answer, all its pages; half an answer is none, or its jobs would look gone."""
    if isinstance(part, PollError):
        return _failed(part)
    jobs: list[SynchronizationJob] = []
    unreadable: list[tuple[str, str]] = []
    try:
        async for raw in _entries(client, part, deadline):
            job = _read_job(raw)
            if isinstance(job, SynchronizationJob):
                jobs.append(job)
            else:
                unreadable.append(job)
    except PollError as exc:
        return _failed(exc)
    return Ok(jobs=tuple(jobs), unreadable=tuple(unreadable))


async def _entries(client: GraphClient, part: msgspec.Raw, deadline: datetime) -> AsyncIterator[msgspec.Raw]:
    first = decode_page(part)
    for raw in first.value:
        yield raw
    if first.next_link:
        async for page in client.pages(first.next_link, place=Place.SYNCHRONIZATION, deadline=deadline):
            for raw in page.value:
                yield raw


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
