"""Secrets: values that never print themselves.

A secret is a literal or a file. A file is read at each use, so that a rotated one takes effect without a restart;
nothing is kept in between. Only `reveal` gives the text away, and only adapters that put it on the wire call it.
"""

from __future__ import annotations

from pathlib import Path

from alertd.errors import ConfigError, Problem

_PLACEHOLDER = "<secret>"
_SIZE_MAX = 1_000_000  # bytes; a certificate chain with its key has a few thousand


class Secret:
    """A text that prints as ``<secret>``; two are equal when their source is: the same literal, or the same file.

    The source is all that is compared, so a configuration with an unreadable secret file can be loaded and compared.
    """

    __slots__ = ("_path", "_text")

    def __init__(self, text: str = "", *, path: Path | None = None) -> None:
        self._text = text
        self._path = path

    @classmethod
    def from_file(cls, path: str | Path) -> Secret:
        """Name a file that holds the secret; it is not touched before the first use."""
        return cls(path=Path(path))

    @property
    def path(self) -> Path | None:
        """The file it is read from; None for a literal."""
        return self._path

    def reveal(self) -> str:
        """Give the text itself; one newline at a file's end is not part of it.

        Raises ConfigError when the file cannot be read, is empty or is no text.
        """
        return self._text if self._path is None else _read(self._path)

    def __eq__(self, other: object) -> bool:
        return self._source == other._source if isinstance(other, Secret) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._source)

    @property
    def _source(self) -> tuple[str, Path | None]:
        return self._text, self._path

    def __repr__(self) -> str:
        return _PLACEHOLDER

    def __str__(self) -> str:
        return _PLACEHOLDER

    def __format__(self, specification: str) -> str:
        return format(_PLACEHOLDER, specification)

    def __reduce__(self) -> str | tuple[object, ...]:
        raise TypeError("a secret is not written down")


def _read(path: Path) -> str:
    try:
        with path.open("rb") as file:
            raw = file.read(_SIZE_MAX + 1)
    except OSError as exc:
        raise _unusable(path, exc.strerror or type(exc).__name__, "let the user that alertd runs as read it") from exc
    if len(raw) > _SIZE_MAX:
        raise _unusable(path, f"more than {_SIZE_MAX:,} bytes", "name the file that holds the secret alone")
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as exc:
        raise _unusable(path, "bytes that are no UTF-8 text", "save it as plain text") from exc
    text = text[: -len(ending)] if (ending := _line_ending(text)) else text
    if not text:
        raise _unusable(path, "an empty file", "write the secret into it")
    return text


def _line_ending(text: str) -> str:
    return next((ending for ending in ("\r\n", "\n") if text.endswith(ending)), "")


def _unusable(path: Path, found: str, cure: str) -> ConfigError:
    return ConfigError([Problem(file=str(path), found=found, expected="a readable secret file", cure=cure)])
