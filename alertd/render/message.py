"""Rendering: a notification and a channel's form in, the bytes that go out. Pure and total.

Whatever is wrong with a template, a message comes out: a broken block is replaced by plain facts, a broken frame by the
plain built-in message, and either says what was wrong and is named in `Rendered.fallback`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import attrs

from alertd.model.notification import Notification, Reason, Rendered
from alertd.render import context, fitting
from alertd.render.context import Alerts, Entry, Message, mapped
from alertd.render.environment import SUFFIX, TemplateFailure, Templates
from alertd.render.parts import Part

DEFAULT_BLOCK = "default"
# Messages about many things at once: a line for each of several alerts says more than pages of blocks.
_OVERVIEWS = frozenset({Reason.MUTE_SUMMARY, Reason.SILENCE_ENDING})


@attrs.frozen(kw_only=True)
class Form:
    """What a channel's messages are made of.

    kind: the folder of its templates. assemble: makes the body of the parts' values (name -> value); pure.
    verbatim: for machines: texts stay as they are, and there are no blocks.
    """

    kind: str
    parts: tuple[Part, ...]
    assemble: Callable[[Mapping[str, Any], Notification], bytes]
    content_type: str
    body_bytes_max: int
    blocks_max: int = 0
    verbatim: bool = False


def render(
    notification: Notification, form: Form, templates: Templates, *, recipients: tuple[str, ...] = ()
) -> Rendered:
    """Give the message as it goes out on this channel; raises nothing for anything a template or a snapshot contains."""
    message = context.message(notification)
    fitted: fitting.Fitted | None
    try:
        fitted = _fitted(message, form, lambda cut: _from_templates(cut, form, templates, notification))
        faults = fitted.value if fitted.fits else [f"{form.kind}: longer than {form.body_bytes_max:,} bytes"]
    except TemplateFailure as exc:
        fitted, faults = None, [str(exc)]
    if fitted is None or not fitted.fits:
        fitted = _fitted(message, form, lambda cut: (_builtin(cut, form, faults[0], notification), faults))
    return Rendered(
        body=fitted.body,
        content_type=form.content_type,
        recipients=recipients,
        fallback="; ".join(faults),
        shortened=fitted.shortened,
    )


def _fitted(message: Message, form: Form, make: Callable[[Message], tuple[bytes, list[str]]]) -> fitting.Fitted:
    blocks_max = min(form.blocks_max, 1) if message.group.reason in _OVERVIEWS else form.blocks_max
    return fitting.fit(message, make, body_bytes_max=form.body_bytes_max, blocks_max=blocks_max, verbatim=form.verbatim)


def _builtin(message: Message, form: Form, error: str, notification: Notification) -> bytes:
    return form.assemble({part.name: part.builtin(message, error) for part in form.parts}, notification)


def _from_templates(
    message: Message, form: Form, templates: Templates, notification: Notification
) -> tuple[bytes, list[str]]:
    faults: list[TemplateFailure] = []
    values = {part.name: part_value(message, form.kind, part, templates, faults) for part in form.parts}
    return form.assemble(values, notification), list(dict.fromkeys(map(str, faults)))


def part_value(message: Message, kind: str, part: Part, templates: Templates, faults: list[TemplateFailure]) -> Any:  # noqa: ANN401
    """Render one part with its blocks; a broken block is replaced and its failure added to `faults`.

    Raises TemplateFailure when the frame is broken.
    """
    with_blocks = attrs.evolve(message, alerts=_with_blocks(message, kind, part, templates, faults))
    name = f"{kind}/{'digest' if message.digest is not None else 'message'}.{part.name}{SUFFIX}"
    return _read(part.read, templates.render(name, with_blocks.frame()), name)


def _with_blocks(
    message: Message, kind: str, part: Part, templates: Templates, faults: list[TemplateFailure]
) -> Alerts:
    def rendered(entry: Entry) -> Entry:
        wanted = entry.block is not None and part.read_block is not None
        return attrs.evolve(entry, block=_block(entry, message, kind, part, templates, faults) if wanted else None)

    return mapped(message.alerts, rendered)


def _block(
    entry: Entry, message: Message, kind: str, part: Part, templates: Templates, faults: list[TemplateFailure]
) -> Any:  # noqa: ANN401
    name = block_name(templates, kind, entry.template, part.name)
    if name is None or part.read_block is None or part.builtin_block is None:
        return None
    try:
        return _read(part.read_block, templates.render(name, message.block(entry)), name)
    except TemplateFailure as exc:
        faults.append(exc)
        return part.builtin_block(entry, str(exc), message)


def block_name(templates: Templates, kind: str, template: str | None, part: str) -> str | None:
    """Find the block for a rule's `template`; the default one if there is none; null if the channel has no blocks."""
    names = [f"{kind}/blocks/{name}.{part}{SUFFIX}" for name in (template, DEFAULT_BLOCK) if name]
    return next((name for name in names if templates.has(name)), None)


def _read(read: Callable[[str], Any], text: str, name: str) -> Any:  # noqa: ANN401
    try:
        return read(text)
    except (TypeError, ValueError, RecursionError) as exc:
        raise TemplateFailure(name, 0, str(exc)) from exc
