"""Reloads of a running daemon: what is due, told and true stays; what is wrong changes nothing; what moved is told to the end (S50-S53)."""

from __future__ import annotations

import signal
import socket
import sys
from collections.abc import Callable

import httpx
import pytest

from alertd.simulator.inbox import Medium
from alertd.store.opening import open_store_read_only
from tests.engine.conftest import Site, active, quarantined

pytestmark = [pytest.mark.anyio, pytest.mark.skipif(sys.platform == "win32", reason="signals")]
QUARANTINE = "when: 'status.code == \"Quarantine\"', severity: error"


def _rules(site: Site, *rules: str) -> None:
    lines = "".join(f"  - {{{rule}}}\n" for rule in rules)
    (site.folder / "own.yaml").write_text(f"groups:\n- name: own\n  rules:\n{lines}", encoding="utf-8")


async def _polled(site: Site, rounds: int = 3) -> None:
    """Wait until the daemon has asked again so often."""
    seen = len(site.simulator.calls)
    await site.until(lambda: len(site.simulator.calls) > seen + 2 * rounds)


async def _stands(site: Site) -> tuple[object, ...]:
    """Give all that is true, due and told, as the store has it; groups without what changes at every tick."""
    store = await open_store_read_only("sqlite:///alertd.db", site.folder)
    async with store.reading() as reader:
        groups = [(group.key, group.opened_at, group.first_flush_at) for group in await reader.groups()]
        stands = (sorted(groups), await reader.conversations(), await reader.alerts())
    await store.close()
    return stands


async def test_s50_reloads_move_no_clock_and_say_nothing_twice(site: Site) -> None:
    """One group waits for its first message, another has been told; every way to reload leaves both, and the repeat clock, where they are."""
    job = site.job()
    _rules(site, f"alert: Told, {QUARANTINE}", f"alert: Waits, {QUARANTINE}")
    site.configure(
        rules="own.yaml",
        kinds="webhook",
        route="group_wait: 0s, group_interval: 1s, repeat_interval: 1h, "
        "routes: [{matchers: ['alertname=\"Waits\"'], group_wait: 1h}]",
    )
    daemon = await site.daemon()
    await _polled(site)
    job.set(quarantined())
    await site.until(site.told)
    await _polled(site)

    before = await _stands(site)
    commanded = [(await site.command("reload"))[0] for _ in range(2)]
    daemon.send_signal(signal.SIGHUP)
    await _polled(site)
    after = await _stands(site)
    code, log = await site.stop(daemon)

    assert (commanded, log.count("reload.done"), code) == ([0, 0], 3, 0)
    assert len(before[0]) == 2  # type: ignore[arg-type]
    assert after == before
    assert site.told() == ["first_notification"]


def _replace(site: Site, before: str, after: str) -> None:
    path = site.folder / "alertd.yaml"
    path.write_text(path.read_text(encoding="utf-8").replace(before, after), encoding="utf-8")


def _break_template(site: Site) -> None:
    place = site.folder / "mine/teams"
    place.mkdir(parents=True, exist_ok=True)
    (place / "message.card.json.j2").write_text("{{ oops", encoding="utf-8")
    _replace(site, "rules: [own.yaml]", "rules: [own.yaml]\ntemplates: mine")


BROKEN: dict[str, Callable[[Site], None]] = {
    "uncall": lambda site: _replace(site, "receiver: oncall", "receiver: uncall"),
    "Own": lambda site: _rules(site, f"alert: Own, {QUARANTINE}", f"alert: Own, {QUARANTINE}"),
    "countSuccesiveCompleteFailures": lambda site: _rules(site, "alert: Own, when: status.countSuccesiveCompleteFailures > 3"),
    "message.card.json.j2": _break_template,
}  # fmt: skip


async def test_s51_s52_what_is_refused_changes_nothing_and_what_is_mended_is_in_force(site: Site) -> None:
    """Each part in turn is wrong, the last one to be built among them; all the while the daemon goes on as before."""
    job = site.job()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        web = f"127.0.0.1:{free.getsockname()[1]}"
    _rules(site, f"alert: Own, {QUARANTINE}", f"alert: Removed, {QUARANTINE}")
    path = site.configure(rules="own.yaml", kinds="webhook", extra=f"web: {{listen: '{web}'}}")
    good, rules = path.read_text(encoding="utf-8"), (site.folder / "own.yaml").read_text(encoding="utf-8")
    daemon = await site.daemon()
    await _polled(site)

    async with httpx.AsyncClient(base_url=f"http://{web}", timeout=20) as client:
        for named, breaks in BROKEN.items():
            breaks(site)
            refused = await client.post("/-/reload")
            figures = (await client.get("/metrics")).text
            path.write_text(good, encoding="utf-8")
            (site.folder / "own.yaml").write_text(rules, encoding="utf-8")
            assert (refused.status_code, named in refused.text) == (400, True), refused.text
            assert "alertd_config_reload_failed 1.0" in figures
        job.set(quarantined())
        await site.until(lambda: site.told() == ["first_notification"] * 2)

        _rules(
            site,
            "alert: Own, when: 'status.code in [\"Quarantine\"]', severity: critical, labels: {team: identity}",
            f"alert: Added, {QUARANTINE}",
            f"alert: Off, {QUARANTINE}, enabled: false",
        )
        mended = await client.post("/-/reload")
        await site.until(lambda: len(site.told()) > 3)
        await _polled(site)
        figures = (await client.get("/metrics")).text
    code, _ = await site.stop(daemon)

    assert (mended.status_code, code) == (200, 0)
    assert "alertd_config_reload_failed 0.0" in figures
    assert sorted(site.told()) == ["first_notification"] * 3 + ["rule_removed"]
    assert b'"Added"' in site.accepted(Medium.WEBHOOK)[0].message.body + site.accepted(Medium.WEBHOOK)[1].message.body


async def test_an_alert_that_a_reload_sends_elsewhere_is_told_there_and_its_end_to_both(site: Site) -> None:
    """Groups and receivers moved: whoever was told that it fires hears how it ends, and nobody hears of it twice."""
    job = site.job()
    _rules(site, f"alert: Own, {QUARANTINE}", "alert: Other, event: job.gone")
    path = site.configure(rules="own.yaml", kinds="webhook")
    elsewhere = f"receivers:\n  - name: second\n    teams: [{{url: '{site.receivers.teams_url}', allow_http: true}}]\n"
    text = path.read_text(encoding="utf-8").replace("receivers:\n", elsewhere)
    path.write_text(text, encoding="utf-8")
    daemon = await site.daemon()
    await _polled(site)
    job.set(quarantined())
    await site.until(lambda: site.told() == ["first_notification"])

    moved = text.replace("route: {receiver: oncall, ", "route: {receiver: second, group_by: [alertname], ")
    path.write_text(moved, encoding="utf-8")
    reloaded = await site.command("reload")
    await site.until(lambda: site.told(Medium.TEAMS))
    await _polled(site)
    job.set(active())
    await site.until(lambda: len(site.told()) > 1 and len(site.told(Medium.TEAMS)) > 1)
    code, _ = await site.stop(daemon)

    assert (reloaded[0], code) == (0, 0)
    assert site.told() == ["first_notification", "all_resolved"]
    assert site.told(Medium.TEAMS) == ["first_notification", "all_resolved"]
