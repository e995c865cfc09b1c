"""A server process beside the contestants, on the other core."""

from __future__ import annotations

import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager

_LEAVING_SECONDS = 10.0


class Serving:
    """A running server. origin: where it listens."""

    def __init__(self, origin: str) -> None:
        self.origin = origin
        self._turn = 0

    def advance(self) -> None:
        """Let every job have run once more."""
        self._turn += 1
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(f"{self.origin}/turn/{self._turn}", timeout=30) as answer:
            answer.read()


@contextmanager
def graph_served(jobs: int) -> Iterator[Serving]:
    """Serve so many service principals of one job each while the block runs."""
    command = [sys.executable, "-m", "bench.graph_server", str(jobs)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None  # noqa: S101 - asked for above
        yield Serving(process.stdout.readline().strip())
    finally:
        process.communicate(timeout=_LEAVING_SECONDS)  # its stdin ends, and with it the server
