"""The demo, in this process and as a command: real MSAL, real HTTP, real SMTP, simulated only at the far ends."""

from __future__ import annotations

import asyncio
import re
import signal
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import attrs
import httpx
import pytest

from alertd.demo.expectations import Expectations
from alertd.demo.plan import FAST, SLOW, Act, Plan, plan_for
from alertd.demo.programme import result_table
from alertd.demo.stage import Stage
from alertd.demo.story import chapters, parts_of
from alertd.errors import UsageError
from alertd.simulator.inbox import Medium
from alertd.simulator.scenario import scenarios

ONE_ACT = attrs.evolve(FAST, acts=(Act(scenario="failure-streak", starts=timedelta(seconds=-3)),))


def test_the_slow_story_plays_every_shipped_scenario_within_two_minutes() -> None:
    assert {act.scenario for act in SLOW.acts} == set(scenarios())
    assert SLOW.length <= timedelta(minutes=2)


def test_the_fast_story_takes_some_twenty_seconds() -> None:
    assert FAST.length <= timedelta(seconds=20)


@pytest.mark.parametrize(
    ("duration", "fast", "plan"),
    [
        pytest.param(None, False, SLOW, id="to be watched"),
        pytest.param(None, True, FAST, id="fast"),
        pytest.param(timedelta(minutes=5), False, SLOW, id="time enough"),
        pytest.param(timedelta(seconds=30), False, FAST, id="too short for the whole story"),
    ],
)
def test_which_story_is_played(duration: timedelta | None, fast: bool, plan: Plan) -> None:
    assert plan_for(duration, fast=fast) is plan


def test_an_act_speaks_of_its_own_tenants_at_its_own_pace() -> None:
    act = Act(scenario="channel-outage", tenants={"contoso": "northwind"}, down=Medium.EMAIL)

    scenario = act.load(timedelta(seconds=1))

    (outage,) = scenario.receivers_down
    assert scenario.tenant_names == ("northwind",)
    assert {one.tenant for one in scenario.expect} == {"northwind"}
    assert (outage.receiver, outage.starts, outage.ends) == ("email", timedelta(seconds=1), timedelta(seconds=4))


def test_a_chapter_is_over_only_when_it_was_told() -> None:
    begin = datetime(2026, 1, 5, tzinfo=UTC)
    parts = parts_of(ONE_ACT, begin)
    nothing = Expectations(())
    told_of_nothing = [chapters(parts, nothing, begin + timedelta(seconds=at))[0].state for at in (-4, 0, 60)]

    assert told_of_nothing == ["waiting", "running", "done"]


@pytest.mark.anyio
async def test_a_story_reaches_all_channels_and_both_pages_tell_it(tmp_path: Path) -> None:
    async with Stage(ONE_ACT, tmp_path) as stage:
        waiting = asyncio.create_task(asyncio.wait_for(stage.met.wait(), 30))
        await stage.play(waiting)

        async with httpx.AsyncClient(trust_env=False) as client:
            inbox = (await client.get(stage.page.origin)).text
            status = (await client.get(stage.web.origin)).text
            metrics = (await client.get(f"{stage.web.origin}/metrics")).text
        assert re.search(r"Workday to Active Directory failed \d times in a row", inbox)
        assert "signature verified" in inbox
        assert "fabrikam" in status
        assert re.search(
            r'alertd_deliveries_total\{integration="identity-oncall/teams/default".*state="delivered"', metrics
        )
        assert all(arrival.shown for arrival in stage.receivers.inbox.arrivals())


@pytest.mark.anyio
async def test_links_in_messages_lead_to_the_status_page(tmp_path: Path) -> None:
    async with Stage(ONE_ACT, tmp_path) as stage:
        await stage.play(asyncio.create_task(stage.receivers.inbox.more(0)))
        bodies = [arrival.message.body for arrival in stage.receivers.inbox.arrivals()]

        assert bodies
        assert all(stage.web.origin.encode() in body.replace(b"=\r\n", b"") for body in bodies)


@pytest.mark.anyio
async def test_a_taken_port_is_told_plainly(tmp_path: Path) -> None:
    async with Stage(ONE_ACT, tmp_path) as stage:
        port = int(stage.page.origin.rpartition(":")[2])
        with pytest.raises(UsageError, match="--port"):
            async with Stage(ONE_ACT, tmp_path / "other", port=port):
                pass


@pytest.mark.anyio
async def test_what_is_missing_is_named(tmp_path: Path) -> None:
    async with Stage(ONE_ACT, tmp_path) as stage:
        table = result_table(stage.expectations, stage.began_at)

        assert [str(cell) for cell in table.columns[3].cells] == ["missing", "missing"]


def test_the_command_ends_once_all_has_arrived() -> None:
    """The one test that runs everything as a user does; some fifteen seconds."""
    command = [sys.executable, "-m", "alertd", "demo", "--fast", "--duration", "60s"]

    done = subprocess.run(command, capture_output=True, timeout=90, check=False, encoding="utf-8")

    assert done.returncode == 0, done.stderr
    assert "missing" not in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


def test_the_command_fails_when_something_has_not_arrived() -> None:
    command = [sys.executable, "-m", "alertd", "demo", "--fast", "--duration", "1s"]

    done = subprocess.run(command, capture_output=True, timeout=60, check=False, encoding="utf-8")

    assert done.returncode == 1
    assert "missing" in done.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="signals are sent otherwise there")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_ends_cleanly_when_it_is_told_to(number: signal.Signals) -> None:
    command = [sys.executable, "-u", "-m", "alertd", "demo"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, encoding="utf-8") as process:
        assert process.stderr is not None
        for line in process.stderr:
            if "begins" in line:
                break
        process.send_signal(number)
        rest = process.stderr.read()

    assert process.returncode == 0, rest
    assert "fault in alertd" not in rest
