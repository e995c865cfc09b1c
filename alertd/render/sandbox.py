"""Jinja, made harmless and quiet.

Harmless: sandboxed, nothing can be changed, names are strict, and nothing a template computes grows without bound.
Quiet: as in rules, an attribute of null is null, null prints as nothing, ordering and arithmetic with null are false and null,
a filter of null is null, and a loop over null does not run. A name that does not exist stays an error.
"""

from __future__ import annotations

import functools
import operator
import re
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from jinja2 import BaseLoader, StrictUndefined, Undefined, nodes, pass_context, pass_environment
from jinja2.exceptions import SecurityError, TemplateSyntaxError, UndefinedError
from jinja2.runtime import Context
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.utils import htmlsafe_json_dumps
from jinja2.visitor import NodeTransformer
from markupsafe import Markup

from alertd.model.suggestion import did_you_mean
from alertd.render import filters, hostile

RANGE_MAX = 1_000
TEXT_MAX = 1_000_000  # characters of one computed text, and of a whole part of a message

# They make much of little, or another thing each time.
_REMOVED_FILTERS = (
    "batch",
    "center",
    "filesizeformat",
    "format",
    "pprint",
    "random",
    "slice",
    "urlize",
    "wordwrap",
    "xmlattr",
)
_REMOVED_METHODS = frozenset({"center", "expandtabs", "format", "format_map", "ljust", "rjust", "translate", "zfill"})
_NO_FILTER = re.compile(r"No filter named '(?P<name>[^']*)'")
_TAKE_NULL = frozenset({"d", "default", "tojson", "shown"})
_COMPARE: Mapping[str, Callable[[Any, Any], Any]] = {
    "eq": operator.eq,
    "ne": operator.ne,
    "lt": operator.lt,
    "lteq": operator.le,
    "gt": operator.gt,
    "gteq": operator.ge,
}


class MessageEnvironment(ImmutableSandboxedEnvironment):
    """Where templates of messages and annotations are compiled and run.

    zone: the time zone written beside UTC; null for UTC alone.
    """

    intercepted_binops = frozenset({"+", "-", "*", "/", "//", "**", "%"})
    intercepted_unops = frozenset({"+", "-"})

    def __init__(
        self,
        *,
        loader: BaseLoader | None = None,
        autoescape: bool | Callable[[str | None], bool] = False,
        zone: ZoneInfo | None = None,
    ) -> None:
        super().__init__(
            loader=loader,
            autoescape=autoescape,
            undefined=StrictUndefined,
            finalize=self.printed,
            trim_blocks=True,
            lstrip_blocks=True,
            keep_trailing_newline=False,
            auto_reload=False,
            cache_size=-1,
        )
        self.zone = zone
        self.globals = {"range": _bounded_range, "dict": dict, "namespace": self.globals["namespace"]}
        self.filters = {name: _quiet(name, function) for name, function in _filters(self.filters).items()}

    def _parse(self, source: str, name: str | None, filename: str | None) -> nodes.Template:
        template: nodes.Template = _NullIsQuiet().visit(super()._parse(source, name, filename))
        return template

    def getattr(self, obj: Any, attribute: str) -> Any:  # noqa: ANN401
        """Look a member up; null has all of them, and they are null. A map's own entries come before its methods."""
        if obj is None:
            return None
        if hasattr(type(obj), "__attrs_attrs__") and not attribute.startswith("_") and hasattr(obj, attribute):
            return getattr(obj, attribute)  # our own values: nothing in them needs the sandbox's questions
        if isinstance(obj, Mapping):
            found = obj.get(attribute)
            return super().getattr(obj, attribute) if found is None and hasattr(type(obj), attribute) else found
        return self.unsafe_undefined(obj, attribute) if _is_removed(obj, attribute) else super().getattr(obj, attribute)

    def getitem(self, obj: Any, argument: Any) -> Any:  # noqa: ANN401
        """Look an entry up; a key that is not there gives null."""
        if obj is None or (isinstance(obj, Mapping) and argument not in obj):
            return None
        return self.unsafe_undefined(obj, argument) if _is_removed(obj, argument) else super().getitem(obj, argument)

    def call_unop(self, context: Context, operator: str, arg: Any) -> Any:  # noqa: ANN401
        """Give null for the sign of null."""
        return None if arg is None else super().call_unop(context, operator, arg)

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:  # noqa: ANN401
        """Do arithmetic: null gives null, x/0 gives null, `*`, `**` and `%` are for numbers and spans of time only."""
        if left is None or right is None:
            return None
        if operator in {"*", "%", "**"} and not (_is_amount(left) and _is_amount(right)):
            raise SecurityError(f"`{operator}` is for numbers")
        if operator == "**" and abs(right) > 16:  # noqa: PLR2004 - no message needs more
            raise SecurityError("an exponent above 16")
        try:
            return _bounded(super().call_binop(context, operator, left, right))
        except (ZeroDivisionError, OverflowError):
            return None

    def call(self, context: Context, obj: Any, /, *args: Any, **named: Any) -> Any:  # noqa: ANN401
        """Call a function or method; null's are null."""
        return None if obj is None else super().call(context, obj, *args, **named)

    def cure(self, exc: TemplateSyntaxError) -> str:
        """Say what was probably meant, where a template does not compile for a misspelt filter."""
        match = _NO_FILTER.search(exc.message or "")
        return (
            did_you_mean(match["name"], [name for name in self.filters if not name.startswith("__")]) if match else ""
        )

    def printed(self, value: Any) -> Any:  # noqa: ANN401
        """Give a value as it stands in a message: null as nothing, instants and spans of time as people read them."""
        if value is None:
            return ""
        if isinstance(value, bool):
            return "true" if value else "false"
        if isinstance(value, float) and value.is_integer():
            return int(value)
        if isinstance(value, datetime):
            return filters.datetime_text(value, self.zone)
        if isinstance(value, timedelta):
            return filters.duration_text(value)
        return filters.window_text(value, self.zone) if isinstance(value, filters.Window) else value


