"""What redaction hides, and what it leaves for whoever reads the line."""

from __future__ import annotations

import pytest

from alertd.redaction import redact

_TEAMS = "https://default0.ab.environment.api.powerplatform.com:443/powerautomate/workflows/f00/triggers/manual?sp=%2F&sig=s3cr3t-value"


@pytest.mark.parametrize(
    ("text", "hidden"),
    [
        pytest.param(f"posting to {_TEAMS} failed", ["s3cr3t-value", "f00"], id="a Workflows URL: path and query"),
        pytest.param("url=https://hooks.slack.com/services/T0/B0/XyZ", ["XyZ"], id="a webhook without a query"),
        pytest.param("http://127.0.0.1:8080/hook/XyZ", ["XyZ"], id="a webhook on loopback"),
        pytest.param("https://ops:hunter2@mail.example.com", ["hunter2"], id="user and password in a URL"),
        pytest.param("postgresql://alertd:hunter2@db/alertd", ["hunter2"], id="user and password of a database"),
        pytest.param("https://graph.microsoft.com/v1.0/x?$skiptoken=abc123", ["abc123"], id="Graph's query"),
        pytest.param("Authorization: Bearer abcdef.123456", ["abcdef.123456"], id="a bearer token"),
        pytest.param(
            "token eyJ0eXAiOiJKV1Qi.eyJhdWQi.c2ln was refused", ["eyJ0eXAiOiJKV1Qi", "c2ln"], id="a JSON web token"
        ),
        pytest.param("{'client_secret': 'hunter2'}", ["hunter2"], id="an assigned secret in a printed dict"),
        pytest.param("sig=hunter2&x=1", ["hunter2"], id="a signature without its URL"),
    ],
)
def test_credentials_are_hidden(text: str, hidden: list[str]) -> None:
    shown = redact(text)

    assert not [secret for secret in hidden if secret in shown]


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(
            "GET https://graph.microsoft.com/v1.0/servicePrincipals/1/synchronization/jobs 404", id="Graph's path"
        ),
        pytest.param("see https://learn.microsoft.com/entra/identity/app-provisioning", id="documentation"),
        pytest.param("listening on http://127.0.0.1:9095/", id="an address without a path"),
        pytest.param("the design: 3 signatures, basic idea", id="words that only resemble"),
        pytest.param("contoso/Salesforce: Active -> Quarantine", id="an ordinary line"),
    ],
)
def test_what_helps_stays(text: str) -> None:
    assert redact(text) == text


def test_the_host_stays() -> None:
    assert redact(_TEAMS) == "https://default0.ab.environment.api.powerplatform.com:443/<redacted>?<redacted>"


@pytest.mark.parametrize("text", ["https://" + "a" * 50_000, "sig" * 30_000, "eyJ" * 30_000, "x://" * 20_000])
def test_a_long_text_takes_linear_time(text: str) -> None:
    """No pattern backtracks over its own tail: a hostile text must not stop the log."""
    assert len(redact(text)) <= 2 * len(text)
