"""What every test stands on."""

from __future__ import annotations

import ipaddress
import socket
import sys

import pytest
from hypothesis import HealthCheck, Phase, settings

# A test that wants more or fewer examples than others says so as a multiple of `settings.default.max_examples`, so that a profile,
# `pytest --hypothesis-profile NAME`, makes all of them quicker or more thorough.
settings.register_profile("thorough", max_examples=2000, deadline=None)
# For mutation tests: the same few examples every time, and no time spent on making a failing one small.
settings.register_profile(
    "mutants",
    max_examples=10,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)


def _only_loopback(event: str, arguments: tuple[object, ...]) -> None:
    """Refuse connections that leave this machine: a test that needs the network is no test."""
    if event != "socket.connect":
        return
    connection, address = arguments
    if not isinstance(connection, socket.socket) or connection.family not in {socket.AF_INET, socket.AF_INET6}:
        return
    host = str(address[0]) if isinstance(address, tuple) else ""
    if host != "localhost" and not ipaddress.ip_address(host.partition("%")[0]).is_loopback:
        raise AssertionError(f"a test tried to connect to {address}; only loopback is allowed")


sys.addaudithook(_only_loopback)


def pytest_sessionstart() -> None:
    """Forget what was computed before: a mutant is tried in a fork of a process that has run all tests, and an old answer would hide it."""
    ours = [module for name, module in sys.modules.items() if name.partition(".")[0] == "alertd"]
    for value in [value for module in ours for value in vars(module).values()]:
        if hasattr(value, "cache_clear"):
            value.cache_clear()


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """Run `@pytest.mark.anyio` tests on asyncio, the one loop alertd uses."""
    return "asyncio"


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say aloud what was not compared with a real Alertmanager; a skipped test alone is a letter among dots."""
    reasons = {str(report.longrepr[2]) for report in terminalreporter.stats.get("skipped", ()) if _has_reason(report)}
    for reason in sorted(reason for reason in reasons if "REAL ALERTMANAGER" in reason):
        terminalreporter.write_line(reason.removeprefix("Skipped: "), red=True, bold=True)


def _has_reason(report: pytest.TestReport) -> bool:
    return isinstance(report.longrepr, tuple)
