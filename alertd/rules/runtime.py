"""What compiled expressions and the interpreter call alike: the few operations that are no operator of Python."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, timedelta

# A product, a quotient or a number read from text beyond this is null. Counts of a directory are far below, and no sum
# that fits into a rule of 2,000 characters can then overflow a float.
NUMBER_MAX = 10**18

_NUMBER = re.compile(r"\s*[-+]?[0-9]{1,18}(?:\.[0-9]{1,18})?\s*")


def number(text: str) -> int | float | None:
    """Read a decimal number, as settings hold them (``"500"``); null for any other text."""
    if _NUMBER.fullmatch(text) is None:
        return None
    return float(text) if "." in text else int(text)


def transitions(
    instants: Mapping[str, tuple[tuple[object, datetime], ...]],
    path: str,
    to: object,
    within: timedelta,
    now: datetime,
) -> int:
    """Count how often the value at `path` became `to` in the last `within`, the whole span included."""
    return sum(value == to and now - at <= within for value, at in instants.get(path, ()))
