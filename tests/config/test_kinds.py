"""Single kinds of values: that each rejects, and what it accepts."""

from __future__ import annotations

from pathlib import Path

import pytest

from alertd.config.context import Context
from alertd.config.environment import Environment
from alertd.config.kinds import Address, Duration, Guid, Kind, Size, TimeZone
from alertd.config.secrets import SecretUrl, Url, is_loopback
from alertd.model.document import Document


def _problems(kind: Kind, text: str, *, allow_http: bool = False) -> list[str]:
    document = Document.parse(f"value: '{text}'")
    context = Context(directory=Path.cwd(), environment=Environment({}), allow_http=allow_http)
    kind.read(document.root.mapping("value")["value"], context)
    return [problem.found for problem in document.problems]


@pytest.mark.parametrize(
    ("kind", "good", "bad"),
    [
        pytest.param(
            Address(),
            ["a@example.com", "On Call <a@example.com>", '"Call, On" <a@example.com>', "a@host", "a+b.c@sub.example.com", "é@exämple.com"],
            ["a", "a@", "@b", "a@b@c", "a b@c", "a@b, c@d", "<a@b", "a@b>", "a@.b", "a@b..c", "x, y <a@b>"],
            id="mail address",
        ),
        pytest.param(
            Duration(least="10s", most="1h"), ["10s", "1h", "1m30s"], ["9s", "1h1s", "10", "1.5m", "-1m", "m", "1s1m"], id="duration"
        ),
        pytest.param(Size(), ["1MB", "5GB", "500 mb", "1000000B"], ["5", "999KB", "GB", "1.5GB", "-1GB"], id="size"),
        pytest.param(
            Guid(),
            ["11111111-1111-1111-1111-11111111111A"],
            ["11111111111111111111111111111111", "{11111111-1111-1111-1111-111111111111}", "g1111111-1111-1111-1111-111111111111"],
            id="guid",
        ),
        pytest.param(TimeZone(), ["UTC", "Europe/Berlin"], ["Berlin", "../etc/passwd", "Europe/", "/UTC"], id="time zone"),
        pytest.param(
            Url(),
            ["https://x.example", "https://x.example:8443/a/", "http://127.0.0.1:80", "http://localhost", "http://[::1]/x"],
            [
                "http://x.example", "ftp://x.example", "x.example", "https://", "https://u:p@x.example", "https://x.example/?q=1",
                "https://x.example/#f", "https://x.example:99999", "https://x ample", "http://127.0.0.1.example.com", "http://localhost.example",
            ],
            id="url",
        ),
        pytest.param(
            SecretUrl(),
            ["https://x.example/a?sig=1", "http://127.0.0.1/h?x=1"],
            ["http://x.example/h", "https://contoso.webhook.office.com/x", "https://outlook.office.com/webhook/x", "mailto:a@b"],
            id="secret url",
        ),
    ],
)  # fmt: skip
def test_kinds_accept_and_reject(kind: Kind, good: list[str], bad: list[str]) -> None:
    assert [text for text in good if _problems(kind, text)] == []
    assert [text for text in bad if not _problems(kind, text)] == []


def test_allow_http_allows_http_alone() -> None:
    assert _problems(SecretUrl(), "http://x.example/h", allow_http=True) == []
    assert _problems(SecretUrl(), "ftp://x.example/h", allow_http=True) == ["no URL"]


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST.", "127.0.0.1", "127.8.9.10", "::1"])
def test_loopback_hosts(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize(
    "host", ["localhost.example", "128.0.0.1", "10.0.0.1", "::2", "0.0.0.0", "", "127.0.0.1.nip.example"]
)
def test_other_hosts(host: str) -> None:
    assert not is_loopback(host)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("${A}${B_2}", ["A", "B_2"]),
        ("$${A} $A ${A}", ["A"]),
        ("$$${A}", []),
        ("", []),
    ],
)
def test_the_names_a_text_asks_for(text: str, names: list[str]) -> None:
    assert Environment.names(text) == names


@pytest.mark.parametrize("text", ["${", "${}", "${1}", "${A B}", "${A", "${A-x}"])
def test_a_reference_without_a_name_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"letters, digits and _ alone"):
        Environment({"A": "x"})(text)
