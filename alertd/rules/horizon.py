"""Until when the answer of a rule stands though time passes and nothing new is read. Pure.

A rule that never looks at the clock answers the same until something is read. One that does, such as ``age(t) > hours(2)``, changes its mind
at an instant that follows from what was read: two hours after `t`. A comparison of this kind is linear in time on both sides, so the instant
at which they meet is a sum of dates and durations; between two such instants nothing moves. Whatever is not of this kind is asked every round.
A horizon that is too early costs an evaluation; one that is too late would be a wrong backtest, so in doubt it is early.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta

import attrs

from alertd.model.alert import Scope
from alertd.model.views import Subject
from alertd.rules.compiler import Evaluate, compile_value
from alertd.rules.expression import Expression
from alertd.rules.rule import Rule
from alertd.rules.term import (
    MEMBERSHIP,
    Arithmetic,
    Call,
    Comparison,
    Conditional,
    Junction,
    Name,
    Negative,
    Not,
    Operator,
    Term,
    path,
)

Moments = Callable[[Subject, Mapping[str, object]], Iterable[datetime]]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_ZERO = timedelta(0)
_FIXED = frozenset({"name", "id", "labels"})  # of a tenant; its other members are figures of its latest round


@attrs.frozen(kw_only=True)
class Horizon:
    """When a rule has to be asked again although nothing was read.

    always: at every round. looks_back: at the round after a change too, since `previous` is another one then. figures: whenever the
    tenant's figures change. moments: the instants at which a comparison of `when` may turn. clearing: those of `clear_when`, which matter
    where there is an alert to be cleared.
    """

    always: bool = False
    looks_back: bool = False
    figures: bool = False
    moments: tuple[Moments, ...] = ()
    clearing: tuple[Moments, ...] = ()

    def after(self, subject: Subject, params: Mapping[str, object], *, clearing: bool = True) -> datetime | None:
        """Give the next instant, the present one included, after which the answer may be another; None if there is none."""
        found: datetime | None = None
        for moments in (*self.moments, *self.clearing) if clearing else self.moments:
            for at in moments(subject, params):
                if at >= subject.now and (found is None or at < found):
                    found = at
        return found


def horizon_of(rule: Rule) -> Horizon:
    """Find out how a state's conditions depend on time."""
    survey = _Survey(rule.scope)
    moments = survey.take(rule.when)
    clearing = survey.take(rule.clear_when)
    return Horizon(
        always=survey.always,
        looks_back=survey.looks_back,
        figures=survey.figures,
        moments=moments,
        clearing=clearing,
    )


@attrs.frozen
class _Line:
    """A value that is ``slope * now`` plus the sum of parts that stand still between two moments, each with its sign."""

    slope: int
    parts: tuple[tuple[int, Term], ...] = ()

    def plus(self, other: _Line, sign: int = 1) -> _Line:
        return _Line(
            self.slope + sign * other.slope, (*self.parts, *((sign * each, term) for each, term in other.parts))
        )


