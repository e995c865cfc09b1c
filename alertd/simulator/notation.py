"""The words of a timeline: ``Active x3``, ``Quarantine(TooManyDeletes)``, ``error(auth)``, ``failed(Code)``, and mappings of properties.

A step is one of the values below; `read_steps` reads a list of them and notes what is wrong at its place in the file.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

import attrs

from alertd.errors import PollErrorKind
from alertd.model.document import Node
from alertd.model.resources import STATUS_CODES
from alertd.model.suggestion import did_you_mean
from alertd.simulator.properties import Properties, read_overlay

REPEAT_MAX = 100_000  # steps; a year of five-minute steps has 105,120, and nobody writes one as a test


@attrs.frozen
class Failure:
    """The answer failed: the principal's, or in a tenant's timeline the whole round."""

    kind: PollErrorKind


@attrs.frozen
class Absent:
    """The principal answered, and the job is not listed."""


@attrs.frozen
class Good:
    """The tenant's round was asked and answered."""


@attrs.frozen
class Same:
    """As at the last step that was answered."""


@attrs.frozen
class Word:
    """`status.code`, and the reason of a quarantine object; without a reason there is no such object."""

    code: str
    reason: str | None = None


@attrs.frozen
class Succeeded:
    """A run without errors ended at this step."""


@attrs.frozen
class Failed:
    """A run that failed ended at this step."""

    error_code: str


@attrs.frozen
class EntryErrors:
    """A run that escrowed `count` entries ended at this step."""

    count: int


@attrs.frozen
class Overlay:
    """Properties laid over those of the last answered step."""

    properties: Properties


Run = Succeeded | Failed | EntryErrors
Step = Word | Run | Overlay | Same | Absent | Failure | Good

_SHAPE = re.compile(r"(?P<word>[A-Za-z]\w*)(?:\((?P<inside>[^()]*)\))?(?:\s+x(?P<times>[0-9]{1,9}))?")


def read_steps(node: Node, *, tenant: bool = False) -> tuple[Step, ...]:
    """Read the steps of a job's timeline, or of a tenant's, with repeats written out.

    What is wrong is noted at its node, and left out; an empty or missing list is a problem.
    """
    places = node.sequence()
    if not places and (node.null or isinstance(node.plain(), list)):
        example = "ok" if tenant else "Active"
        node.problem("no steps", expected="at least one step", cure=f"write a step such as `{example}`")
    words = _TENANT_WORDS if tenant else _JOB_WORDS
    steps = [step for place in places for step in _read_step(place, words, mappings=not tenant)]
    _check_first(node, steps)
    return tuple(steps)


def _read_step(node: Node, words: Words, *, mappings: bool) -> list[Step]:
    if mappings and isinstance(node.plain(), dict):
        return [Overlay(read_overlay(node))]
    text = node.text()
    match = _SHAPE.fullmatch(text.strip())
    if match is None:
        if node.scalar:  # anything else was noted by the reader
            node.problem(expected="a word, such as " + _example(words), cure="`x3` behind a word repeats it")
        return []
    return _repeated(node, _step_of(node, match, words, statuses=mappings), match["times"])


def _step_of(node: Node, match: re.Match[str], words: Words, *, statuses: bool) -> Step | None:
    word, inside = match["word"], match["inside"]
    if word in words:
        return words[word](node, inside.strip() if inside is not None else None)
    if statuses and word[0].isupper():
        return _status(node, word, inside)
    known = [*words, *(STATUS_CODES if statuses else ())]
    node.problem(f"`{word}`", expected=_expected(words, statuses=statuses), cure=did_you_mean(word, known))
    return None


def _status(node: Node, word: str, inside: str | None) -> Step | None:
    if inside is not None and not inside.strip():
        node.problem(
            expected="a reason inside the parentheses", cure=f"write `{word}` alone where there is no quarantine object"
        )
        return None
    return Word(word, inside.strip() if inside is not None else None)


def _repeated(node: Node, step: Step | None, times: str | None) -> list[Step]:
    if step is None:
        return []
    count = int(times or 1)
    if not 1 <= count <= REPEAT_MAX:
        node.problem(expected=f"from x1 to x{REPEAT_MAX}", cure="raise `interval` for a longer timeline")
        return []
    return [step] * count


def _check_first(node: Node, steps: list[Step]) -> None:
    """`same` needs something to be the same as."""
    first = next((step for step in steps if not isinstance(step, Absent | Failure)), None)
    if isinstance(first, Same):
        node.problem(
            "`same` before any answer", expected="a step that says what was answered", cure="begin with `Active`"
        )


def _bare(step: Step) -> Reader:
    def read(node: Node, inside: str | None) -> Step | None:
        if inside is None:
            return step
        node.problem(expected="the word without parentheses")
        return None

    return read


def _error(node: Node, inside: str | None) -> Step | None:
    kind = PollErrorKind.SERVER if inside is None else next((kind for kind in PollErrorKind if kind == inside), None)
    if kind is None:
        kinds = [kind.value for kind in PollErrorKind]
        node.problem(
            expected=f"error, or error(kind) with one of {', '.join(kinds)}", cure=did_you_mean(inside or "", kinds)
        )
        return None
    return Failure(kind)


def _failed(node: Node, inside: str | None) -> Step | None:
    if inside:
        return Failed(inside)
    node.problem(expected="failed(ErrorCode)", cure="name the run's error code, such as failed(EntryConflict)")
    return None


def _entry_errors(node: Node, inside: str | None) -> Step | None:
    if inside is not None and re.fullmatch(r"[0-9]{1,15}", inside):
        return EntryErrors(int(inside))
    node.problem(expected="entry_errors(n)", cure="give the number of escrowed entries, such as entry_errors(12)")
    return None


Reader = Callable[[Node, str | None], Step | None]
Words = Mapping[str, Reader]

_JOB_WORDS: Words = {
    "error": _error,
    "absent": _bare(Absent()),
    "same": _bare(Same()),
    "succeeded": _bare(Succeeded()),
    "failed": _failed,
    "entry_errors": _entry_errors,
}
_TENANT_WORDS: Words = {"ok": _bare(Good()), "error": _error}


def _expected(words: Words, *, statuses: bool) -> str:
    reserved = ", ".join(words)
    return f"a status code (capitalised), or one of {reserved}" if statuses else f"one of {reserved}"


def _example(words: Words) -> str:
    return "`ok x3` or `error(auth)`" if words is _TENANT_WORDS else "`Active x3` or `Quarantine(TooManyDeletes)`"
