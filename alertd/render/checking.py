"""Checking templates: every one rendered with samples, and read for names that nobody gives them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import attrs

from alertd.errors import Problem
from alertd.model.suggestion import did_you_mean
from alertd.render import context, fitting
from alertd.render.context import BLOCK_ROOTS, DIGEST_ROOTS, FRAME_ROOTS, Message
from alertd.render.environment import SUFFIX, TemplateFailure, Templates
from alertd.render.frames import DIGEST_KINDS, FRAMES
from alertd.render.message import DEFAULT_BLOCK, part_value
from alertd.render.names import unknown_names
from alertd.render.parts import Part
from alertd.render.samples import AWKWARD, TEMPLATES, notification, samples

_WHOLE = fitting.Budget(text=600)
_LISTS = fitting.Budget(text=160, entries=10)  # a digest, whose lists no channel takes whole
_BRIEF = fitting.Budget(text=80, changes=False, blocks=False, entries=1)


def check(templates: Templates) -> tuple[Problem, ...]:
    """List everything wrong with the templates, each fault once, in the order of files and lines."""
    found = [*_unknown(templates), *_misplaced(templates), *_failures(templates)]
    by_place = {(problem.file, problem.line, problem.found): problem for problem in reversed(found)}
    return tuple(sorted(by_place.values(), key=lambda problem: (problem.file, problem.line, problem.found)))


def _unknown(templates: Templates) -> Iterator[Problem]:
    for name, source in templates.sources.items():
        for unknown in unknown_names(templates.tree(name), templates.environment.globals, _roots(name)):
            yield Problem(
                file=str(source.path),
                line=unknown.line,
                found=f"unknown name `{unknown.name}`",
                cure=unknown.cure,
                code="unknown-variable",
            )


def _roots(name: str) -> Mapping[str, Any]:
    """Give the names a template sees; one that is neither frame nor block is imported by either."""
    if _is_frame(name):
        return DIGEST_ROOTS if _stem(name) == "digest" else FRAME_ROOTS
    return BLOCK_ROOTS if "/blocks/" in name else {**DIGEST_ROOTS, **BLOCK_ROOTS}


def _is_frame(name: str) -> bool:
    return _stem(name) in {"message", "digest"} and not name.startswith("shared/")


def _stem(name: str) -> str:
    return name.rpartition("/")[2].partition(".")[0]


def _misplaced(templates: Templates) -> Iterator[Problem]:
    """Warn of frames that no channel asks for: a misspelt name is silently not used."""
    known = [
        f"{kind}/{frame}.{part.name}{SUFFIX}"
        for kind, parts in FRAMES.items()
        for part in parts
        for frame in (("message", "digest") if kind in DIGEST_KINDS else ("message",))
    ]
    for name, source in templates.sources.items():
        if _is_frame(name) and name not in known:
            cure = did_you_mean(name, known)
            yield Problem(file=str(source.path), found="a template that no channel uses", cure=cure, warning=True)


def _failures(templates: Templates) -> Iterator[Problem]:
    """Render with every sample: frames for each as they are when a message must be short, and whole ones of each shape."""
    seen = set()
    for title, sample in samples().items():
        message = context.message(sample)
        yield from _tried(templates, fitting.reduced(message, _BRIEF), title)
        shape = (
            message.group.tone,
            *((entry.template, entry.state, entry.job is None) for entry in message.alerts.all),
        )
        if shape not in seen or title in AWKWARD:
            seen.add(shape)
            whole = _WHOLE if message.digest is None else _LISTS
            yield from _tried(templates, fitting.reduced(message, whole), title)
    yield from _own_blocks(templates)


def _own_blocks(templates: Templates) -> Iterator[Problem]:
    """Try blocks of names of the user's own, which no sample asks for."""
    base = fitting.reduced(context.message(notification()), _WHOLE)
    names = {name.rpartition("/")[2].partition(".")[0] for name in templates.sources if "/blocks/" in name}
    for name in sorted(names - {*TEMPLATES, DEFAULT_BLOCK}):
        entries = tuple(attrs.evolve(entry, template=name) for entry in base.alerts.firing)
        yield from _tried(templates, attrs.evolve(base, alerts=attrs.evolve(base.alerts, firing=entries)), name)


def _tried(templates: Templates, message: Message, title: str) -> Iterator[Problem]:
    for kind, parts in FRAMES.items():
        if message.digest is not None and kind not in DIGEST_KINDS:
            continue
        for part in parts:
            for failure in _part_failures(templates, kind, part, message):
                path = str(templates.sources[failure.name].path) if templates.has(failure.name) else failure.name
                yield Problem(file=path, line=failure.line, found=failure.fault, cure=f"seen with the sample {title!r}")


def _part_failures(templates: Templates, kind: str, part: Part, message: Message) -> list[TemplateFailure]:
    faults: list[TemplateFailure] = []
    try:
        part_value(message, kind, part, templates, faults)
    except TemplateFailure as exc:
        faults.append(exc)
    return faults
