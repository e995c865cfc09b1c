"""Text that others chose."""

from __future__ import annotations

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alertd.model.notification import Reason
from alertd.render.hostile import clean, md, plain, purified, shorten
from alertd.render.links import Links, safe_link
from alertd.render.samples import job, status


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("a\r\nSubject: b\tc", "a Subject: b c", id="line breaks"),
        pytest.param("a\x00b\x1b[31mc", "a b [31mc", id="control characters"),
        pytest.param("abc\u202egnp.exe", "abcgnp.exe", id="right-to-left override"),
        pytest.param("\u2066x\u2069\u200f", "x", id="isolates and marks"),
        pytest.param("a\u200bb\ufeffc", "abc", id="invisible characters"),
        pytest.param("a\u2028b", "a b", id="Unicode's own line break"),
        pytest.param("x\ud800y", "x\ufffdy", id="half a surrogate pair"),
        pytest.param("👩\u200d👩\u200d👧 नम\u200dस्ते", "👩\u200d👩\u200d👧 नम\u200dस्ते", id="joiners that belong there"),
        pytest.param("  many   spaces  ", "many spaces", id="white space"),
    ],
)
def test_clean(text: str, expected: str) -> None:
    assert clean(text) == expected


@given(st.text(max_size=400), st.integers(min_value=1, max_value=50))
def test_plain_is_one_bounded_encodable_line(text: str, limit: int) -> None:
    line = plain(text, limit)

    assert len(line) <= limit
    assert (
        line.isprintable()
        or all(character.isprintable() or character in "\u200c\u200d" for character in line)
        or line.encode()
    )
    assert "\n" not in line
    line.encode("utf-8")


def test_shorten_does_not_leave_half_an_emoji() -> None:
    assert shorten("ab👩\u200d👧xyz", 5) == "ab👩…"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("[click](https://evil.example)", "\\[click\\] (https:/\u200b/evil.example)", id="a link"),
        pytest.param(
            "*bold* _it_ `c` ~s~ <b> {{DATE(x)}} |",
            "\\*bold\\* \\_it\\_ \\`c\\` \\~s\\~ \\<b\\> \\{\\{DATE(x)\\}\\} \\|",
            id="marks",
        ),
        pytest.param("- item", "\\- item", id="a list"),
        pytest.param("1. item", "1\\. item", id="a numbered list"),
        pytest.param("# title", "\\# title", id="a heading"),
        pytest.param("a &amp; b & c", "a \\&amp; b & c", id="an entity"),
        pytest.param("Workday to AD (EU) - prod", "Workday to AD (EU) - prod", id="an honest name stays as it is"),
    ],
)
def test_md(text: str, expected: str) -> None:
    assert md(text) == expected


def test_purified_reaches_every_text_and_leaves_links_whole() -> None:
    """Whatever a template prints of a snapshot is clean and short; a link is whole or not there."""
    long_url = f"https://entra.microsoft.com/#{'x' * 400}"
    dirty = attrs.evolve(job("Sales\u202e\nforce" * 40), url=long_url, templateId="t\x07")

    cleaned = purified(dirty, 100)

    assert cleaned.displayName.startswith("Sales forceSales force")
    assert len(cleaned.displayName) == 100
    assert cleaned.templateId == "t"
    assert cleaned.url == long_url
    assert purified(attrs.evolve(status(), troubleshootingUrl="https://evil.example"), 100).troubleshootingUrl is None


def test_purified_keeps_what_is_clean_as_it_is() -> None:
    clean_status, links = status(), Links(job="https://entra.microsoft.com/x")

    assert purified(clean_status, 600) == clean_status
    assert purified(links, 5) is links
    assert purified(Reason.DRILL, 600) is Reason.DRILL


@pytest.mark.parametrize(
    ("url", "allowed"),
    [
        ("https://entra.microsoft.com/#view/x", True),
        ("https://portal.azure.com/", True),
        ("https://entra.microsoft.us/x", True),
        ("https://entra.microsoftonline.cn/x", True),
        ("https://learn.microsoft.com:443/x", True),
        ("http://learn.microsoft.com/x", False),
        ("https://microsoft.com.evil.example/", False),
        ("https://evilmicrosoft.com/", False),
        ("https://evil.cloudapp.azure.com/", False),
        ("https://learn.microsoft.com@evil.example/", False),
        ("https://learn.microsoft.com:8443/x", False),
        ("https://learn.microsoft.com\\@evil.example/", False),
        ("https://learn.microsoft.com/\nx", False),
        ("https://[::1", False),
        ("javascript:alert(1)", False),
        ("//learn.microsoft.com/x", False),
        ("", False),
        (None, False),
    ],
)
def test_links_go_to_microsoft(url: str | None, allowed: bool) -> None:
    assert safe_link(url) == (url if allowed else None)


@pytest.mark.parametrize(
    ("url", "allowed"),
    [
        ("https://alertd.example.com", True),
        ("https://alertd.example.com/alerts/1", True),
        ("https://alertd.example.com.evil.example/", False),
        ("https://other.example.com/", False),
    ],
)
def test_links_go_to_our_own_pages(url: str, allowed: bool) -> None:
    assert safe_link(url, "https://alertd.example.com/") == (url if allowed else None)
