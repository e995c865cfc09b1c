"""The parts of messages to Slack, Google Chat and Discord, read and held to what these services take.

A template may write ``lines`` where the service wants a ``text`` or ``value``: they are joined, and for Slack put into as many sections as
they need. What is empty is left out, what is too long is cut, and of too many pieces the last ones give way to a word about it.
https://docs.slack.dev/reference/block-kit/blocks, https://developers.google.com/workspace/chat/api/reference/rest/v1/cards,
https://discord.com/developers/docs/resources/message#embed-object-embed-limits
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from alertd.render import cards, hostile
from alertd.render.context import Entry, Message
from alertd.render.oncall import filled
from alertd.render.parts import Part, entry_lines, plain_lines, read_object

SLACK_BLOCKS_MAX = 50
_SECTION_MAX, _FIELDS_MAX, _FIELD_MAX, _HEADER_MAX = 3_000, 10, 2_000, 150
DISCORD_EMBEDS_MAX = 10
_EMBED_FIELDS_MAX = 25
_EMBED_LIMITS = {"title": 256, "description": 4_096}
_CONTENT_MAX, _NAME_MAX, _VALUE_MAX, _FOOTER_MAX = 2_000, 256, 1_024, 2_048
GOOGLE_WIDGETS_MAX = 100


def packed(lines: Iterable[str], limit: int, joint: str = "\n") -> Iterator[str]:
    """Join lines to texts of at most `limit` characters, in order."""
    text = ""
    for line in (hostile.shorten(line, limit) for line in lines if line):
        if text and len(text) + len(joint) + len(line) > limit:
            yield text
            text = ""
        text = f"{text}{joint}{line}" if text else line
    if text:
        yield text


def _list(value: Any, name: str) -> list[Any]:  # noqa: ANN401 - whatever a template wrote
    """Check that there is a list of objects, and splice the lists in it."""
    if not isinstance(value, list):
        raise TypeError(f"`{name}` is no list")
    flat = [item for part in value for item in (part if isinstance(part, list) else [part])]
    if not all(isinstance(item, dict) for item in flat):
        raise TypeError(f"`{name}` holds something else than objects")
    return flat


def _left_out(count: int) -> str:
    return f"+{count} more parts of this message, which would have been too long"


def _read_blocks(text: str) -> cards.Json:
    return _list(cards.parse(text), "the block")


# Slack.


def _read_slack(text: str) -> cards.Json:
    message = read_object(text)
    if not isinstance(message.get("text"), str):
        raise TypeError("the message has no `text`, which notifications show")
    blocks = list(_slack_blocks(_list(message.get("blocks"), "blocks")))
    if len(blocks) > SLACK_BLOCKS_MAX:  # the last one is the footer
        left_out = len(blocks) - SLACK_BLOCKS_MAX + 2
        blocks = [*blocks[: SLACK_BLOCKS_MAX - 2], *_slack_sections([_left_out(left_out)]), blocks[-1]]
    return {**message, "text": hostile.shorten(message["text"], _SECTION_MAX), "blocks": blocks}


def _slack_blocks(blocks: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    waiting: list[str] = []
    for block in (filled(block) for block in blocks):
        lines = block.pop("lines", [])
        if len(lines) == 1:  # single lines of neighbours share a section
            waiting += lines
            continue
        yield from _slack_sections(waiting)
        yield from _slack_sections(lines)
        waiting = []
        if block.get("type") == "divider" or len(block) > 1:
            yield _slack_cut(block)
    yield from _slack_sections(waiting)


def _slack_sections(lines: list[str]) -> Iterator[dict[str, Any]]:
    for text in packed(lines, _SECTION_MAX):
        yield {"type": "section", "text": {"type": "mrkdwn", "text": text, "verbatim": True}}


def _slack_cut(block: dict[str, Any]) -> dict[str, Any]:
    if "type" not in block:
        raise ValueError("a block without `type`")
    limit = _HEADER_MAX if block["type"] == "header" else _SECTION_MAX
    cut = {"text": _slack_text(block["text"], limit)} if "text" in block else {}
    fields = [_slack_text(field, _FIELD_MAX) for field in block.get("fields", ())][:_FIELDS_MAX]
    return block | cut | ({"fields": fields} if fields else {})


def _slack_text(text: Any, limit: int) -> dict[str, Any]:  # noqa: ANN401
    if not isinstance(text, dict) or not isinstance(text.get("text"), str):
        raise TypeError("a text that is no object with `type` and `text`")
    return {**text, "text": hostile.shorten(text["text"], limit)}


def _builtin_slack(message: Message, error: str) -> cards.Json:
    lines = [hostile.chat(line) for line in plain_lines(message, error)]
    return {"text": lines[0], "blocks": list(_slack_sections(lines))}


def _builtin_slack_block(entry: Entry, error: str, message: Message) -> cards.Json:
    return list(_slack_sections(_escaped_lines(entry, error, message)))


def _escaped_lines(entry: Entry, error: str, message: Message) -> list[str]:
    return [hostile.chat(line) for line in (*entry_lines(entry, message), f"Plain, the template failed: {error}")]


SLACK = Part(
    name="blocks.json",
    read=_read_slack,
    read_block=_read_blocks,
    builtin=_builtin_slack,
    builtin_block=_builtin_slack_block,
)


# Discord.


def _read_discord(text: str) -> cards.Json:
    message = read_object(text)
    embeds = [_embed(filled(embed)) for embed in _list(message.get("embeds"), "embeds")]
    if len(embeds) > DISCORD_EMBEDS_MAX:
        left_out = len(embeds) - DISCORD_EMBEDS_MAX + 1
        embeds = [*embeds[: DISCORD_EMBEDS_MAX - 1], {"description": _left_out(left_out)}]
    content = hostile.shorten(str(message.get("content") or ""), _CONTENT_MAX)
    return {**message, "content": content, "embeds": embeds}


def _embed(embed: dict[str, Any]) -> dict[str, Any]:
    cut: dict[str, Any] = {
        name: hostile.shorten(str(embed[name]), limit) for name, limit in _EMBED_LIMITS.items() if name in embed
    }
    fields = [cut for field in _list(embed.get("fields", []), "fields") for cut in _embed_fields(field)]
    if len(fields) > _EMBED_FIELDS_MAX:
        raise ValueError(f"{len(fields)} fields in an embed; Discord takes {_EMBED_FIELDS_MAX}")
    footer = embed.get("footer", {}).get("text", "")
    ends = {"footer": {"text": hostile.shorten(footer, _FOOTER_MAX)}} if footer else {}
    return embed | cut | ({"fields": fields} if fields else {}) | ends


def _embed_fields(field: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Give a field, or as many as its lines need."""
    name = hostile.shorten(str(field.get("name", "")), _NAME_MAX)
    rest = {key: value for key, value in field.items() if key not in {"name", "value", "lines"}}
    for text in packed(field.get("lines", [str(field.get("value", ""))]), _VALUE_MAX):
        yield {"name": name, "value": text, **rest}


