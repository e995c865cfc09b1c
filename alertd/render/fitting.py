"""Fitting a message to what a channel carries: shortened step by step, never dropped.

A message is rendered with ever less in it until it fits: long texts first, then what changed, then blocks give way to one
line for each alert, then lines give way to "+N more". Headline, counts and links stay. The templates need not know.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import attrs

from alertd.model.digest import KEPT
from alertd.render.context import Alerts, Entry, Message, mapped
from alertd.render.hostile import purified

_LINE_BYTES_MIN = 120  # no template says an alert in less, so more of them than this allows need not be tried
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


_WITH_BLOCKS = (
    Budget(text=600),
    Budget(text=300),
    Budget(text=160),
    Budget(text=160, changes=False),
)
_IN_LINES = (Budget(text=600, changes=False, blocks=False), Budget(text=160, changes=False, blocks=False))
_SHORTEST = Budget(text=160, changes=False, blocks=False)
_VERBATIM = Budget(text=_ROOMY)
# Lines of each list of a digest, for a machine and then for people, who read ten of a kind and skim the eleventh.
_DIGEST_LINES = (KEPT, 10, 7, 5, 3, 2, 1, 0)

Make = Callable[[Message], tuple[bytes, Any]]


def fit(message: Message, make: Make, *, body_bytes_max: int, blocks_max: int, verbatim: bool = False) -> Fitted:
    """Give the fullest message whose bytes fit.

    make: renders a message (blocks are wanted where an entry's `block` is not null). verbatim: texts stay as they
    are, for machines. The result of the smallest budget is given, with `fits` false, if not even that fits.
    """
    tailor = _Tailor(message=message, make=make, room=body_bytes_max, verbatim=verbatim)
    if message.digest is not None:
        return _fitted_digest(tailor)
    most = min(tailor.count, max(1, body_bytes_max // _LINE_BYTES_MIN))
    for budget in _ladder(tailor.count <= blocks_max, verbatim=verbatim):
        fitted = tailor.made(attrs.evolve(budget, entries=most))
        if tailor.has_room_for(fitted):
            return fitted
    return _with_fewer(tailor, most)


def _fitted_digest(tailor: _Tailor) -> Fitted:
    """Give a digest with as many lines in each list as fit; at last it is its counts alone."""
    text = _ROOMY if tailor.verbatim else _SHORTEST.text
    for lines in _DIGEST_LINES if tailor.verbatim else _DIGEST_LINES[1:]:
        fitted = tailor.made(Budget(text=text, entries=lines))
        if tailor.has_room_for(fitted):
            return fitted
    return attrs.evolve(fitted, fits=False)


def _ladder(has_blocks: bool, *, verbatim: bool) -> tuple[Budget, ...]:
    if verbatim:
        return (_VERBATIM,)
    return (*_WITH_BLOCKS, *_IN_LINES[1:]) if has_blocks else _IN_LINES


@attrs.frozen(kw_only=True)
class _Tailor:
    """One message, and how it is rendered."""

    message: Message
    make: Make
    room: int
    verbatim: bool

    @property
    def count(self) -> int:
        return len(self.message.alerts.all)

    def has_room_for(self, fitted: Fitted) -> bool:
        return len(fitted.body) <= self.room

    def made(self, budget: Budget) -> Fitted:
        cut = reduced(self.message, budget, verbatim=self.verbatim)
        body, value = self.make(cut)
        return Fitted(body, value, _told(self.message, cut, budget, verbatim=self.verbatim))


def _with_fewer(tailor: _Tailor, most: int) -> Fitted:
    """Find how many entries fit: between none, which do, and `most`, which do not, by what an entry takes on average."""
    budget = _VERBATIM if tailor.verbatim else _SHORTEST
    low, high = 0, most
    best = tailor.made(attrs.evolve(budget, entries=0))
    if not tailor.has_room_for(best):
        return attrs.evolve(best, fits=False)
    above = tailor.made(attrs.evolve(budget, entries=most))
    while high - low > 1 + low // 20:  # the last few of many are not worth another rendering
        average = (len(above.body) - len(best.body)) / (high - low)
        middle = min(max(low + int((tailor.room - len(best.body)) / max(average, 1)), low + 1), high - 1)
        tried = tailor.made(attrs.evolve(budget, entries=middle))
        if tailor.has_room_for(tried):
            low, best = middle, tried
        else:
            high, above = middle, tried
    return best


def reduced(message: Message, budget: Budget, *, verbatim: bool = False) -> Message:
    """Give the message as the budget allows it, its texts clean unless they are for a machine."""
    alerts = mapped(_fewer(message.alerts, budget.entries), lambda entry: _slimmer(entry, budget))
    digest = message.digest.shortened(budget.entries) if message.digest is not None else None
    cut = attrs.evolve(message, alerts=alerts, digest=digest)
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
    if message.digest is not None and cut.digest is not None:
        missing = message.digest.listed - cut.digest.listed
        return (f"{missing} lines of the digest were left out",) if missing else ()
    told = (
        []
        if verbatim or budget.text == _WITH_BLOCKS[0].text
        else [f"texts longer than {budget.text} characters were cut"]
    )
    told += [] if budget.changes or not budget.blocks else ["the lists of changes were left out"]
    told += [] if budget.blocks else ["alerts are one line each"]
    told += (
        [f"{cut.alerts.more} of {len(message.alerts.all)} alerts and events were left out"] if cut.alerts.more else []
    )
    return tuple(told)
