"""Messages as people see them: cards by Microsoft's own renderer, mails by Chromium."""

from __future__ import annotations

import html
import json
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

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


def browser() -> str | None:
    """Find Chromium; null if there is none."""
    return next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


def scripts() -> Path | None:
    """Find the installed renderer, beside this file or at the root; null before `npm install`."""
    folders = (HERE / "node_modules", HERE.parents[1] / "node_modules")
    return next((folder for folder in folders if (folder / "adaptivecards").is_dir()), None)


def shots() -> Path:
    """Give the folder for pictures: SHOTS, else a new one."""
    folder = Path(os.environ.get("SHOTS") or tempfile.mkdtemp(prefix="alertd-shots-"))
    folder.mkdir(parents=True, exist_ok=True)
    return folder


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
        command = [browser() or "", *_FLAGS, f"--user-data-dir={folder}/profile", f"--window-size={width},{height}"]
        _run([*command, f"--screenshot={picture}", path.as_uri()])
        return _run([*command, "--dump-dom", path.as_uri()])


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
    return html.unescape(re.sub(r"<[^>]+>", " ", bare))
