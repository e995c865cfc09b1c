"""The lock file: one owner at a time, over real processes, and no obstacle once its owner is dead."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from alertd.errors import StoreError
from alertd.store.lock import LockInfo, StoreLock, lock_path, read_lock

HOLDER = """
import sys
from pathlib import Path
from alertd.store.lock import StoreLock
lock = StoreLock.hold(Path(sys.argv[1]))
lock.publish("127.0.0.1", 4711, "token")
print("held", flush=True)
sys.stdin.readline()
"""


@contextmanager
def holder(database: Path) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-c", HOLDER, str(database)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        try:
            yield process
        finally:
            process.kill()


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path / "alertd.db"


def test_nobody_holds_what_was_never_locked(place: Path) -> None:
    assert read_lock(place) is None
    assert not lock_path(place).exists()


def test_a_second_process_is_refused_by_name(place: Path) -> None:
    with holder(place) as process:
        assert read_lock(place) == LockInfo(pid=process.pid, host="127.0.0.1", port=4711, token="token")
        with pytest.raises(StoreError, match=f"process {process.pid} already uses the store"):
            StoreLock.hold(place)


def test_what_a_killed_process_left_is_no_obstacle(place: Path) -> None:
    with holder(place) as process:
        process.kill()
        process.wait()

        assert lock_path(place).read_text() != ""
        assert read_lock(place) is None
        with StoreLock.hold(place):
            assert read_lock(place) == LockInfo(pid=os.getpid())


def test_a_lock_is_refused_within_its_own_process_too(place: Path) -> None:
    with StoreLock.hold(place), pytest.raises(StoreError, match=f"process {os.getpid()} already"):
        StoreLock.hold(place)


def test_a_released_lock_can_be_taken(place: Path) -> None:
    lock = StoreLock.hold(place)
    lock.publish("127.0.0.1", 1, "a token that is longer than the next")
    lock.release()
    lock.release()

    assert read_lock(place) is None
    assert "token" not in lock_path(place).read_text()
    with StoreLock.hold(place) as again:
        again.publish("127.0.0.1", 2, "next")
        assert read_lock(place) == LockInfo(pid=os.getpid(), host="127.0.0.1", port=2, token="next")
    with pytest.raises(StoreError, match="released"):
        again.publish("127.0.0.1", 3, "late")


def test_looking_does_not_take_the_lock_away(place: Path) -> None:
    """Closing any file of it would release a lock of the other kind that POSIX knows."""
    with StoreLock.hold(place):
        assert read_lock(place) is not None
        assert read_lock(place) is not None


def test_a_lock_is_taken_though_others_are_looking(place: Path) -> None:
    """Who looks holds it for an instant; whoever starts just then must not be refused."""
    StoreLock.hold(place).release()
    looking = "import sys; from pathlib import Path; from alertd.store.lock import read_lock\nwhile True: read_lock(Path(sys.argv[1]))"
    with subprocess.Popen([sys.executable, "-c", looking, str(place)]) as process:
        for _ in range(50):
            StoreLock.hold(place).release()
        process.kill()


@pytest.mark.skipif(os.name != "posix", reason="permission bits of POSIX")
def test_only_the_owner_may_read_the_token(place: Path) -> None:
    lock_path(place).touch(mode=0o644)

    with StoreLock.hold(place):
        assert stat.S_IMODE(lock_path(place).stat().st_mode) == 0o600
    lock_path(place).unlink()
    with StoreLock.hold(place):
        assert stat.S_IMODE(lock_path(place).stat().st_mode) == 0o600


def test_a_token_is_not_printed() -> None:
    assert "secret" not in repr(LockInfo(pid=1, token="secret"))


def test_a_holder_that_does_not_say_who_it_is_is_an_error(place: Path) -> None:
    with StoreLock.hold(place):
        lock_path(place).write_text("{")

        with pytest.raises(StoreError, match="try again"):
            read_lock(place)


@pytest.mark.parametrize("missing", [StoreLock.hold, read_lock], ids=["hold", "read"])
def test_a_folder_that_is_not_there(tmp_path: Path, missing: object) -> None:
    place = tmp_path / "missing" / "alertd.db"

    if missing is read_lock:
        assert read_lock(place) is None
    else:
        with pytest.raises(StoreError, match="does not exist: create it"):
            StoreLock.hold(place)
