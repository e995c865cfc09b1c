"""A job on its way through a replay. What nobody looks at is put off: it is read once somebody looks at the job, and mostly nobody does."""

from __future__ import annotations

from datetime import datetime

import attrs

from alertd.alerts.replaying import advanced
from alertd.model.change import Change
from alertd.store.values import HistoryEntry, JobRecord, Outline


@attrs.define
class Track:
    """One job.

    judged_at: when it was last asked about. wake_at: when next, if nothing is read; None: not before.
    rests: whether a change that no rule looks at tells no event either; None where that has not been asked since it was read.
    """

    _record: JobRecord
    judged_at: datetime | None = None
    wake_at: datetime | None = None
    rests: bool | None = None
    _backlog: list[Outline] = attrs.field(factory=list)

    @property
    def record(self) -> JobRecord:
        """The job as of the latest entry."""
        if self._backlog:
            self._catch_up()
        return self._record

    @property
    def seen(self) -> JobRecord:
        """The job as it was last looked at: where rules look it is still the same."""
        return self._record

    def put_off(self, outline: Outline) -> None:
        """Take an entry in unread. A full one makes those before it needless, so that no more than fifty wait."""
        if outline.paths is None:
            self._backlog = [outline]
        else:
            self._backlog.append(outline)

    def advance(self, entry: HistoryEntry) -> tuple[Change, ...]:
        """Bring the job to an entry; give what changed by it."""
        record, changes = advanced(self.record, entry)
        if record is not None:
            self._record, self.rests = record, None
        return changes

    def _catch_up(self) -> None:
        for outline in self._backlog:
            record, _ = advanced(self._record, outline.read())
            self._record = record or self._record
        self._backlog = []