class _Survey:
    """Walks the conditions of one rule."""

    def __init__(self, scope: Scope) -> None:
        self._job_scope = scope is Scope.JOB
        self.always = False
        self.looks_back = False
        self.figures = False
        self._moments: list[Moments] = []

    def take(self, expression: Expression | None) -> tuple[Moments, ...]:
        """Survey a condition; give the moments at which a comparison in it may turn."""
        self._moments = []
        if expression is not None:
            for read in expression.reads:
                self._note(read)
            self._truth(expression.term)
            self._walk(expression.term)
        return tuple(self._moments)

    def _note(self, read: str) -> None:
        root, _, member = read.partition(".")
        self.looks_back |= root in {"previous", "previous_job"} or read == "job.appeared"
        self.always |= read in {"previous_job.lastSeenAt", "previous_job", "job"}
        if self._job_scope and root == "tenant":
            self.always |= read in {"tenant", "tenant.lastPollAt"}
            self.figures |= member.partition(".")[0] not in _FIXED

    def _walk(self, term: Term) -> None:
        """Visit every part; each kind of place in which a moving value could hide is looked at."""
        match term:
            case Comparison():
                for pair in term.pairs:
                    self._compare(*pair)
            case Junction(operands=operands):
                for operand in operands:
                    self._truth(operand)
            case Not(operand=operand):
                self._truth(operand)
            case Conditional(condition=condition):
                self._truth(condition)
            case Call(function="transitions"):
                self._transitions(term)
        for child in term.children:
            self._walk(child)

    def _truth(self, term: Term) -> None:
        """A moving value whose mere truth is asked, such as ``age(t)`` by itself."""
        self.always |= self._moves(term)

    def _compare(self, left: Term, operator: Operator, right: Term) -> None:
        if not (self._moves(left) or self._moves(right)):
            return
        one, other = self._line(left), self._line(right)
        if one is None or other is None or operator in MEMBERSHIP:
            self.always = True
            return
        between = one.plus(other, -1)  # slope * now + rest = 0 where the two meet
        if between.slope in {1, -1}:
            self._moments.append(_meeting(tuple((-between.slope * sign, term) for sign, term in between.parts)))
        else:
            self.always |= between.slope != 0

    def _transitions(self, call: Call) -> None:
        where, (_, _, within) = path(call.arguments[0]) or "", call.arguments
        if self._moves(within):
            self.always = True
        else:
            self._moments.append(_forgetting(where, compile_value(within)))

    def _moves(self, term: Term) -> bool:
        """Whether a value drifts with the clock, rather than jumping at moments."""
        match term:
            case Name(name="now") | Call(function="age" | "until"):
                return True
            case Comparison() | Junction() | Not() | Call(function="transitions"):
                return False
            case Conditional(then=then, otherwise=otherwise):
                return self._moves(then) or self._moves(otherwise)
        return self._is_clock(term) or any(self._moves(child) for child in term.children)

    def _is_clock(self, term: Term) -> bool:
        """``job.lastSeenAt`` is this very moment where a job is listed, ``tenant.lastPollAt`` where the tenant's own rules are asked."""
        return path(term) == ("job.lastSeenAt" if self._job_scope else "tenant.lastPollAt")

    def _line(self, term: Term) -> _Line | None:
        if not self._moves(term):
            return _Line(0, ((1, term),))
        if isinstance(term, Name) or self._is_clock(term):
            return _Line(1)
        match term:
            case Call(function="age" | "until" as function, arguments=(instant,)):
                line = self._line(instant)
                return line and (_Line(1).plus(line, -1) if function == "age" else line.plus(_Line(1), -1))
            case Arithmetic(operator=Operator.ADD | Operator.SUBTRACT as operator):
                left, right = self._line(term.left), self._line(term.right)
                return left and right and left.plus(right, 1 if operator is Operator.ADD else -1)
            case Negative(operand=operand):
                line = self._line(operand)
                return line and _Line(0).plus(line, -1)
        return None


def _meeting(parts: tuple[tuple[int, Term], ...]) -> Moments:
    """Give the instant that dates and durations add up to; none where one of them is null."""
    terms: tuple[tuple[bool, Evaluate], ...] = tuple((sign > 0, compile_value(term)) for sign, term in parts)

    def moments(subject: Subject, params: Mapping[str, object]) -> Iterable[datetime]:
        total = _ZERO
        try:
            for adds, evaluate in terms:
                value = evaluate(subject, params)
                span = value - _EPOCH if isinstance(value, datetime) else value
                if not isinstance(span, timedelta):
                    return ()
                total = total + span if adds else total - span
            return (_EPOCH + total,)
        except OverflowError:  # beyond any calendar: never reached
            return ()

    return moments


def _forgetting(where: str, within: Evaluate) -> Moments:
    """Give the instants at which what `transitions` counts falls out of its window."""

    def moments(subject: Subject, params: Mapping[str, object]) -> Iterable[datetime]:
        became = subject.instants.get(where)
        span = within(subject, params) if became else None
        return [later for _, at in became or () if (later := _later(at, span)) is not None]

    return moments


def _later(instant: datetime, span: object) -> datetime | None:
    try:
        return instant + span if isinstance(span, timedelta) else None
    except OverflowError:  # beyond any calendar: never reached
        return None
