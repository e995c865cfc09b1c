"""How long the command line takes to begin: wall time of whole processes."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import attrs

from bench.progress import Progress
from bench.result import Figure, Line, Result

_CONFIG = """\
tenants:
  - name: contoso
    tenant_id: 6c1f3a52-0d3e-4a53-9f5e-1a2b3c4d5e6f
    credential: {access_token_file: token}
receivers: [{name: nobody}]
route: {receiver: nobody}
"""
_COMMANDS = {"alertd --help": ["--help"], "alertd check": ["check", "--no-secrets"], "python -c pass": None}
_BUDGETS = {"alertd --help": 0.15, "alertd check": 0.5}


def startup(jobs: int, rounds: int, progress: Progress) -> Result:
    """Start commands; `jobs` says how often in a round."""
    taken: dict[str, list[_Start]] = {name: [] for name in _COMMANDS}
    with tempfile.TemporaryDirectory(prefix="alertd-bench-") as folder:
        (Path(folder) / "alertd.yaml").write_text(_CONFIG, encoding="utf-8")
        for arguments in _COMMANDS.values():  # not counted: they write the bytecode
            _start(arguments, Path(folder))
        for number in range(rounds):
            progress("start", number, rounds)
            for _ in range(jobs):
                for name, arguments in _COMMANDS.items():
                    taken[name].append(_start(arguments, Path(folder)))
    return Result(
        name="startup",
        sizes={"starts": jobs * rounds},
        thing="start",
        lines={name: _line(starts) for name, starts in taken.items()},
        figures=tuple(
            Figure(what=f"{name}, wall", value=_line(taken[name]).wall_us / 1e6, unit="s", budget=budget)
            for name, budget in _BUDGETS.items()
        ),
        notes=(
            "Wall time from fork to exit; the line `python -c pass` is what the interpreter takes by itself.",
            "The modules are there as bytecode, which pip writes when it installs alertd.",
        ),
    )


@attrs.frozen
class _Start:
    """What one process took."""

    wall_seconds: float
    cpu_seconds: float
    peak_bytes: int


def _start(arguments: list[str] | None, folder: Path) -> _Start:
    command = [sys.executable, "-c", "pass"] if arguments is None else [sys.executable, "-m", "alertd", *arguments]
    begin = time.perf_counter()
    process = subprocess.Popen(
        command, cwd=folder, env=_environment(folder), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - begin
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0, f"{command} ended with {process.returncode}"  # noqa: S101 - a command that fails is fast
    peak = usage.ru_maxrss if sys.platform == "darwin" else usage.ru_maxrss * 1024
    return _Start(wall, usage.ru_utime + usage.ru_stime, peak)


def _environment(folder: Path) -> dict[str, str]:
    """Let bytecode be written and found, but not beside the sources of a checkout."""
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return kept | {"PYTHONPYCACHEPREFIX": str(folder / "bytecode")}


def _line(starts: list[_Start]) -> Line:
    return Line(
        cpu_us=round(statistics.median(one.cpu_seconds for one in starts) * 1e6),
        wall_us=round(statistics.median(one.wall_seconds for one in starts) * 1e6),
        peak_mb=round(max(one.peak_bytes for one in starts) / 1e6, 1),
        turns=[round(one.cpu_seconds * 1e6) for one in starts],
    )
