"""The notifying half at work, under a clock of its own: real decisions, real store, and receivers that remember what they were told."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Literal

import attrs

from alertd.alerts.judgement import Move, end_all
from alertd.alerts.lifecycle import Conditions, advance, end
from alertd.engine.delivering import Delivering
from alertd.engine.flushing import Flushing
from alertd.engine.recording import record
from alertd.engine.rehoming import rehome
from alertd.errors import DeliveryError, DeliveryFailureReason
from alertd.model.alert import Alert, Ended, Event, Evidence, Identity
from alertd.model.notification import Notification, Rendered
from alertd.model.views import Job
from alertd.notify.channels.port import Accepted, Integration, Limits
from alertd.notify.intervals import NamedIntervals, TimeInterval, TimesOfDay
from alertd.notify.matchers import parse_matcher
from alertd.notify.outcome import DeliveryPolicy
from alertd.notify.pace import Pace
from alertd.notify.routes import Route
from alertd.notify.routing import Routing
from alertd.notify.silences import Silence
from alertd.notify.steps import Step
from alertd.store.memory import MemoryStore
from alertd.store.values import Conversation

from .alerts import START, event

SECOND, MINUTE, HOUR, DAY = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)

Mood = Literal["up", "down", "silent", "refusing"]


@attrs.frozen(kw_only=True)
class Message:
    """What a receiver took: the reason, the names under each heading, and the events by number."""

    at: datetime
    conversation: str
    reason: str
    firing: str
    resolved: str
    events: list[int]


class Receiver:
    """One integration. mood: how it answers. told: what it took. believes: the alerts it holds to be firing, by conversation."""

    def __init__(
        self, receiver: str, *, name: str = "default", send_resolved: bool = True, closes_silently: bool = False
    ) -> None:
        self.integration = Integration(
            receiver=receiver,
            kind="webhook",
            name=name,
            send_resolved=send_resolved,
            closes_silently=closes_silently,
            deduplicates=True,
            limits=Limits(body_bytes_max=10**6, blocks_max=10**3),
        )
        self.mood: Mood = "up"
        self.told: list[Message] = []
        self.believes: dict[str, set[str]] = {}
        self._taken: set[str] = set()

    def render(self, notification: Notification) -> Rendered:
        """Write down what is told."""
        body = {
            "conversation": notification.conversation,
            "reason": notification.reason.value,
            "firing": "".join(sorted(item.name for item in notification.firing)),
            "resolved": "".join(sorted(entry.alert.name for entry in notification.resolved)),
            "events": [item.sequence for item in notification.events],
        }
        return Rendered(body=json.dumps(body).encode(), content_type="application/json")

    async def send(
        self, rendered: Rendered, *, key: str, attempt: int, now: datetime, recipients: tuple[str, ...] = ()
    ) -> Accepted:
        """Answer as the mood is; silence takes the message all the same, and a key is taken once."""
        if self.mood in {"up", "silent"}:
            self._take(key, rendered, now)
        if self.mood == "up":
            return Accepted()
        raise DeliveryError(
            DeliveryFailureReason.OTHER,
            self.mood,
            retriable=self.mood != "refusing",
            ambiguous=self.mood == "silent",
        )

    def _take(self, key: str, rendered: Rendered, now: datetime) -> None:
        if key in self._taken:
            return
        self._taken.add(key)
        message = Message(at=now, **json.loads(rendered.body))
        self.told.append(message)
        believed = self.believes.setdefault(message.conversation, set())
        believed |= set(message.firing)
        believed -= set(message.resolved)

    async def check(self) -> Accepted:
        """Be there."""
        return Accepted()

    async def close(self) -> None:
        """Hold nothing open."""

    @property
    def believed(self) -> str:
        """What it holds to be firing, in any conversation."""
        return "".join(sorted(set().union(*self.believes.values())))

    @property
    def heard(self) -> str:
        """What it holds to be firing by the latest word on each."""
        latest = {name: False for message in self.told for name in message.firing + message.resolved}
        for message in self.told:
            latest |= dict.fromkeys(message.firing, True) | dict.fromkeys(message.resolved, False)
        return "".join(sorted(name for name, fires in latest.items() if fires))

    @property
    def events(self) -> list[int]:
        """The events it took, by number."""
        return [number for message in self.told for number in message.events]

    @property
    def reasons(self) -> list[tuple[str, str, str]]:
        """What it took, without the time."""
        return [(message.reason, message.firing, message.resolved) for message in self.told]


def route(
    receiver: str,
    *matchers: str,
    group_by: tuple[str, ...] = (),
    wait: timedelta = timedelta(0),
    interval: timedelta = 5 * MINUTE,
    repeat: timedelta = DAY,
    continues: bool = False,
    children: tuple[Route, ...] = (),
    steps: tuple[Step, ...] = (),
    night: tuple[int, int] | None = None,
    summed_up: bool = False,
) -> Route:
    """Give a route; its id is made of its matchers, as the configuration makes it. night: hours from which on and until which it is muted."""
    return Route(
        id="/".join(("root", *matchers, receiver)) if matchers else "root",
        receiver=receiver,
        group_by=group_by,
        pace=Pace(group_wait=wait, group_interval=interval, repeat_interval=repeat),
        matchers=tuple(parse_matcher(text) for text in matchers),
        continues=continues,
        children=children,
        steps=steps,
        mute=() if night is None else (_hours(*night),),
        mute_summary=summed_up,
    )


def _hours(start: int, end: int) -> NamedIntervals:
    times = TimesOfDay(start_time=start * 60, end_time=end * 60)
    return NamedIntervals(name="night", time_intervals=(TimeInterval(times=(times,)),))


class Desk:
    """Alerts come in, messages go out.

    Labels: `alertname` and what `labels` gives. disable_at: of the one job that all alerts are about.
    holds: the `for` of some alerts. fallbacks: by receiver. retry_for: until a message is given up.
    """

    def __init__(
        self,
        root: Route,
        *receivers: Receiver,
        holds: Mapping[str, timedelta] | None = None,
        fallbacks: Mapping[str, str] | None = None,
        retry_for: timedelta = DAY,
    ) -> None:
        self._holds = holds or {}
        self._policy = DeliveryPolicy(retry_for=retry_for)
        self.disable_at: datetime | None = None
        self.fallbacks = fallbacks or {}
        self.receivers = {one.integration.id: one for one in receivers}
        self.store = MemoryStore()
        self.now = START
        self.happened = 0
        self.root = root
        self._arrange()

    def _arrange(self) -> None:
        by_name: dict[str, tuple[Integration, ...]] = {}
        for one in self.receivers.values():
            known = by_name.get(one.integration.receiver, ())
            by_name[one.integration.receiver] = (*known, one.integration)
        self.routing = Routing(root=self.root, receivers=by_name, fallbacks=self.fallbacks)
        self._flushing = Flushing(self.store, self.routing, self.receivers, self._policy)
        self._delivering = Delivering(self.store, self._flushing, self.receivers, self._policy, chance=lambda: 0.0)

    # What happens.

    async def set(self, names: str, *, labels: Mapping[str, str] | None = None, new_series: str = "") -> None:
        """Let exactly the alerts of these one-letter names be true, and all others false; then flush and deliver."""
        known = await self._stored()
        moves = []
        for name in sorted({*known, *names}):
            before = known.get(name)
            after = advance(before, self._conditions(name, name in names, labels or {}, name in new_series), self.now)
            moves += [Move(before, after)] if after is not before else []
        await self._record(moves)

    async def vanish(self, name: str) -> None:
        """Let the job of an alert be gone."""
        alert = (await self._stored()).get(name)
        if alert is not None:
            await self._record(end_all([alert], [end(alert, Ended.GONE, self.now)]))

    async def happen(self, *events: Event) -> None:
        """Let events happen; without any given, one by the name of E, numbered from one."""
        if not events:
            self.happened += 1
            events = (event("E", sequence=self.happened),)
        async with self.store.transaction() as transaction:
            await record(transaction, (), events, self.routing, self.now)
        await self.work()

    async def reload(self, root: Route) -> None:
        """Take a new route tree into force."""
        self.root = root
        self._arrange()
        async with self.store.transaction() as transaction:
            await rehome(transaction, self.routing, self.now)
        await self.work()

    async def silence(self, names: str) -> None:
        """Silence exactly the alerts of these names from now on."""
        async with self.store.transaction() as transaction:
            for silence in await transaction.silences():
                await transaction.save_silence(attrs.evolve(silence, ends_at=self.now))
            for name in names:
                await transaction.save_silence(self._silence(name))

    def _silence(self, name: str) -> Silence:
        return Silence(
            id=name,
            matchers=(parse_matcher(f'alertname="{name}"'),),
            starts_at=self.now,
            ends_at=self.now + 9999 * DAY,
            created_by="somebody",
            comment="a test",
        )

    async def wait(self, duration: timedelta) -> None:
        """Let time pass, and everything that falls due in it happen at its instant."""
        until = self.now + duration
        while True:
            dues = [await self._flushing.next_due(), await self._delivering.next_due()]
            due = min((instant for instant in dues if instant is not None), default=None)
            if due is None or due > until:
                break
            self.now = max(self.now, due)
            await self.work()
        self.now = until

    async def work(self) -> None:
        """Flush and deliver what is due now."""
        await self._flushing.flush_due(self.now)
        while due := await self._delivering.due(self.now, 100):
            for one in due:
                claimed = await self._delivering.claim(one.delivery_id, self.now)
                assert claimed is not None
                await self._delivering.finish(claimed.id, await self._delivering.send(claimed, self.now), self.now)

    # What is left.

    async def conversations(self) -> tuple[Conversation, ...]:
        """Give what the store holds of conversations."""
        async with self.store.reading() as reader:
            return await reader.conversations()

    async def stored_alerts(self) -> list[str]:
        """Give name and state of every alert in the store."""
        return sorted(f"{alert.name} {alert.state}" for alert in (await self._stored()).values())

    async def groups(self) -> int:
        """Count the groups."""
        async with self.store.reading() as reader:
            return len(await reader.groups())

    # How alerts move.

    def _conditions(self, name: str, active: bool, labels: Mapping[str, str], renewed: bool) -> Conditions:
        return Conditions(
            identity=Identity(rule=name, tenant_key="global/1", service_principal_id="sp", job_id="job"),
            active=active,
            cleared=not active,
            severity="error",
            labels={"alertname": name, **labels},
            hold_duration=self._holds.get(name, timedelta(0)),
            evidence=Evidence(
                observed_to=self.now, job=Job(id="job", servicePrincipalId="sp", disableAt=self.disable_at)
            ),
            changed=True,
            new_series=renewed,
        )

    async def _stored(self) -> dict[str, Alert]:
        async with self.store.reading() as reader:
            return {alert.name: alert for alert in await reader.alerts()}

    async def _record(self, moves: Iterable[Move]) -> None:
        async with self.store.transaction() as transaction:
            await record(transaction, moves, (), self.routing, self.now)
        await self.work()
