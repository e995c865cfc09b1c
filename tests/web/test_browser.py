"""The pages in a real browser, wide and narrow, light and dark: no script fails, and no policy is broken.

Pictures go to the folder that SHOTS names, else to one that is forgotten.
"""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from alertd.render import samples
from alertd.simulator.receivers import Receivers
from alertd.web.inbox import Chapter, InboxPage
from tests.web.posting import posting

if TYPE_CHECKING:
    from alertd.web.server import WebServer

pytestmark = [pytest.mark.anyio, pytest.mark.browser]

SIZES = {"wide": (1500, 1300), "tablet": (900, 1200), "phone": (500, 1000)}
_FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--hide-scrollbars",
    "--enable-logging=stderr",
    "--timeout=4000",
)
STORY = (
    Chapter(title="A credential expires", description="Runs fail, then quarantine.", state="done"),
    Chapter(title="Graph is down", description="Nothing that was known is forgotten.", state="running"),
)


@pytest.fixture
def shots(tmp_path: Path) -> Path:
    folder = Path(os.environ.get("SHOTS") or tmp_path)
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.fixture
async def inbox() -> AsyncIterator[InboxPage]:
    receivers = Receivers()
    page = InboxPage(receivers, story=lambda: STORY, status_url="http://127.0.0.1:1/")
    async with receivers, posting(receivers) as send:
        for name in ("template tenant", "event", "all_resolved", "hostile names", "first_notification"):
            await send(samples.samples()[name])
        await page.start()
        yield page
    await page.stop()


async def chromium(*arguments: str) -> tuple[str, str]:
    """Run Chromium once; give what it printed and what it logged."""
    binary = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    assert binary is not None, "Chromium is needed"
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        process = await asyncio.create_subprocess_exec(
            binary,
            *_FLAGS,
            f"--user-data-dir={profile}",
            *arguments,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        out, log = await asyncio.wait_for(process.communicate(), 60)
    return out.decode("utf-8", "replace"), log.decode("utf-8", "replace")


async def look(url: str, picture: Path, size: str, *, dark: bool = False) -> None:
    """Take a picture, and complain of whatever the browser's console complains of."""
    width, height = SIZES[size]
    scheme = ["--blink-settings=preferredColorScheme=0"] if dark else []
    _, log = await chromium(f"--window-size={width},{height}", f"--screenshot={picture}", *scheme, url)

    assert [line for line in log.splitlines() if "CONSOLE" in line] == []
    assert_drawn(picture)


def assert_drawn(picture: Path) -> None:
    """A broken or empty page is a picture of a few thousand bytes."""
    assert picture.stat().st_size > 20_000


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("size", SIZES)
async def test_the_inbox(inbox: InboxPage, shots: Path, size: str, dark: bool) -> None:
    await look(inbox.origin, shots / f"inbox-{size}-{'dark' if dark else 'light'}.png", size, dark=dark)


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("size", SIZES)
async def test_the_status_page(server: WebServer, shots: Path, size: str, dark: bool) -> None:
    await look(server.origin, shots / f"status-{size}-{'dark' if dark else 'light'}.png", size, dark=dark)


async def test_the_script_counts_and_fits(inbox: InboxPage) -> None:
    dom, _ = await chromium("--window-size=1500,1300", "--dump-dom", inbox.origin)

    heights = re.findall(r'<iframe[^>]*style="height: (\d+)px', dom)
    assert re.findall(r'class="count"[^>]*>(\d+)<', dom) == ["5", "5", "5", "5", "5", "5"]
    assert heights
    assert all(int(height) > 300 for height in heights)
    assert '<li class="running" aria-current="step">' in dom