class _NullIsQuiet(NodeTransformer):
    """Rewrite a template's tree: what Python would refuse to do with null goes through a filter that does not."""

    def visit_Compare(self, node: nodes.Compare) -> nodes.Node:  # noqa: N802 - Jinja looks it up by the node's class
        self.generic_visit(node)
        pairs: list[nodes.Expr] = []
        left = node.expr
        for operand in node.ops:
            how = nodes.Const(operand.op, lineno=node.lineno)
            pairs.append(_filter(left, "__compare", [how, operand.expr]))
            left = operand.expr
        return functools.reduce(lambda a, b: nodes.And(a, b, lineno=node.lineno), pairs)

    def visit_Concat(self, node: nodes.Concat) -> nodes.Node:  # noqa: N802
        self.generic_visit(node)
        printed: list[nodes.Expr] = [_filter(part, "__printed", []) for part in node.nodes]
        return _filter(nodes.Concat(printed, lineno=node.lineno), "__bounded", [])

    def visit_CondExpr(self, node: nodes.CondExpr) -> nodes.Node:  # noqa: N802
        self.generic_visit(node)
        otherwise = node.expr2 if node.expr2 is not None else nodes.Const(None, lineno=node.lineno)
        return nodes.CondExpr(node.test, node.expr1, otherwise, lineno=node.lineno)

    def visit_For(self, node: nodes.For) -> nodes.Node:  # noqa: N802
        self.generic_visit(node)
        node.iter = nodes.Filter(node.iter, "__items", [], [], None, None, lineno=node.lineno)
        return node


def _filter(node: nodes.Expr, name: str, arguments: list[nodes.Expr]) -> nodes.Filter:
    return nodes.Filter(node, name, arguments, [], None, None, lineno=node.lineno)


def _filters(stock: Mapping[str, Callable[..., Any]]) -> dict[str, Callable[..., Any]]:
    kept = {name: function for name, function in stock.items() if name not in _REMOVED_FILTERS}
    return kept | {
        "datetime": _datetime,
        "ago": _ago,
        "duration": filters.duration_text,
        "shown": _shown,
        "tojson": _tojson,
        "plain": hostile.plain,
        "md": hostile.md,
        "chat": hostile.chat,
        "indent": _indent,
        "__compare": _compare,
        "__printed": _printed,
        "__bounded": _bounded,
        "__items": _items,
    }


def _quiet(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    """Let a filter of null be null."""
    if name in _TAKE_NULL or name.startswith("__"):
        return function
    position = 1 if hasattr(function, "jinja_pass_arg") else 0

    @functools.wraps(function)
    def quiet(*args: Any, **named: Any) -> Any:  # noqa: ANN401
        return None if args[position] is None else function(*args, **named)

    return quiet


@pass_environment
def _datetime(environment: MessageEnvironment, value: Any) -> str:  # noqa: ANN401
    if isinstance(value, filters.Window):
        return filters.window_text(value, environment.zone)
    if not isinstance(value, datetime):
        raise TypeError(f"`datetime` is for an instant, not for {type(value).__name__}")
    return filters.datetime_text(value, environment.zone)


@pass_context
def _ago(context: Context, value: datetime) -> str:
    now = context.resolve("now")
    if isinstance(now, Undefined):
        raise UndefinedError("`ago` needs `now`: import macros `with context`")
    return filters.ago_text(value, now)


@pass_environment
def _shown(environment: MessageEnvironment, value: object, limit: int = hostile.PLAIN_MAX) -> str:
    return hostile.plain(filters.shown(value, environment.zone), limit)


@pass_environment
def _tojson(environment: MessageEnvironment, value: Any) -> Markup:  # noqa: ANN401, ARG001
    return htmlsafe_json_dumps(value, dumps=lambda value, **_: filters.json_text(value))


def _indent(text: str, width: int = 4, first: bool = False) -> str:
    margin = " " * min(max(width, 0), 40)
    return (margin if first else "") + text.replace("\n", f"\n{margin}")


def _compare(left: Any, how: str, right: Any) -> bool:  # noqa: ANN401
    if how in {"in", "notin"}:
        found = right is not None and left in right
        return found == (how == "in")
    if how not in {"eq", "ne"} and (left is None or right is None):
        return False
    return bool(_COMPARE[how](left, right))


@pass_environment
def _printed(environment: MessageEnvironment, value: Any) -> Any:  # noqa: ANN401
    return environment.printed(value)


def _items(value: Iterable[Any] | None) -> Iterable[Any]:
    return () if value is None else value


def _bounded(value: Any) -> Any:  # noqa: ANN401
    if isinstance(value, str | list | tuple) and len(value) > TEXT_MAX:
        raise SecurityError(f"a value longer than {TEXT_MAX:,}")
    return value


def _bounded_range(*bounds: int) -> range:
    numbers = range(*bounds)
    if len(numbers) > RANGE_MAX:
        raise SecurityError(f"a range of more than {RANGE_MAX:,}")
    return numbers


def _is_removed(obj: object, name: object) -> bool:
    return isinstance(obj, str) and isinstance(name, str) and name in _REMOVED_METHODS


def _is_amount(value: object) -> bool:
    return isinstance(value, int | float | timedelta)
