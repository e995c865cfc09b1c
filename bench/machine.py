"""The machine a figure was taken on, and which of its cores does what."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import sqlite3
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

_BASE = ("alertd", "aiohttp", "attrs", "httpx", "httpx-aiohttp", "msgspec", "sqlalchemy")


def client_core() -> int:
    """Give the core that contestants run on."""
    return min(_cores())


def server_core() -> int:
    """Give the core that servers run on: another one, where there is one."""
    return max(_cores())


def pin(core: int) -> None:
    """Keep this process on a core, where the system can."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {core})


def _cores() -> set[int]:
    return set(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else {0}


def describe() -> Mapping[str, Any]:
    """Say what the machine is, and how busy: a figure taken on a busy one is worth less."""
    return {
        "processor": _processor(),
        "cores": len(_cores()),
        "memory_gb": round(_memory_bytes() / 1e9, 1),
        "system": platform.platform(terse=True),
        "load": [round(load, 2) for load in os.getloadavg()] if hasattr(os, "getloadavg") else [],
    }


def versions(others: Iterable[str] = ()) -> Mapping[str, str]:
    """Give the versions of what was measured."""
    found = {name: importlib.metadata.version(name) for name in (*_BASE, *others)}
    return {"python": platform.python_version(), "sqlite": sqlite3.sqlite_version, **found}


def _processor() -> str:
    listing = Path("/proc/cpuinfo")
    if listing.exists():
        for line in listing.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _memory_bytes() -> int:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (ValueError, OSError, AttributeError):
        return 0
