"""What an expression is for: a state that lasts, or a moment that passes.

An event is told once, so its expression has to be true at a moment only: in every way in which it can be true, one of
its conditions must be about a difference (`previous`, the `changed` family) or about coming and going (`job.gone`,
`job.appeared`). A state must not speak of such a moment by the `changed` family: it would begin and end within a round.
"""

from __future__ import annotations

import enum

from alertd.model.alert import Scope
from alertd.rules.fault import Fault
from alertd.rules.functions import CHANGED_FAMILY
from alertd.rules.term import (
    Call,
    Comparison,
    Conditional,
    Constant,
    Junction,
    Name,
    Not,
    Operator,
    Term,
    path,
    root,
)

_MOMENTS = "`previous`, changed(), increased(), decreased(), delta(), `job.gone` or `job.appeared`"


class Purpose(enum.Enum):
    """What an expression is for."""

    STATE = "state"  # `when`, `clear_when`
    EVENT = "event"
    ANY = "any"  # explaining and trying out


def faults_for(term: Term, purpose: Purpose, scope: Scope) -> list[Fault]:
    """Give what makes a checked expression unfit for its purpose."""
    if purpose is Purpose.STATE:
        return [_changed_in_state(part) for part in term.walk() if _of_changed_family(part)]
    if purpose is not Purpose.EVENT:
        return []
    faults = [_clock_in_event(part) for part in term.walk() if _of_clock(part)]
    if not _needs_moment(term, True):
        cure = f"add one with `and`, or write `when`: {scope} rules have states only" if scope is not Scope.JOB else ""
        cure = cure or "add one with `and`, in every branch of an `or`; or write `when` for a state"
        found = "an event that can be true without a change"
        faults.append(Fault(offset=term.offset, found=found, expected=_MOMENTS, cure=cure))
    return faults


def _of_changed_family(term: Term) -> bool:
    return isinstance(term, Call) and term.function in CHANGED_FAMILY


def _of_clock(term: Term) -> bool:
    if isinstance(term, Call):
        return term.function in {"age", "until"}
    return isinstance(term, Name) and term.name == "now"


def _changed_in_state(term: Term) -> Fault:
    return Fault(
        offset=term.offset,
        found=f"`{term.text}` in a state",
        expected="a condition that can last",
        cure="write `event` instead of `when`, or compare with `previous`",
    )


def _clock_in_event(term: Term) -> Fault:
    return Fault(
        offset=term.offset,
        found=f"`{term.text}` in an event",
        expected="conditions on what was read",
        cure="events are looked at only when something changed: write `when` for what depends on time",
    )


def _needs_moment(term: Term, holds: bool) -> bool:
    """Whether the term can only be true (`holds`) or false (not `holds`) by way of a moment."""
    match term:
        case Junction(conjunction=conjunction, operands=operands):
            needed = [_needs_moment(operand, holds) for operand in operands]
            return any(needed) if conjunction is holds else all(needed)
        case Not(operand=operand):
            return _needs_moment(operand, not holds)
        case Conditional(condition=condition, then=then, otherwise=otherwise):
            first = _needs_moment(condition, True) or _needs_moment(then, holds)
            return first and (_needs_moment(condition, False) or _needs_moment(otherwise, holds))
        case Constant(value=value):
            return bool(value) is not holds  # it never is: there is no way at all
        case Comparison(operators=(Operator.EQUAL | Operator.UNEQUAL as operator,)) if part := _against_truth(term):
            operand, truth = part
            return _needs_moment(operand, (truth is (operator is Operator.EQUAL)) is holds)
    return _is_moment(term, holds)


def _against_truth(term: Comparison) -> tuple[Term, bool] | None:
    """Give the operand and the truth value it is compared with, as in ``changed(status.code) == true``."""
    for operand, other in (term.operands, term.operands[::-1]):
        if isinstance(other, Constant) and isinstance(other.value, bool):
            return operand, other.value
    return None


def _is_moment(term: Term, holds: bool) -> bool:
    """Whether a condition without `and`, `or`, `not` is one; a truth value has to be true for it."""
    if isinstance(term, Call) and term.function in CHANGED_FAMILY - {"delta"}:
        return holds
    if path(term) in {"job.gone", "job.appeared"}:
        return holds
    if root(term) in {"previous", "previous_job"} or (isinstance(term, Call) and term.function == "delta"):
        return True
    if isinstance(term, Conditional):
        branches = _is_moment(term.then, holds) and _is_moment(term.otherwise, holds)
        return _is_moment(term.condition, True) or branches
    return any(_is_moment(child, True) for child in term.children)
