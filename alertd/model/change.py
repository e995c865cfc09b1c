"""One difference between two snapshots."""

from __future__ import annotations

from typing import Any

from alertd.model.value import value


@value
class Change:
    """A property that differs: `path` as rules write it, such as ``status.quarantine.reason`` or ``job.settings["Domain"]``.

    before, after: the values on either side; null where the property, or what holds it, was not there.
    """

    path: str
    before: Any
    after: Any
