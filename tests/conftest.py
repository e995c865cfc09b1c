"""What every test stands on."""

from __future__ import annotations

import ipaddress
import socket
import sys

import pytest


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


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """Run `@pytest.mark.anyio` tests on asyncio, the one loop alertd uses."""
    return "asyncio"
