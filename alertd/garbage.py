"""How often the interpreter searches for garbage that reference counting does not free.

By default it does so whenever 700 objects more have been made than freed. What polls, judges and stores makes tens of thousands for a slice and
leaves hardly a cycle, so such a search walks through what is in use and finds nothing, several hundred times a second.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def seldom_collected(new_objects_max: int) -> Iterator[None]:
    """Let a search wait until there are so many new objects, and pass over those that are there already.

    This holds for the process; such blocks may stand in each other, but not overlap.
    """
    before = gc.get_threshold()
    gc.freeze()
    gc.set_threshold(new_objects_max, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()
