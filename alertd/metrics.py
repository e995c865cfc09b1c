"""What alertd counts about itself, for Prometheus.

Counters grow where the work is done; gauges are what stands in the store at the moment of a scrape. Labels come from closed sets, or from
what the configuration names: tenants, rules, integrations. Nothing from Graph becomes a label.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

import attrs
from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    Info,
    PlatformCollector,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)

from alertd import __version__
from alertd.store.values import Delivery

_ROUND_BUCKETS = (0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300)
_LATENCY_BUCKETS = (
    0.1,
    0.25,
    0.5,
    1,
    2.5,
    5,
    15,
    60,
    300,
    1800,
    7200,
    86_400,
)  # the waits between attempts, up to giving up


@attrs.frozen(kw_only=True)
class TenantFigures:
    """A tenant after its latest round. last_round_at: null before the first."""

    name: str
    last_round_at: datetime | None
    coverage: float
    consecutive_failures: int


@attrs.frozen(kw_only=True)
class Figures:
    """What stands at the moment of a scrape.

    alerts: by (state, severity). backlog: deliveries not at their end, by state. failed: by integration id, those given up since it last
    accepted one.
    """

    tenants: tuple[TenantFigures, ...] = ()
    alerts: Mapping[tuple[str, str], int] = attrs.field(factory=dict)
    backlog: Mapping[str, int] = attrs.field(factory=dict)
    failed: Mapping[str, int] = attrs.field(factory=dict)
    unhealthy_rules: int = 0
    reload_failed: bool = False
    store_trouble: bool = False
    ready: bool = True
    store_bytes: int = 0


class Metrics:
    """All of alertd's metrics, in a registry of their own, so that two of alertd in one process do not count for each other.

    process: also what the operating system knows of this process.
    """

    def __init__(self, *, process: bool = True) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call]  # a second series beside every counter, which nobody asks for
        self._registry = CollectorRegistry()
        self._count()
        self._gauge()
        Info("alertd_build", "Which alertd this is.", registry=self._registry).info({"version": __version__})
        if process:
            ProcessCollector(registry=self._registry)
            PlatformCollector(registry=self._registry)

    # What happens: called where it happens.

    def round_closed(self, *, ok: int, kinds: Mapping[str, int], seconds: float) -> None:
        """Count a round. ok: principals that answered; kinds: how often each failure was met."""
        failed = sum(kinds.values())
        outcome = "ok" if not failed else "partial" if ok else "failed"
        self._rounds.labels(outcome).inc()
        self._round_seconds.observe(seconds)
        self._readings.labels("ok").inc(ok)
        for kind, times in kinds.items():
            self._readings.labels(kind).inc(times)

    def left_out(self, tenant: str, left_out: int, rested: int) -> None:
        """Count service principals that a round did not ask. rested: there could be no news of them. left_out: the budget had no room."""
        self._readings.labels("rested").inc(rested)
        self._left_out.labels(tenant).inc(left_out)

    def graph_sent(self, tenant: str, about: str, outcomes: Mapping[str, int], *, repeated: bool) -> None:
        """Count one HTTP request to Graph by what came of the requests in it: one, or the parts of a batch."""
        self._graph_http.labels(tenant).inc()
        for outcome, number in outcomes.items():
            self._graph_requests.labels(tenant, about, outcome).inc(number)
            if repeated:
                self._graph_repeated.labels(tenant).inc(number)

    def rule_failed(self, rule: str) -> None:
        """Count a rule that failed at run time."""
        self._faults.labels(rule).inc()

    def flushed(self, groups: int) -> None:
        """Count flushes of groups."""
        self._flushes.inc(groups)

    def attempted(self, delivery: Delivery) -> None:
        """Count an attempt by what became of its delivery, and the delivery itself where that was its end."""
        integration = delivery.integration_id
        self._attempts.labels(integration, delivery.state.value, delivery.error_reason or "none").inc()
        if delivery.ended_at is not None:
            self._deliveries.labels(integration, delivery.state.value, delivery.reason.value).inc()
            waited = (delivery.ended_at - delivery.decided_at).total_seconds()
            self._latency.labels(integration).observe(max(0.0, waited))

    def reloaded(self, *, accepted: bool) -> None:
        """Count a reload of the configuration."""
        self._reloads.labels("accepted" if accepted else "refused").inc()

    # What stands: asked at a scrape.

    def exposition(self, figures: Figures) -> bytes:
        """Write everything in Prometheus' text format."""
        self._show_tenants(figures.tenants)
        _set(self._alerts, figures.alerts.items())
        _set(self._backlog, (((state,), number) for state, number in figures.backlog.items()))
        _set(self._failed, (((integration,), number) for integration, number in figures.failed.items()))
        self._unhealthy.set(figures.unhealthy_rules)
        self._reload_failed.set(figures.reload_failed)
        self._store_trouble.set(figures.store_trouble)
        self._ready.set(figures.ready)
        self._store_bytes.set(figures.store_bytes)
        return generate_latest(self._registry)

    def _show_tenants(self, tenants: tuple[TenantFigures, ...]) -> None:
        rounds = (((one.name,), one.last_round_at.timestamp()) for one in tenants if one.last_round_at is not None)
        _set(self._last_round, rounds)
        _set(self._coverage, (((one.name,), one.coverage) for one in tenants))
        _set(self._tenant_failures, (((one.name,), one.consecutive_failures) for one in tenants))

    # The metrics themselves.

    def _count(self) -> None:
        registry = self._registry
        self._rounds = Counter(
            "alertd_rounds", "Rounds of polling a tenant, by how they went.", ["outcome"], registry=registry
        )
        self._round_seconds = Histogram(
            "alertd_round_duration_seconds", "How long a round took.", buckets=_ROUND_BUCKETS, registry=registry
        )
        self._readings = Counter(
            "alertd_readings",
            "Turns of service principals, by outcome; `rested` are those of whom no news could be expected.",
            ["outcome"],
            registry=registry,
        )
        self._left_out = Counter(
            "alertd_principals_left_out",
            "Principals that a round did not ask since poll.max_requests_per_minute was used up.",
            ["tenant"],
            registry=registry,
        )
        self._graph_requests = Counter(
            "alertd_graph_requests",
            "Requests to Graph as it counts them against its limits, parts of a batch one by one, by what they were about and their outcome.",
            ["tenant", "about", "outcome"],
            registry=registry,
        )
        self._graph_repeated = Counter(
            "alertd_graph_requests_repeated",
            "Of the requests to Graph, those that had been sent before.",
            ["tenant"],
            registry=registry,
        )
        self._graph_http = Counter(
            "alertd_graph_http_requests", "HTTP requests to Graph; a batch is one.", ["tenant"], registry=registry
        )
        self._faults = Counter(
            "alertd_rule_faults", "Evaluations that failed at run time, by rule.", ["rule"], registry=registry
        )
        self._flushes = Counter("alertd_group_flushes", "Flushes of groups of alerts.", registry=registry)
        self._attempts = Counter(
            "alertd_delivery_attempts",
            "Attempts to deliver, by integration, the delivery's state afterwards, and why the attempt failed (or none).",
            ["integration", "state", "error"],
            registry=registry,
        )
        self._deliveries = Counter(
            "alertd_deliveries",
            "Deliveries that came to their end, by integration, last state, and the message's reason.",
            ["integration", "state", "reason"],
            registry=registry,
        )
        self._latency = Histogram(
            "alertd_delivery_latency_seconds",
            "From the decision to send until the delivery's end.",
            ["integration"],
            buckets=_LATENCY_BUCKETS,
            registry=registry,
        )
        self._reloads = Counter("alertd_config_reloads", "Reloads, by outcome.", ["outcome"], registry=registry)

    def _gauge(self) -> None:
        registry = self._registry
        self._last_round = Gauge(
            "alertd_tenant_last_round_timestamp_seconds",
            "When the tenant's latest round ended.",
            ["tenant"],
            registry=registry,
        )
        self._coverage = Gauge(
            "alertd_tenant_poll_coverage_ratio",
            "Of the principals asked in the latest round, how many answered.",
            ["tenant"],
            registry=registry,
        )
        self._tenant_failures = Gauge(
            "alertd_tenant_consecutive_poll_failures", "Failed rounds in a row.", ["tenant"], registry=registry
        )
        self._alerts = Gauge(
            "alertd_alerts", "Alerts, by state and severity.", ["state", "severity"], registry=registry
        )
        self._backlog = Gauge(
            "alertd_deliveries_open", "Deliveries that are not at their end.", ["state"], registry=registry
        )
        self._failed = Gauge(
            "alertd_integration_failed_deliveries",
            "Deliveries given up since the integration last accepted one.",
            ["integration"],
            registry=registry,
        )
        self._unhealthy = Gauge(
            "alertd_rules_unhealthy", "Rules that failed at their latest evaluation.", registry=registry
        )
        self._reload_failed = Gauge(
            "alertd_config_reload_failed", "1 while the latest reload was refused.", registry=registry
        )
        self._store_trouble = Gauge("alertd_store_trouble", "1 while the store cannot be written.", registry=registry)
        self._ready = Gauge("alertd_ready", "1 while alertd can do its work.", registry=registry)
        self._store_bytes = Gauge("alertd_store_size_bytes", "What the store occupies.", registry=registry)


def _set(gauge: Gauge, values: Iterable[tuple[tuple[str, ...], float]]) -> None:
    """Show these values, by labels, and no others: what is gone must not stay at its last value."""
    gauge.clear()
    for labels, value in values:
        gauge.labels(*labels).set(value)
