"""How much of Graph was used: requests as they went over the wire, and as Graph counts them against its limits."""

from __future__ import annotations

from alertd.model.value import value


@value(kw_only=True)
class Requests:
    """Some requests to Graph.

    http: over the wire; a batch is one. counted: as Graph counts them, where each part of a batch is one, and so is a page.
    throttled, repeated: of those counted, the ones that were told to come later, and the ones that had been sent before.
    Source: https://learn.microsoft.com/graph/throttling, on JSON batching: each part is held against the limits by itself.
    """

    http: int = 0
    counted: int = 0
    throttled: int = 0
    repeated: int = 0

    def __add__(self, other: Requests) -> Requests:
        return Requests(
            http=self.http + other.http,
            counted=self.counted + other.counted,
            throttled=self.throttled + other.throttled,
            repeated=self.repeated + other.repeated,
        )

    def __sub__(self, other: Requests) -> Requests:
        return Requests(
            http=self.http - other.http,
            counted=self.counted - other.counted,
            throttled=self.throttled - other.throttled,
            repeated=self.repeated - other.repeated,
        )
