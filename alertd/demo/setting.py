"""alertd's configuration in the demo: written as an operator would write it, then quickened."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import attrs
import yaml

from alertd.config import Config, Poll, parse_config
from alertd.demo.plan import Plan
from alertd.simulator.receivers import Receivers
from alertd.simulator.tenant import SimulatedTenant

RECEIVER = "identity-oncall"


def tenant_entry(tenant: SimulatedTenant, origin: str) -> dict[str, object]:
    """Give a simulated tenant as it stands in a configuration file."""
    return {
        "name": tenant.name,
        "tenant_id": tenant.id,
        "client_id": tenant.client_id,
        "credential": {"client_secret": tenant.secrets[0].text},
        "graph_url": origin,
        "authority": origin,
    }


def config_for(
    plan: Plan, tenants: Iterable[SimulatedTenant], origin: str, receivers: Receivers, directory: Path
) -> Config:
    """Give the configuration of the demo's alertd. directory: where it keeps its store. Raises ConfigError."""
    plain = {
        "store": f"sqlite:///{(directory / 'alertd.db').as_posix()}",
        "tenants": [tenant_entry(tenant, origin) for tenant in tenants],
        "receivers": [_receiver(receivers)],
        "route": {"receiver": RECEIVER},
        "web": None,
    }
    config = parse_config(yaml.safe_dump(plain), directory=directory)
    route = attrs.evolve(config.route, group_wait=plan.group_wait, group_interval=plan.group_interval)
    return attrs.evolve(config, poll=Poll(interval=plan.poll_interval), route=route)


def _receiver(receivers: Receivers) -> dict[str, object]:
    smtp = {"host": receivers.mail.host, "port": receivers.mail.port, "tls": "none"}
    mail = {"to": ["oncall@example.com"], "from": "alertd@example.com", "smtp": smtp}
    return {
        "name": RECEIVER,
        "teams": [{"url": receivers.teams_url}],
        "email": [mail],
        "webhook": [{"url": receivers.webhook_url, "signing_secret": receivers.webhook.signing_secret}],
    }
