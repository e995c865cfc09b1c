"""Our JSON over HTTP: `/api/v1/...`, described in `openapi.json`. It only reads.

Members that come from Graph keep Graph's names; ours are snake_case. Instants are UTC in RFC 3339. Nothing here holds a credential: messages
are not given, errors are redacted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from importlib import resources
from typing import Any

import attrs
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from alertd import __version__
from alertd.model.alert import Alert, State
from alertd.model.notification import DeliveryState
from alertd.notify.silences import SilenceState
from alertd.redaction import redact
from alertd.render.filters import json_text
from alertd.store.port import Store
from alertd.store.values import Delivery, JobRecord, TenantRecord, Usage
from alertd.web.quiet import Acknowledged, Quiet, SilenceNow, silences_now
from alertd.web.status import LISTED_MAX, Snapshot, Status

Json = dict[str, Any]


class WrongQuestionError(Exception):
    """A query parameter is wrong; the text says what and what is right."""


class Api:
    """The routes below ``/api/v1``."""

    def __init__(self, status: Status, store: Store) -> None:
        self._status = status
        self._store = store

    def routes(self) -> list[Route]:
        """Give them."""
        return [
            Route("/status", _answering(self.status)),
            Route("/tenants", _answering(self.tenants)),
            Route("/alerts", _answering(self.alerts)),
            Route("/silences", _answering(self.silences)),
            Route("/acknowledgements", _answering(self.acknowledgements)),
            Route("/deliveries", _answering(self.deliveries)),
            Route("/jobs", _answering(self.jobs)),
            Route("/openapi.json", openapi),
        ]

    async def status(self, request: Request) -> Json:
        """Everything in figures, and why alertd is not ready, if it is not."""
        _only(request)
        return status_json(await self._status.snapshot())

    async def tenants(self, request: Request) -> Json:
        """The tenants, those in trouble first."""
        _only(request)
        snapshot = await self._status.snapshot()
        return {"tenants": [tenant_json(one, snapshot) for one in snapshot.tenants]}

    async def alerts(self, request: Request) -> Json:
        """The alerts that fire, are pending or stand at baseline; or those of one state, tenant, severity or name."""
        _only(request, "state", "tenant", "severity", "alertname")
        state = _choice(request, "state", [one.value for one in (State.FIRING, State.PENDING, State.BASELINE)])
        wanted = {name: request.query_params.get(name) for name in ("tenant", "severity", "alertname")}
        snapshot = await self._status.snapshot()
        found = (
            alert
            for alert in snapshot.alerts
            if (state is None or alert.state.value == state)
            and all(value is None or alert.labels.get(name) == value for name, value in wanted.items())
        )
        return {"alerts": [alert_json(alert, snapshot.quiet) for alert in found]}

    async def silences(self, request: Request) -> Json:
        """The silences that are active or pending, those that end first before others; or those of one state."""
        _only(request, "state")
        state = _choice(request, "state", [one.value for one in SilenceState])
        now = (await self._status.snapshot()).now
        async with self._store.reading() as reader:
            found = await silences_now(reader, await reader.firing_alerts(), now, expired=state == SilenceState.EXPIRED)
        shown = [one for one in found if state is None or one.state.value == state]
        return {"silences": [silence_json(one) for one in shown[:LISTED_MAX]]}

    async def acknowledgements(self, request: Request) -> Json:
        """The conversations that somebody has taken on, the oldest first."""
        _only(request)
        snapshot = await self._status.snapshot()
        return {"acknowledgements": [acknowledged_json(one) for one in snapshot.quiet.acknowledged[:LISTED_MAX]]}

    async def deliveries(self, request: Request) -> Json:
        """The latest deliveries, or those of one state or integration."""
        _only(request, "state", "integration", "limit")
        state = _choice(request, "state", [one.value for one in DeliveryState])
        async with self._store.reading() as reader:
            found = await reader.deliveries(
                states=None if state is None else [DeliveryState(state)],
                integration_id=request.query_params.get("integration"),
                limit=_limit(request),
            )
        return {"deliveries": [delivery_json(one) for one in found]}

    async def jobs(self, request: Request) -> Json:
        """The jobs of one tenant as they were at their last good reading; of one status code, if that is asked."""
        _only(request, "tenant", "code", "limit")
        wanted, code = request.query_params.get("tenant"), request.query_params.get("code")
        async with self._store.reading() as reader:
            tenants = [one for one in await reader.tenants() if one.name == wanted]
            if not tenants:
                raise WrongQuestionError("`tenant` has to name a tenant; /api/v1/tenants lists them")
            names = {one.principal.id: one.principal.displayName for one in await reader.principals(tenants[0].key)}
            found = [one for one in await reader.jobs(tenants[0].key) if code is None or _code(one) == code]
        return {"jobs": [job_json(one, names) for one in found[: _limit(request)]]}


async def openapi(request: Request) -> Response:  # noqa: ARG001 - always the same
    """The description of this interface."""
    text = resources.files("alertd.web").joinpath("openapi.json").read_bytes()
    return Response(text, media_type="application/json")


def _answering(give: Callable[[Request], Any]) -> Callable[[Request], Any]:
    async def endpoint(request: Request) -> Response:
        try:
            body = await give(request)
        except WrongQuestionError as exc:
            return json_response({"error": str(exc)}, 400)
        return json_response(body)

    return endpoint


def json_response(plain: object, status: int = 200) -> Response:
    """Give JSON; attrs values, enums and instants included."""
    return Response(json_text(plain), status, media_type="application/json")


def _only(request: Request, *known: str) -> None:
    unknown = sorted(set(request.query_params) - set(known))
    if unknown:
        takes = f"it takes {', '.join(known)}" if known else "it takes none"
        raise WrongQuestionError(f"unknown parameter `{unknown[0]}`; {takes}")


def _choice(request: Request, name: str, allowed: Iterable[str]) -> str | None:
    value = request.query_params.get(name)
    if value is not None and value not in allowed:
        raise WrongQuestionError(f"`{name}` has to be one of {', '.join(allowed)}")
    return value


def _limit(request: Request) -> int:
    text = request.query_params.get("limit", str(LISTED_MAX))
    if not text.isdecimal() or not 1 <= int(text) <= LISTED_MAX:
        raise WrongQuestionError(f"`limit` has to be from 1 to {LISTED_MAX}")
    return int(text)


def _code(record: JobRecord) -> str | None:
    return record.job.status.code if record.job.status is not None else None


# What each thing looks like.


def status_json(snapshot: Snapshot) -> Json:
    """Write the status in figures."""
    figures, engine = snapshot.figures, snapshot.engine
    return {
        "version": __version__,
        "now": snapshot.now,
        "started_at": engine.started_at,
        "ready": snapshot.ready,
        "reasons": [redact(reason) for reason in snapshot.reasons],
        "tenants": {
            "total": len(snapshot.tenants),
            "failing": sum(one.consecutivePollFailures > 0 for one in snapshot.tenants),
            "overdue": list(engine.overdue),
        },
        "alerts": {state.value: _by_severity(figures.alerts, state) for state in (State.FIRING, State.PENDING)},
        "deliveries": {"open": dict(figures.backlog), "failed": dict(figures.failed)},
        "unhealthy_rules": sorted(engine.unhealthy_rules),
        "reload": {
            "failed": engine.reload_failed,
            "problems": [attrs.asdict(problem) for problem in engine.reload_problems],
        },
        "store": {"bytes": figures.store_bytes, "trouble": engine.store_trouble},
    }


def _by_severity(alerts: Mapping[tuple[str, str], int], state: State) -> dict[str, int]:
    return {severity: number for (its, severity), number in sorted(alerts.items()) if its == state.value}


def tenant_json(tenant: TenantRecord, snapshot: Snapshot) -> Json:
    """Write a tenant after its latest round."""
    return {
        "name": tenant.name,
        "key": tenant.key,
        "rounds": tenant.rounds,
        "lastPollAt": tenant.lastPollAt,
        "lastPollError": tenant.lastPollError,
        "consecutivePollFailures": tenant.consecutivePollFailures,
        "pollCoverage": tenant.pollCoverage,
        "failedServicePrincipals": tenant.failedServicePrincipals,
        "credentialExpiresAt": tenant.credentialExpiresAt,
        "discovered_at": tenant.discovered_at,
        "jobs": tenant.jobs,
        "not_asked": tenant.not_asked,
        "requests_last_hour": usage_json(snapshot.usage.get(tenant.key), tenant),
        "overdue": tenant.name in snapshot.engine.overdue,
    }


def usage_json(usage: Usage | None, tenant: TenantRecord) -> Json:
    """Write what a tenant's rounds of the last hour came to at Graph."""
    usage = usage or Usage(tenant_key=tenant.key)
    return {
        "total": usage.requests,
        "per_job": usage.per_job(tenant.jobs),
        "throttled": usage.throttled,
        "repeated": usage.repeated,
    }


