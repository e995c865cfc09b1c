"""The connections to the sign-in service, while threads use them."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from alertd.graph.settings import HttpSettings
from alertd.graph.sign_in import SignInHttp

PATIENCE = 20.0  # seconds after which a test that waits in vain fails
_ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"


@pytest.fixture
def service() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(PATIENCE)
        yield listening


def _asked(service: socket.socket) -> socket.socket:
    """Take a connection and read what is asked."""
    connection, _ = service.accept()
    connection.settimeout(PATIENCE)
    assert connection.recv(65536)
    return connection


def test_a_connection_that_a_thread_waits_at_is_closed_once_it_has_its_answer(service: socket.socket) -> None:
    """A round has given up on it long ago, and nobody else would."""
    http = SignInHttp(HttpSettings())
    url = http.authority(f"http://127.0.0.1:{service.getsockname()[1]}/token")
    with ThreadPoolExecutor(1) as thread:
        answer = thread.submit(http.get, url)
        with _asked(service) as connection:
            http.close()
            connection.sendall(_ANSWER)

            assert answer.result(PATIENCE).status_code == 200
            assert connection.recv(1) == b""


def test_a_connection_is_kept_between_answers_until_it_is_closed(service: socket.socket) -> None:
    http = SignInHttp(HttpSettings())
    url = http.authority(f"http://127.0.0.1:{service.getsockname()[1]}/token")
    with ThreadPoolExecutor(1) as thread:
        first = thread.submit(http.get, url)
        with _asked(service) as connection:
            connection.sendall(_ANSWER)
            first.result(PATIENCE)
            second = thread.submit(http.get, url)
            assert connection.recv(65536)
            connection.sendall(_ANSWER)
            second.result(PATIENCE)

            http.close()

            assert connection.recv(1) == b""
