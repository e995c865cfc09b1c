"""Every frame there is, by channel: what `check` renders."""

from __future__ import annotations

from collections.abc import Mapping

from alertd.render.chats import DISCORD, GOOGLE_CHAT, SLACK
from alertd.render.oncall import PAGERDUTY
from alertd.render.parts import ALERTD, ALERTMANAGER, CARD, HTML, SUBJECT, TEXT, TITLE, Part

# Channels whose messages people or programs read as they come; an incident or an alert of an on-call system is no place for an overview.
DIGEST_KINDS = frozenset({"teams", "email", "webhook", "slack", "google_chat", "discord", "apprise"})

FRAMES: Mapping[str, tuple[Part, ...]] = {
    "teams": (CARD,),
    "email": (SUBJECT, TEXT, HTML),
    "webhook": (ALERTD, ALERTMANAGER),
    "pagerduty": (PAGERDUTY,),
    "slack": (SLACK,),
    "google_chat": (GOOGLE_CHAT,),
    "discord": (DISCORD,),
    "apprise": (TITLE, TEXT),
}
