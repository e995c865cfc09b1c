"""Who polls: alertd as it runs, and loops that fetch the same batches and drop them."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Iterator
from pathlib import Path

import aiohttp
import attrs

from alertd.app import App
from alertd.config import load_config
from alertd.engine.polling import Polling
from alertd.graph.batch import PARTS_MAX, encode_batch
from alertd.graph.settings import HttpSettings
from alertd.graph.transport import Transport
from alertd.log import configure
from bench.bodies import principal_id

TENANT_ID = "6c1f3a52-0d3e-4a53-9f5e-1a2b3c4d5e6f"
TOKEN = "t" * 1800  # as long as Graph's tokens are
CONCURRENCY = 6  # alertd's default: batches of one tenant in flight

_CONFIG = """\
store: sqlite:///alertd.db
poll: {{interval: 1h, timeout: 1m, discovery_interval: 7d}}
tenants:
  - name: contoso
    tenant_id: {tenant}
    graph_url: {origin}
    credential: {{access_token_file: token}}
receivers: [{{name: nobody}}]
route: {{receiver: nobody, group_wait: 1h}}
web: null
"""


@attrs.define
class AlertdPoll:
    """alertd's own round: read, decode, compare, rules, store. Prepared by its first two rounds, in which everything is new."""

    origin: str
    jobs: int
    _folder: tempfile.TemporaryDirectory[str] | None = None
    _app: App | None = None

    async def prepare(self) -> None:
        """Start it, and let it see everything."""
        configure("warning")
        self._folder = tempfile.TemporaryDirectory(prefix="alertd-bench-")
        folder = Path(self._folder.name)
        (folder / "token").write_text(TOKEN, encoding="ascii")
        text = _CONFIG.format(tenant=TENANT_ID, origin=self.origin)
        text = text.replace("alertd.db", (folder / "alertd.db").as_posix())
        (folder / "alertd.yaml").write_text(text, encoding="utf-8")
        self._app = App(load_config(folder / "alertd.yaml"))
        await self._app.open()
        await self._app.retire()
        for _ in range(2):
            await self.turn()

    async def turn(self) -> int:
        """Poll once."""
        tally = await self._polling.round()
        assert tally.jobs == self.jobs, f"read {tally.jobs} jobs of {self.jobs}"  # noqa: S101 - else it was no race
        return tally.jobs

    async def close(self) -> None:
        """Stop it and forget its store."""
        if self._app is not None:
            await self._app.close()
        if self._folder is not None:
            self._folder.cleanup()

    @property
    def _polling(self) -> Polling:
        assert self._app is not None  # noqa: S101 - prepared first
        return next(iter(self._app.pollings.values()))


def _batches(jobs: int) -> Iterator[bytes]:
    for first in range(0, jobs, PARTS_MAX):
        numbers = range(first, min(first + PARTS_MAX, jobs))
        paths = [f"/servicePrincipals/{principal_id(number)}/synchronization/jobs" for number in numbers]
        yield encode_batch({str(place): path for place, path in enumerate(paths, start=1)})


_HEADERS = {"Authorization": f"Bearer {TOKEN}", "Accept": "application/json", "Content-Type": "application/json"}


@attrs.define
class TransportLoop:
    """The same batches through alertd's transport, dropped as they come."""

    origin: str
    jobs: int
    _transport: Transport | None = None

    async def prepare(self) -> None:
        """Open the connections."""
        self._transport = Transport(self.origin, HttpSettings())
        await self.turn()

    async def turn(self) -> int:
        """Fetch everything once."""
        batches = _batches(self.jobs)
        await asyncio.gather(*(self._fetch(batches) for _ in range(CONCURRENCY)))
        return self.jobs

    async def _fetch(self, batches: Iterator[bytes]) -> None:
        assert self._transport is not None  # noqa: S101 - prepared first
        for content in batches:
            url = f"{self.origin}/v1.0/$batch"
            reply = await self._transport.send("POST", url, headers=_HEADERS, content=content, timeout_seconds=60.0)
            assert reply.body  # noqa: S101 - else it was no race

    async def close(self) -> None:
        """Close the connections."""
        if self._transport is not None:
            await self._transport.close()


@attrs.define
class AiohttpLoop:
    """The same batches through aiohttp alone, dropped as they come."""

    origin: str
    jobs: int
    _session: aiohttp.ClientSession | None = None

    async def prepare(self) -> None:
        """Open the connections."""
        self._session = aiohttp.ClientSession()
        await self.turn()

    async def turn(self) -> int:
        """Fetch everything once."""
        batches = _batches(self.jobs)
        await asyncio.gather(*(self._fetch(batches) for _ in range(CONCURRENCY)))
        return self.jobs

    async def _fetch(self, batches: Iterator[bytes]) -> None:
        assert self._session is not None  # noqa: S101 - prepared first
        for content in batches:
            async with self._session.post(f"{self.origin}/v1.0/$batch", data=content, headers=_HEADERS) as response:
                assert await response.read()  # noqa: S101 - else it was no race

    async def close(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()
