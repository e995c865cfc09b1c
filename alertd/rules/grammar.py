"""From text to Python's syntax tree: the language is a subset of Python's expressions, so Python's own parser reads it."""

from __future__ import annotations

import ast
import warnings

import attrs

from alertd.rules.fault import ExpressionError, Fault
from alertd.rules.scan import scan


@attrs.frozen
class Source:
    """A parsed text, and where in it each node stands."""

    text: str
    tree: ast.expr
    _line: bytes
    _indent: int

    def offset(self, node: ast.AST) -> int:
        """Give the character at which a node begins."""
        return self._indent + self._characters(node.col_offset)  # type: ignore[attr-defined]

    def end(self, node: ast.AST) -> int:
        """Give the character behind a node."""
        return self._indent + self._characters(node.end_col_offset)  # type: ignore[attr-defined]

    def segment(self, node: ast.AST) -> str:
        """Give the text of a node, on one line."""
        return " ".join(self.text[self.offset(node) : self.end(node)].split())

    def _characters(self, column: int) -> int:
        """Python counts columns in bytes of UTF-8."""
        return len(self._line[:column].decode())


def parse(text: str) -> Source:
    """Read one expression; raises ExpressionError where Python would see none, or where it is too long or too deep."""
    scanned = scan(text)
    line = scanned.lstrip()
    indent = len(scanned) - len(line)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # an invalid escape in a text is a mistake, not a remark
            tree = ast.parse(line, mode="eval").body
    except SyntaxError as exc:
        raise ExpressionError(text, [_syntax_fault(exc, indent, text)]) from exc
    except ValueError as exc:  # a null character, half a surrogate pair
        raise ExpressionError(text, [Fault(offset=0, found=str(exc), cure="remove it")]) from exc
    return Source(text, tree, line.encode(), indent)


def _syntax_fault(exc: SyntaxError, indent: int, text: str) -> Fault:
    if not exc.offset:  # Python met the end
        return Fault(
            offset=len(text.rstrip()), found="the end", expected="the rest of the expression", cure="finish it"
        )
    cure = "an expression is written as in Python; texts stand in quotes"
    return Fault(offset=indent + exc.offset - 1, found=exc.msg, cure=cure)
