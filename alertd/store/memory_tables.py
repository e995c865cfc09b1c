"""Tables in memory: rows by key, indexes that follow them, and a journal by which a transaction is undone.

Nothing is copied while a transaction writes: a change notes what stood there before. Only a view that is read while somebody writes costs a
copy, of the tables and not of the values, which are frozen.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from bisect import bisect_left, insort
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from datetime import datetime
from itertools import takewhile
from typing import Any, Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")

MISSING: Any = object()

Undo = tuple["Table[Any, Any]", Hashable, object]


class Index(ABC, Generic[Key, Value]):
    """Finds rows by something else than their key."""

    @abstractmethod
    def add(self, key: Key, value: Value) -> None:
        """Take a row up."""

    @abstractmethod
    def discard(self, key: Key, value: Value) -> None:
        """Let a row go."""


class Buckets(Index[Key, Value]):
    """Keys by each of the words that a row belongs under."""

    def __init__(self, words: Callable[[Value], Iterable[Hashable]]) -> None:
        self._words = words
        self._keys: dict[Hashable, dict[Key, None]] = {}

    def add(self, key: Key, value: Value) -> None:
        """Take a row up."""
        for word in self._words(value):
            self._keys.setdefault(word, {})[key] = None

    def discard(self, key: Key, value: Value) -> None:
        """Let a row go."""
        for word in self._words(value):
            keys = self._keys[word]
            keys.pop(key, None)
            if not keys:
                del self._keys[word]

    def under(self, word: Hashable) -> tuple[Key, ...]:
        """Give the keys of the rows that belong under a word."""
        return tuple(self._keys.get(word, ()))


class Agenda(Index[str, Value]):
    """Keys by the instant at which they are due; rows without one are not on it."""

    def __init__(self, due_at: Callable[[Value], datetime | None]) -> None:
        self._due_at = due_at
        self._entries: list[tuple[datetime, str]] = []

    def add(self, key: str, value: Value) -> None:
        """Take a row up."""
        due_at = self._due_at(value)
        if due_at is not None:
            insort(self._entries, (due_at, key))

    def discard(self, key: str, value: Value) -> None:
        """Let a row go."""
        due_at = self._due_at(value)
        if due_at is not None:
            del self._entries[bisect_left(self._entries, (due_at, key))]

    def first(self) -> datetime | None:
        """Give the earliest instant."""
        return self._entries[0][0] if self._entries else None

    def entries(self) -> Sequence[tuple[datetime, str]]:
        """Give instants and keys, the earliest first."""
        return self._entries

    def due(self, now: datetime, limit: int) -> tuple[str, ...]:
        """Give the keys that are due, the longest due first."""
        return tuple(key for _, key in takewhile(lambda entry: entry[0] <= now, self._entries[:limit]))


class Table(Generic[Key, Value]):
    """Rows by key, in order of their coming."""

    def __init__(self, journal: list[Undo], **indexes: Index[Key, Value]) -> None:
        self._journal = journal
        self._rows: dict[Key, Value] = {}
        self._indexes = indexes

    def __iter__(self) -> Iterator[Key]:
        return iter(self._rows)

    def __getitem__(self, key: Key) -> Value:
        return self._rows[key]

    def get(self, key: Key) -> Value | None:
        """Give a row, or None."""
        return self._rows.get(key)

    def values(self) -> Iterable[Value]:
        """Give all rows, in order of their coming."""
        return self._rows.values()

    def ordered(self) -> tuple[Value, ...]:
        """Give all rows by key."""
        return tuple(self._rows[key] for key in sorted(self._rows))  # type: ignore[type-var] # keys of one table compare

    def index(self, name: str) -> Any:  # noqa: ANN401 - of the kind it was made with
        """Give an index by its name."""
        return self._indexes[name]

    def under(self, index: str, word: Hashable) -> tuple[Value, ...]:
        """Give the rows that an index has under a word, by key."""
        return tuple(self._rows[key] for key in sorted(self._indexes[index].under(word)))  # type: ignore[attr-defined]

    def put(self, key: Key, value: Value) -> None:
        """Save a row, to be undone with the transaction."""
        self._journal.append((self, key, self._rows.get(key, MISSING)))
        self._place(key, value)

    def remove(self, key: Key) -> None:
        """Delete a row if it is there, to be undone with the transaction."""
        if key in self._rows:
            self._journal.append((self, key, self._rows[key]))
            self._place(key, MISSING)

    def restore(self, key: Key, value: Value) -> None:
        """Put back what a journal noted."""
        self._place(key, value)

    def _place(self, key: Key, value: Value) -> None:
        before = self._rows.get(key, MISSING)
        for index in self._indexes.values():
            if before is not MISSING:
                index.discard(key, before)
            if value is not MISSING:
                index.add(key, value)
        if value is MISSING:
            self._rows.pop(key, None)
        else:
            self._rows[key] = value
