"""The daemon as a process: what it tells, what it survives, how it stops and reloads."""

from __future__ import annotations

import asyncio
import json
import signal
import sqlite3
import sys

import pytest

from alertd.simulator.inbox import Medium
from alertd.simulator.receivers_behaviour import Mode
from tests.engine.conftest import Site, active, quarantined

pytestmark = [pytest.mark.anyio, pytest.mark.skipif(sys.platform == "win32", reason="signals")]
EVERYWHERE = (Medium.TEAMS, Medium.EMAIL, Medium.WEBHOOK)


async def test_an_incident_is_one_conversation_on_every_channel(site: Site) -> None:
    """Entered and left quarantine: one first message and one all-clear each, over real sockets."""
    job = site.job()
    site.configure()
    daemon = await site.daemon()
    await site.until(lambda: len(site.simulator.calls) > 6)

    job.set(quarantined())
    await site.until(lambda: all(site.told(medium) == ["first_notification"] for medium in EVERYWHERE))
    job.set(active())
    await site.until(lambda: all(len(site.told(medium)) == 2 for medium in EVERYWHERE))

    assert [site.told(medium) for medium in EVERYWHERE] == [["first_notification", "all_resolved"]] * 3
    assert (await site.stop(daemon))[0] == 0


async def test_sigterm_stops_cleanly(site: Site) -> None:
    site.job()
    site.configure()
    daemon = await site.daemon()
    await site.until(lambda: site.simulator.calls)

    code, log = await site.stop(daemon)

    assert code == 0
    assert "alertd.stopped" in log
    assert "Traceback" not in log


async def test_killed_between_poll_and_delivery_tells_everything_after_the_next_start(site: Site) -> None:
    """The outbox was committed while every receiver was down; SIGKILL; the next start delivers each message, and nothing is polled twice into it."""
    job = site.job()
    site.configure()
    for medium in EVERYWHERE:
        site.receivers.behaviour(medium).fail(Mode.DOWN)
    daemon = await site.daemon()
    await site.until(lambda: len(site.simulator.calls) > 6)
    job.set(quarantined())
    await site.until(lambda: all(site.receivers.inbox.arrivals(medium=medium) for medium in EVERYWHERE))

    await site.stop(daemon, signal.SIGKILL)
    for medium in EVERYWHERE:
        site.receivers.behaviour(medium).recover()
    again = await site.daemon()
    await site.until(lambda: all(site.told(medium) for medium in EVERYWHERE))
    code, _ = await site.stop(again)

    assert code == 0
    assert [site.told(medium) for medium in EVERYWHERE] == [["first_notification"]] * 3


async def test_killed_in_an_attempt_says_that_it_may_be_a_repeat(site: Site) -> None:
    """Nobody knows whether a hanging receiver took the message: the same webhook-id goes out again, and a card says what it is."""
    job = site.job()
    site.configure(kinds="teams webhook")
    for medium in (Medium.TEAMS, Medium.WEBHOOK):
        site.receivers.behaviour(medium).fail(Mode.HANGING)
    daemon = await site.daemon()
    await site.until(lambda: len(site.simulator.calls) > 6)
    job.set(quarantined())
    await site.until(lambda: len(site.receivers.inbox.arrivals()) >= 2)

    await site.stop(daemon, signal.SIGKILL)
    for medium in (Medium.TEAMS, Medium.WEBHOOK):
        site.receivers.behaviour(medium).recover()
    again = await site.daemon()
    await site.until(lambda: site.told(Medium.TEAMS) and site.told(Medium.WEBHOOK))
    await site.stop(again)

    first, second = (
        arrival.message.headers["webhook-id"] for arrival in site.receivers.inbox.arrivals(medium=Medium.WEBHOOK)
    )
    assert first == second
    assert b"repeat" in site.accepted(Medium.TEAMS)[0].message.body


