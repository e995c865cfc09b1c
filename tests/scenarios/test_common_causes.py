"""Common causes over reloads: a key that is removed, one that is added, and one that is changed while many fire."""

from __future__ import annotations

import asyncio

import attrs
import pytest

from alertd.alerts.common_cause import CommonCause
from alertd.notify.matchers import parse_matcher
from alertd.rehearsal.script import Script
from tests.scenarios.test_beyond_files import Reload, Told, job, minutes, setting, told

CAUSE = CommonCause(alert="Many", matchers=(parse_matcher("alertname=Quarantined"),), at_least=3)
OTHERWISE = attrs.evolve(CAUSE, equal=("tenant", "template_id"))
MANY = ("0:05:00", "first_notification", ["Many"], [])
REMOVED = ("0:07:00", "rule_removed", [], ["Many rule_removed"])
THREE = ["Quarantined"] * 3


def reloaded(before: tuple[CommonCause, ...], after: tuple[CommonCause, ...]) -> Told:
    """Have three jobs enter quarantine at 5m, and the configuration change at 7m."""
    jobs = tuple(job("Active", "Quarantine x3", name=f"contoso/App/{name}") for name in "abc")
    script = Script(name="a reload", jobs=jobs, restarts=(minutes(7),))
    where = setting("Quarantined")
    with_causes = [
        attrs.evolve(where, routing=attrs.evolve(where.routing, common_causes=causes)) for causes in (before, after)
    ]
    return told(asyncio.run(Reload(script, with_causes[0], with_causes[1]).play()))


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        pytest.param((CAUSE,), (CAUSE,), [MANY], id="nothing changed"),
        pytest.param(
            (CAUSE,), (), [MANY, REMOVED, ("0:07:00", "first_notification", THREE, [])],
            id="removed: its end says so, and they are told by themselves",
        ),
        pytest.param(
            (), (CAUSE,), [("0:05:00", "first_notification", THREE, []), ("0:07:00", "first_notification", ["Many"], [])],
            id="added: it speaks for what fires already",
        ),
        pytest.param(
            (CAUSE,), (OTHERWISE,), [MANY, ("0:07:00", "new_alerts", ["Many"], ["Many rule_removed"])],
            id="changed: the old one ends, and the new one fires in its place",
        ),
    ],
)  # fmt: skip
def test_reloads(before: tuple[CommonCause, ...], after: tuple[CommonCause, ...], expected: Told) -> None:
    assert reloaded(before, after) == expected
