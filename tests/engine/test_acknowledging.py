"""`alertd ack` beside a daemon that told PagerDuty: the incident there is acknowledged, and resolved under the same key."""

from __future__ import annotations

import json
import sys
from typing import Any

import pytest
from aiohttp import web

from tests.engine.conftest import Site, quarantined

pytestmark = [pytest.mark.anyio, pytest.mark.skipif(sys.platform == "win32", reason="signals")]


async def test_an_incident_that_somebody_has_taken_on_is_acknowledged_at_pagerduty(site: Site) -> None:
    """At once, though the group's next tick is an hour away."""
    taken: list[dict[str, Any]] = []

    async def enqueue(request: web.Request) -> web.Response:
        taken.append(json.loads(await request.read()))
        return web.json_response({"status": "success"}, status=202)

    app = web.Application()
    app.router.add_post("/v2/enqueue", enqueue)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    job = site.job()
    path = site.configure(kinds="webhook", route="group_wait: 0s, group_interval: 1h")
    url = f"http://127.0.0.1:{runner.addresses[0][1]}/v2/enqueue"
    pagerduty = f"  - name: oncall\n    pagerduty: [{{routing_key: {'a' * 32}, url: '{url}'}}]\n"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("  - name: oncall\n", pagerduty), encoding="utf-8")
    daemon = await site.daemon()
    await site.until(lambda: len(site.simulator.calls) > 6)

    job.set(quarantined())
    await site.until(lambda: taken)
    code, _, err = await site.command("ack", "JobQuarantined", "--comment", "on it", "--author", "ada")
    await site.until(lambda: len(taken) > 1)
    stopped, _ = await site.stop(daemon)
    await runner.cleanup()

    assert (code, stopped) == (0, 0), err
    assert [request["event_action"] for request in taken] == ["trigger", "acknowledge"]
    assert len({request["dedup_key"] for request in taken}) == 1
