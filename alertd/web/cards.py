"""What an Adaptive Card's texts become on a page: the Markdown that Teams knows, and links that lead to the web alone.

Teams shows bold, italic, lists and links, and neither headings, tables, images nor HTML.
Source: MicrosoftDocs/msteams-docs, task-modules-and-cards/cards/cards-format.md (read 2026).
"""

from __future__ import annotations

import functools
from collections.abc import MutableMapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from markdown_it.utils import OptionsDict
from markupsafe import Markup

_RULES = ("emphasis", "link", "list", "escape", "entity", "newline")


def card_markdown(text: object) -> Markup:
    """Give a card's text as HTML."""
    return Markup(_markdown().render(str(text)))  # noqa: S704 - HTML in the text is escaped, links are checked


def web_link(url: object) -> str:
    """Give the URL if it leads to the web, else nothing."""
    text = str(url)
    try:
        return text if urlsplit(text).scheme in {"http", "https"} else ""
    except ValueError:
        return ""


@functools.cache
def _markdown() -> MarkdownIt:
    markdown = MarkdownIt("zero", {"html": False}).enable(_RULES)
    markdown.add_render_rule("link_open", _link_open)
    return markdown


def _link_open(
    renderer: RendererHTML,
    tokens: Sequence[Token],
    index: int,
    options: OptionsDict,
    env: MutableMapping[str, Any],
) -> str:
    token = tokens[index]
    token.attrs["href"] = web_link(token.attrs.get("href", ""))
    token.attrs |= {"target": "_blank", "rel": "noopener noreferrer"}
    return renderer.renderToken(tokens, index, options, env)
