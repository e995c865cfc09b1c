"""What `alertd doctor` finds: each tenant's way to Graph, and the way to each receiver."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Literal

import attrs

from alertd.errors import DeliveryError
from alertd.graph.tenant import GraphTenant, Probe
from alertd.notify.channels.port import Channel

if TYPE_CHECKING:
    from alertd.app import App

PROBE_SECONDS = 60
SKEW_MAX = timedelta(minutes=2)  # tokens are refused from five on; message times look odd before that
JOBS_ROLES = frozenset({"Synchronization.Read.All", "Synchronization.ReadWrite.All"})
DIRECTORY_ROLES = frozenset(
    {"Application.Read.All", "Application.ReadWrite.All", "Directory.Read.All", "Directory.ReadWrite.All"}
)

Level = Literal["ok", "warning", "error"]


@attrs.frozen
class Finding:
    """One thing that was tried. subject: ``tenant contoso`` or an integration's id. text: what was found, and the cure."""

    level: Level
    subject: str
    text: str

    def report(self) -> dict[str, Any]:
        """Say it to a program."""
        return attrs.asdict(self)


async def diagnose(app: App, progress: Callable[[str, int, int], None]) -> list[Finding]:
    """Try everything at once; give the findings in the order of the configuration."""
    tasks = [_tenant(name, tenant, app) for name, tenant in app.tenants()]
    tasks += [_channel(channel) for channel in app.channels()]
    done = 0

    async def counted(task: Any) -> Sequence[Finding]:  # noqa: ANN401 - a coroutine of findings
        nonlocal done
        findings: Sequence[Finding] = await task
        done += 1
        progress("examined", done, len(tasks))
        return findings

    return [finding for findings in await asyncio.gather(*map(counted, tasks)) for finding in findings]


async def _tenant(name: str, tenant: GraphTenant, app: App) -> Sequence[Finding]:
    probe = await tenant.probe(app.now() + timedelta(seconds=PROBE_SECONDS))
    return list(judged(f"tenant {name}", probe))


def judged(subject: str, probe: Probe) -> Iterator[Finding]:
    """Judge what a probe of the way to Graph showed."""
    if probe.error is not None:
        text = f"{probe.error.kind}: {probe.error.message}"
        yield Finding("error", subject, f"{text}; {probe.error.cure}" if probe.error.cure else text)
    else:
        yield Finding("ok", subject, "a token was given and Graph answers")
    if probe.roles is not None:
        yield from _roles(subject, frozenset(probe.roles))
    if probe.clock_skew is not None and abs(probe.clock_skew) > SKEW_MAX:
        seconds = round(probe.clock_skew.total_seconds())
        yield Finding("warning", subject, f"Graph's clock is {seconds} s from this machine's: synchronise it (NTP)")


def _roles(subject: str, roles: frozenset[str]) -> Iterator[Finding]:
    for wanted, least in ((JOBS_ROLES, "Synchronization.Read.All"), (DIRECTORY_ROLES, "Application.Read.All")):
        if not roles & wanted:
            cure = "add it to the app registration and grant admin consent"
            yield Finding("error", subject, f"the token lacks the application permission {least}: {cure}")
    writing = sorted(role for role in roles if "ReadWrite" in role)
    if writing:
        cure = "alertd only reads; take them away"
        yield Finding("warning", subject, f"the token can write ({', '.join(writing)}): {cure}")


async def _channel(channel: Channel) -> Sequence[Finding]:
    name = channel.integration.id
    try:
        accepted = await channel.check()
    except DeliveryError as error:
        return [Finding("error", name, str(error))]
    return [Finding("ok", name, accepted.detail or "can be reached")]
