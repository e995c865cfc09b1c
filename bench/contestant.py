"""Who takes part in a bench, and what one turn of it cost."""

from __future__ import annotations

import asyncio
import gc
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import attrs


class Contestant(Protocol):
    """One way to do the work. Made, prepared and asked in a process of its own."""

    async def prepare(self) -> None:
        """Do all that is not measured."""
        ...

    async def turn(self) -> int:
        """Do the work once; give how many things it was done for."""
        ...

    async def close(self) -> None:
        """Release everything."""
        ...


Factory = Callable[[], Contestant]  # can be pickled: it is called in the other process


@attrs.frozen(kw_only=True)
class Cost:
    """What one turn cost its process: CPU is user and system time of all its threads."""

    things: int
    cpu_seconds: float
    wall_seconds: float
    resident_bytes: int
    peak_bytes: int

    @property
    def cpu_us(self) -> float:
        """Microseconds of CPU for one thing."""
        return self.cpu_seconds / self.things * 1e6


def measured(runner: asyncio.Runner, contestant: Contestant) -> Cost:
    """Let a contestant take a turn; garbage of before is no cost of it."""
    gc.collect()
    cpu, wall = time.process_time(), time.perf_counter()
    things = runner.run(contestant.turn())
    return Cost(
        things=things,
        cpu_seconds=time.process_time() - cpu,
        wall_seconds=time.perf_counter() - wall,
        resident_bytes=resident_bytes(),
        peak_bytes=peak_bytes(),
    )


def resident_bytes() -> int:
    """Give what this process holds in memory now; its peak where the system does not tell."""
    table = Path("/proc/self/statm")
    if not table.exists():
        return peak_bytes()
    return int(table.read_text(encoding="ascii").split()[1]) * resource.getpagesize()


def peak_bytes() -> int:
    """Give the most this process has held in memory."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
