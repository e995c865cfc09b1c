"""What one service principal answered in one round."""

from __future__ import annotations

import attrs

from alertd.errors import PollErrorKind
from alertd.model.resources import SynchronizationJob


@attrs.frozen(kw_only=True)
class Ok:
    """It answered: these are all its jobs.

    unreadable: job ids (empty text where even the id could not be read) whose content was malformed, with the JSON path of the fault;
    such a job is frozen, and an unreadable id proves no absence of any job.
    """

    jobs: tuple[SynchronizationJob, ...] = ()
    unreadable: tuple[tuple[str, str], ...] = ()


@attrs.frozen(kw_only=True)
class Failed:
    """It did not answer, or not as it should: its jobs are frozen."""

    kind: PollErrorKind
    message: str = ""
    cure: str = ""


@attrs.frozen
class NotAsked:
    """It was not this principal's turn; nothing new is known, and nothing failed."""


Reading = Ok | Failed | NotAsked
