"""A whole alertd: the daemon as its users start it, a simulated Graph before it and receivers behind it, over real sockets."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import attrs
import pytest

from alertd.model.resources import SynchronizationJob, SynchronizationQuarantine, SynchronizationStatus
from alertd.simulator.inbox import Arrival, Medium
from alertd.simulator.receivers import Receivers
from alertd.simulator.simulator import Simulator
from alertd.simulator.tenant import SimulatedJob

WAIT_SECONDS = 40.0  # only a broken build waits so long
LONG_AGO = datetime(2026, 1, 5, 9, tzinfo=UTC)


def active(job_id: str = "SF.1") -> SynchronizationJob:
    return SynchronizationJob(
        id=job_id, templateId="Salesforce", status=SynchronizationStatus(code="Active", escrowsPruned=False)
    )


def quarantined(job_id: str = "SF.1") -> SynchronizationJob:
    quarantine = SynchronizationQuarantine(
        reason="EncounteredQuarantineException", currentBegan=LONG_AGO, seriesBegan=datetime.now(UTC)
    )
    return SynchronizationJob(
        id=job_id, templateId="Salesforce", status=SynchronizationStatus(code="Quarantine", quarantine=quarantine)
    )


@attrs.define
class Site:
    """A folder with a configuration, and what stands around it."""

    folder: Path
    simulator: Simulator
    origin: str
    receivers: Receivers
    processes: list[asyncio.subprocess.Process] = attrs.field(factory=list)

    def job(self, name: str = "Salesforce", job_id: str = "SF.1", tenant: str = "contoso") -> SimulatedJob:
        return self.simulator.add_tenant(tenant).add_job(
            name, job_id, [active(job_id)], start=LONG_AGO, interval=timedelta(minutes=5)
        )

    def configure(
        self,
        *,
        rules: str = "builtin",
        route: str = "group_wait: 0s, group_interval: 1s",
        extra: str = "",
        kinds: str = "teams email webhook",
    ) -> Path:
        integrations = {
            "teams": f"    teams: [{{url: '{self.receivers.teams_url}', allow_http: true}}]\n",
            "email": "    email: [{to: [oncall@example.com], from: alertd@example.com, smtp: "
            f"{{host: 127.0.0.1, port: {self.receivers.mail.port}, tls: none}}}}]\n",
            "webhook": f"    webhook: [{{url: '{self.receivers.webhook_url}', signing_secret: '{self.receivers.webhook.signing_secret}'}}]\n",
        }
        tenants = "".join(
            f"  - {{name: {one.name}, tenant_id: {one.id}, client_id: {one.client_id}, graph_url: '{self.origin}', "
            f"authority: '{self.origin}', credential: {{client_secret: {one.secrets[0].text}}}}}\n"
            for one in self.simulator.tenants.values()
        )
        text = (
            f"poll: {{interval: 1s, timeout: 1s}}\nrules: [{rules}]\ntenants:\n{tenants}"
            f"receivers:\n  - name: oncall\n{''.join(integrations[kind] for kind in kinds.split())}"
            f"route: {{receiver: oncall, {route}}}\n{extra or 'web: null'}\n"
        )
        path = self.folder / "alertd.yaml"
        path.write_text(text, encoding="utf-8")
        return path

    async def command(self, *words: str) -> tuple[int, str, str]:
        process = await self._start(*words)
        out, err = await asyncio.wait_for(process.communicate(), WAIT_SECONDS)
        return process.returncode or 0, out.decode(), err.decode()

    async def daemon(self) -> asyncio.subprocess.Process:
        return await self._start("run")

    async def _start(self, *words: str) -> asyncio.subprocess.Process:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "alertd", *words,
            cwd=self.folder,
            env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[2]), "PYTHONWARNINGS": ""},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        self.processes.append(process)
        return process

    async def stop(self, process: asyncio.subprocess.Process, number: int = signal.SIGTERM) -> tuple[int, str]:
        process.send_signal(number)
        _, err = await asyncio.wait_for(process.communicate(), WAIT_SECONDS)
        return process.returncode or 0, err.decode()

    async def until(self, holds: Callable[[], object]) -> None:
        """Wait for the inbox or Graph's log to show something."""
        async with asyncio.timeout(WAIT_SECONDS):
            while not holds():  # noqa: ASYNC110 - another process brings it about
                await asyncio.sleep(0.02)

    def told(self, medium: Medium = Medium.WEBHOOK) -> list[str]:
        """Give the reasons of what a receiver accepted, oldest first; what alertd says of itself is another matter."""
        return [
            arrival.message.reason
            for arrival in reversed(self.accepted(medium))
            if b"ReloadFailed" not in arrival.message.body
        ]

    def accepted(self, medium: Medium) -> list[Arrival]:
        return [arrival for arrival in self.receivers.inbox.arrivals(medium=medium) if arrival.accepted]


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    simulator = Simulator()
    async with simulator.serving() as server, Receivers() as receivers:
        made = Site(folder=tmp_path, simulator=simulator, origin=server.origin, receivers=receivers)
        yield made
        for process in made.processes:
            if process.returncode is None:
                with contextlib.suppress(ProcessLookupError):
                    process.kill()
                await process.communicate()
