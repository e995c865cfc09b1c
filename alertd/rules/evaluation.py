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


def evaluate(rule: Rule, subject: Subject) -> Verdict:
    """Ask a rule about a subject; never raises.

    Expressions are total, so an error is a bug of ours: it is reported, and other rules go on.
    """
    try:
        return _verdict(rule, subject)
    except Exception as exc:  # noqa: BLE001 - one broken rule must not silence the others
        return Verdict(error=f"{type(exc).__name__}: {exc}")


def _verdict(rule: Rule, subject: Subject) -> Verdict:
    if rule.event is not None:
        return _ACTIVE if rule.event.truth(subject, rule.params) else _NEITHER
    assert rule.when is not None  # noqa: S101 - the loader gives every rule one of the two
    if rule.when.truth(subject, rule.params):
        return _ACTIVE
    if rule.clear_when is None or rule.clear_when.truth(subject, rule.params):
        return _CLEARED
    return _NEITHER
