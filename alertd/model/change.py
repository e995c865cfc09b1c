"""One difference between two snapshots."""

from __future__ import annotations

from typing import Any, Final

import attrs


@attrs.define(unsafe_hash=True)
class Change:
    """A property that differs: `path` as rules write it, such as ``status.quarantine.reason`` or ``job.settings["Domain"]``.

    before, after: the values on either side; null where the property, or what holds it, was not there.
    Nobody may set these, as the type checker sees to: a class that is frozen at run time takes three times as long to make one, and there
    are ten for each run that ends.
    """

    path: Final[str]
    before: Final[Any]
    after: Final[Any]
