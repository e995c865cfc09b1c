"""The lock file beside the database: who holds it owns all writes.

The operating system holds the lock for as long as the process lives, so what a dead one left behind is no obstacle. The file says who holds it
and where to ask for something: process id, loopback address and token of the control listener, readable by the owner alone. It is never
deleted: a process that still had the old one open would believe itself the owner of a file that nobody sees.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Self

import attrs
import msgspec

from alertd.errors import StoreError

_TRIES = 25
_PAUSE_SECONDS = 0.02  # others hold the lock for an instant when they look whether somebody has it
_CONTENT_MAX = 4096


@attrs.frozen(kw_only=True)
class LockInfo:
    """Who holds the lock. host, port, token: of its control listener; `port` is zero until that listens."""

    pid: int
    host: str = ""
    port: int = 0
    token: str = attrs.field(default="", repr=False)


if sys.platform == "win32":
    import msvcrt

    _BEYOND = 1 << 30  # Windows keeps others from reading what is locked, so what is locked is no content

    def _take(file: int) -> bool:
        os.lseek(file, _BEYOND, os.SEEK_SET)
        try:
            msvcrt.locking(file, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

else:
    import fcntl

    def _take(file: int) -> bool:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


def lock_path(database: Path) -> Path:
    """Give the lock file of a database."""
    return database.with_name(f"{database.name}.lock")


class StoreLock:
    """The lock, held until it is released or the process ends."""

    def __init__(self, file: int) -> None:
        self._file: int | None = file

    @classmethod
    def hold(cls, database: Path) -> StoreLock:
        """Take the lock of a database; raises StoreError, naming the process, if another one has it."""
        file = _open(lock_path(database), os.O_RDWR | os.O_CREAT)
        try:
            _take_patiently(file, database)
            if hasattr(os, "fchmod"):
                os.fchmod(file, 0o600)
            held = cls(file)
            held._write(LockInfo(pid=os.getpid()))
        except OSError as exc:
            os.close(file)
            raise StoreError(f"the lock file {lock_path(database)} cannot be written: {exc.strerror}") from exc
        except StoreError:
            os.close(file)
            raise
        return held

    def publish(self, host: str, port: int, token: str) -> None:
        """Say where the control listener can be asked."""
        self._write(LockInfo(pid=os.getpid(), host=host, port=port, token=token))

    def release(self) -> None:
        """Let the lock go; idempotent."""
        if self._file is not None:
            os.ftruncate(self._file, 0)
            os.close(self._file)
            self._file = None

    def _write(self, info: LockInfo) -> None:
        if self._file is None:
            raise StoreError("the store's lock was released already")
        os.lseek(self._file, 0, os.SEEK_SET)
        content = msgspec.json.encode(info)
        os.write(self._file, content)
        os.ftruncate(self._file, len(content))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()


def read_lock(database: Path) -> LockInfo | None:
    """Give who holds the lock of a database, or None if nobody does; raises StoreError if that cannot be told."""
    path = lock_path(database)
    if not path.exists():
        return None
    for _ in range(_TRIES):
        held, info = _look(path)
        if not held or info is not None:
            return info
        time.sleep(_PAUSE_SECONDS)
    raise StoreError(f"a process holds {path} but does not say who it is: try again in a moment")


def _look(path: Path) -> tuple[bool, LockInfo | None]:
    """Give whether the lock is held and by whom; a holder that is just writing its name is not known yet."""
    file = _open(path, os.O_RDWR)
    try:
        return (False, None) if _take(file) else (True, _read(file))
    finally:
        os.close(file)


def _read(file: int) -> LockInfo | None:
    os.lseek(file, 0, os.SEEK_SET)
    try:
        return msgspec.json.decode(os.read(file, _CONTENT_MAX), type=LockInfo)
    except msgspec.MsgspecError:
        return None


def _take_patiently(file: int, database: Path) -> None:
    for _ in range(_TRIES):
        if _take(file):
            return
        time.sleep(_PAUSE_SECONDS)
    info = _read(file)
    who = f"process {info.pid}" if info else "another process"
    raise StoreError(f"{who} already uses the store {database}: stop it first, or give this one a store of its own")


def _open(path: Path, flags: int) -> int:
    try:
        return os.open(path, flags, 0o600)
    except FileNotFoundError as exc:
        raise StoreError(
            f"the folder {path.parent} does not exist: create it, or name another place in `store`"
        ) from exc
    except OSError as exc:
        cure = "use the account that alertd runs as"
        raise StoreError(f"the lock file {path} cannot be opened: {exc.strerror}: {cure}") from exc
