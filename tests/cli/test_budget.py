"""`alertd check` knows from the store what the tenants need."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from alertd.cli.program import run
from alertd.store.opening import open_store
from alertd.store.values import RoundEntry

_CONFIG = """\
store: sqlite:///alertd.db
tenants: [{{name: contoso, tenant_id: contoso.example, credential: {{managed_identity: {{}}}}}}]
receivers: [{{name: oncall, webhook: [{{url: 'https://hooks.example/h'}}]}}]
route: {{receiver: oncall}}
poll: {{interval: 5m, max_requests_per_minute: {per_minute}{more}}}
"""


async def _remember(folder: Path, **given: Any) -> None:
    """Leave a store behind in which contoso has had a round."""
    store = await open_store("sqlite:///alertd.db", folder)
    async with store.transaction() as transaction:
        await transaction.append_round(
            RoundEntry(
                tenant_key="global/contoso.example",
                **({"at": datetime.now(UTC), "asked": 300, "ok": 300, "failed": 0, "jobs": 300} | given),
            )
        )
    await store.close()


def _warnings(folder: Path, capsys: pytest.CaptureFixture[str], per_minute: int, more: str = "") -> list[str]:
    path = folder / "alertd.yaml"
    path.write_text(_CONFIG.format(per_minute=per_minute, more=more), encoding="utf-8")
    run(["check", "-c", str(path), "--json"])
    problems = json.loads(capsys.readouterr().out)["problems"]
    return [one["found"] for one in problems if one["path"] == "poll.max_requests_per_minute"]


def test_a_budget_too_small_for_a_known_tenant_is_warned_of(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Nine hundred of its twelve hundred were left out of the latest round."""
    asyncio.run(_remember(tmp_path, rested=600, unanswered=100, waiting=200))

    (found,) = _warnings(tmp_path, capsys, 60)

    assert found.startswith("300 requests in a round, where tenant `contoso` needs 1,200")


@pytest.mark.parametrize(
    ("per_minute", "more", "rested"),
    [
        pytest.param(240, "", 900, id="it is enough"),
        pytest.param(60, ", max_added_delay: 15m", 900, id="patience makes it enough"),
    ],
)
def test_a_budget_that_is_enough_is_not(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], per_minute: int, more: str, rested: int
) -> None:
    asyncio.run(_remember(tmp_path, rested=rested))

    assert _warnings(tmp_path, capsys, per_minute, more) == []


def test_where_nothing_is_known_nothing_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """There is no store yet, and none is made by looking."""
    assert _warnings(tmp_path, capsys, 1) == []
    assert not (tmp_path / "alertd.db").exists()

    asyncio.run(_remember(tmp_path, at=datetime.now(UTC) - timedelta(days=2)))

    assert _warnings(tmp_path, capsys, 1) == []
