"""Receivers' integrations as they are written: what becomes of the keys, and what is told of those that cannot be meant."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from alertd.config import Config, load_config, parse_config
from alertd.errors import ConfigError, Problem
from alertd.model.secret import Secret
from alertd.notify.channels.settings import (
    AlertmanagerSettings,
    AppriseSettings,
    DiscordSettings,
    GoogleChatSettings,
    PagerDutySettings,
    ReceiverSettings,
    SlackSettings,
)

_WHOLE = (Path(__file__).parent / "good" / "whole").absolute()
_KEY = "0123456789abcdef" * 2


@pytest.fixture(scope="module")
def oncall() -> ReceiverSettings:
    environment = {"CONTOSO_SECRET": "x", "TEAMS_URL": "https://x.example/?sig=y", "ROUTING_KEY": _KEY}
    return load_config(_WHOLE / "alertd.yaml", environment=environment).receivers[0]


def _config(integration: str) -> Config:
    text = f"receivers: [{{name: a, {integration}}}]\nroute: {{receiver: a}}\n"
    return parse_config(text, directory=Path.cwd(), environment={})


def _warnings(integration: str) -> list[Problem]:
    return [problem for problem in _config(integration).warnings if problem.path.startswith("receivers[0].")]


def test_pagerduty(oncall: ReceiverSettings) -> None:
    us, eu = oncall.pagerduty

    assert us == PagerDutySettings(routing_key=Secret.from_file(_WHOLE / "routing-key"))
    assert us.url == "https://events.pagerduty.com/v2/enqueue"
    assert eu == PagerDutySettings(
        name="eu",
        routing_key=Secret(_KEY),
        url="https://events.eu.pagerduty.com/v2/enqueue",
        send_resolved=False,
    )


def test_a_routing_key_of_another_kind_is_told_without_being_shown() -> None:
    (warning,) = _warnings("pagerduty: [{routing_key: e93facc04764012d7bfb002500d5d1a6x}]")

    assert warning.found == "a routing key that is not 32 letters and digits"
    assert "e93facc" not in str(warning)
    assert _warnings(f"pagerduty: [{{routing_key: {_KEY}}}]") == []


def test_chats(oncall: ReceiverSettings) -> None:
    url = "https://chat.googleapis.com/v1/spaces/A/messages?key=K&token=T%3D"

    assert oncall.slack == (SlackSettings(url=Secret.from_file(_WHOLE / "slack-url")),)
    assert oncall.google_chat == (GoogleChatSettings(url=Secret(url), send_resolved=False),), "the URL is used as it is"
    assert oncall.discord == (DiscordSettings(name="ops", url=Secret.from_file(_WHOLE / "discord-url")),)


def test_alertmanager(oncall: ReceiverSettings) -> None:
    first, second = oncall.alertmanager

    assert first == AlertmanagerSettings(url=Secret("http://127.0.0.1:9093"))
    assert second == AlertmanagerSettings(name="second", url=Secret("http://alertmanager:9093/prefix"), allow_http=True)


@pytest.mark.parametrize(
    ("url", "exposed"),
    [("https://am.example", False), ("https://am.example/prefix", False), ("https://user:pass@am.example", True)],
)
def test_only_a_url_with_a_password_is_a_credential(tmp_path: Path, url: str, exposed: bool) -> None:
    path = tmp_path / "alertd.yaml"
    path.write_text(f"receivers: [{{name: a, alertmanager: [{{url: '{url}'}}]}}]\nroute: {{receiver: a}}\n")
    path.chmod(0o644)

    warnings = [problem.found for problem in load_config(path, environment={}).warnings]

    assert ("a credential in a file that every user may read" in warnings) == exposed


def test_apprise(oncall: ReceiverSettings) -> None:
    url = Secret.from_file(_WHOLE / "apprise-url")

    assert oncall.apprise == (AppriseSettings(name="telegram", url=url, send_resolved=False),)


def test_without_the_library_apprise_is_refused_with_the_cure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "apprise", None)

    with pytest.raises(ConfigError, match=r"pip install 'alertd\[apprise\]'"):
        _config("apprise: [{url: 'json://localhost'}]")