def alert_json(alert: Alert, quiet: Quiet) -> Json:
    """Write an alert, without the evidence, which holds whole snapshots."""
    return {
        "fingerprint": alert.fingerprint,
        "name": alert.name,
        "state": alert.state,
        "severity": alert.severity,
        "labels": dict(alert.labels),
        "annotations": dict(alert.annotations),
        "episode": alert.episode,
        "activeSince": alert.activeSince,
        "startsAt": alert.startsAt,
        "endsAt": alert.endsAt,
        "silenced_by": list(quiet.silenced_by(alert)),
        "acknowledged_by": list(quiet.acknowledged_by(alert)),
    }


def silence_json(now: SilenceNow) -> Json:
    """Write a silence, with what it holds back at this moment."""
    silence = now.silence
    return {
        "id": silence.id,
        "state": now.state,
        "matchers": [str(matcher) for matcher in silence.matchers],
        "starts_at": silence.starts_at,
        "ends_at": silence.ends_at,
        "until_state_change": bool(silence.episodes),
        "created_by": silence.created_by,
        "comment": silence.comment,
        "holds": list(now.holds),
    }


def acknowledged_json(taken: Acknowledged) -> Json:
    """Write who has taken a conversation on."""
    return {
        "integration": taken.integration_id,
        "group": taken.group_key,
        "alerts": list(taken.alerts),
        "at": taken.at,
        "created_by": taken.created_by,
        "comment": taken.comment,
    }


