"""Rounds: readings of one tenant become snapshots, facts, history and alerts, one fenced transaction per slice.

The reader of a round notes the tenant's epoch before it asks Microsoft; a slice commits only if the epoch is still the one the round has, so
what a frozen process read long ago cannot overwrite what another has seen since.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime

import attrs

from alertd.alerts.book import RuleBook
from alertd.alerts.judgement import Case, Fault, Move, end_all, judge_events, judge_states
from alertd.alerts.lifecycle import end
from alertd.alerts.observation import Observation, Slice, observe
from alertd.alerts.sighting import Watched, tenant_case
from alertd.alerts.tally import Tally, closed_round
from alertd.engine.line import is_in_line
from alertd.engine.recollection import Recollection
from alertd.engine.recording import record
from alertd.model.alert import Alert, Ended, Event, Evidence, Identity, Scope
from alertd.model.reading import Known, Reading
from alertd.model.resources import ServicePrincipal
from alertd.model.views import Alertd, Subject
from alertd.notify.routing import Routing
from alertd.store.port import Store, Transaction
from alertd.store.values import JobRecord, PrincipalRecord, RoundEntry, TenantRecord

PRINCIPALS_AT_ONCE = 1000  # read at once, some hundred bytes each


@attrs.frozen(kw_only=True)
class Found:
    """What a discovery saw of one service principal. watched: the configuration includes it."""

    principal: ServicePrincipal
    watched: bool


class Rounds:
    """Commits what was read. It asks nobody and reads no clock.

    tells_first_sight: alert on what is already true when a job is first seen. on_fault: told of every rule that failed at run time.
    on_news: called after a commit by which groups may have become due.
    """

    def __init__(
        self,
        store: Store,
        book: RuleBook,
        routing: Routing,
        *,
        tells_first_sight: bool = True,
        on_fault: Callable[[str], None] = lambda _rule: None,
        on_news: Callable[[], None] = lambda: None,
    ) -> None:
        self._store = store
        self.book = book
        self.routing = routing
        self.tells_first_sight = tells_first_sight
        self._on_fault = on_fault
        self._on_news = on_news
        self._faults: dict[str, frozenset[str]] = {}
        self._recollections: defaultdict[str, Recollection] = defaultdict(Recollection)

    @property
    def unhealthy_rules(self) -> frozenset[str]:
        """Rules that failed at their latest evaluation, in any tenant."""
        return frozenset().union(*self._faults.values())

    async def begin(self, watched: Watched) -> TenantRecord:
        """Give the tenant as it stands; its epoch fences the round that begins now."""
        self._faults.pop(f"{watched.key}/jobs", None)
        async with self._store.reading() as reader:
            return await reader.tenant(watched.key) or TenantRecord(key=watched.key, name=watched.name)

    async def principals(self, watched: Watched) -> AsyncIterator[PrincipalRecord]:
        """Give the tenant's service principals as they stand, never more than some of them at once."""
        after = ""
        while True:
            async with self._store.reading() as reader:
                page = await reader.principals_after(watched.key, after, PRINCIPALS_AT_ONCE)
            for principal in page:
                yield principal
            if len(page) < PRINCIPALS_AT_ONCE:
                return
            after = page[-1].principal.id

    async def in_line(self, watched: Watched, tenant: TenantRecord, *, everyone: bool) -> Sequence[str]:
        """Give the ids of the service principals that this round has to do with, by id: everyone, or those that every round has to do with.

        The latter are known from the round before: to look up each costs as much as a third of the round.
        """
        recollection = self._recollected(watched, tenant)
        if not everyone and recollection.line is not None:
            return recollection.line
        line = [one.principal.id async for one in self.principals(watched) if is_in_line(one, everyone=everyone)]
        if not everyone:
            recollection.line = line
        return line

    async def known(
        self, watched: Watched, principal_ids: Collection[str]
    ) -> tuple[Mapping[str, list[JobRecord]], Mapping[str, list[Alert]]]:
        """Give the jobs of these service principals, and their alerts, by principal."""
        async with self._store.reading() as reader:
            jobs = await reader.jobs(watched.key, principal_ids)
            alerts = await reader.alerts_of(watched.key, principal_ids)
        jobs_of: dict[str, list[JobRecord]] = defaultdict(list)
        for job in jobs:
            jobs_of[job.service_principal_id].append(job)
        alerts_of: dict[str, list[Alert]] = defaultdict(list)
        for alert in alerts:
            alerts_of[alert.identity.service_principal_id].append(alert)
        return jobs_of, alerts_of

    def digests(self, watched: Watched, tenant: TenantRecord) -> Known:
        """Give the digests of service principals' latest answers, as far as the same answer would say nothing new."""
        return self._recollected(watched, tenant).digest

    async def discovered(
        self, watched: Watched, tenant: TenantRecord, found: Sequence[Found], *, complete: bool, now: datetime
    ) -> TenantRecord:
        """Take over a whole discovery at once."""
        tenant = await self.listed(watched, tenant, found, now)
        listed = {entry.principal.id for entry in found}
        return await self.end_discovery(watched, tenant, listed, complete=complete, now=now)

    async def listed(
        self, watched: Watched, tenant: TenantRecord, found: Sequence[Found], now: datetime
    ) -> TenantRecord:
        """Take over a part of a discovery; what it does not list may stand in another part."""
        entries = {entry.principal.id: entry for entry in found}
        with self._remembering(watched, tenant) as recollection:
            async with self._store.transaction() as transaction:
                known = {one.principal.id: one for one in await transaction.principals(watched.key, list(entries))}
                after = _listed(known, entries, watched, first=tenant.discovered_at is None)
                left = await self._stop_watching(transaction, watched, after, now)
                changed = [one for key, one in after.items() if one != known.get(key) and key not in left]
                await transaction.save_principals(changed)
                tenant = await _advance(transaction, tenant)
            saved = [*changed, *(after[key] for key in left)]
            recollection.wrote(tenant, saved)
            recollection.forget(one.principal.id for one in saved)
        return tenant

    async def end_discovery(
        self, watched: Watched, tenant: TenantRecord, listed: Collection[str], *, complete: bool, now: datetime
    ) -> TenantRecord:
        """Take note that a discovery has ended; only a complete one can say that a service principal is not listed any more."""
        if not complete:
            return tenant
        gone = [one async for one in self.principals(watched) if one.listed and one.principal.id not in listed]
        with self._remembering(watched, tenant) as recollection:
            async with self._store.transaction() as transaction:
                await transaction.save_principals(attrs.evolve(one, listed=False) for one in gone)
                tenant = await _advance(transaction, attrs.evolve(tenant, discovered_at=now))
            recollection.wrote(tenant, gone)
            recollection.forget(one.principal.id for one in gone)
        return tenant

    async def commit(
        self,
        watched: Watched,
        tenant: TenantRecord,
        readings: Mapping[str, Reading],
        now: datetime,
        *,
        began: datetime | None = None,
    ) -> tuple[TenantRecord, Tally]:
        """Commit one slice: whole principals with what they answered. Raises FencedError if somebody else was faster.

        began: when the round began to ask, where that was not at this very instant. What says nothing new is only counted, and where nothing
        has to be written the epoch stays as it is.
        """
        with self._remembering(watched, tenant) as recollection:
            tally, rest, asleep = recollection.pass_over(readings, now, sight=self.book.waking.sight)
            if not rest:
                return tenant, tally
            async with self._store.transaction() as transaction:
                part = await self._slice(transaction, watched, tenant, {key: readings[key] for key in rest}, now)
                seen = observe(attrs.evolve(part, began=began, asleep=asleep), self.book)
                if seen.changes_anything:
                    await _save(transaction, seen)
                    await record(transaction, seen.moves, seen.events, self.routing, now)
                    tenant = await _advance(transaction, tenant)
            recollection.wrote(tenant, seen.principals)
            for key in rest:
                recollection.learn(key, readings[key], seen.wakes)
        place = f"{watched.key}/jobs"
        self._note(place, seen.faults, also=self._faults.get(place, frozenset()))
        if seen.moves or seen.events:
            self._on_news()
        return tenant, tally + seen.tally

    async def close(
        self, watched: Watched, tenant: TenantRecord, tally: Tally, now: datetime, *, began: datetime | None = None
    ) -> TenantRecord:
        """Close a round: the tenant's figures, its history row, and the rules of scope tenant, which see the round just ended."""
        closed = attrs.evolve(closed_round(tenant, tally, now, began=began), name=watched.name, epoch=tenant.epoch + 1)
        with self._remembering(watched, tenant) as recollection:
            async with self._store.transaction() as transaction:
                own = {alert.name: alert for alert in await transaction.alerts_of(watched.key, [""])}
                case = tenant_case(watched, tenant, closed, own, now)
                await self._judge(transaction, case, now)
                await transaction.append_round(_round_entry(watched, tally, now))
                await transaction.save_tenant(closed, expected_epoch=tenant.epoch)
            recollection.wrote(closed)
        return closed

    async def judge_alertd(self, health: Alertd, failing: Collection[str], now: datetime) -> None:
        """Ask the rules about alertd itself; what they say never goes through an integration that fails."""
        async with self._store.transaction() as transaction:
            alerts = await transaction.alerts(tenant_key="")
            case = Case(
                scope=Scope.ALERTD,
                subject=Subject(now=now, alertd=health),
                identity=Identity(rule=""),
                subject_labels={},
                evidence=Evidence(observed_to=now),
                alerts={alert.name: alert for alert in alerts},
                changed=True,
                withheld_integrations=tuple(sorted(failing)),
            )
            await self._judge(transaction, case, now)

    async def retire(self, tenant_keys: Collection[str], now: datetime) -> None:
        """End what nobody asks about any more: alerts of rules, tenants and principals that a new configuration has dropped."""
        async with self._store.transaction() as transaction:
            alerts = await transaction.alerts()
            ended = [self._retired(alert, tenant_keys, now) for alert in alerts]
            await record(transaction, end_all(alerts, ended), (), self.routing, now, review=True)

    def _retired(self, alert: Alert, tenant_keys: Collection[str], now: datetime) -> Alert | None:
        if alert.identity.tenant_key and alert.identity.tenant_key not in tenant_keys:
            return end(alert, Ended.NOT_WATCHED, now)
        if alert.identity.cause:
            known = any(cause.owns(alert) for cause in self.routing.common_causes)
            return alert if known else end(alert, Ended.RULE_REMOVED, now)
        rule = self.book.named(alert.name)
        if rule is None or rule.when is None or not self.book.tuned(rule, alert.labels).enabled:
            return end(alert, Ended.RULE_REMOVED, now)
        return alert

    def _recollected(self, watched: Watched, tenant: TenantRecord) -> Recollection:
        """Give what is remembered of a tenant, as far as it still holds."""
        recollection = self._recollections[watched.key]
        recollection.check(watched, tenant, self.book, tells_first_sight=self.tells_first_sight)
        return recollection

    @contextmanager
    def _remembering(self, watched: Watched, tenant: TenantRecord) -> Iterator[Recollection]:
        """Work with what is remembered of a tenant; where the work fails, nobody knows what of it still holds."""
        recollection = self._recollected(watched, tenant)
        try:
            yield recollection
        except BaseException:
            recollection.drop()
            raise

    async def _stop_watching(
        self, transaction: Transaction, watched: Watched, principals: Mapping[str, PrincipalRecord], now: datetime
    ) -> Sequence[str]:
        """End the alerts of what the configuration excludes now, and forget its jobs: they are not gone, they are not watched.

        Gives the service principals that are not watched.
        """
        left = [key for key, record in principals.items() if not record.watched]
        if not left:
            return left
        await transaction.save_principals(_forgotten(principals[key]) for key in left)
        alerts = await transaction.alerts_of(watched.key, left)
        moves = end_all(alerts, [end(alert, Ended.NOT_WATCHED, now) for alert in alerts])
        await record(transaction, moves, (), self.routing, now)
        await transaction.delete_jobs([job.key for job in await transaction.jobs(watched.key, left)])
        return left

    async def _slice(
        self,
        transaction: Transaction,
        watched: Watched,
        tenant: TenantRecord,
        readings: Mapping[str, Reading],
        now: datetime,
    ) -> Slice:
        return Slice(
            watched=watched,
            tenant=tenant,
            principals=await transaction.principals(watched.key, list(readings)),
            jobs=await transaction.jobs(watched.key, list(readings)),
            alerts=await transaction.alerts_of(watched.key, list(readings)),
            readings=readings,
            now=now,
            tells_first_sight=self.tells_first_sight,
        )

    async def _judge(self, transaction: Transaction, case: Case, now: datetime) -> None:
        results = (*judge_states(case, self.book), *judge_events(case, self.book))
        faults = [result for result in results if isinstance(result, Fault)]
        moves = [result for result in results if isinstance(result, Move)]
        events = [result for result in results if isinstance(result, Event)]
        await record(transaction, moves, events, self.routing, now)
        self._note(f"{case.identity.tenant_key}/{case.scope}", faults)

    def _note(self, place: str, faults: Iterable[Fault], *, also: frozenset[str] = frozenset()) -> None:
        failed = {fault.rule for fault in faults}
        self._faults[place] = also | failed
        for rule in failed:
            self._on_fault(rule)


