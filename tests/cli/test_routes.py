"""`alertd routes test` says where an alert goes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture(autouse=True)
def _configuration(alertd: Any) -> None:
    Path("alertd.yaml").write_text(
        "receivers: [{name: oncall, webhook: [{url: '${NOT_SET}'}]}]\nroute: {receiver: oncall, group_by: [tenant]}\n",
        encoding="utf-8",
    )


def test_it_prints_receiver_and_group(alertd: Any) -> None:
    outcome = alertd("routes", "test", "tenant=contoso", "severity=critical")

    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.out == 'oncall\t{}:{tenant="contoso"}\n'


def test_json(alertd: Any) -> None:
    outcome = alertd("routes", "test", "tenant=contoso", "--json")

    assert json.loads(outcome.out) == [{"receiver": "oncall", "route": "{}", "group": '{}:{tenant="contoso"}'}]


def test_who_hears_of_it_later_stands_below(alertd: Any) -> None:
    Path("alertd.yaml").write_text(
        "receivers: [{name: oncall}, {name: managers}]\n"
        "route: {receiver: oncall, group_by: [tenant], escalate: [{after: 1h30m, receiver: managers}]}\n",
        encoding="utf-8",
    )

    outcome = alertd("routes", "test", "tenant=contoso", "--expect", "oncall")
    rows = json.loads(alertd("routes", "test", "tenant=contoso", "--json").out)

    assert (outcome.code, outcome.out) == (0, 'oncall\t{}:{tenant="contoso"}\n  managers\tescalation after 1h30m\n')
    assert [row["later"] for row in rows] == [[{"receiver": "managers", "reason": "escalation", "when": "after 1h30m"}]]


def test_reminders_of_a_deadline_are_shown(alertd: Any) -> None:
    Path("alertd.yaml").write_text(
        "receivers: [{name: oncall}, {name: managers}]\n"
        "route: {receiver: oncall, group_by: [], deadline_reminders: [{before: 7d}, {before: 1d, receiver: managers}]}\n",
        encoding="utf-8",
    )

    assert alertd("routes", "test").out.splitlines() == [
        "oncall\t{}:{}",
        "  oncall\treminder_deadline 7d before the job is disabled",
        "  managers\treminder_deadline 1d before the job is disabled",
    ]


def test_so_does_who_is_told_in_anothers_place(alertd: Any) -> None:
    Path("alertd.yaml").write_text(
        "receivers: [{name: oncall, fallback: managers}, {name: managers, fallback: director}, {name: director}]\n"
        "route: {receiver: oncall, group_by: []}\n",
        encoding="utf-8",
    )

    assert alertd("routes", "test").out.splitlines() == [
        "oncall\t{}:{}",
        "  managers\tfallback if an integration of oncall has failed",
        "  director\tfallback if an integration of managers has failed",
    ]


@pytest.mark.parametrize(("receiver", "code"), [("oncall", 0), ("managers", 1)])
def test_an_expectation_decides_the_exit_code(alertd: Any, receiver: str, code: int) -> None:
    assert alertd("routes", "test", "tenant=contoso", "--expect", receiver).code == code


def test_the_tree_is_walked(alertd: Any) -> None:
    Path("alertd.yaml").write_text(
        "receivers: [{name: oncall}, {name: managers}]\n"
        "route:\n"
        "  receiver: oncall\n"
        "  group_by: [tenant]\n"
        "  routes:\n"
        "    - {matchers: ['severity=\"critical\"'], receiver: managers, continue: true, group_by: []}\n"
        "    - {matchers: ['tenant=\"contoso\"'], group_by: [severity]}\n",
        encoding="utf-8",
    )

    outcome = alertd(
        "routes", "test", "tenant=contoso", "severity=critical", "--expect", "managers", "--expect", "oncall"
    )

    assert outcome.code == 0
    assert outcome.out == (
        'managers\t{}/{severity="critical"}:{}\noncall\t{}/{tenant="contoso"}:{severity="critical"}\n'
    )