async def test_an_outage_of_graph_resolves_nothing(site: Site) -> None:
    """While Graph fails the alert is frozen; afterwards nothing is said, for nothing has changed."""
    job = site.job()
    site.configure(kinds="webhook")
    tenant = site.simulator.tenants["contoso"]
    daemon = await site.daemon()
    await site.until(lambda: len(site.simulator.calls) > 6)
    job.set(quarantined())
    await site.until(site.told)

    secrets, tenant.secrets = tenant.secrets, []
    job.set(active())
    tenant.roles.clear()
    seen = len(site.simulator.calls)
    await site.until(lambda: len(site.simulator.calls) > seen + 3)
    code, out, _ = await site.command("alerts", "--json")
    await site.stop(daemon)

    tenant.secrets = secrets
    assert code == 0
    assert "JobQuarantined" in {row["alert"] for row in json.loads(out) if row["state"] == "firing"}
    assert "all_resolved" not in site.told()


async def test_a_second_daemon_is_refused(site: Site) -> None:
    site.job()
    site.configure()
    daemon = await site.daemon()
    await site.until(lambda: site.simulator.calls)

    code, _, err = await site.command("run")
    await site.stop(daemon)

    assert code == 1
    assert f"process {daemon.pid}" in err


async def test_reload_takes_over_a_good_configuration_and_refuses_a_bad_one(site: Site) -> None:
    """A broken file leaves everything as it is and says why; a mended one is in force at once."""
    job = site.job()
    path = site.configure(kinds="webhook")
    daemon = await site.daemon()
    await site.until(lambda: len(site.simulator.calls) > 6)

    good = path.read_text(encoding="utf-8")
    path.write_text(good.replace("receiver: oncall", "receiver: uncall"), encoding="utf-8")
    refused = await site.command("reload")
    job.set(quarantined())
    await site.until(lambda: site.told() == ["first_notification"])
    path.write_text(good + "timezone: Europe/Berlin\n", encoding="utf-8")
    taken = await site.command("reload")
    daemon.send_signal(signal.SIGHUP)
    job.set(active())
    await site.until(lambda: len(site.told()) == 2)
    code, log = await site.stop(daemon)

    assert refused[0] == 1
    assert "uncall" in refused[2]
    assert "did you mean `oncall`" in refused[2]
    assert (taken[0], code) == (0, 0)
    assert log.count("reload.done") == 2
    assert site.told() == ["first_notification", "all_resolved"]


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        pytest.param("receiver: oncall", "receiver: uncall", "did you mean `oncall`", id="configuration"),
        pytest.param("rules: [builtin]", "rules: [bad.yaml]", "countSuccessiveCompleteFailures", id="rule"),
        pytest.param("rules: [builtin]", "rules: [builtin]\ntemplates: mine", "unexpected", id="template"),
    ],
)
async def test_what_is_wrong_stops_the_start(site: Site, before: str, after: str, said: str) -> None:
    """A daemon that would not do what its files say does not begin."""
    site.job()
    path = site.configure()
    path.write_text(path.read_text(encoding="utf-8").replace(before, after), encoding="utf-8")
    rule = "groups: [{name: g, rules: [{alert: A, when: status.countSuccesiveCompleteFailures > 3}]}]\n"
    (site.folder / "bad.yaml").write_text(rule, encoding="utf-8")
    (site.folder / "mine/teams").mkdir(parents=True)
    (site.folder / "mine/teams/message.card.json.j2").write_text("{{ oops", encoding="utf-8")

    code, out, err = await site.command("run")

    assert (code, out) == (2, "")
    assert said in err
    assert "Traceback" not in err


async def test_a_silence_made_beside_the_daemon_holds_back_until_it_is_ended(site: Site) -> None:
    job = site.job()
    site.configure(kinds="webhook")
    daemon = await site.daemon()
    await site.until(lambda: len(site.simulator.calls) > 6)
    made = await site.command("silence", "add", "tenant=contoso", "--duration", "1h", "--comment", "a drill", "--json")

    job.set(quarantined())
    listed: list[dict[str, object]] = [{"holds": 0}]
    while listed[0]["holds"] == 0:
        listed = json.loads((await site.command("silence", "list", "--json"))[1])
    told_meanwhile = site.told(Medium.WEBHOOK)
    await site.command("silence", "expire", json.loads(made[1])["id"])
    await site.until(lambda: site.told(Medium.WEBHOOK))

    assert told_meanwhile == []
    assert site.told(Medium.WEBHOOK) == ["first_notification"]
    assert (await site.stop(daemon))[0] == 0


