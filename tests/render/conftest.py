"""The shipped templates, compiled once, and forms that stand for the channels."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from alertd.model.notification import Notification, Rendered
from alertd.notify.channels.teams import FORM as TEAMS
from alertd.render.environment import Templates
from alertd.render.message import Form, render
from alertd.render.parts import ALERTD, ALERTMANAGER, HTML, SUBJECT, TEXT, Part


@pytest.fixture(scope="session")
def templates() -> Templates:
    return Templates.load(zone=ZoneInfo("Europe/Berlin"))


@pytest.fixture
def own_templates(tmp_path: Path) -> Callable[[Mapping[str, str]], Templates]:
    """Load the shipped templates behind the given ones: relative name -> text."""

    def load(files: Mapping[str, str]) -> Templates:
        for name, text in files.items():
            path = tmp_path / "templates" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return Templates.load(tmp_path / "templates")

    return load


def form_of(kind: str, *parts: Part) -> Form:
    """Give a form whose body is the parts' values in JSON."""
    return Form(
        kind=kind,
        parts=parts,
        assemble=lambda values, _: json.dumps(values).encode(),
        content_type="application/json",
        body_bytes_max=100_000,
        blocks_max=10,
        verbatim=kind == "webhook",
    )


FORMS = {
    "teams": TEAMS,
    "email": form_of("email", SUBJECT, TEXT, HTML),
    "alertd": form_of("webhook", ALERTD),
    "alertmanager": form_of("webhook", ALERTMANAGER),
}


@pytest.fixture
def rendered(templates: Templates) -> Callable[..., Rendered]:
    """Render for a channel, with the shipped templates unless others are given."""

    def make(notification: Notification, channel: str, using: Templates = templates) -> Rendered:
        return render(notification, FORMS[channel], using)

    return make


@pytest.fixture
def card(rendered: Callable[..., Rendered]) -> Callable[..., dict[str, Any]]:
    """Give the card that Teams is sent."""

    def make(notification: Notification, **options: Any) -> dict[str, Any]:
        envelope = json.loads(rendered(notification, "teams", **options).body)
        content: dict[str, Any] = envelope["attachments"][0]["content"]
        return content

    return make


@pytest.fixture
def mail(rendered: Callable[..., Rendered]) -> Callable[..., dict[str, str]]:
    """Give the parts of a mail by name."""

    def make(notification: Notification, **options: Any) -> dict[str, str]:
        parts: dict[str, str] = json.loads(rendered(notification, "email", **options).body)
        return parts

    return make
