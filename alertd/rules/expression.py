"""One expression of a rule: checked once, then computed as fast as Python can."""

from __future__ import annotations

import functools
from collections.abc import Mapping

import attrs

from alertd.model.alert import Scope
from alertd.model.views import Subject
from alertd.rules.checker import check
from alertd.rules.compiler import Evaluate, Truth, compile_truth, compile_value
from alertd.rules.fault import ExpressionError
from alertd.rules.functions import CLOCK
from alertd.rules.grammar import parse
from alertd.rules.purpose import Purpose, faults_for
from alertd.rules.term import Call, Lookup, Member, Name, Parameter, Term, path
from alertd.rules.trace import Node, trace
from alertd.rules.types import Type

_NOTHING: Mapping[str, object] = {}


@attrs.frozen(kw_only=True)
class Expression:
    """A checked expression.

    evaluate: computes it: ``evaluate(subject, params)``. truth: whether it holds; null does not. Neither ever raises.
        They are functions rather than methods, since a bound method would cost as much as a short expression, and are
        compiled when they are first asked for.
    """

    text: str
    scope: Scope
    term: Term = attrs.field(repr=False)

    @classmethod
    def compile(
        cls,
        text: str,
        *,
        scope: Scope = Scope.JOB,
        params: Mapping[str, object] = _NOTHING,
        purpose: Purpose = Purpose.ANY,
    ) -> Expression:
        """Check and compile a text; raises ExpressionError with everything wrong with it.

        params: the rule's constants; their types are checked here, their values are given again at each evaluation.
        """
        term = check(parse(text), scope, params)
        if faults := faults_for(term, purpose, scope):
            raise ExpressionError(text, faults)
        return cls(text=text, scope=scope, term=term)

    @property
    def type(self) -> Type:
        """What it gives."""
        return self.term.type

    @functools.cached_property
    def reads(self) -> frozenset[str]:
        """The paths it looks at: ``status.code``, ``previous.code``, ``params.threshold``, ``now``; a map as a whole."""
        found: set[str] = set()
        _collect(self.term, found)
        return frozenset(found)

    @functools.cached_property
    def evaluate(self) -> Evaluate:
        """The compiled function that computes it."""
        return compile_value(self.term)

    @functools.cached_property
    def truth(self) -> Truth:
        """The compiled function that says whether it holds."""
        return compile_truth(self.term)

    def trace(self, subject: Subject, params: Mapping[str, object] = _NOTHING) -> Node:
        """Evaluate it slowly, keeping the value of every part."""
        return trace(self.term, subject, params)


def _collect(term: Term, found: set[str]) -> None:
    if isinstance(term, Name | Parameter | Member | Lookup) and (where := path(term)):
        found.add(where)
    if isinstance(term, Call):
        found |= {"now"} if term.function in CLOCK else set()
        if term.before is not None:
            _collect(term.before, found)
    if isinstance(term, Lookup):
        _collect(term.key, found)
    elif not isinstance(term, Member):
        for child in term.children:
            _collect(child, found)
