"""Messages as people see them: cards by Microsoft's own renderer, mails by Chromium."""

from __future__ import annotations

import html
import json
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from alertd.render.environment import Templates

HERE = Path(__file__).resolve().parent
_FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--hide-scrollbars",
    "--force-device-scale-factor=1",
)
_GROUND = {"light": ("#f5f5f5", "#242424"), "dark": ("#1f1f1f", "#ffffff")}


def chromium() -> str | None:
    """Find Chromium; null if there is none."""
    return next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


def renderer() -> Path | None:
    """Find the installed renderer, beside this file or at the root; null before `npm install`."""
    folders = (HERE / "node_modules", HERE.parents[1] / "node_modules")
    return next((folder for folder in folders if (folder / "adaptivecards").is_dir()), None)


@pytest.fixture(scope="session")
def modules() -> Path:
    """Where the renderer is; without it or without Chromium there is nothing to look at."""
    found = renderer()
    assert found is not None, "run `npm install` in tests/browser first (`make test-browser` does)"
    assert chromium() is not None, "Chromium is needed"
    return found


@pytest.fixture(scope="session")
def shots(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where pictures go: SHOTS, else a folder that is forgotten."""
    named = os.environ.get("SHOTS")
    folder = Path(named) if named else tmp_path_factory.mktemp("shots")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.fixture(scope="session")
def templates() -> Templates:
    return Templates.load(zone=ZoneInfo("Europe/Berlin"))


@pytest.fixture
def show_card(modules: Path, shots: Path) -> Callable[..., str]:
    """Show a card as Teams does, take its picture, and give the page; fails if the renderer has a fault to find."""

    def show(card: Mapping[str, Any], name: str, theme: str = "light") -> str:
        page = photograph(card_page(card, theme, modules), shots / f"card-{theme}-{name}.png")
        assert faults(page) == [], name
        return shown_text(page)

    return show


@pytest.fixture
def card_elements(modules: Path, tmp_path: Path) -> Callable[..., tuple[str, list[str], int]]:
    """Show a card and give its text, where its links lead, and how many images it has."""

    def elements(card: Mapping[str, Any]) -> tuple[str, list[str], int]:
        page = photograph(card_page(card, "light", modules), tmp_path / "card.png")
        assert faults(page) == []
        shown = page.partition('<div id="card">')[2].partition("<script")[0]
        return shown_text(shown), re.findall(r'href="([^"]*)"', shown), shown.count("<img")

    return elements


@pytest.fixture
def show_mail(shots: Path) -> Callable[[str, str], str]:
    """Show the HTML of a mail, take its picture, and give its text."""

    def show(content: str, name: str) -> str:
        return shown_text(photograph(content, shots / f"mail-{name}.png"))

    return show


def card_page(card: Mapping[str, Any], theme: str, modules: Path) -> str:
    """Give a page that shows a card as Teams does, and lists what the renderer found wrong with it."""
    host = json.loads((HERE / f"teams-{theme}.json").read_text())
    background, foreground = _GROUND[theme]
    given = {"card": card, "host": host, "background": background, "foreground": foreground}
    page = (HERE / "card.html").read_text()
    page = page.replace("@CARDS@", (modules / "adaptivecards/dist/adaptivecards.min.js").as_uri())
    page = page.replace("@MARKDOWN@", (modules / "markdown-it/dist/markdown-it.min.js").as_uri())
    return page.replace("@GIVEN@", json.dumps(given).replace("</", "<\\/"))


def photograph(page: str, picture: Path, *, width: int = 720, height: int = 1_100) -> str:
    """Take a picture of a page; give the page as the browser made it."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "page.html"
        path.write_text(page)
        command = [chromium() or "", *_FLAGS, f"--user-data-dir={folder}/profile", f"--window-size={width},{height}"]
        return _run([*command, f"--screenshot={picture}", "--dump-dom", path.as_uri()])


def _run(command: list[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr[-2_000:]
    return done.stdout


def faults(page: str) -> list[str]:
    """Read what the renderer found wrong."""
    found = re.search(r'<script type="application/json" id="faults">(.*?)</script>', page, re.DOTALL)
    assert found is not None, "the card was not rendered"
    listed: list[str] = json.loads(html.unescape(found[1]))
    return listed


def shown_text(page: str) -> str:
    """Give the text of a page without its markup and scripts."""
    bare = re.sub(r"<(script|style)\b.*?</\1>", "", page, flags=re.DOTALL)
    return html.unescape(re.sub(r"<[^>]+>", "", bare))
