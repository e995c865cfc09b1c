"""Adaptive Cards: read from a template's text, tidied, and checked against what Teams shows.

Cards posted by a Workflows webhook are rendered up to version 1.4 (microsoft/AdaptiveCards#8965, seen 2026): an element
of a later version makes Teams show nothing of the card while the webhook has long answered "accepted".
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

VERSION = "1.4"
SCHEMA = "http://adaptivecards.io/schemas/adaptive-card.json"

Json = Any  # a tree of dict, list, str, int, float, bool and None

_STRING_OR_COMMA = re.compile(r'"(?:[^"\\]|\\.)*"|,(?=\s*[\]}])', re.DOTALL)
# What version 1.4 knows and a webhook may carry: element -> properties it cannot be without.
_REQUIRED: Mapping[str, tuple[str, ...]] = {
    "AdaptiveCard": ("version",),
    "TextBlock": ("text",),
    "RichTextBlock": ("inlines",),
    "TextRun": ("text",),
    "FactSet": ("facts",),
    "Container": ("items",),
    "ColumnSet": ("columns",),
    "Column": ("items",),
    "ActionSet": ("actions",),
    "Image": ("url",),
    "ImageSet": ("images",),
    "Action.OpenUrl": ("url",),
    "Action.ShowCard": ("card",),
    "Action.ToggleVisibility": ("targetElements",),
}
_CHILDREN = ("body", "items", "columns", "inlines", "facts", "actions", "images", "card", "selectAction")
_ENUMS: Mapping[str, frozenset[str]] = {
    "color": frozenset({"default", "dark", "light", "accent", "good", "warning", "attention"}),
    "style": frozenset({"default", "emphasis", "good", "attention", "warning", "accent", "positive", "destructive"}),
    "size": frozenset({"default", "small", "medium", "large", "extralarge", "auto", "stretch"}),
    "weight": frozenset({"default", "lighter", "bolder"}),
    "spacing": frozenset({"default", "none", "small", "medium", "large", "extralarge", "padding"}),
}


def parse(text: str) -> Json:
    """Read JSON in which a comma may stand before a closing bracket: templates write lists by loops.

    Raises ValueError with line and column.
    """
    try:
        return json.loads(_STRING_OR_COMMA.sub(_without_comma, text))
    except json.JSONDecodeError as exc:
        raise ValueError(f"no JSON at line {exc.lineno}, column {exc.colno} of the output: {exc.msg}") from exc


def _without_comma(found: re.Match[str]) -> str:
    return "" if found[0] == "," else found[0]


def compact(value: Json) -> bytes:
    """Write JSON in as few bytes as it takes: Teams counts them."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode(errors="replace")


def tidy(value: Json) -> Json:
    """Leave out what says nothing: nulls, facts without a value, elements without content. Lists in lists are spliced."""
    if isinstance(value, list):
        return [item for part in value for item in _spliced(tidy(part))]
    if not isinstance(value, dict):
        return value
    kept = {name: tidy(item) for name, item in value.items()}
    return {name: item for name, item in kept.items() if item is not None}


def _spliced(item: Json) -> list[Json]:
    if isinstance(item, list):
        return item
    return [] if item is None or item == {} or _is_hollow(item) else [item]


def _is_hollow(item: Json) -> bool:
    if not isinstance(item, dict):
        return False
    if "type" not in item:  # a fact
        return "title" in item and item.get("value") in {None, ""}
    needed = _REQUIRED.get(str(item["type"]), ())
    return any(name not in item or item[name] in ("", [], {}) for name in needed)


def faults(card: Json) -> list[str]:
    """List why Teams would not show the card; empty if it would."""
    if not isinstance(card, dict) or card.get("type") != "AdaptiveCard":
        return ["the card is no object of type AdaptiveCard"]
    if str(card.get("version")) not in {"1.0", "1.1", "1.2", "1.3", VERSION}:
        return [f"version {card.get('version')!r}; Teams shows webhooks' cards up to {VERSION}"]
    return [fault for element in _elements(card) for fault in _element_faults(element)]


def _elements(value: Json) -> Iterator[dict[str, Json]]:
    if isinstance(value, list):
        for item in value:
            yield from _elements(item)
    elif isinstance(value, dict):
        yield value
        for name in _CHILDREN:
            yield from _elements(value.get(name))
    elif value is not None:
        yield {"type": f"bare {type(value).__name__}"}


def _element_faults(element: dict[str, Json]) -> Iterator[str]:
    kind = element.get("type", "Column" if "items" in element else None)
    if kind is None:
        yield from (
            f"a fact without text `{name}`" for name in ("title", "value") if not isinstance(element.get(name), str)
        )
        return
    if kind not in _REQUIRED:
        yield f"element {kind!r}, which a version {VERSION} card from a webhook cannot have"
    yield from (f"{kind} without `{name}`" for name in _REQUIRED.get(kind, ()) if name not in element)
    for name, members in _ENUMS.items():
        if name in element and str(element[name]).lower() not in members:
            yield f"{kind} with {name} {element[name]!r}"
    if kind in {"TextBlock", "TextRun"} and not isinstance(element.get("text"), str):
        yield f"{kind} whose text is no text"
