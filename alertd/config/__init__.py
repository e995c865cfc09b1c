"""What an operator says: read strictly, all mistakes told at once, secrets kept, every reference checked."""

from __future__ import annotations

from alertd.config.context import Secrets
from alertd.config.loader import examine_config, load_config, parse_config
from alertd.config.root import Config, Store
from alertd.config.route import Route
from alertd.config.rules import BUILTIN, Override
from alertd.config.sections import Delivery, Heartbeat, History, Http, Listen, Log, Poll, Web
from alertd.config.tenants import Tenant

__all__ = [
    "BUILTIN",
    "Config",
    "Delivery",
    "Heartbeat",
    "History",
    "Http",
    "Listen",
    "Log",
    "Override",
    "Poll",
    "Route",
    "Secrets",
    "Store",
    "Tenant",
    "Web",
    "examine_config",
    "load_config",
    "parse_config",
]
