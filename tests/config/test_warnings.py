"""What works and deserves a look."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from alertd.config import Secrets, load_config, parse_config

_RECEIVER = "receivers: [{name: a, webhook: [{url: 'https://x.example/h'}]}]\nroute: {receiver: a}\n"
_TENANT = "tenants: [{name: t, tenant_id: t.example, credential: {managed_identity: {}}}]\n"


def _warnings(text: str) -> list[str]:
    return [f"{problem.path}: {problem.found}" for problem in parse_config(text, directory=Path.cwd()).warnings]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(_RECEIVER, ": no tenant: nothing is watched", id="no tenant"),
        pytest.param(
            _TENANT + "receivers: [{name: a}]\nroute: {receiver: a}\n",
            "receivers[0]: no integration: it tells nobody",
            id="a receiver that tells nobody",
        ),
        pytest.param(
            _TENANT + _RECEIVER + "poll: {interval: 30s, timeout: 30s}\n",
            "poll: timeout 30s with interval 30s",
            id="timeout",
        ),
        pytest.param(
            _TENANT + _RECEIVER.replace("{receiver: a}", "{receiver: a, repeat_interval: 1m}"),
            "route.repeat_interval: `1m`",
            id="reminders more often than the group's ticks",
        ),
        pytest.param(
            _TENANT
            + _RECEIVER.replace("{receiver: a}", "{receiver: a, routes: [{group_interval: 1d, repeat_interval: 1h}]}"),
            "route.routes[0].repeat_interval: `1h`",
            id="the same in a route below",
        ),
        pytest.param(
            _TENANT
            + _RECEIVER.replace("{receiver: a}", "{receiver: a, routes: [{continue: true}, {}, {matchers: [a=b]}]}"),
            "route.routes[1]: a route without matchers: those after it get nothing",
            id="a route that leaves nothing to those after it",
        ),
        pytest.param(
            _TENANT + _RECEIVER + "rules: [builtin, 'own/*.yaml']\n", "rules[1]: `own/*.yaml`", id="a glob of nothing"
        ),
        pytest.param(
            _TENANT
            + "receivers: [{name: a, teams: [{url: 'https://prod-1.westeurope.logic.azure.com/x?sig=1'}]}]\nroute: {receiver: a}\n",
            "receivers[0].teams[0]: a logic.azure.com URL: those of Teams Workflows ended in November 2025",
            id="an old Workflows URL",
        ),
    ],
)
def test_warnings(text: str, expected: str) -> None:
    assert _warnings(text) == [expected]


def test_reminders_can_be_switched_off() -> None:
    assert _warnings(_TENANT + _RECEIVER.replace("{receiver: a}", "{receiver: a, repeat_interval: 0s}")) == []


@pytest.mark.skipif(os.name == "nt", reason="Windows keeps permissions in access lists")
@pytest.mark.parametrize(
    ("mode", "url", "secrets", "expected"),
    [
        pytest.param(0o644, "https://x.example/h", Secrets.LAZY, 1, id="everybody may read it"),
        pytest.param(0o640, "https://x.example/h", Secrets.LAZY, 0, id="only its group may"),
        pytest.param(0o644, "${URL}", Secrets.LAZY, 0, id="the credential is not in the file"),
        pytest.param(0o644, "http://127.0.0.1:80/h", Secrets.LAZY, 0, id="an address on this machine opens no door"),
        pytest.param(
            0o644, "https://x.example/h", Secrets.IGNORE, 0, id="a check elsewhere says nothing about this file"
        ),
    ],
)
def test_a_credential_in_a_file_that_every_user_may_read(
    tmp_path: Path, mode: int, url: str, secrets: Secrets, expected: int
) -> None:
    path = tmp_path / "alertd.yaml"
    path.write_text(_TENANT + _RECEIVER.replace("https://x.example/h", url), encoding="utf-8")
    path.chmod(mode)

    warnings = load_config(path, environment={"URL": "https://x.example/h"}, secrets=secrets).warnings

    assert [problem.found for problem in warnings] == ["a credential in a file that every user may read"] * expected
