"""What one tenant's requests came to, counted where they are sent."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping

from alertd.errors import PollErrorKind
from alertd.graph.answers import Place
from alertd.model.requests import Requests
from alertd.model.value import value

OK = "ok"
_ABOUT = {Place.BATCH: "jobs", Place.SYNCHRONIZATION: "jobs", Place.DIRECTORY: "directory"}


@value(kw_only=True)
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
        failed = [outcome.value for outcome in outcomes if outcome is not None]
        good = len(outcomes) - len(failed)
        names = ({OK: good} if good else {}) | (Counter(failed) if failed else {})
        sent = Sent(about=_ABOUT[place], outcomes=names, repeated=repeated)
        self.total += sent.requests
        self._told(sent)
