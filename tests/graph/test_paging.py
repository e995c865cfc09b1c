"""Links to the next page."""

from __future__ import annotations

import pytest

from alertd.errors import PollErrorKind
from alertd.graph.answers import GraphError
from alertd.graph.paging import PAGES_MAX, check_link, decode_page

BASE = "https://graph.microsoft.com/v1.0"


@pytest.mark.parametrize(
    "link",
    [
        "https://graph.microsoft.com/v1.0/servicePrincipals?$skiptoken=RFNwdAoAAQ%27x",
        "https://graph.microsoft.com:443/v1.0/servicePrincipals",
        "https://GRAPH.microsoft.com/beta/x",
    ],
)
def test_links_to_the_same_origin_are_followed(link: str) -> None:
    seen: set[str] = set()

    check_link(link, BASE, seen)

    assert seen == {link}


@pytest.mark.parametrize(
    "link",
    [
        "https://graph.microsoft.com.evil.example/v1.0/x",
        "https://evil.example/?https://graph.microsoft.com",
        "https://graph.microsoft.com@evil.example/x",
        "https://user@graph.microsoft.com/v1.0/x",
        "http://graph.microsoft.com/v1.0/x",
        "https://graph.microsoft.com:8443/v1.0/x",
        "https://graph.microsoft.com:port/v1.0/x",
        "https://graph.microsoft.com\\@evil.example/x",
        "https://graph.microsoft.com/v1.0/x y",
        "https://graph.microsoft.com/v1.0/\u202e",
        "/servicePrincipals?$skiptoken=x",
        "javascript:alert(1)",
    ],
)
def test_others_would_carry_the_token_away(link: str) -> None:
    with pytest.raises(GraphError) as caught:
        check_link(link, BASE, set())

    assert caught.value.kind is PollErrorKind.MALFORMED


def test_a_circle_ends() -> None:
    seen = {f"{BASE}/a"}

    with pytest.raises(GraphError, match="circle"):
        check_link(f"{BASE}/a", BASE, seen)


def test_so_do_pages_without_end() -> None:
    with pytest.raises(GraphError, match="pages"):
        check_link(f"{BASE}/next", BASE, {str(number) for number in range(PAGES_MAX)})


@pytest.mark.parametrize(
    "body",
    [b"", b"<html>", b"null", b"{}", b'{"value": null}', b'{"value": {}}', b'{"value": [], "@odata.nextLink": 5}'],
)
def test_what_is_no_page(body: bytes) -> None:
    with pytest.raises(GraphError):
        decode_page(body)


def test_an_empty_page_may_have_a_next_one() -> None:
    page = decode_page(b'{"value": [], "@odata.nextLink": "https://x", "@odata.count": 5}')

    assert (page.value, page.next_link) == ([], "https://x")
