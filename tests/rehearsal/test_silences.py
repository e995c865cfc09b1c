"""What a silence holds back, and when."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from alertd.model.alert import Alert, Identity, State
from alertd.model.notification import Withheld
from alertd.notify.inhibition import BUILTIN
from alertd.notify.matchers import parse_matcher
from alertd.notify.pace import Pace
from alertd.notify.routes import Route
from alertd.notify.routing import Routing
from alertd.notify.silences import Silence, silencer

T0 = datetime(2026, 1, 1, tzinfo=UTC)


def minutes(count: float) -> timedelta:
    return timedelta(minutes=count)


def alert(name: str, *, state: State = State.FIRING, **labels: str) -> Alert:
    identity = Identity(rule=name, tenant_key="global/1", service_principal_id="sp", job_id="j")
    return Alert(identity=identity, state=state, severity="error", labels={"alertname": name, **labels}, activeSince=T0)


def silence(*matchers: str, starts: float = 10, ends: float = 20) -> Silence:
    return Silence(
        id="s1",
        matchers=tuple(parse_matcher(text) for text in matchers),
        starts_at=T0 + minutes(starts),
        ends_at=T0 + minutes(ends),
        created_by="ada",
        comment="renewing the certificate",
    )


@pytest.mark.parametrize(
    ("at", "held"),
    [
        pytest.param(9.99, False, id="before it starts"),
        pytest.param(10, True, id="at its start"),
        pytest.param(19.99, True, id="just before its end"),
        pytest.param(20, False, id="at its end"),
    ],
)
def test_a_silence_is_in_force_from_its_start_until_just_before_its_end(at: float, held: bool) -> None:
    found = silencer(alert("JobStale"), [silence('alertname="JobStale"')], T0 + minutes(at))

    assert (found is not None) is held


@pytest.mark.parametrize(
    ("matchers", "held"),
    [
        pytest.param(['alertname="JobStale"', 'tenant="contoso"'], True, id="all matchers hold"),
        pytest.param(['alertname="JobStale"', 'tenant="fabrikam"'], False, id="one does not"),
        pytest.param(['region=""'], True, id="a missing label equals an empty one"),
        pytest.param(['alertname=~"Job"'], False, id="an expression matches the whole value"),
    ],
)
def test_all_matchers_of_a_silence_must_hold(matchers: list[str], held: bool) -> None:
    found = silencer(alert("JobStale", tenant="contoso"), [silence(*matchers)], T0 + minutes(15))

    assert (found is not None) is held


def test_an_inhibited_and_silenced_alert_counts_as_inhibited() -> None:
    """And a silenced source still inhibits: the cause is known, whether or not anybody wants to hear of it."""
    routing = Routing(
        root=Route(id="{}", receiver="default", group_by=("alertname",), pace=Pace()),
        receivers={},
        inhibit_rules=BUILTIN,
    )
    source, target, other = alert("JobQuarantined"), alert("JobStale"), alert("TooManyDeletes")
    judge = routing.withhold("{}", [source, target, other], [silence('alertname=~".*"')], T0 + minutes(15))

    assert [judge(item) for item in (source, target, other)] == [
        Withheld.SILENCED,
        Withheld.INHIBITED,
        Withheld.SILENCED,
    ]
    assert routing.withhold("{}", [source], [silence('alertname=~".*"')], T0 + minutes(20))(source) is None
