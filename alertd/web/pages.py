"""Pages: templates inside the package, everything escaped, every script and style named by a nonce, nothing from elsewhere."""

from __future__ import annotations

import functools
import secrets
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup
from starlette.responses import HTMLResponse

from alertd import __version__
from alertd.redaction import redact
from alertd.render.filters import ago_text, duration_text
from alertd.render.hostile import plain
from alertd.web.cards import card_markdown, web_link
from alertd.web.json_text import json_html

_POLICY: Mapping[str, str] = {
    "default-src": "'none'",
    "script-src": "'nonce-{nonce}'",
    "style-src": "'nonce-{nonce}'",
    "connect-src": "'self'",
    "frame-src": "'self'",
    "img-src": "data:",
    "base-uri": "'none'",
    "form-action": "'none'",
    "frame-ancestors": "'none'",
}


def page(name: str, **context: Any) -> HTMLResponse:  # noqa: ANN401 - whatever the template shows
    """Render a whole page with its security policy."""
    nonce = secrets.token_urlsafe(16)
    text = fragment(name, nonce=nonce, **context)
    policy = "; ".join(f"{directive} {source}" for directive, source in _POLICY.items()).format(nonce=nonce)
    return HTMLResponse(text, headers={"Content-Security-Policy": policy})


def fragment(name: str, **context: Any) -> str:  # noqa: ANN401
    """Render a part of a page."""
    return _environment().get_template(name).render(version=__version__, **context)


def draw_card(card: Mapping[str, Any]) -> Markup:
    """Draw an Adaptive Card; whatever somebody sent, something is drawn."""
    environment = _environment().overlay(undefined=jinja2.ChainableUndefined)  # nearly every property may be left out
    module: Any = environment.get_template("card.html.j2").module
    try:
        return Markup(module.card(card))  # noqa: S704 - the template's own output
    except (jinja2.TemplateError, RecursionError, TypeError, ValueError):
        return Markup('<p class="ac-unknown">this card cannot be drawn</p>')


@functools.cache
def _environment() -> jinja2.Environment:
    loader = jinja2.FileSystemLoader(Path(__file__).parent / "templates")
    environment = jinja2.Environment(
        loader=loader,
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    environment.filters |= {
        "ago": ago_text,
        "card_markdown": card_markdown,
        "clock": _clock,
        "duration": duration_text,
        "iso": _iso,
        "json_html": json_html,
        "plain": plain,
        "redact": redact,
        "web_link": web_link,
    }
    return environment


def _iso(instant: datetime | None) -> str:
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if instant is not None else ""


def _clock(instant: datetime | None) -> str:
    """Write an instant as a person reads it beside its distance from now."""
    return instant.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC") if instant is not None else ""
