"""How a simulated receiver behaves: well, or badly in one of the ways that real ones do."""

from __future__ import annotations

import enum

import attrs


class Mode(enum.StrEnum):
    """What it does with a message."""

    WELL = "well"  # takes it
    DOWN = "down"  # 503, or 421 for mail: try again later
    THROTTLED = "throttled"  # 429 with Retry-After, or 452 for mail
    REFUSING = "refusing"  # 404, or 550 for mail: never again
    HANGING = "hanging"  # takes the body and says nothing


@attrs.define(kw_only=True)
class Behaviour:
    """The mode of a receiver, which may change while it runs.

    times: for how many messages the mode holds before all is well again; null for good.
    retry_after: seconds told with a 429.
    """

    mode: Mode = Mode.WELL
    times: int | None = None
    retry_after: float = 1.0

    def fail(self, mode: Mode, *, times: int | None = None) -> None:
        """Behave like this for so many messages, or until told otherwise."""
        self.mode, self.times = mode, times

    def recover(self) -> None:
        """Behave well again."""
        self.mode, self.times = Mode.WELL, None

    def next(self) -> Mode:
        """Give the mode for the message that has just come."""
        mode = self.mode
        if self.times is not None:
            self.times -= 1
            if self.times <= 0:
                self.recover()
        return mode
