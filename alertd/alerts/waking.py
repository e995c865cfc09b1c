"""When the rules have to be asked again about a subject though nothing new is read of it. Pure.

Most readings say what the one before said, and for most jobs no clock runs out meanwhile: asking the rules would come to nothing. What a rule
says can change by time alone at instants that its conditions tell (`alertd.rules.horizon`), when a `for` or a `keep_firing_for` is over, and
where a firing alert's text speaks of time. In doubt the answer is too early: that costs a question, and too late would be a missed transition.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING

from alertd.model.alert import Alert, Scope, State
from alertd.rules.horizon import horizon_of

if TYPE_CHECKING:
    from alertd.alerts.book import RuleBook
    from alertd.alerts.judgement import Case

_SIGHT = frozenset({"job", "job.lastSeenAt"})


class Waking:
    """The clocks of all rules of one scope.

    always: some rule has to be asked at every round. looks_back: at the round after a change too, since `previous` is another one then.
    figures: whenever the tenant's figures are others. sight: some rule looks at `job.lastSeenAt`, which stands still where a job is not asked.
    """

    def __init__(self, book: RuleBook, scope: Scope) -> None:
        self._book = book
        rules = book.states(scope)
        horizons = {rule.name: horizon_of(rule) for rule in rules}
        self.always = any(horizon.always for horizon in horizons.values())
        self.looks_back = any(horizon.looks_back for horizon in horizons.values())
        self.figures = any(horizon.figures for horizon in horizons.values())
        self.sight = any(_SIGHT & expression.reads for rule in rules for _, expression in rule.expressions)
        self._timed = tuple(
            (rule, horizon) for rule in rules if (horizon := horizons[rule.name]).moments or horizon.clearing
        )

    def next_at(self, case: Case, alerts: Iterable[Alert], *, texts: bool = True) -> datetime | None:
        """Give when time alone may change something after this case: its own instant for the very next round, None for never.

        alerts: the subject's, as the case left them. texts: whether annotations are kept as they would be rendered now.
        """
        standing = {alert.name: alert for alert in alerts}
        found = [at for alert in standing.values() if (at := self._resumes(alert, case, texts=texts)) is not None]
        for rule, horizon in self._timed:
            tuned = self._book.tuned(rule, case.subject_labels)
            at = horizon.after(case.subject, tuned.params, clearing=rule.name in standing)
            if at is not None:
                found.append(at)
        return min(found, default=None)

    def _resumes(self, alert: Alert, case: Case, *, texts: bool) -> datetime | None:
        """Give when `for` or `keep_firing_for` runs out, or when a text has to be rendered anew."""
        rule = self._book.named(alert.name)
        if rule is None:
            return None
        if alert.state is State.PENDING:
            return alert.activeSince + self._book.tuned(rule, case.subject_labels).hold_duration
        if alert.state is State.FIRING and texts and self._book.speaks_of_time(alert.name):
            return case.subject.now
        if alert.state is State.FIRING and alert.clearSince is not None:
            return alert.clearSince + self._book.tuned(rule, case.subject_labels).keep_firing_for
        return None


def earliest(one: datetime | None, other: datetime | None) -> datetime | None:
    """Give the earlier of two instants, of which None is never."""
    if one is None or other is None:
        return one or other
    return min(one, other)
