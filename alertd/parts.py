"""From a configuration to the parts that work by it: tenants, routing, channels, digests. Nothing is opened here and nothing is started."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from alertd.alerts.sighting import Watched
from alertd.building import causes_of
from alertd.config.root import Config
from alertd.config.route_tree import route_tree
from alertd.config.tenants import Tenant
from alertd.graph.settings import HttpSettings
from alertd.model.digest import DigestSchedule
from alertd.notify.channels.port import Channel, Integration
from alertd.notify.outcome import DeliveryPolicy
from alertd.notify.routing import Routing

if TYPE_CHECKING:
    from alertd.notify.channels.registry import Services


def watched_of(tenant: Tenant) -> Watched:
    """Give a tenant as the rounds see it."""
    return Watched(
        key=tenant.key,
        name=tenant.name,
        tenant_id=tenant.settings.tenant_id,
        labels=tenant.labels,
        portal_url=tenant.settings.endpoints.job_url,
    )


def routing_of(config: Config, channels: Mapping[str, Channel]) -> Routing:
    """Give the routes with the integrations of every receiver."""
    receivers: dict[str, tuple[Integration, ...]] = {receiver.name: () for receiver in config.receivers}
    for channel in channels.values():
        integration = channel.integration
        receivers[integration.receiver] = (*receivers[integration.receiver], integration)
    return routing_with(config, receivers)


def routing_with(config: Config, receivers: Mapping[str, tuple[Integration, ...]]) -> Routing:
    """Give the routes with these integrations, by receiver."""
    return Routing(
        root=route_tree(config.route, config.time_intervals),
        fallbacks=config.fallbacks,
        receivers=receivers,
        inhibit_rules=config.inhibit_rules,
        common_causes=causes_of(config),
        silence_warning=config.silence_warning,
        round_interval=config.poll.interval,
    )


def channels_of(config: Config, services: Services) -> dict[str, Channel]:
    """Make every receiver's integrations, by id."""
    from alertd.notify.channels import registry  # late: `check` needs no HTTP client

    made = (channel for receiver in config.receivers for channel in registry.channels_of(receiver, services))
    return {channel.integration.id: channel for channel in made}


def digests_of(config: Config) -> tuple[DigestSchedule, ...]:
    """Give who gets a digest, and when."""
    return tuple(digest.schedule(config.timezone) for digest in config.digest)


def policy_of(config: Config) -> DeliveryPolicy:
    """Give how deliveries are tried."""
    return DeliveryPolicy(
        retry_for=config.delivery.retry_for, on_unknown="skip" if config.delivery.on_unknown == "skip" else "retry"
    )


def http_settings(config: Config) -> HttpSettings:
    """Give how the wire to Microsoft is used."""
    return HttpSettings(
        proxy=config.http.proxy.reveal() if config.http.proxy else None,
        ca_file=config.http.ca_file,
        timeout=config.poll.timeout.total_seconds(),
        concurrency=config.poll.concurrency,
        requests_per_minute=config.poll.max_requests_per_minute,
    )
