"""What is the same for all tests of a file: rules with their overrides, routes, receivers, and how deliveries are tried."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import NoReturn
from zoneinfo import ZoneInfo

import attrs

from alertd.alerts.book import RuleBook
from alertd.alerts.sighting import Watched
from alertd.building import annotator, book_of
from alertd.config import Config
from alertd.graph.clouds import CLOUDS
from alertd.notify.channels.http import ReceiverHttp
from alertd.notify.channels.port import Integration, Limits
from alertd.notify.channels.registry import Services, channels_of
from alertd.notify.outcome import DeliveryPolicy
from alertd.notify.pace import Pace
from alertd.notify.routes import Route
from alertd.notify.routing import Routing
from alertd.parts import policy_of, routing_with, watched_of
from alertd.rehearsal.job_name import made_up_tenant_id
from alertd.render.environment import Templates
from alertd.rules.rule import Rule

DEFAULT_RECEIVER = "default"

_DEFAULT_INTEGRATION = Integration(
    receiver=DEFAULT_RECEIVER,
    kind="webhook",
    closes_silently=False,
    deduplicates=True,
    limits=Limits(body_bytes_max=1_000_000, blocks_max=1_000),
)
_DEFAULT_ROUTE = Route(
    id="{}",
    receiver=DEFAULT_RECEIVER,
    group_by=("tenant", "alertname"),
    pace=Pace(group_wait=timedelta(0), group_interval=timedelta(minutes=1), repeat_interval=timedelta(hours=24)),
)


@attrs.frozen(kw_only=True)
class Setting:
    """What a file's tests run in. tenants: those of the configuration, by name; others are made up."""

    rules: tuple[Rule, ...]
    routing: Routing
    policy: DeliveryPolicy
    tells_first_sight: bool = True
    tenants: Mapping[str, Watched] = attrs.field(factory=dict)
    config: Config | None = None

    @classmethod
    def of(cls, rules: Iterable[Rule], config: Config | None) -> Setting:
        """Make the setting of a file.

        Without a configuration: one receiver, told at once, and nothing inhibited. Raises ConfigError where annotations or overrides are wrong.
        """
        known = tuple(rules)
        if config is None:
            receivers = {DEFAULT_RECEIVER: (_DEFAULT_INTEGRATION,)}
            routing = Routing(root=_DEFAULT_ROUTE, receivers=receivers)
            setting = cls(rules=known, routing=routing, policy=DeliveryPolicy())
        else:
            setting = cls._configured(known, config)
        setting.book()
        return setting

    @classmethod
    def _configured(cls, rules: tuple[Rule, ...], config: Config) -> Setting:
        in_force = {rule.name for rule in rules}
        fitting = tuple(change for change in config.overrides if change.alert in in_force)
        return cls(
            rules=rules,
            routing=routing_with(config, _integrations(config)),
            policy=policy_of(config),
            tells_first_sight=config.poll.first_sight == "alert",
            tenants={tenant.name: watched_of(tenant) for tenant in config.tenants},
            config=attrs.evolve(config, overrides=fitting),
        )

    def book(self, only: Iterable[str] = ()) -> RuleBook:
        """Make the rule book of one test."""
        chosen = frozenset(only)
        rules = tuple(rule for rule in self.rules if not chosen or rule.name in chosen)
        if self.config is None:
            return RuleBook(rules, annotate=annotator(rules, ZoneInfo("UTC")))
        names = {rule.name for rule in rules}
        overrides = tuple(change for change in self.config.overrides if change.alert in names)
        return book_of(attrs.evolve(self.config, overrides=overrides), rules)

    def watched(self, tenant: str) -> Watched:
        """Give a tenant as the rounds see it: the configured one of this name, or one that is made up."""
        if tenant in self.tenants:
            return self.tenants[tenant]
        tenant_id = made_up_tenant_id(tenant)
        cloud = CLOUDS["global"]
        return Watched(key=f"{cloud.name}/{tenant_id}", name=tenant, tenant_id=tenant_id, portal_url=cloud.job_url)


def _integrations(config: Config) -> Mapping[str, tuple[Integration, ...]]:
    """Give what every receiver's channels say of themselves; none of them is ever used."""
    services = Services(templates=Templates({}), http=ReceiverHttp(trust=_nothing_is_sent), tokens=_NoTokens())
    return {
        receiver.name: tuple(channel.integration for channel in channels_of(receiver, services))
        for receiver in config.receivers
    }


class _NoTokens:
    """Nothing is sent, so nobody needs a token."""

    async def header(self, tenant: str, scope: str, *, rejected: str | None = None) -> str:  # noqa: ARG002
        """Refuse."""
        return _nothing_is_sent()


def _nothing_is_sent() -> NoReturn:
    raise AssertionError("a rehearsal sends nothing")
