"""`alertd explain` on a child of a common cause: it is held back, and the parent is named."""

from __future__ import annotations

from datetime import timedelta

from alertd.alerts.common_cause import CommonCause, gathered
from alertd.explanation.holding import Scene, of_message
from alertd.model.alert import Alert
from alertd.notify.matchers import parse_matcher
from alertd.notify.pace import Pace
from alertd.notify.routes import Route
from alertd.notify.routing import Routing
from tests.core.test_common_cause import T0, job

CAUSE = CommonCause(alert="ManyJobs", matchers=(parse_matcher("alertname=Quarantined"),), at_least=2)
CHILDREN = (job("a", 0), job("b", 1))


def held(alert: Alert, *firing: Alert) -> list[tuple[str, str]]:
    root = Route(id="{}", receiver="oncall", group_by=(), pace=Pace())
    routing = Routing(root=root, receivers={}, common_causes=(CAUSE,))
    scene = Scene(now=T0 + timedelta(hours=1), routing=routing, firing=firing, silences=(), groups={})
    return [(one.by, one.detail) for one in of_message(alert, scene)]


def test_a_child_is_held_back_by_its_parent() -> None:
    (move,) = gathered([CAUSE], CHILDREN, T0 + timedelta(minutes=2))
    parent = move.after
    assert parent is not None

    assert held(CHILDREN[0], *CHILDREN, parent) == [("inhibited", "ManyJobs fires (contoso)")]
    assert held(parent, *CHILDREN, parent) == []
    assert held(CHILDREN[0], *CHILDREN) == []