async def test_what_is_acknowledged_beside_the_daemon_is_not_repeated_and_its_end_is_told(site: Site) -> None:
    job = site.job()
    site.configure(kinds="webhook", route="group_wait: 0s, group_interval: 1s, repeat_interval: 1s")
    daemon = await site.daemon()
    await site.until(lambda: len(site.simulator.calls) > 6)
    job.set(quarantined())
    await site.until(lambda: "repeat" in site.told(Medium.WEBHOOK))

    code, out, err = await site.command("ack", "JobQuarantined", "--comment", "on it", "--author", "ada")
    before = site.told(Medium.WEBHOOK)
    polls = len(site.simulator.calls)
    await site.until(lambda: len(site.simulator.calls) > polls + 4)
    (listed,) = json.loads((await site.command("alerts", "alertname=JobQuarantined", "--json"))[1])
    status = (await site.command("status"))[1]
    meanwhile = site.told(Medium.WEBHOOK)
    job.set(active())
    await site.until(lambda: site.told(Medium.WEBHOOK)[-1] == "all_resolved")

    assert (code, out) == (0, "JobQuarantined (contoso/Salesforce/SF.1)\n"), err
    assert len(meanwhile) - len(before) <= 1, "one may have been on its way"
    assert (listed["acknowledged"], listed["silenced"]) == ("ada: on it", None)
    assert "conversations acknowledged: 1, silences in force: 0" in status
    assert (await site.stop(daemon))[0] == 0


async def test_the_heartbeat_beats_while_all_is_well(site: Site) -> None:
    """Whoever listens raises the alarm when it stays away: the one failure alertd cannot tell of itself."""
    site.job()
    beats: list[bytes] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        beats.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nOK")
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        site.configure(extra=f"web: null\nheartbeat: {{url: 'http://127.0.0.1:{port}/ping/secret', interval: 1s}}")
        daemon = await site.daemon()
        await site.until(lambda: len(beats) > 1)
        code, log = await site.stop(daemon)

    assert code == 0
    assert beats[0].startswith(b"POST /ping/secret ")
    assert "secret" not in log


def fall_due(site: Site) -> None:
    """Let the digest's time pass while nobody runs."""
    with sqlite3.connect(site.folder / "alertd.db") as store:
        assert store.execute("UPDATE digests SET due_at = 1").rowcount == 1
    store.close()


async def test_a_digest_that_fell_due_meanwhile_is_sent_once(site: Site) -> None:
    """By the next `alertd poll`, and by the next daemon; neither sends it again, a reload included."""
    job = site.job()
    site.configure(kinds="teams email webhook", extra='digest: [{receiver: oncall, cron: "0 9 1 1 *"}]\nweb: null')
    job.set(quarantined())
    await site.command("poll", "--no-wait")
    fall_due(site)

    await site.command("poll", "--no-wait")
    await site.command("poll", "--no-wait")
    polled = [site.told(medium).count("digest") for medium in EVERYWHERE]
    fall_due(site)
    daemon = await site.daemon()
    await site.until(lambda: all(site.told(medium).count("digest") == 2 for medium in EVERYWHERE))
    reloaded, _, _ = await site.command("reload")
    code, log = await site.stop(daemon)

    assert polled == [1, 1, 1]
    assert (reloaded, code) == (0, 0)
    assert [site.told(medium).count("digest") for medium in EVERYWHERE] == [2, 2, 2]
    assert "Traceback" not in log
    told = [
        json.loads(arrival.message.body)
        for arrival in site.accepted(Medium.WEBHOOK)
        if b"alertd.digest" in arrival.message.body
    ]
    assert [one["data"]["digest"]["quarantined"][0]["title"] for one in told] == ["Salesforce", "Salesforce"]
