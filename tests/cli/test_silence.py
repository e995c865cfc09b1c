"""`alertd silence` without a daemon; beside one it is asked for in tests/engine."""

from __future__ import annotations

import getpass
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

ADD = ("silence", "add", "tenant=contoso", "--comment", "a change")


@pytest.fixture(autouse=True)
def _configuration(alertd: Any) -> None:
    Path("alertd.yaml").write_text(
        "receivers: [{name: oncall, webhook: [{url: '${NOT_SET}'}]}]\nroute: {receiver: oncall}\n", encoding="utf-8"
    )


def listed(alertd: Any, *options: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = json.loads(alertd("silence", "list", "--json", *options).out)
    return rows


def test_add_list_expire(alertd: Any) -> None:
    added = alertd(*ADD, 'alertname=~"Job.*"', "--duration", "2h")
    (row,) = listed(alertd)
    expired = alertd("silence", "expire", row["id"][:8])

    assert (added.code, added.out, added.err) == (0, row["id"] + "\n", "no alert that fires now matches\n")
    assert (row["state"], row["author"], row["comment"], row["holds"]) == ("active", getpass.getuser(), "a change", 0)
    assert row["matchers"] == ['tenant="contoso"', 'alertname=~"Job.*"']
    assert datetime.fromisoformat(row["ends"]) - datetime.fromisoformat(row["starts"]) < timedelta(hours=2, seconds=1)
    assert expired.out == row["id"] + "\n"
    assert listed(alertd) == []
    assert [row["state"] for row in listed(alertd, "--expired")] == ["expired"]


def test_one_that_is_to_begin(alertd: Any) -> None:
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).replace(microsecond=0)

    alertd(*ADD, "--starts", tomorrow.isoformat(), "--duration", "1d", "--author", "ada")

    (row,) = listed(alertd)
    assert (row["state"], row["author"]) == ("pending", "ada")
    assert datetime.fromisoformat(row["ends"]) == tomorrow + timedelta(days=1)


def test_the_table_names_what_people_ask(alertd: Any) -> None:
    alertd(*ADD, "--duration", "2h")

    shown = alertd("silence", "list").out

    assert 'tenant="contoso"' in shown
    assert "a change" in shown


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        pytest.param(["add", "tenant=contoso", "--duration", "2h"], "Missing option '--comment'", id="no comment"),
        pytest.param(["add", "--comment", "c", "--duration", "2h"], "Missing argument 'MATCHER...'", id="no matcher"),
        pytest.param([*ADD[1:]], "a silence needs an end", id="no end"),
        pytest.param([*ADD[1:], "--duration", "soon"], "'soon' is no duration such as 90m", id="no duration"),
        pytest.param([*ADD[1:], "--until", "soon"], "'soon' is no instant such as", id="no instant"),
        pytest.param([*ADD[1:], "--until", "2026-01-05T18:00", "--duration", "1h"], "both say the end", id="two ends"),
        pytest.param([*ADD[1:], "--until", "2020-01-01"], "not in the past", id="in the past"),
        pytest.param([*ADD[1:], "--until-state-change"], "no alert that fires matches", id="nothing to wait for"),
        pytest.param(["expire", "abcd"], "`alertd silence list` shows them", id="an unknown id"),
    ],
)
def test_wrong_use(alertd: Any, words: list[str], expected: str) -> None:
    outcome = alertd("silence", *words)

    assert outcome.code == 2
    assert expected in outcome.err


def test_a_list_needs_a_store(alertd: Any) -> None:
    assert alertd("silence", "list").code == 1


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        pytest.param(["JobPaused"], "Missing option '--comment'", id="no comment"),
        pytest.param(["JobPaused", "--comment", " "], "an acknowledgement needs an author and a comment", id="an empty comment"),
        pytest.param(["JobPaused", "--comment", "c"], "no alert that fires has the name or fingerprint 'JobPaused'", id="no alert"),
    ],
)  # fmt: skip
def test_wrong_use_of_ack(alertd: Any, words: list[str], expected: str) -> None:
    outcome = alertd("ack", *words)

    assert outcome.code == 2
    assert expected in outcome.err
