"""A first look at an expression, before Python's parser sees it: how long, how deep, and nothing foreign in it.

The levels counted here are no fewer than those of the syntax tree, whatever the text, so that no rule can drive a
recursion further than LEVELS_MAX, in the parser or behind it. It also answers for what people bring along from other
languages (``&&``, ``=``, ``?:``), which Python's own parser would only call invalid syntax.
"""

from __future__ import annotations

import re

import attrs

from alertd.rules.fault import ExpressionError, Fault

LENGTH_MAX = 2_000
LEVELS_MAX = 50

_TOKEN = re.compile(
    r"""
    (?P<text> \"{3}(?:\\.|[^\\])*?\"{3} | '{3}(?:\\.|[^\\])*?'{3}
            | "(?:\\.|[^"\\\n])*" | '(?:\\.|[^'\\\n])*' )
  | (?P<number> \.?\d(?:[eE][-+]?\d|[\w.])* )
  | (?P<word> [^\W\d]\w* )
  | (?P<comment> \#[^\n]* )
  | (?P<open> [(\[{] )
  | (?P<close> [)\]}] )
  | (?P<sign> ===|!==|\*\*|//|<<|>>|&&|\|\||->|:=|==|!=|<=|>=|=>|=<|<>|\S )
    """,
    re.VERBOSE | re.DOTALL,
)

_CLOSES = {")": "(", "]": "[", "}": "{"}

_CURES = {
    "&&": "write `and`",
    "||": "write `or`",
    "!": "write `not`",
    "=": "write `==` to compare; there is no assignment",
    ":=": "write `==` to compare; there is no assignment",
    "===": "write `==`",
    "!==": "write `!=`",
    "=>": "write `>=`",
    "=<": "write `<=`",
    "<>": "write `!=`",
    "?": "write `x if condition else y`",
    "**": "there are no powers: write the product",
    "//": "there is no whole division: write `/`",
    '"': "close the text with the quote it begins with",
    "'": "close the text with the quote it begins with",
    "\N{LEFT DOUBLE QUOTATION MARK}": 'write plain quotes, "',
    "\N{RIGHT DOUBLE QUOTATION MARK}": 'write plain quotes, "',
    "\N{LEFT SINGLE QUOTATION MARK}": "write plain quotes, '",
    "\N{RIGHT SINGLE QUOTATION MARK}": "write plain quotes, '",
    "$": "constants of a rule are `params.name`",
    "is": "write `==`, and `!=` for `is not`",
    "lambda": "there are no functions of your own",
    "for": "there are no comprehensions: ask for the one thing you need",
    "await": "there is nothing to wait for",
    "async": "there is nothing to wait for",
    "yield": "write the condition itself",
    "AND": "write `and`",
    "OR": "write `or`",
    "NOT": "write `not`",
    "IN": "write `in`",
}
_BIT_OPERATORS = frozenset({"&", "|", "^", "~", "<<", ">>", "@"})
_STRANGERS = frozenset({*_CURES, *_BIT_OPERATORS, ";", "`", "\\", "->", "{", "}"})

_COMPARISONS = frozenset({"==", "!=", "<", "<=", ">", ">=", "in"})
_ARITHMETIC = frozenset("+-*/%")


@attrs.define
class _Frame:
    """The inside of one bracket: what nests in the operand being read adds up, the rest is forgotten at its end."""

    bracket: str
    offset: int
    outer: int
    call: bool = False
    conditions: int = 0
    nots: int = 0
    operations: int = 0
    trailers: int = 0

    @property
    def levels(self) -> int:
        return self.outer + self.conditions + self.nots + self.operations + self.trailers

    def take(self, symbol: str) -> None:
        if symbol == ".":
            self.trailers += 1
            return
        if symbol in {"and", "or", "if", "else", ",", ":"} or symbol in _COMPARISONS:
            self._end_operand(symbol)
        elif symbol == "not":
            self.nots += 1
        elif symbol in _ARITHMETIC:
            self.operations += 1
            self.trailers = 0

    def _end_operand(self, symbol: str) -> None:
        self.operations = self.trailers = 0
        if symbol not in _COMPARISONS:
            self.nots = 0
        if symbol in {",", ":"}:
            self.conditions = 0
        self.conditions += symbol == "if"


