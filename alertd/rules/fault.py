"""What is wrong with an expression, and where."""

from __future__ import annotations

from collections.abc import Iterable

import attrs

from alertd.errors import AlertdError


@attrs.frozen(kw_only=True)
class Fault:
    """One thing wrong with an expression.

    offset: the character at which it is, from zero. found, expected, cure: as in Problem.
    code: a linter's finding; empty where the expression cannot be used at all.
    """

    offset: int
    found: str
    expected: str = ""
    cure: str = ""
    code: str = ""

    def __str__(self) -> str:
        told = [f"found {self.found}" if self.expected else self.found]
        told += [f"expected {self.expected}"] if self.expected else []
        return "; ".join([*told, self.cure] if self.cure else told)


class ExpressionError(AlertdError):
    """An expression that cannot be used; `faults` names everything wrong with it, in the order of its text."""

    def __init__(self, text: str, faults: Iterable[Fault]) -> None:
        self.text = text
        self.faults = tuple(sorted(faults, key=lambda fault: fault.offset))
        super().__init__("\n".join(f"character {fault.offset + 1}: {fault}" for fault in self.faults))
