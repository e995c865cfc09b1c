"""The life of one alert, minute by minute."""

from __future__ import annotations

from datetime import timedelta

from alertd.alerts.lifecycle import Conditions, advance
from alertd.model.alert import Alert, Evidence, Identity, State
from alertd.model.change import Change
from alertd.model.resources import SynchronizationStatus
from alertd.model.views import Job, Tenant

from .alerts import START

MINUTE = timedelta(minutes=1)
IDENTITY = Identity(rule="JobQuarantined", tenant_key="global/1", service_principal_id="sp-1", job_id="SF.1")


def seen(active: bool, *, cleared: bool | None = None, **more: object) -> Conditions:
    """Give what a rule says; without `clear_when` it is cleared exactly when it is not active."""
    settings: dict[str, object] = {"severity": "critical", "labels": {"alertname": "JobQuarantined"}, **more}
    return Conditions(identity=IDENTITY, active=active, cleared=not active if cleared is None else cleared, **settings)


def live(words: str, every: timedelta = MINUTE, begin: Alert | None = None, **more: object) -> list[Alert | None]:
    """Evaluate once a minute: `+` true, `-` false and cleared, `~` false and not cleared, `.` frozen."""
    lives, now = [begin], START
    for word in words:
        conditions = seen(word == "+", cleared=word == "-", **more)
        lives.append(lives[-1] if word == "." else advance(lives[-1], conditions, now))
        now += every
    return lives[1:]


LETTERS = {State.PENDING: "p", State.FIRING: "F", State.RESOLVED: "r", State.BASELINE: "b"}


def written(lives: list[Alert | None]) -> str:
    return "".join("." if one is None else LETTERS[one.state] for one in lives)


def evidence(code: str, *changes: Change) -> Evidence:
    """Give what a rule saw of a job, all of whose views tell by the code which reading they are of."""
    return Evidence(
        status=SynchronizationStatus(code=code),
        job=Job(id="SF.1", servicePrincipalId="sp-1", displayName=f"{code} job"),
        tenant=Tenant(name=f"{code} tenant", id="t-1"),
        changes=changes,
    )


BEGAN = Change("status.code", "Active", "Quarantine")
