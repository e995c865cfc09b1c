"""Fitting a message to what a channel carries: shortened step by step, never dropped.

A message is rendered with ever less in it until it fits: long texts first, then what changed, then blocks give way to one
line for each alert, then lines give way to "+N more". Headline, counts and links stay. The templates need not know.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import attrs

from alertd.render.context import Alerts, Entry, Message, mapped
from alertd.render.hostile import purified

_LINE_BYTES_MIN = 60  # no template says an alert in less, so more of them than this allows need not be tried
_ROOMY = 1_000_000


@attrs.frozen(kw_only=True)
class Budget:
    """How much may be said. text: characters of each text from outside. entries: alerts and events listed."""

    text: int
    changes: bool = True
    blocks: bool = True
    entries: int = _ROOMY


@attrs.frozen
class Fitted:
    """What fits. shortened: what was left out, in words. body: its bytes. value: whatever else was made with them."""

    body: bytes
    value: Any
    shortened: tuple[str, ...]
    fits: bool = True


_STEPS = (
    Budget(text=600),
    Budget(text=300),
    Budget(text=160),
    Budget(text=160, changes=False),
    Budget(text=160, changes=False, blocks=False),
)


def fit(
    message: Message,
    make: Callable[[Message], tuple[bytes, Any]],
    *,
    body_bytes_max: int,
    blocks_max: int,
    verbatim: bool = False,
) -> Fitted:
    """Give the fullest message whose bytes fit.

    make: renders a message (blocks are wanted where an entry's `block` is not null). verbatim: texts stay as they
    are, for machines. The result of the smallest budget is given, with `fits` false, if not even that fits.
    """
    count = len(message.alerts.all)
    entries_max = min(count, max(1, body_bytes_max // _LINE_BYTES_MIN))
    for budget in _ladder(count, entries_max, blocks_max=blocks_max, verbatim=verbatim):
        fitted = _made(message, make, budget, verbatim=verbatim)
        if len(fitted.body) <= body_bytes_max:
            return fitted
    return _with_fewer(message, make, entries_max, body_bytes_max, verbatim=verbatim)


def _ladder(count: int, entries_max: int, *, blocks_max: int, verbatim: bool) -> tuple[Budget, ...]:
    if verbatim:
        return (Budget(text=_ROOMY, entries=entries_max),)
    steps = _STEPS if count <= blocks_max else tuple({attrs.evolve(step, blocks=False): None for step in _STEPS})
    return tuple(attrs.evolve(step, entries=entries_max) for step in steps)


def _with_fewer(
    message: Message, make: Callable[[Message], tuple[bytes, Any]], most: int, body_bytes_max: int, *, verbatim: bool
) -> Fitted:
    """Find by halving how many entries fit; with none of them the texts become as short as they get."""
    smallest = Budget(text=_ROOMY if verbatim else 80, changes=False, blocks=False, entries=0)
    best = _made(message, make, smallest, verbatim=verbatim)
    if len(best.body) > body_bytes_max:
        return attrs.evolve(best, fits=False)
    low, high = 0, most
    while low < high:
        middle = (low + high + 1) // 2
        tried = _made(
            message, make, attrs.evolve(smallest, text=max(smallest.text, 160), entries=middle), verbatim=verbatim
        )
        if len(tried.body) <= body_bytes_max:
            low, best = middle, tried
        else:
            high = middle - 1
    return best


def _made(message: Message, make: Callable[[Message], tuple[bytes, Any]], budget: Budget, *, verbatim: bool) -> Fitted:
    cut = reduced(message, budget, verbatim=verbatim)
    body, value = make(cut)
    return Fitted(body, value, _told(message, cut, budget, verbatim=verbatim))


def reduced(message: Message, budget: Budget, *, verbatim: bool = False) -> Message:
    """Give the message as the budget allows it, its texts clean unless they are for a machine."""
    alerts = mapped(_fewer(message.alerts, budget.entries), lambda entry: _slimmer(entry, budget))
    cut = attrs.evolve(message, alerts=alerts)
    return cut if verbatim else _purified(cut, budget.text)


def _purified(message: Message, limit: int) -> Message:
    result: Message = purified(message, limit, message.links.alertd)
    return result


def _slimmer(entry: Entry, budget: Budget) -> Entry:
    kept = entry if budget.changes else attrs.evolve(entry, changes=(), highlights=())
    with_block = budget.blocks and entry.ended is None  # what has ended wants no remedy and no forecast
    return attrs.evolve(kept, block=WANTED if with_block else None)


WANTED = ()  # stands in `Entry.block` until the block is rendered; null means that none is wanted


def _fewer(alerts: Alerts, most: int) -> Alerts:
    """Keep `most` entries, of every list a fair share: neither what began nor what ended may vanish whole."""
    lists = (alerts.firing, alerts.events, alerts.resolved)
    firing, events, resolved = _shares([len(entries) for entries in lists], most)
    return attrs.evolve(
        alerts,
        firing=alerts.firing[:firing],
        events=alerts.events[:events],
        resolved=alerts.resolved[:resolved],
        more_firing=len(alerts.firing) - firing,
        more_events=len(alerts.events) - events,
        more_resolved=len(alerts.resolved) - resolved,
    )


def _shares(sizes: list[int], most: int) -> list[int]:
    asking = sum(1 for size in sizes if size) or 1
    shares = [min(size, most // asking) for size in sizes]
    for index, size in enumerate(sizes):
        shares[index] += min(size - shares[index], most - sum(shares))
    return shares


def _told(message: Message, cut: Message, budget: Budget, *, verbatim: bool) -> tuple[str, ...]:
    """Say what is missing; blocks that were never wanted are not missed."""
    told = [] if verbatim or budget.text == _STEPS[0].text else [f"texts longer than {budget.text} characters were cut"]
    told += [] if budget.changes else ["the lists of changes were left out"]
    told += [] if budget.blocks or verbatim else ["alerts are one line each"]
    told += (
        [f"{cut.alerts.more} of {len(message.alerts.all)} alerts and events were left out"] if cut.alerts.more else []
    )
    return tuple(told)
