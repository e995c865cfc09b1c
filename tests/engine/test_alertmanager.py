"""A whole daemon before a real Alertmanager: what it raises is there for amtool, with its labels, until it ends, in whatever way it ends."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from alertd.model.alert import Alert
from alertd.store.opening import open_store_read_only
from tests.engine.conftest import Site, active, quarantined
from tests.real_alertmanager import NOBODY, Alertmanager, needs_alertmanager, running

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.alertmanager,
    needs_alertmanager,
    pytest.mark.skipif(sys.platform == "win32", reason="signals"),
]
RULE = (
    "  - {alert: %s, when: 'status.code == \"Quarantine\"', severity: critical, labels: {team: 'größe \"日本\" \\'}}\n"
)


@pytest.fixture
async def alertmanager(tmp_path: Path) -> AsyncIterator[Alertmanager]:
    folder = tmp_path / "alertmanager"
    folder.mkdir()
    async with running(NOBODY, folder) as real:
        yield real


def _rules(site: Site, *names: str) -> None:
    rules = "".join(RULE % name for name in names)
    (site.folder / "own.yaml").write_text(f"groups:\n- name: own\n  rules:\n{rules}", encoding="utf-8")


def _configure(site: Site, alertmanager: Alertmanager) -> None:
    path = site.configure(rules="own.yaml", kinds="webhook")
    text = path.read_text(encoding="utf-8")
    path.write_text(
        text.replace("  - name: oncall\n", f"  - name: oncall\n    alertmanager: [{{url: '{alertmanager.url}'}}]\n"),
        encoding="utf-8",
    )


async def _stored(site: Site) -> tuple[Alert, ...]:
    store = await open_store_read_only("sqlite:///alertd.db", site.folder)
    async with store.reading() as reader:
        alerts = await reader.alerts()
    await store.close()
    return alerts


async def test_what_fires_is_there_with_its_labels_until_it_ends(site: Site, alertmanager: Alertmanager) -> None:
    job = site.job("Größe <b>&日本", "SF.1")
    _rules(site, "Own")
    _configure(site, alertmanager)
    daemon = await site.daemon()
    await site.until(lambda: len(site.simulator.calls) > 6)

    job.set(quarantined())
    await site.until(lambda: alertmanager.firing() == {"Own"})
    (there,) = alertmanager.alerts()
    (here,) = await _stored(site)
    job.set(active())
    await site.until(lambda: not alertmanager.alerts())

    assert there["labels"] == dict(here.labels)
    assert there["labels"]["team"] == 'größe "日本" \\'
    assert there["labels"]["service_principal"] == "Größe <b>&日本"
    assert (await site.stop(daemon))[0] == 0


async def test_the_rule_is_removed_while_it_fires(site: Site, alertmanager: Alertmanager) -> None:
    """A machine that keeps an alert open needs its end; the other rule's alert stays."""
    job = site.job()
    _rules(site, "Kept", "Removed")
    _configure(site, alertmanager)
    daemon = await site.daemon()
    await site.until(lambda: len(site.simulator.calls) > 6)
    job.set(quarantined())
    await site.until(lambda: alertmanager.firing() == {"Kept", "Removed"})

    _rules(site, "Kept")
    reloaded = await site.command("reload")
    await site.until(lambda: alertmanager.firing() == {"Kept"})

    assert reloaded[0] == 0
    assert (await site.stop(daemon))[0] == 0
