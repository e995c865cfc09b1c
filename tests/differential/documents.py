"""A case as configuration. Routes, inhibit rules and time intervals are the same text for both; receivers have other names for the same."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from tests.differential.case import BEAT, EARLY, LATE, Case, InhibitRule, Receiver, Route

Document = dict[str, Any]
_AROUND, _DAY = 10, 24 * 60  # minutes; no case takes so many as the first


def alertmanager_config(cases: Iterable[Case], hooks: str, start: datetime) -> str:
    """Give one configuration for all cases, side by side: each has a route of its own by label `case`. hooks: where webhooks are."""
    known = tuple(cases)
    document = {
        "global": {"resolve_timeout": "1h"},
        "route": {"receiver": "nobody", "routes": [_case_route(case) for case in known]},
        "receivers": [{"name": "nobody"}, *(_webhook_configs(case, one, hooks) for case in known for one in case.receivers)],
        "inhibit_rules": [_inhibit_rule(rule, case) for case in known for rule in case.inhibit_rules],
        "time_intervals": time_intervals(start + known[0].boundary * BEAT),
    }  # fmt: skip
    return json.dumps(document)  # which is YAML


def alertd_config(case: Case, start: datetime) -> str:
    """Give a configuration for one case."""
    document = {
        "tenants": [
            {"name": "contoso", "tenant_id": "1" * 8 + "-1111-1111-1111-" + "1" * 12, "credential": {"managed_identity": {}}}
        ],
        "route": _route(case.root, case),
        "receivers": [_webhooks(case, one) for one in case.receivers],
        "inhibit_rules": [_inhibit_rule(rule, case) for rule in case.inhibit_rules],
        "time_intervals": time_intervals(start + case.boundary * BEAT),
    }  # fmt: skip
    return json.dumps(document)


def time_intervals(boundary: datetime) -> list[Document]:
    """Give the times before and after a full minute. No run reaches over midnight but at the boundary itself."""
    now = boundary.astimezone(UTC)
    minute = 60 * now.hour + now.minute
    before = minute or _DAY
    return [
        _interval(EARLY, max(before - _AROUND, 0), before),
        _interval(LATE, minute, min(minute + _AROUND, _DAY)),
    ]


def case_matcher(case: Case) -> str:
    """Give the matcher of a case's own alerts."""
    return f'case="{case.name}"'


def _interval(name: str, start: int, end: int) -> Document:
    times = [{"start_time": _clock(start), "end_time": _clock(end)}]
    return {"name": name, "time_intervals": [{"times": times}]}


def _clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"


def _case_route(case: Case) -> Document:
    return _route(case.root, case) | {"matchers": [case_matcher(case)]}


def _route(route: Route, case: Case) -> Document:
    written: Document = {
        "receiver": route.receiver and receiver_name(case, route.receiver),
        "matchers": list(route.matchers) or None,
        "group_by": None if route.group_by is None else list(route.group_by),
        "group_wait": _seconds(route.group_wait),
        "group_interval": _seconds(route.group_interval),
        "repeat_interval": _seconds(route.repeat_interval),
        "continue": route.continues or None,
        "mute_time_intervals": list(route.mute) or None,
        "active_time_intervals": list(route.active) or None,
        "routes": [_route(child, case) for child in route.routes] or None,
    }
    return {key: value for key, value in written.items() if value is not None}


def _seconds(beats: int | None) -> str | None:
    return None if beats is None else f"{beats}s"


def receiver_name(case: Case, name: str) -> str:
    """Give a receiver's name in the configurations."""
    return f"case-{case.name}-{name}"


def _webhook_configs(case: Case, receiver: Receiver, hooks: str) -> Document:
    urls = [f"{hooks}/{case.name}/{receiver.name}/{number}" for number in range(len(receiver.webhooks))]
    configs = [{"url": url, "send_resolved": sends} for url, sends in zip(urls, receiver.webhooks, strict=True)]
    return {"name": receiver_name(case, receiver.name), "webhook_configs": configs}


def _webhooks(case: Case, receiver: Receiver) -> Document:
    hooks = [
        {"name": str(number), "url": "http://127.0.0.1/", "format": "alertmanager", "send_resolved": sends}
        for number, sends in enumerate(receiver.webhooks)
    ]
    return {"name": receiver_name(case, receiver.name), "webhook": hooks}


def _inhibit_rule(rule: InhibitRule, case: Case) -> Document:
    mine = [case_matcher(case)]
    return {
        "source_matchers": [*mine, *rule.source],
        "target_matchers": [*mine, *rule.target],
        "equal": list(rule.equal),
    }
