"""The composition root: from a configuration to a running alertd, and to what one command of it needs.

    app = App(config)
    await app.open()          # lock, store, connections
    try:
        await app.run()       # until app.stop()
    finally:
        await app.close()

A reload builds everything new first; only when all of it is right is it taken over, and what is due, told and under way stays as it is.
"""

from __future__ import annotations

import random
import ssl
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from datetime import datetime, timedelta
from functools import partial
from http import HTTPStatus
from pathlib import Path
from typing import Any

import attrs
import structlog

from alertd.alerts.book import RuleBook
from alertd.building import Built, build
from alertd.clock import Clock, SystemClock
from alertd.config import Config, Heartbeat, Poll, Tenant, load_config
from alertd.engine.delivering import Delivering
from alertd.engine.digesting import Digesting, DigestPlan
from alertd.engine.drill import drill
from alertd.engine.flushing import Flushing
from alertd.engine.local import LocalEngine, Upkeep
from alertd.engine.once import Once, Polled, Progress
from alertd.engine.polling import Polling
from alertd.engine.rehoming import rehome
from alertd.engine.rounds import Rounds
from alertd.errors import ConfigError, DeliveryError, Problem, UsageError
from alertd.garbage import seldom_collected
from alertd.graph.meter import Sent
from alertd.graph.settings import HttpSettings, TenantSettings
from alertd.graph.tenant import GraphClients, GraphTenant
from alertd.graph.trust import make_ssl_context
from alertd.metrics import Metrics
from alertd.notify.channels.http import ReceiverHttp
from alertd.notify.channels.port import Channel
from alertd.notify.channels.registry import Services
from alertd.parts import channels_of, digests_of, http_settings, policy_of, routing_of, watched_of
from alertd.store.opening import open_store
from alertd.store.port import Store
from alertd.web.status import EngineFacts

log = structlog.get_logger(__name__)

_NEW_OBJECTS_MAX = 20_000  # some megabytes; a slice of a thousand changed jobs makes twice as many


