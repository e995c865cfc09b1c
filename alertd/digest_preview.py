"""The digest as it would be now, for people and programs that ask; nothing is sent and nothing is written."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import attrs

from alertd.building import templates_of
from alertd.config import Config
from alertd.engine.digesting import gather, message
from alertd.errors import UsageError
from alertd.model.digest import Digest, DigestSchedule
from alertd.model.suggestion import did_you_mean
from alertd.parts import digests_of, watched_of
from alertd.render import context, fitting
from alertd.render.filters import json_text
from alertd.render.message import part_value
from alertd.render.parts import TEXT
from alertd.store.opening import open_store_read_only
from alertd.store.port import Store

LOOK_BACK = timedelta(days=7)  # where no digest has been set up to compare with
_LINES = fitting.Budget(text=300, entries=50)


@attrs.frozen(kw_only=True)
class Preview:
    """A digest and whose it is."""

    receiver: str
    digest: Digest
    sequence: int = 1


async def look(config: Config, receiver: str | None, now: datetime | None = None) -> Preview:
    """Gather the digest of a receiver, by default of the first that gets one.

    Raises UsageError where there is no such receiver, StoreError where there is no store yet.
    """
    names = [known.name for known in config.receivers]
    if receiver is not None and receiver not in names:
        raise UsageError(f"no receiver {receiver!r}; {did_you_mean(receiver, names)}")
    instant = now or datetime.now(UTC)
    schedule = next((one for one in digests_of(config) if receiver in {None, one.receiver}), None)
    store = await open_store_read_only(config.store.url, Path.cwd())
    try:
        since, sequence = await _compared_with(store, schedule, instant)
        digest = await gather(store, [watched_of(tenant) for tenant in config.tenants], since=since, now=instant)
    finally:
        await store.close()
    whose = receiver or (schedule.receiver if schedule else config.route.receiver)
    return Preview(receiver=whose, digest=digest, sequence=sequence)


async def _compared_with(store: Store, schedule: DigestSchedule | None, now: datetime) -> tuple[datetime, int]:
    """Give the instant to compare with, and the number of the digest that would be sent."""
    async with store.reading() as reader:
        records = {record.key: record for record in await reader.digests()}
    record = records.get(schedule.key) if schedule is not None else None
    return (record.since, record.sequence + 1) if record is not None else (now - LOOK_BACK, 1)


def digest_text(preview: Preview, config: Config) -> str:
    """Write it as the text of a mail; a template of the operator's that fails raises TemplateFailure."""
    told = message(
        preview.receiver,
        preview.digest,
        preview.digest.at,
        key="preview",
        sequence=preview.sequence,
        url=config.external_url,
    )
    shown = fitting.reduced(context.message(told), _LINES)
    text: str = part_value(shown, "email", TEXT, templates_of(config), [])
    return text


def digest_json(preview: Preview) -> str:
    """Write it as a webhook carries it."""
    return json_text(preview.digest)
