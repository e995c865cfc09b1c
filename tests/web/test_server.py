"""The daemon's HTTP, asked over a real socket."""

from __future__ import annotations

import asyncio
import contextlib
import re
from typing import TYPE_CHECKING, Any

import attrs
import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from alertd.config.sections import Listen
from alertd.errors import Problem, StoreError, UsageError
from alertd.metrics import Figures, Metrics
from alertd.model.notification import DeliveryState
from alertd.store.memory import MemoryStore
from alertd.web.server import WebServer

if TYPE_CHECKING:
    from tests.web.conftest import Engine, Reloads

pytestmark = pytest.mark.anyio


def value_of(text: str, name: str, **labels: str) -> float | None:
    """Find one sample in an exposition; null where there is none."""
    families = text_string_to_metric_families(text)
    found = (one.value for family in families for one in family.samples if (one.name, one.labels) == (name, labels))
    return next(found, None)


class TestHealth:
    async def test_healthy_while_the_loop_turns(self, web: httpx.AsyncClient) -> None:
        answer = await web.get("/-/healthy")

        assert (answer.status_code, answer.text) == (200, "healthy\n")

    async def test_ready_when_nothing_is_in_the_way(self, web: httpx.AsyncClient) -> None:
        answer = await web.get("/-/ready")

        assert (answer.status_code, answer.text) == (200, "ready\n")

    @pytest.mark.parametrize(
        ("facts", "reason"),
        [
            pytest.param(
                {"overdue": ("fabrikam",)}, "tenant fabrikam: no round has ended in time", id="a round is overdue"
            ),
            pytest.param({"store_trouble": True}, "the store could not be written", id="the engine could not write"),
        ],
    )
    async def test_not_ready_says_why(
        self, web: httpx.AsyncClient, engine: Engine, facts: dict[str, Any], reason: str
    ) -> None:
        engine.now_has(**facts)

        answer = await web.get("/-/ready")

        assert answer.status_code == 503
        assert reason in answer.text
        assert (await web.get("/-/healthy")).status_code == 200

    async def test_a_store_that_cannot_be_written_is_not_ready(
        self, web: httpx.AsyncClient, store: MemoryStore, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def refuse() -> contextlib.AbstractAsyncContextManager[Any]:
            raise StoreError("the disk is full")

        monkeypatch.setattr(store, "transaction", refuse)

        answer = await web.get("/-/ready")

        assert (answer.status_code, "the disk is full" in answer.text) == (503, True)

    async def test_a_store_that_cannot_be_read_is_said_so(self, web: httpx.AsyncClient, store: MemoryStore) -> None:
        await store.close()

        for path in ("/", "/metrics", "/api/v1/status"):
            answer = await web.get(path)
            assert (answer.status_code, "the store cannot be read" in answer.text) == (503, True)


class TestPage:
    async def test_it_shows_what_matters(self, web: httpx.AsyncClient) -> None:
        text = (await web.get("/")).text

        assert "Salesforce is in quarantine" in text
        assert "2026-02-02" in text  # the day on which it is disabled at the latest
        assert "4 · permission" in text  # fabrikam's failed rounds

    async def test_text_from_outside_is_shown_and_does_nothing(self, web: httpx.AsyncClient) -> None:
        text = (await web.get("/")).text

        assert "<script>alert(1)" not in text
        assert "&lt;script&gt;alert(1)" in text
        assert "\u202e" not in text

    async def test_no_credential_is_shown(self, web: httpx.AsyncClient) -> None:
        """An attempt's error may hold a URL, and a webhook's URL is a credential."""
        for path in ("/", "/api/v1/deliveries", "/metrics"):
            text = (await web.get(path)).text
            assert "SECRET" not in text
            assert "secret-path" not in text

    async def test_scripts_and_styles_are_named_by_a_nonce(self, web: httpx.AsyncClient) -> None:
        first, second = await web.get("/"), await web.get("/")

        policy = first.headers["content-security-policy"]
        nonce = policy.partition("'nonce-")[2].partition("'")[0]
        assert first.text.count("<script") == first.text.count(f'<script nonce="{nonce}"') == 1
        assert first.text.count("<style") == first.text.count(f'<style nonce="{nonce}"') == 1
        assert " style=" not in first.text
        assert nonce not in second.headers["content-security-policy"]

    async def test_nothing_comes_from_elsewhere(self, web: httpx.AsyncClient) -> None:
        text = (await web.get("/")).text

        assert re.findall(r"(?:src|href|url)\W*(?:https?:)?//", text) == []

    async def test_an_empty_store_is_no_trouble(self, engine: Engine, reloads: Reloads) -> None:
        server = WebServer(Listen("127.0.0.1", 0), MemoryStore(), engine, reloads)
        await server.start()
        async with httpx.AsyncClient(base_url=server.origin, trust_env=False) as web:
            text = (await web.get("/")).text
        await server.stop()

        assert "Nothing fires." in text
        assert "No round has ended yet." in text


class TestReload:
    async def test_it_is_taken_over(self, web: httpx.AsyncClient, reloads: Reloads) -> None:
        answer = await web.post("/-/reload")

        assert (answer.status_code, answer.text, reloads.calls) == (200, "reloaded\n", 1)

    async def test_a_refusal_names_every_problem(self, web: httpx.AsyncClient, reloads: Reloads) -> None:
        reloads.problems = tuple(Problem(file="alertd.yaml", line=line, found=f"fault {line}") for line in (3, 9))

        answer = await web.post("/-/reload")

        assert answer.status_code == 400
        assert "alertd.yaml:3: fault 3\nalertd.yaml:9: fault 9\n" in answer.text

    async def test_a_refusal_as_json(self, web: httpx.AsyncClient, reloads: Reloads) -> None:
        reloads.problems = (Problem(file="alertd.yaml", line=3, found="a fault", cure="mend it"),)

        answer = await web.post("/-/reload", headers={"Accept": "application/json"})

        (problem,) = answer.json()["problems"]
        assert (problem["line"], problem["cure"], problem["text"]) == (3, "mend it", "alertd.yaml:3: a fault; mend it")

    async def test_looking_does_not_reload(self, web: httpx.AsyncClient, reloads: Reloads) -> None:
        assert (await web.get("/-/reload")).status_code == 405
        assert reloads.calls == 0


class TestGuard:
    @pytest.mark.parametrize(
        ("headers", "status"),
        [
            pytest.param({}, 200, id="no browser"),
            pytest.param({"Sec-Fetch-Site": "same-origin", "Origin": "{origin}"}, 200, id="our own page"),
            pytest.param({"Sec-Fetch-Site": "none"}, 200, id="the person at the browser"),
            pytest.param({"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"}, 403, id="another site"),
            pytest.param({"Sec-Fetch-Site": "same-site"}, 403, id="another port of this host"),
            pytest.param({"Origin": "http://127.0.0.1:1"}, 403, id="another port, an old browser"),
            pytest.param({"Origin": "null"}, 403, id="a page without an origin"),
        ],
    )
    async def test_who_may_write(
        self, web: httpx.AsyncClient, server: WebServer, headers: dict[str, str], status: int
    ) -> None:
        sent = {name: value.format(origin=server.origin) for name, value in headers.items()}

        assert (await web.post("/-/reload", headers=sent)).status_code == status

    @pytest.mark.parametrize(
        ("host", "status"),
        [
            pytest.param("127.0.0.1:9095", 200, id="loopback"),
            pytest.param("localhost", 200, id="localhost"),
            pytest.param("[::1]:9095", 200, id="loopback, IPv6"),
            pytest.param("alertd.example.com", 200, id="external_url"),
            pytest.param("evil.example", 421, id="a name that was made to point here"),
            pytest.param("127.0.0.1.evil.example", 421, id="a name that looks like loopback"),
            pytest.param("[", 421, id="no name at all"),
        ],
    )
    async def test_by_which_names_it_is_reached(self, web: httpx.AsyncClient, host: str, status: int) -> None:
        assert (await web.get("/-/healthy", headers={"Host": host})).status_code == status

    @pytest.mark.parametrize("path", ["/", "/metrics", "/-/ready", "/api/v1/alerts", "/nothing"])
    async def test_every_answer_carries_the_headers(self, web: httpx.AsyncClient, path: str) -> None:
        headers = (await web.get(path)).headers

        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY"
        assert "default-src 'none'" in headers["content-security-policy"]
        assert "server" not in headers


class TestMetrics:
    async def test_what_stands_in_the_store(self, web: httpx.AsyncClient) -> None:
        text = (await web.get("/metrics")).text

        assert value_of(text, "alertd_alerts", state="firing", severity="critical") == 2
        assert value_of(text, "alertd_alerts", state="pending", severity="warning") == 1
        assert value_of(text, "alertd_deliveries_open", state="pending") == 1
        assert value_of(text, "alertd_tenant_poll_coverage_ratio", tenant="fabrikam") == 0
        assert value_of(text, "alertd_tenant_last_round_timestamp_seconds", tenant="contoso") == 1767609540
        assert value_of(text, "alertd_ready") == 1

    async def test_what_has_gone_is_not_shown_any_more(self, web: httpx.AsyncClient, store: MemoryStore) -> None:
        await web.get("/metrics")
        async with store.transaction() as transaction:
            await transaction.delete_alerts([alert.fingerprint for alert in await transaction.alerts()])

        text = (await web.get("/metrics")).text

        assert value_of(text, "alertd_alerts", state="firing", severity="critical") is None

    async def test_what_happened(self, web: httpx.AsyncClient, metrics: Metrics, store: MemoryStore) -> None:
        async with store.reading() as reader:
            (delivered, *_) = await reader.deliveries(states=[DeliveryState.DELIVERED])
        failed = attrs.evolve(delivered, state=DeliveryState.PENDING, ended_at=None, error_reason="server_error")
        metrics.round_closed(ok=3, kinds={"server": 2}, seconds=0.4)
        metrics.attempted(delivered)
        metrics.attempted(failed)
        metrics.rule_failed("JobStale")

        text = (await web.get("/metrics")).text

        teams = {"integration": "identity-oncall/teams/default"}
        ended = {**teams, "state": "delivered", "reason": "first_notification"}
        assert value_of(text, "alertd_rounds_total", outcome="partial") == 1
        assert value_of(text, "alertd_readings_total", outcome="server") == 2
        assert value_of(text, "alertd_deliveries_total", **ended) == 1
        assert value_of(text, "alertd_delivery_attempts_total", **teams, state="pending", error="server_error") == 1
        assert value_of(text, "alertd_delivery_latency_seconds_sum", **teams) == 30
        assert value_of(text, "alertd_rule_faults_total", rule="JobStale") == 1

    def test_two_of_them_do_not_count_for_each_other(self, metrics: Metrics) -> None:
        metrics.flushed(2)

        other = Metrics(process=False).exposition(Figures()).decode()

        assert value_of(other, "alertd_group_flushes_total") == 0


async def test_a_taken_port_is_told_plainly(server: WebServer, engine: Engine, reloads: Reloads) -> None:
    port = int(server.origin.rpartition(":")[2])
    second = WebServer(Listen("127.0.0.1", port), MemoryStore(), engine, reloads)

    with pytest.raises(UsageError, match=r"web\.listen"):
        await second.start()


async def test_stopping_twice_is_no_error(server: WebServer) -> None:
    await asyncio.gather(server.stop())
    await server.stop()
