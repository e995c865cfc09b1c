"""The word a person probably meant."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

_LISTED_MAX = 30


def closest(word: str, known: Iterable[str]) -> str | None:
    """Give the known word nearest to `word`, whatever the case; null when none is near."""
    by_lower = {candidate.lower(): candidate for candidate in known}
    found = difflib.get_close_matches(word.lower(), by_lower, n=1, cutoff=0.6)
    return by_lower[found[0]] if found else None


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Give a cure for a misspelt word: ``did you mean `x`?``, or the words there are when none is near."""
    words = sorted(known)
    nearest = closest(word, words)
    if nearest is not None:
        return f"did you mean `{nearest}`?"
    more = ", ..." if len(words) > _LISTED_MAX else ""
    return f"known are {', '.join(words[:_LISTED_MAX])}{more}" if words else ""
