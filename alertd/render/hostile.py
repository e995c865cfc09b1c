"""Text from outside: names and error messages that anybody with an account in a connected system can choose.

`clean` takes out what deceives the eye or breaks a line, `plain` makes one bounded line of it, `md` keeps Markdown from
reading it, `chat` keeps Slack and Google Chat from it. HTML and JSON escape by themselves.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from typing import Any

import attrs

from alertd.model.resources import NamedValues
from alertd.render.links import Links, safe_link

PLAIN_MAX = 300

# Joins and variation selectors belong to emoji and to Persian or Indic words; everything else of category Cf can only deceive.
_JOINERS = frozenset("\u200c\u200d")
_ELLIPSIS = "…"
_LOOKED_AT = 8  # times the limit: enough text is left however much of it is taken out
_MARKDOWN = re.compile(r"[\\`*_{}\[\]<>~|]")
_ENTITY = re.compile(r"&(?=#?\w{1,32};)")
_LINE_START = re.compile(r"^(?:(?P<sign>[#+=\-])|(?P<number>\d{1,9})(?P<dot>[.)]))")


def clean(text: str) -> str:
    """Give the text without control, bidirectional and invisible characters; every run of white space becomes one space."""
    if text.isascii() and text.isprintable() and "  " not in text:
        return text.strip()
    kept = "".join(_shown(character) for character in text)
    return " ".join(kept.split())


def _shown(character: str) -> str:
    category = unicodedata.category(character)
    if category == "Cs":  # half of a surrogate pair: it could not be encoded
        return "\ufffd"
    if category in {"Cc", "Zl", "Zp", "Zs"}:
        return " "
    return "" if category == "Cf" and character not in _JOINERS else character


def shorten(text: str, limit: int) -> str:
    """Give at most `limit` characters, the last one an ellipsis if something was cut."""
    if len(text) <= limit:
        return text
    head = text[: max(0, limit - 1)]
    while head and (head[-1] in _JOINERS or unicodedata.combining(text[len(head)])):
        head = head[:-1]
    return head.rstrip() + _ELLIPSIS


def plain(value: object, limit: int = PLAIN_MAX) -> str:
    """Give one clean, bounded line; nothing for null."""
    return "" if value is None else _line(str(value), limit)


def _line(text: str, limit: int) -> str:
    """Clean and cut; of a text of megabytes only the beginning is looked at."""
    head = text[: limit * _LOOKED_AT]
    rest = _ELLIPSIS if len(head) < len(text) else ""
    return shorten(clean(head) + rest, limit)


def md(value: object, limit: int = PLAIN_MAX) -> str:
    """Give `plain` text that Markdown shows as it stands.

    Links are broken too, since the card renderers of phones do not know the backslash: a space comes between text and
    target, and nothing visible between the slashes of an address.
    """
    text = _MARKDOWN.sub(r"\\\g<0>", plain(value, limit))
    text = _ENTITY.sub(r"\\&", text).replace("](", "] (").replace("://", ":/\u200b/")
    return _LINE_START.sub(_escaped_start, text)


def chat(value: object, limit: int = PLAIN_MAX) -> str:
    """Give `plain` text with ``&``, ``<`` and ``>`` as entities, as Slack and Google Chat read them.

    Neither link, mention nor tag can be made of it, nor does an address in it become a link.
    """
    text = plain(value, limit).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return text.replace("://", ":/\u200b/")


def _escaped_start(found: re.Match[str]) -> str:
    return f"\\{found['sign']}" if found["sign"] else f"{found['number']}\\{found['dot']}"


def purified(value: Any, limit: int, own: str | None = None) -> Any:  # noqa: ANN401 - a tree of values of any shape
    """Give the same tree of values with every text clean and at most `limit` characters long.

    Links are never cut: a member whose name ends in "url" keeps its value if a message may carry it, else becomes null.
    """
    if isinstance(value, str):
        return _purified_text(value, limit)
    if isinstance(value, dict | NamedValues):
        return _purified_map(value, limit, own)
    if isinstance(value, list | tuple):
        items = [purified(item, limit, own) for item in value]
        return type(value)(*items) if hasattr(value, "_fields") else type(value)(items)
    is_value = attrs.has(type(value)) and not isinstance(value, Links)
    return _purified_fields(value, limit, own) if is_value else value


def _purified_text(text: str, limit: int) -> str:
    shown = _line(text, limit)
    return text if shown == text else shown  # an enum member stays one


def _purified_map(items: Mapping[str, Any], limit: int, own: str | None) -> Any:  # noqa: ANN401
    pairs = {purified(key, limit, own): purified(item, limit, own) for key, item in items.items()}
    return type(items)(pairs) if isinstance(items, NamedValues) else pairs


def _purified_fields(value: Any, limit: int, own: str | None) -> Any:  # noqa: ANN401
    changed = {}
    for field in attrs.fields(type(value)):
        before = getattr(value, field.name)
        is_link = field.name.lower().endswith("url") and isinstance(before, str)
        after = safe_link(before, own) if is_link else purified(before, limit, own)
        if after is not before:
            changed[field.alias] = after
    return attrs.evolve(value, **changed) if changed else value
