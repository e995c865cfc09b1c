"""The notifying half at work for one real channel: what a receiver sees, in the order in which it sees it."""

from __future__ import annotations

from datetime import datetime, timedelta

from alertd.alerts.judgement import Move
from alertd.alerts.lifecycle import Conditions, advance
from alertd.engine.delivering import Delivering
from alertd.engine.flushing import Flushing
from alertd.engine.recording import record
from alertd.model.alert import Alert, Evidence, Identity
from alertd.notify.channels.port import Channel
from alertd.notify.outcome import DeliveryPolicy
from alertd.notify.pace import Pace
from alertd.notify.routes import Route
from alertd.notify.routing import Routing
from alertd.store.memory import MemoryStore
from alertd.store.port import Store


class Desk:
    """One alert, one group, one channel, and a clock that is set."""

    def __init__(
        self,
        channel: Channel,
        now: datetime,
        *,
        repeat: timedelta = timedelta(hours=24),
        store: Store | None = None,
    ) -> None:
        self.now = now
        self.store = store or MemoryStore()
        self.alert: Alert | None = None
        pace = Pace(group_wait=timedelta(0), group_interval=timedelta(minutes=5), repeat_interval=repeat)
        root = Route(id="{}", receiver="oncall", group_by=(), pace=pace)
        self.routing = Routing(root=root, receivers={"oncall": (channel.integration,)})
        channels = {channel.integration.id: channel}
        self.flushing = Flushing(self.store, self.routing, channels, DeliveryPolicy())
        self.delivering = Delivering(self.store, self.flushing, channels, DeliveryPolicy(), chance=lambda: 0.0)

    async def turn(self, *, active: bool) -> None:
        """Let the condition be true or false at the present instant."""
        conditions = Conditions(
            identity=Identity(rule="JobQuarantined", tenant_key="global/1"),
            active=active,
            cleared=not active,
            severity="critical",
            labels={"alertname": "JobQuarantined"},
            evidence=Evidence(observed_to=self.now),
            new_series=False,
        )
        before, self.alert = self.alert, advance(self.alert, conditions, self.now)
        async with self.store.transaction() as transaction:
            await record(transaction, [Move(before, self.alert)], (), self.routing, self.now)

    async def wait(self, duration: timedelta) -> None:
        """Let time pass, and everything that falls due in it happen at its instant."""
        until = self.now + duration
        while True:
            dues = [due for due in (await self.flushing.next_due(), await self.delivering.next_due()) if due]
            if not dues or min(dues) > until:
                break
            self.now = max(self.now, min(dues))
            await self.flushing.flush_due(self.now)
            for one in await self.delivering.due(self.now, 10):
                claimed = await self.delivering.claim(one.delivery_id, self.now)
                if claimed is not None:
                    await self.delivering.finish(claimed.id, await self.delivering.send(claimed, self.now), self.now)
        self.now = until
