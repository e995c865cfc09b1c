"""Debian's Alertmanager and its amtool, where they are installed: a process of its own on loopback, in a folder of the test's."""

from __future__ import annotations

import asyncio
import contextlib
import json
import shutil
import socket
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import attrs
import httpx
import pytest

PROGRAM, TOOL = shutil.which("prometheus-alertmanager"), shutil.which("amtool")
MISSING = "NOT TESTED AGAINST A REAL ALERTMANAGER: install Debian's package prometheus-alertmanager"
NOBODY = "route: {receiver: nobody}\nreceivers: [{name: nobody}]\n"

needs_alertmanager = pytest.mark.skipif(not PROGRAM or not TOOL, reason=MISSING)


def amtool(*words: str) -> str:
    """Run amtool and give what it prints; a failure is the test's."""
    done = subprocess.run([str(TOOL), *words], check=False, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


@attrs.frozen
class Alertmanager:
    """An Alertmanager at work."""

    url: str

    def alerts(self) -> list[dict[str, Any]]:
        """Give what its own tool sees as firing."""
        found: list[dict[str, Any]] = json.loads(amtool("alert", "query", "--alertmanager.url", self.url, "-o", "json"))
        return found

    def firing(self) -> set[str]:
        """Name what its own tool sees as firing."""
        return {alert["labels"]["alertname"] for alert in self.alerts()}


@contextlib.asynccontextmanager
async def running(config: str, folder: Path, url: str | None = None) -> AsyncIterator[Alertmanager]:
    """Run an Alertmanager with this configuration; it is ready when it is given. url: where an earlier one was."""
    url = url or _free_url()
    file = folder / "alertmanager.yml"
    await asyncio.to_thread(file.write_text, config, encoding="utf-8")
    process = await asyncio.create_subprocess_exec(
        str(PROGRAM),
        f"--config.file={file}",
        f"--storage.path={folder / 'data'}",
        f"--web.listen-address={url.removeprefix('http://')}",
        "--cluster.listen-address=",
        "--log.level=warn",
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        await _ready(url, process, file)
        yield Alertmanager(url)
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        await process.wait()


def _fault(file: Path) -> str:
    """Say what amtool has against a configuration."""
    done = subprocess.run([str(TOOL), "check-config", str(file)], check=False, capture_output=True, text=True)
    return (done.stdout + done.stderr).strip()


def _free_url() -> str:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{free.getsockname()[1]}"


async def _ready(url: str, process: asyncio.subprocess.Process, file: Path) -> None:
    async with httpx.AsyncClient() as client, asyncio.timeout(30):
        while True:
            if process.returncode is not None:
                raise AssertionError(f"the Alertmanager has ended; {_fault(file)}")
            try:
                if (await client.get(f"{url}/-/ready")).status_code == httpx.codes.OK:
                    return
            except httpx.TransportError:
                await asyncio.sleep(0.05)
