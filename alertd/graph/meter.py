"""What one tenant's requests came to, counted where they are sent."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping

import attrs

from alertd.errors import PollErrorKind
from alertd.graph.answers import Place
from alertd.model.requests import Requests

OK = "ok"
_ABOUT = {Place.BATCH: "jobs", Place.SYNCHRONIZATION: "jobs", Place.DIRECTORY: "directory"}


@attrs.frozen(kw_only=True)
class Sent:
    """One HTTP request that was sent.

    about: ``jobs`` or ``directory``. outcomes: of each request as Graph counts them, ``ok`` or a PollErrorKind, with how many.
    repeated: it had been sent before.
    """

    about: str
    outcomes: Mapping[str, int]
    repeated: bool

    @property
    def requests(self) -> Requests:
        """What it adds to the sum."""
        counted = sum(self.outcomes.values())
        return Requests(
            http=1,
            counted=counted,
            throttled=self.outcomes.get(PollErrorKind.THROTTLED.value, 0),
            repeated=counted if self.repeated else 0,
        )


class Meter:
    """Sums up one tenant's requests. told: hears of each."""

    def __init__(self, told: Callable[[Sent], None] = lambda _sent: None) -> None:
        self.total = Requests()
        self._told = told

    def count(self, place: Place, *outcomes: PollErrorKind | None, repeated: bool) -> None:
        """Count one HTTP request by the outcomes of its parts; None is a good one."""
        names = Counter(OK if outcome is None else outcome.value for outcome in outcomes)
        sent = Sent(about=_ABOUT[place], outcomes=names, repeated=repeated)
        self.total += sent.requests
        self._told(sent)
