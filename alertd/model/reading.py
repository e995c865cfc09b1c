"""What one service principal answered in one round."""

from __future__ import annotations

from collections.abc import Callable

import attrs

from alertd.errors import PollErrorKind
from alertd.model.resources import SynchronizationJob


@attrs.frozen(kw_only=True)
class Ok:
    """It answered: these are all its jobs.

    unreadable: job ids (empty text where even the id could not be read) whose content was malformed, with the JSON path of the fault;
    such a job is frozen, and an unreadable id proves no absence of any job.
    digest: of the bytes it was read from; null where no single body says it all.
    """

    jobs: tuple[SynchronizationJob, ...] = ()
    unreadable: tuple[tuple[str, str], ...] = ()
    digest: int | None = attrs.field(default=None, eq=False, repr=False)


@attrs.frozen
class Unchanged:
    """It answered with the very bytes whose digest was handed in: who asked knows what they say."""


@attrs.frozen(kw_only=True)
class Failed:
    """It did not answer, or not as it should: its jobs are frozen."""

    kind: PollErrorKind
    message: str = ""
    cure: str = ""


@attrs.frozen
class NotAsked:
    """It was not this principal's turn; nothing new is known, and nothing failed."""


Reading = Ok | Unchanged | Failed | NotAsked
Known = Callable[
    [str], int | None
]  # gives the digest of a service principal's latest answer by its id, None where none is remembered


def nothing_known(_principal_id: str) -> None:
    """Remember no answer."""