def delivery_json(delivery: Delivery) -> Json:
    """Write a delivery, without the message itself."""
    return {
        "id": delivery.id,
        "integration": delivery.integration_id,
        "receiver": delivery.receiver,
        "group": delivery.group_key,
        "reason": delivery.reason,
        "state": delivery.state,
        "attempts": delivery.attempts,
        "decided_at": delivery.decided_at,
        "due_at": delivery.due_at if delivery.ended_at is None else None,
        "last_attempt_at": delivery.last_attempt_at,
        "ended_at": delivery.ended_at,
        "error": redact(delivery.error),
        "error_reason": delivery.error_reason,
        "bytes": len(delivery.rendered.body),
        "fallback": redact(delivery.rendered.fallback),
        "shortened": list(delivery.rendered.shortened),
    }


def job_json(record: JobRecord, names: Mapping[str, str | None]) -> Json:
    """Write a job as it was at its last good reading."""
    return {
        "id": record.job.id,
        "templateId": record.job.templateId,
        "displayName": names.get(record.service_principal_id),
        "servicePrincipalId": record.service_principal_id,
        "status": record.job.status,
        "schedule": record.job.schedule,
        "facts": record.facts,
        "sequence": record.sequence,
        "first_seen_at": record.first_seen_at,
        "changed_at": record.changed_at,
    }