async def _advance(transaction: Transaction, tenant: TenantRecord) -> TenantRecord:
    """Save the tenant with its next epoch, unless somebody else has."""
    renewed = attrs.evolve(tenant, epoch=tenant.epoch + 1)
    await transaction.save_tenant(renewed, expected_epoch=tenant.epoch)
    return renewed


def _forgotten(principal: PrincipalRecord) -> PrincipalRecord:
    """Once it is watched again, its jobs are as those of a first discovery: nobody needs to hear that they appeared."""
    return attrs.evolve(
        principal, first_discovery=True, has_jobs=False, outcome="", outcome_since=None, last_ok_at=None
    )


def _listed(
    known: Mapping[str, PrincipalRecord], found: Mapping[str, Found], watched: Watched, *, first: bool
) -> dict[str, PrincipalRecord]:
    after: dict[str, PrincipalRecord] = {}
    for key, entry in found.items():
        record = known.get(key) or PrincipalRecord(
            tenant_key=watched.key, principal=entry.principal, first_discovery=first
        )
        after[key] = attrs.evolve(record, principal=entry.principal, listed=True, watched=entry.watched)
    return after


async def _save(transaction: Transaction, seen: Observation) -> None:
    await transaction.save_principals(seen.principals)
    await transaction.save_jobs(seen.jobs)
    await transaction.delete_jobs(seen.gone)
    await transaction.append_history(seen.history)
    await transaction.append_reading_changes(seen.reading_changes)


def _round_entry(watched: Watched, tally: Tally, now: datetime) -> RoundEntry:
    return RoundEntry(
        tenant_key=watched.key,
        at=now,
        asked=tally.asked,
        ok=tally.ok,
        failed=tally.failed,
        jobs=tally.jobs,
        error=tally.worst,
        rested=tally.rested,
        unanswered=tally.unanswered,
        waiting=tally.waiting,
        requests=tally.requests.counted,
        throttled=tally.requests.throttled,
        repeated=tally.requests.repeated,
    )
