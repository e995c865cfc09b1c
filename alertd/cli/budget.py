"""Whether `poll.max_requests_per_minute` covers the tenants as the store knows them. Without a store nobody knows, and nothing is said."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from pathlib import Path

from alertd.config import Config
from alertd.config.places import place_of
from alertd.errors import StoreError
from alertd.graph.cures import BUDGET_CURE
from alertd.model.document import Node

_LOOK_BACK = timedelta(days=1)  # a tenant that was not polled for longer may be another one by now


def check_budget(config: Config, root: Node) -> None:
    """Warn, at the key, of each tenant that has more service principals with jobs than a round has requests for."""
    per_minute = config.poll.max_requests_per_minute
    if per_minute is None:
        return
    import asyncio  # late, as is the store below: without a budget nobody needs either

    room = math.floor(per_minute * (config.poll.interval / timedelta(minutes=1)))
    place = place_of(root, "poll", "max_requests_per_minute")
    for name, needed in asyncio.run(_needed(config)):
        if needed > room:
            found = f"{room:,} requests in a round, where tenant `{name}` needs {needed:,}"
            place.problem(f"{found}: not everybody is asked in every round", cure=BUDGET_CURE, warning=True)


async def _needed(config: Config) -> list[tuple[str, int]]:
    """Give the requests that a round of each tenant needs on average, as far as that is known."""
    from alertd.store.opening import open_store_read_only

    try:
        store = await open_store_read_only(config.store.url, Path.cwd())
    except StoreError:
        return []
    try:
        async with store.reading() as reader:
            since = datetime.now(UTC) - _LOOK_BACK
            latest = [(one.name, await reader.rounds(one.key, since=since)) for one in config.tenants]
    except StoreError:
        return []
    finally:
        await store.close()
    share = config.poll.interval / (config.poll.interval + config.poll.max_added_delay)
    return [(name, math.ceil(rounds[-1].in_line * share)) for name, rounds in latest if rounds]
