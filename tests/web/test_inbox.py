"""The demo's inbox page, over real sockets, with messages that real channels sent."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from alertd.model.notification import Notification
from alertd.render import samples
from alertd.simulator.inbox import Arrival, Medium, Message
from alertd.simulator.receivers import Mode, Receivers
from alertd.web.cards import card_markdown
from alertd.web.inbox import InboxPage, show
from alertd.web.json_text import json_html
from alertd.web.pages import draw_card
from tests.web.posting import posting

pytestmark = pytest.mark.anyio


@pytest.fixture
async def receivers() -> AsyncIterator[Receivers]:
    async with Receivers() as receivers:
        yield receivers


@pytest.fixture
async def page(receivers: Receivers) -> AsyncIterator[InboxPage]:
    page = InboxPage(receivers, status_url="http://127.0.0.1:1/")
    await page.start()
    yield page
    receivers.inbox.close()
    await page.stop()


@pytest.fixture
async def client(page: InboxPage) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=page.origin, trust_env=False, timeout=10) as client:
        yield client


async def post(receivers: Receivers, *notifications: Notification) -> None:
    async with posting(receivers) as send:
        for notification in notifications:
            await send(notification)


async def test_a_message_is_shown_as_each_channel_shows_it(receivers: Receivers, client: httpx.AsyncClient) -> None:
    await post(receivers, samples.notification())

    text = (await client.get("/")).text

    assert '<div class="ac">' in text  # the card
    assert "Renew the credentials of the target system" in text
    assert 'src="mails/' in text
    assert "signature verified" in text
    assert '<span class="j-key">&#34;headline&#34;</span>' in text


async def test_every_kind_of_message_is_drawn_whole(receivers: Receivers) -> None:
    await post(receivers, *samples.samples().values())

    drawn = [(arrival.message.title, show(arrival, opened=True)) for arrival in receivers.inbox.shown()]
    assert len(drawn) == 3 * len(samples.samples())
    for title, html in drawn:
        for sign in ("is not drawn here", "cannot be drawn", "<script", 'href="javascript'):
            assert sign not in html, title


async def test_a_mail_stands_alone_and_can_do_nothing(receivers: Receivers, client: httpx.AsyncClient) -> None:
    await post(receivers, samples.notification())
    number = receivers.inbox.arrivals(medium=Medium.EMAIL)[0].number

    answer = await client.get(f"/mails/{number}")

    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "sandbox allow-same-origin" in policy
    assert "allow-scripts" not in policy
    assert '<base target="_blank">' in answer.text


@pytest.mark.parametrize("number", [1, 99])
async def test_what_is_no_mail_is_not_shown_as_one(
    number: int, receivers: Receivers, client: httpx.AsyncClient
) -> None:
    receivers.inbox.add(Medium.WEBHOOK, Message(body=b"<script>", content_type="text/html"), answer=204)

    assert (await client.get(f"/mails/{number}")).status_code == 404


async def test_what_comes_is_streamed(receivers: Receivers, client: httpx.AsyncClient) -> None:
    async with client.stream("GET", "/events") as stream:
        events = _events(stream)
        state = await anext(events)
        receivers.behaviour(Medium.TEAMS).fail(Mode.DOWN, times=1)
        receivers.inbox.add(Medium.WEBHOOK, Message(body=b"{}", content_type="", title="first"), answer=204)
        arrived = [await anext(events) for _ in range(2)]

    (arrival,) = [data for name, data in arrived if name == "arrival"]
    (mood,) = [data for name, data in arrived if name == "state"]
    assert state == ("state", {"story": "", "moods": {"teams": "", "email": "", "webhook": ""}})
    assert (arrival["number"], arrival["medium"], "first" in arrival["html"]) == (1, "webhook", True)
    assert mood["moods"]["teams"] == "down: answers 503"


async def test_a_reader_that_comes_back_gets_what_it_missed(receivers: Receivers, client: httpx.AsyncClient) -> None:
    for title in ("first", "second"):
        receivers.inbox.add(Medium.WEBHOOK, Message(body=b"{}", content_type="", title=title), answer=204)

    async with client.stream("GET", "/events", headers={"Last-Event-ID": "1"}) as stream:
        told = [event async for event in _first(stream, 2)]

    assert [data["number"] for name, data in told if name == "arrival"] == [2]


async def test_a_stream_ends_when_the_receivers_stop(receivers: Receivers, page: InboxPage) -> None:
    async with (
        httpx.AsyncClient(trust_env=False, timeout=10) as client,
        client.stream("GET", f"{page.origin}/events") as stream,
    ):
        reading = asyncio.create_task(_drained(stream))

        receivers.inbox.close()

        await asyncio.wait_for(reading, 10)


async def test_what_was_turned_away_is_said_to_be(receivers: Receivers, client: httpx.AsyncClient) -> None:
    receivers.inbox.add(Medium.TEAMS, Message(body=b"{}", content_type="", title="it"), answer=503)

    text = (await client.get("/")).text

    assert re.search(r"503</span> <span>it was turned away, and will be tried again", text)


async def test_a_card_that_teams_would_not_show_says_why(receivers: Receivers, client: httpx.AsyncClient) -> None:
    await client.post(receivers.teams_url, json={"attachments": None})

    assert "nobody would have seen this" in (await client.get("/")).text


async def test_arrivals_as_json(receivers: Receivers, client: httpx.AsyncClient) -> None:
    await post(receivers, samples.notification())

    arrivals = (await client.get("/arrivals")).json()["arrivals"]

    assert {arrival["medium"] for arrival in arrivals} == {"teams", "email", "webhook"}
    assert {arrival["reason"] for arrival in arrivals} == {"first_notification"}


async def test_other_names_are_not_served(client: httpx.AsyncClient) -> None:
    assert (await client.get("/", headers={"Host": "evil.example"})).status_code == 421


@pytest.mark.parametrize(
    ("text", "html"),
    [
        pytest.param("**bold** and _more_", "<strong>bold</strong> and <em>more</em>", id="emphasis"),
        pytest.param(r"a \*star\*", "a *star*", id="escaped"),
        pytest.param("<b>no</b>", "&lt;b&gt;no&lt;/b&gt;", id="HTML is text"),
        pytest.param("# no heading", "# no heading", id="Teams knows no headings"),
        pytest.param("[go](javascript:alert(1))", "[go](javascript:alert(1))", id="a link that is a script"),
        pytest.param("[go](ftp://host/x)", 'href=""', id="a link that does not lead to the web"),
        pytest.param("- one\n- two", "<li>one</li>", id="lists"),
    ],
)
def test_markdown_of_cards(text: str, html: str) -> None:
    assert html in card_markdown(text)


@pytest.mark.parametrize(
    "card",
    [
        pytest.param({}, id="empty"),
        pytest.param({"body": "text"}, id="a body that is no list"),
        pytest.param({"body": [7, None, "x", {"type": "Table"}]}, id="elements that are none"),
        pytest.param({"body": [{"type": "FactSet", "facts": 3}]}, id="facts that are none"),
        pytest.param({"body": [{"type": "TextBlock", "text": {"a": 1}}]}, id="a text that is none"),
        pytest.param({"actions": [{"type": "Action.OpenUrl", "url": "javascript:alert(1)"}]}, id="a script as link"),
    ],
)
def test_whatever_somebody_sends_something_is_drawn(card: dict[str, Any]) -> None:
    drawn = draw_card(card)

    assert drawn
    assert "javascript" not in drawn


def test_a_card_nested_without_end_is_refused() -> None:
    card: dict[str, Any] = {"type": "Container", "items": []}
    for _ in range(2_000):
        card = {"type": "Container", "items": [card]}

    assert "cannot be drawn" in draw_card({"body": [card]})


def test_json_is_marked_and_escaped() -> None:
    assert json_html(b'{"a": "<b>", "n": -1.5, "t": true}') == (
        '{\n  <span class="j-key">&#34;a&#34;</span>: <span class="j-text">&#34;&lt;b&gt;&#34;</span>,\n'
        '  <span class="j-key">&#34;n&#34;</span>: <span class="j-number">-1.5</span>,\n'
        '  <span class="j-key">&#34;t&#34;</span>: <span class="j-word">true</span>\n}'
    )
    assert json_html(b"<no json>") == "&lt;no json&gt;"


async def _events(stream: httpx.Response) -> AsyncIterator[tuple[str, Any]]:
    name = ""
    async for line in stream.aiter_lines():
        if line.startswith("event: "):
            name = line.removeprefix("event: ")
        elif line.startswith("data: "):
            yield name, json.loads(line.removeprefix("data: "))


async def _first(stream: httpx.Response, number: int) -> AsyncIterator[tuple[str, Any]]:
    events = _events(stream)
    for _ in range(number):
        yield await anext(events)


async def _drained(stream: httpx.Response) -> None:
    async for _ in stream.aiter_lines():
        pass


def test_an_arrival_knows_whether_a_person_sees_it() -> None:
    fine = Message(body=b"", content_type="")
    broken = Message(body=b"", content_type="", faults=("too large",))
    arrivals = [
        Arrival(number=1, at=samples.NOW, medium=Medium.TEAMS, message=message, answer=answer)
        for message, answer in ((fine, 202), (broken, 202), (fine, 503), (fine, 0))
    ]

    assert [arrival.shown for arrival in arrivals] == [True, False, False, False]
