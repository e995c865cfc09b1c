"""What a rule says about a subject."""

from __future__ import annotations

import attrs

from alertd.model.views import Subject
from alertd.rules.rule import Rule


@attrs.frozen
class Verdict:
    """The answer of one rule.

    active: the state holds, or the event happened. cleared: the clearing condition holds; never together with `active`.
    error: the rule failed; then the other two say nothing, and its alerts stay as they were.
    """

    active: bool = False
    cleared: bool = False
    error: str = ""


_ACTIVE = Verdict(active=True)
_CLEARED = Verdict(cleared=True)
_NEITHER = Verdict()


def evaluate(rule: Rule, subject: Subject, *, clearing: bool = True) -> Verdict:
    """Ask a rule about a subject; never raises.

    clearing: whether the clearing condition is asked too; where there is no alert nothing can be cleared.
    Expressions are total, so an error is a bug of ours: it is reported, and other rules go on.
    """
    try:
        if (rule.when or rule.condition).truth(subject, rule.params):
            return _ACTIVE
        if (
            clearing
            and rule.when is not None
            and (rule.clear_when is None or rule.clear_when.truth(subject, rule.params))
        ):
            return _CLEARED
    except Exception as exc:  # noqa: BLE001 - one broken rule must not silence the others
        return Verdict(error=f"{type(exc).__name__}: {exc}")
    return _NEITHER