def _read_embed(text: str) -> cards.Json:
    return read_object(text)


def _builtin_discord(message: Message, error: str) -> cards.Json:
    lines = [hostile.md(line) for line in plain_lines(message, error)]
    texts = packed(lines[1:], _EMBED_LIMITS["description"])
    return {"content": lines[0], "embeds": [{"description": text} for text in texts]}


def _builtin_embed(entry: Entry, error: str, message: Message) -> cards.Json:
    lines = (*entry_lines(entry, message), f"Plain, the template failed: {error}")
    return {"description": "\n".join(hostile.md(line) for line in lines)}


DISCORD = Part(
    name="embeds.json",
    read=_read_discord,
    read_block=_read_embed,
    builtin=_builtin_discord,
    builtin_block=_builtin_embed,
)


# Google Chat.


def _read_google(text: str) -> cards.Json:
    message = read_object(text)
    card = message.get("card")
    if not isinstance(card, dict):
        raise TypeError("the message has no object `card`")
    sections = [_section(section) for section in _list(card.get("sections"), "sections")]
    shown = [section for section in sections if section["widgets"]]
    return filled({**message, "card": {**card, "sections": _few_sections(shown)}})


def _few_sections(sections: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Leave sections out before the last one, which is the footer, until the widgets are few enough."""
    kept = list(sections)
    while len(kept) > 1 and sum(len(section["widgets"]) for section in kept) >= GOOGLE_WIDGETS_MAX:
        kept.pop(-2)
    left_out = len(sections) - len(kept)
    notice = [{"widgets": [{"textParagraph": {"text": _left_out(left_out)}}]}] if left_out else []
    return [*kept[:-1], *notice, *kept[-1:]]


def _section(section: dict[str, Any]) -> dict[str, Any]:
    widgets = (filled(widget) for widget in _list(section.get("widgets"), "widgets"))
    return {**section, "widgets": [_widget(widget) for widget in widgets if _says_something(widget)]}


def _says_something(widget: dict[str, Any]) -> bool:
    text = widget.get("decoratedText")
    return any(widget.values()) and (text is None or "text" in text)


def _widget(widget: dict[str, Any]) -> dict[str, Any]:
    lines = widget.get("textParagraph", {}).get("lines")
    return {"textParagraph": {"text": "<br>".join(lines)}} if lines else widget


def _builtin_google(message: Message, error: str) -> cards.Json:
    lines = [hostile.chat(line) for line in plain_lines(message, error)]
    widget = {"textParagraph": {"text": "<br>".join(lines)}}
    return {"text": "alertd", "card": {"sections": [{"widgets": [widget]}]}}


def _builtin_widgets(entry: Entry, error: str, message: Message) -> cards.Json:
    return [{"textParagraph": {"text": "<br>".join(_escaped_lines(entry, error, message))}}]


GOOGLE_CHAT = Part(
    name="card.json",
    read=_read_google,
    read_block=_read_blocks,
    builtin=_builtin_google,
    builtin_block=_builtin_widgets,
)
