"""JSON to look at: indented, its parts told apart by class."""

from __future__ import annotations

import json
import re

from markupsafe import Markup, escape

_TOKEN = re.compile(
    r'(?P<text>"(?:[^"\\]|\\.)*")(?P<colon>\s*:)?|(?P<word>\b(?:true|false|null)\b)|(?P<number>-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)'
)


def json_html(body: bytes) -> Markup:
    """Give a body as marked-up JSON; one that is no JSON as plain text."""
    try:
        text = json.dumps(json.loads(body), indent=2, ensure_ascii=False)
    except ValueError:
        return escape(body.decode("utf-8", "replace"))
    parts: list[Markup] = []
    end = 0
    for found in _TOKEN.finditer(text):
        parts += [escape(text[end : found.start()]), _marked(found)]
        end = found.end()
    return Markup("").join([*parts, escape(text[end:])])


def _marked(found: re.Match[str]) -> Markup:
    kind = "key" if found["colon"] else found.lastgroup
    if kind == "key":
        return Markup('<span class="j-key">{}</span>{}').format(found["text"], found["colon"])
    return Markup('<span class="j-{}">{}</span>').format(kind, found[0])