def scan(text: str) -> str:
    """Give the text as one line, offsets kept, with comments blank; raises ExpressionError with the first fault.

    What is refused: too long, too deep, unbalanced, or foreign to the language.
    """
    if len(text) > LENGTH_MAX:
        raise _error(text, LENGTH_MAX, f"{len(text)} characters", f"at most {LENGTH_MAX}", "split the rule")
    if not text.strip():
        raise _error(text, 0, "nothing", "an expression", 'such as `status.code == "Quarantine"`')
    frames = [_Frame("", 0, 0)]
    line = [" "] * len(text)
    before: re.Match[str] | None = None
    for match in _TOKEN.finditer(text):
        if match.lastgroup == "comment":
            continue
        _refuse_strangers(match, before, in_call=frames[-1].call)
        _step(frames, match, before)
        if frames[-1].levels > LEVELS_MAX:
            cure = "split the rule, or use `in [...]`"
            raise _error(text, match.start(), "one more level", f"at most {LEVELS_MAX} levels", cure)
        line[match.start() : match.end()] = match[0]
        before = match
    if len(frames) > 1:
        raise _error(text, frames[-1].offset, f"`{frames[-1].bracket}` that is never closed", "", "close it")
    return "".join(line)


def _step(frames: list[_Frame], match: re.Match[str], before: re.Match[str] | None) -> None:
    kind, symbol, top = match.lastgroup, match[0], frames[-1]
    if kind == "open":
        frames.append(_Frame(symbol, match.start(), top.levels + 1, call=symbol == "(" and _callable(before)))
    elif kind == "close":
        if top.bracket != _CLOSES[symbol]:
            raise _error(match.string, match.start(), f"`{symbol}` that closes nothing", "", "remove it")
        frames.pop()
        frames[-1].trailers += 1
    elif kind in {"word", "sign"}:
        top.take(symbol)


def _callable(before: re.Match[str] | None) -> bool:
    if before is None or before.lastgroup not in {"word", "close"}:
        return False
    return before[0] not in {"and", "or", "not", "in", "if", "else"}


def _refuse_strangers(match: re.Match[str], before: re.Match[str] | None, *, in_call: bool) -> None:
    kind, symbol = match.lastgroup, match[0]
    if kind == "text":
        _refuse_prefix(match, before)
    elif kind != "number" and symbol in _STRANGERS and not (symbol == "=" and in_call):
        raise _error(match.string, match.start(), f"`{symbol}`", "an expression", _cure(match))


def _refuse_prefix(match: re.Match[str], before: re.Match[str] | None) -> None:
    if "\n" in match[0]:
        raise _error(match.string, match.start(), "a line break in a text", "", "write it as \\n")
    if before is None or before.end() != match.start() or before.lastgroup != "word":
        return
    prefix = before[0].lower()
    if set(prefix) & set("ft"):
        raise _error(match.string, before.start(), "an f-string", "a plain text", "texts are not put together here")
    if "b" in prefix:
        raise _error(match.string, before.start(), "bytes", "a plain text", f"remove the `{before[0]}`")


def _cure(match: re.Match[str]) -> str:
    symbol = match[0]
    if match.string.startswith("{{", match.start()):
        return "this is no template: write the expression without `{{ }}`"
    if symbol in {"{", "}"}:
        return "there are no maps or sets: write a list, `[a, b]`"
    if symbol in _BIT_OPERATORS:
        return "there are no operations on bits: write `and`, `or`, `not`"
    return _CURES.get(symbol, "remove it")


def _error(text: str, offset: int, found: str, expected: str, cure: str) -> ExpressionError:
    return ExpressionError(text, [Fault(offset=offset, found=found, expected=expected, cure=cure)])