class App:
    """One alertd over one store.

    store, rounds, flushing, delivering, digesting and engine stand from `open` to `close`.
    """

    store: Store
    rounds: Rounds
    flushing: Flushing
    delivering: Delivering
    digesting: Digesting
    engine: LocalEngine
    _graph: GraphClients
    _receivers: ReceiverHttp

    def __init__(
        self, config: Config, *, clock: Clock | None = None, chance: Callable[[], float] = random.random
    ) -> None:
        self._built = build(config)
        self._clock = clock or SystemClock()
        self._chance = chance
        self._stack = AsyncExitStack()
        self._channels: dict[str, Channel] = {}
        self._tenants: dict[str, tuple[tuple[TenantSettings, HttpSettings], GraphTenant]] = {}
        self._pollings: dict[str, Polling] = {}
        self._made_of: dict[str, tuple[Tenant, Poll]] = {}
        self.reload_problems: tuple[Problem, ...] = ()
        self.metrics = Metrics()
        self._made_at = self._clock.now()

    def facts(self) -> EngineFacts:
        """Say what only the running process knows, for the status page, metrics and readiness."""
        return EngineFacts(
            started_at=self._made_at,
            overdue=self.engine.overdue(),
            unhealthy_rules=tuple(sorted(self.rounds.unhealthy_rules)),
            reload_failed=self.engine.reload_failed,
            reload_problems=self.reload_problems,
            store_trouble=self.engine.store_trouble,
        )

    @property
    def config(self) -> Config:
        """The configuration in force."""
        return self._built.config

    # Opening and closing.

    async def open(self) -> None:
        """Take the store and make every part; raises StoreError if another process has it."""
        async with AsyncExitStack() as stack:
            stack.enter_context(seldom_collected(_NEW_OBJECTS_MAX))
            self.store = await open_store(self.config.store.url, Path.cwd())
            stack.push_async_callback(self.store.close)
            await self._connect(stack)
            self._assemble()
            self._stack = stack.pop_all()

    async def connect(self) -> None:
        """Make connections and channels only, for commands that need no store."""
        async with AsyncExitStack() as stack:
            await self._connect(stack)
            self._channels.update(self._make_channels(self._built))
            self._stack = stack.pop_all()

    def tenants(self) -> tuple[tuple[str, GraphTenant], ...]:
        """Give the configured tenants by name, in the order of the configuration."""
        return tuple((tenant.name, self._tenant(tenant.settings)) for tenant in self.config.tenants)

    @property
    def book(self) -> RuleBook:
        """The rules in force."""
        return self._built.book

    @property
    def pollings(self) -> Mapping[str, Polling]:
        """The pollers of the configured tenants, by key."""
        return self._pollings

    def channels(self) -> tuple[Channel, ...]:
        """Give every receiver's integrations."""
        return tuple(self._channels.values())

    def now(self) -> datetime:
        """Give the present instant of this alertd's clock."""
        return self._clock.now()

    async def close(self) -> None:
        """Release everything in reverse order; idempotent."""
        await self._stack.aclose()

    async def _connect(self, stack: AsyncExitStack) -> None:
        settings = http_settings(self.config)
        self._graph = GraphClients(settings, clock=self._clock, told=self._sent)
        stack.push_async_callback(self._close_graph)
        self._receivers = ReceiverHttp(trust=self._trust, proxy=settings.proxy)
        stack.push_async_callback(self._close_receivers)

    def _sent(self, tenant: str, sent: Sent) -> None:
        self.metrics.graph_sent(tenant, sent.about, sent.outcomes, repeated=sent.repeated)

    async def _close_graph(self) -> None:
        await self._graph.close()

    async def _close_receivers(self) -> None:
        for channel in self._channels.values():
            await channel.close()
        await self._receivers.close()

    def _trust(self) -> ssl.SSLContext:
        return make_ssl_context(self.config.http.ca_file)

    def _assemble(self) -> None:
        config, policy = self.config, policy_of(self.config)
        self._channels.update(self._make_channels(self._built))
        routing = routing_of(config, self._channels)
        self.rounds = Rounds(
            self.store,
            self._built.book,
            routing,
            tells_first_sight=config.poll.first_sight == "alert",
            on_fault=self.metrics.rule_failed,
            on_news=self._flush_soon,
        )
        self.flushing = Flushing(self.store, routing, self._channels, policy, external_url=config.external_url)
        self.delivering = Delivering(self.store, self.flushing, self._channels, policy, chance=self._chance)
        self.digesting = Digesting(self.store, self._digest_plan(config))
        self.engine = LocalEngine(
            store=self.store,
            rounds=self.rounds,
            flushing=self.flushing,
            delivering=self.delivering,
            digesting=self.digesting,
            clock=self._clock,
            upkeep=self._upkeep(config),
            metrics=self.metrics,
        )
        self._pollings = self._make_pollings(config)

    def _flush_soon(self) -> None:
        self.engine.flush_soon()

    def _make_channels(self, built: Built) -> dict[str, Channel]:
        tokens = _Tokens(self._named)
        return channels_of(built.config, Services(templates=built.templates, http=self._receivers, tokens=tokens))

    def _named(self, tenant: str) -> GraphTenant:
        """Give a tenant by its configured name, which was checked when the configuration was read."""
        return self._tenant(next(one.settings for one in self.config.tenants if one.name == tenant))

    def _tenant(self, settings: TenantSettings) -> GraphTenant:
        key, made_of = f"{settings.cloud}/{settings.tenant_id}", (settings, self._graph.settings)
        known = self._tenants.get(key)
        if known is None or known[0] != made_of:
            self._tenants[key] = (made_of, self._graph.tenant(settings))
        return self._tenants[key][1]

    def _make_pollings(self, config: Config) -> dict[str, Polling]:
        return {tenant.key: self._polling(tenant, config) for tenant in config.tenants}

    def _polling(self, tenant: Tenant, config: Config) -> Polling:
        """Keep the poller of a tenant of which nothing has changed, and with it its place in the interval."""
        wanted = (tenant, config.poll)
        known = self._pollings.get(tenant.key)
        if known is not None and self._made_of.get(tenant.key) == wanted:
            return known
        self._made_of[tenant.key] = wanted
        return Polling(
            watched_of(tenant),
            self._tenant(tenant.settings),
            self.rounds,
            self._clock,
            interval=config.poll.interval,
            discovery_interval=config.poll.discovery_interval,
            metrics=self.metrics,
            max_added_delay=config.poll.max_added_delay,
        )

    def _digest_plan(self, config: Config) -> DigestPlan:
        return DigestPlan(
            schedules=digests_of(config),
            watched=tuple(watched_of(tenant) for tenant in config.tenants),
            channels=self._channels,
            policy=policy_of(config),
            external_url=config.external_url,
        )

    def _upkeep(self, config: Config) -> Upkeep:
        beat = config.heartbeat
        return Upkeep(
            poll_interval=config.poll.interval,
            retain=config.history.retain,
            max_bytes=config.history.max_size,
            heartbeat=partial(self._beat, beat) if beat else None,
            heartbeat_interval=beat.interval if beat else timedelta(minutes=1),
        )

    async def _beat(self, heartbeat: Heartbeat) -> None:
        try:
            answer = await self._receivers.post(heartbeat.url.reveal(), b"", {}, who="heartbeat")
        except DeliveryError as error:
            log.warning("heartbeat.failed", reason=str(error))
            return
        if not HTTPStatus.OK <= answer.status < HTTPStatus.MULTIPLE_CHOICES:
            log.warning("heartbeat.refused", status=answer.status)

    # The daemon.

    async def run(self) -> None:
        """Work until `stop`."""
        await self.retire()
        self.engine.watch(self._pollings)
        log.info("alertd.started", tenants=len(self._pollings), integrations=len(self._channels))
        await self.engine.run()
        log.info("alertd.stopped")

    def stop(self) -> None:
        """Take nothing new, finish what is in hand, and let `run` return."""
        self.engine.stop()

    async def retire(self) -> None:
        """Bring what stands in the store under the configuration in force: ended rules and tenants, moved groups, digests."""
        now = self._clock.now()
        await self.rounds.retire(frozenset(self._pollings), now)
        async with self.store.transaction() as transaction:
            await rehome(transaction, self.flushing.routing, now)
        await self.flushing.tell_acknowledgements(now)
        await self.digesting.arrange(now)

    async def tell_acknowledgements(self) -> None:
        """Tell those who keep incidents what somebody has just taken on."""
        await self.flushing.tell_acknowledgements(self.now())
        self.engine.nudge()

    async def reload(self) -> tuple[Problem, ...]:
        """Read the configuration anew and take it over whole, or raise ConfigError and leave everything as it is.

        Gives warnings.
        """
        try:
            fresh = build(load_config(self._file()))
            self._refuse_restarts(fresh.config)
            channels = self._make_channels(fresh)
        except ConfigError as error:
            self.engine.reload_failed = True
            self.reload_problems = error.problems
            self.metrics.reloaded(accepted=False)
            log.error("reload.refused", problems=[str(problem) for problem in error.problems])  # noqa: TRY400 - no bug
            raise
        await self._take_over(fresh, channels)
        self.metrics.reloaded(accepted=True)
        log.info("reload.done", tenants=len(self._pollings))
        return fresh.warnings

    def _file(self) -> Path:
        if self.config.file is None:
            raise UsageError("this alertd was configured by a program; there is no file to read anew")
        return self.config.file

    def _refuse_restarts(self, fresh: Config) -> None:
        """Name what cannot change while the process runs."""
        names = ("store", "engine", "web", "http")
        changed = [name for name in names if getattr(fresh, name) != getattr(self.config, name)]
        if changed:
            cure = "restart alertd to take it over"
            raise ConfigError(
                Problem(file=str(fresh.file), path=name, found="a change", expected="none at a reload", cure=cure)
                for name in changed
            )

    async def _take_over(self, fresh: Built, channels: Mapping[str, Channel]) -> None:
        retired = list(self._channels.values())
        self._built = fresh
        self._channels.clear()
        self._channels.update(channels)
        routing = routing_of(fresh.config, channels)
        self.rounds.book, self.rounds.routing, self.flushing.routing = fresh.book, routing, routing
        self.rounds.tells_first_sight = fresh.config.poll.first_sight == "alert"
        self.flushing.policy = self.delivering.policy = policy_of(fresh.config)
        self.flushing.external_url = fresh.config.external_url
        self._graph.settings = http_settings(fresh.config)
        self.digesting.plan = self._digest_plan(fresh.config)
        self._pollings = self._make_pollings(fresh.config)
        await self.retire()
        self.engine.maintain(self._upkeep(fresh.config))
        self.engine.watch(self._pollings)
        self.engine.reload_failed, self.reload_problems = False, ()
        self.engine.nudge()
        for channel in retired:
            await channel.close()

    async def drill(self, receiver: str) -> list[dict[str, Any]]:
        """Send a marked drill to every integration of a receiver; give what became of each."""
        channels = [channel for channel in self._channels.values() if channel.integration.receiver == receiver]
        if not channels:
            raise UsageError(f"no receiver {receiver!r} with an integration in the configuration in force")
        sent = await drill(
            channels,
            store=self.store,
            delivering=self.delivering,
            clock=self._clock,
            external_url=self.config.external_url,
        )
        return [
            {"integration": one.integration_id, "state": str(one.state), "detail": one.detail, "error": one.error}
            for one in sent
        ]

    # One round, for cron.

    async def poll(self, *, wait: bool = True, progress: Progress = lambda _tenant, _done, _asked: None) -> Polled:
        """Poll every tenant once, tell what there is to tell, and make the first attempts; `wait` for groups that open by it."""
        await self.retire()
        once = Once(
            store=self.store,
            rounds=self.rounds,
            flushing=self.flushing,
            delivering=self.delivering,
            digesting=self.digesting,
            clock=self._clock,
        )
        longest_wait = self.flushing.routing.longest_wait if wait else None
        return await once.run(self._pollings.values(), longest_wait=longest_wait, progress=progress)


@attrs.frozen
class _Tokens:
    """Authorization for channels that speak to Microsoft. tenant: gives a configured tenant by its name."""

    tenant: Callable[[str], GraphTenant]

    async def header(self, tenant: str, scope: str, *, rejected: str | None = None) -> str:
        """Give the value of an Authorization header of the tenant's application for this scope; raises PollError."""
        return await self.tenant(tenant).header(scope, rejected=rejected)
