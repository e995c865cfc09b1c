"""Whatever alerts do and channels suffer: once all is calm, everybody believes what is so, and nothing is left over."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import anyio
from hypothesis import given, settings
from hypothesis import strategies as st

from .desk import DAY, HOUR, MINUTE, SECOND, Desk, Receiver, route

NAMES = "ABC"

subsets = st.sets(st.sampled_from(NAMES)).map(lambda names: "".join(sorted(names)))

Step = tuple[str, object]

changes: st.SearchStrategy[Step] = st.one_of(
    st.tuples(st.just("set"), subsets),
    st.tuples(st.just("set"), subsets),
    st.tuples(st.just("renew"), st.sampled_from(NAMES)),
    st.tuples(st.just("vanish"), st.sampled_from(NAMES)),
)
waits: st.SearchStrategy[Step] = st.tuples(
    st.just("wait"), st.sampled_from([timedelta(0), MINUTE, 3 * MINUTE, 5 * MINUTE, 7 * MINUTE, HOUR, 5 * HOUR])
)
events: st.SearchStrategy[Step] = st.tuples(st.just("event"), st.none())
moods = st.sampled_from(["up", "down", "silent", "refusing"])
troubles: st.SearchStrategy[Step] = st.tuples(moods, st.integers(0, 1))
silences: st.SearchStrategy[Step] = st.tuples(st.just("silence"), subsets)


def stories(*kinds: st.SearchStrategy[Step]) -> st.SearchStrategy[list[Step]]:
    return st.lists(st.one_of(waits, changes, events, *kinds), max_size=25)


async def live(desk: Desk, story: list[Step]) -> str:
    """Play a story; give the names of what fires in the end."""
    fires = ""
    for word, value in story:
        desk.now += SECOND  # no two things happen at one instant: a conversation's id is made of its first
        match word:
            case "wait":
                await desk.wait(value)  # type: ignore[arg-type]
            case "set":
                fires = str(value)
                await desk.set(fires)
            case "renew":
                await desk.set(fires, new_series=str(value))
            case "event":
                await desk.happen()
            case "vanish":
                fires = fires.replace(str(value), "")
                await desk.vanish(str(value))
            case "silence":
                await desk.silence(str(value))
            case "reload":
                await desk.reload(ROUTES[int(str(value))])
            case mood:
                list(desk.receivers.values())[int(str(value))].mood = mood  # type: ignore[assignment]
    return fires


async def calm(desk: Desk) -> None:
    """Let every channel work, nothing be silenced, and two days pass: any repeat or tick falls into them."""
    for receiver in desk.receivers.values():
        receiver.mood = "up"
    await desk.silence("")
    await desk.wait(2 * DAY)


def play(
    make: Callable[[], Desk], story: list[Step], believed: Callable[[Receiver], str] = lambda one: one.believed
) -> None:
    async def told() -> None:
        desk = make()
        fires = await live(desk, story)
        await calm(desk)
        await desk.set(fires)  # by now every `for` has run out
        await calm(desk)
        named = {found.receiver for found in desk.root.matching({"alertname": "A"})}
        for receiver in desk.receivers.values():
            if receiver.integration.receiver in named:
                assert set(fires) <= set(believed(receiver)), receiver.reasons
            if receiver.integration.send_resolved:
                assert set(believed(receiver)) <= set(fires), receiver.reasons

        _check_events(desk, {word for word, _ in story})

        await desk.set("")
        await calm(desk)
        for receiver in desk.receivers.values():
            assert believed(receiver) == "" or not receiver.integration.send_resolved, receiver.reasons
        assert (await desk.conversations(), await desk.stored_alerts(), await desk.groups()) == ((), [], 0)

    anyio.run(told)


def _check_events(desk: Desk, words: set[str]) -> None:
    """Each was told once.

    One in a message that was refused is lost, as that failure shows. Twice may come one without an answer, and one that waited in a second
    group for a route that a reload gives to who had it from the first.
    """
    told = [receiver.events for receiver in desk.receivers.values()]
    everything = set(range(1, desk.happened + 1))
    if "refusing" not in words:
        heard = [set().union(*told)] if "reload" in words else [set(events) for events in told]
        assert all(events == everything for events in heard)
    if not words & {"silent", "reload"}:
        assert all(len(events) == len(set(events)) for events in told)


def two_listeners() -> Desk:
    """Give a group with two integrations, of which one does not want ends."""
    both = Receiver("ops"), Receiver("ops", name="second", send_resolved=False)
    return Desk(route("ops", wait=MINUTE / 2), *both, holds={"C": 2 * MINUTE})


@settings(max_examples=settings.default.max_examples * 3 // 2, deadline=None)
@given(stories(troubles, silences))
def test_one_group(story: list[Step]) -> None:
    play(two_listeners, story)


def two_groups() -> Desk:
    """Give two routes that both take everything, each at a pace of its own."""
    children = (
        route("ops", 'alertname=~".*"', wait=MINUTE / 2, continues=True),
        route("audit", 'alertname=~".+"', group_by=("alertname",), interval=7 * MINUTE),
    )
    return Desk(route("ops", children=children), Receiver("ops"), Receiver("audit"), holds={"C": 2 * MINUTE})


@settings(max_examples=settings.default.max_examples * 3 // 2, deadline=None)
@given(stories(troubles, silences))
def test_two_groups(story: list[Step]) -> None:
    play(two_groups, story)


ROUTES = (
    route("ops", wait=MINUTE / 2),
    route("ops", group_by=("alertname",), interval=7 * MINUTE),
    route("audit"),
    two_groups().root,
)
reloads: st.SearchStrategy[Step] = st.tuples(st.just("reload"), st.integers(0, len(ROUTES) - 1))


@settings(max_examples=settings.default.max_examples * 3 // 2, deadline=None)
@given(stories(troubles, silences, reloads))
def test_reloads(story: list[Step]) -> None:
    """When conversations are split and joined by a reload, the latest word on an alert counts, whichever it came in."""
    play(two_groups, story, lambda receiver: receiver.heard)
