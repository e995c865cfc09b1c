"""A stand-in for a Teams channel behind a Workflows webhook (Power Automate).

As the real one, it answers 202 with a run id before the flow runs, so what is wrong with the body is found out later and told to nobody:
here it stands in `Message.faults`. Sources: learn.microsoft.com/power-automate/oauth-authentication;
MicrosoftDocs/msteams-docs#11274 for the size (seen 2026); ericferon/glpi-webhook#51 for the 401.
"""

from __future__ import annotations

import asyncio
import json
import re
import secrets
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from alertd.simulator.inbox import Inbox, Medium, Message
from alertd.simulator.receivers_behaviour import Behaviour, Mode
from alertd.simulator.receivers_http import bad_answer, body_of, say_nothing

CARD_TYPE = "application/vnd.microsoft.card.adaptive"
CARD_BYTES_MAX = 28_672
ENVELOPE_BYTES = 4_444  # what Teams adds to a card of its own; seen once, and counted against the limit
PATH = "/powerautomate/automations/direct/workflows/{workflow}/triggers/manual/paths/invoke"

_REASON = re.compile(r"Why you get this: ([a-z_]+)")


class TeamsReceiver:
    """A flow that posts cards to a channel."""

    def __init__(self, inbox: Inbox, stopping: asyncio.Event) -> None:
        self.behaviour = Behaviour()
        self._inbox = inbox
        self._stopping = stopping
        self._workflow = secrets.token_hex(16)
        self._signature = secrets.token_urlsafe(32)

    @property
    def target(self) -> str:
        """Path and signed query of the trigger."""
        path = PATH.format(workflow=self._workflow)
        return f"{path}?api-version=1&sp=%2Ftriggers%2Fmanual%2Frun&sv=1.0&sig={self._signature}"

    async def __call__(self, request: Request) -> Response:
        """Take one request."""
        body = await body_of(request)
        mode = self.behaviour.next()
        if mode is Mode.HANGING:
            self._note(request, body, 0)
            return await say_nothing(request, self._stopping)
        answer = bad_answer(mode, self.behaviour) or self._refusal(request) or _accepted()
        self._note(request, body, answer.status_code)
        return answer

    def _refusal(self, request: Request) -> Response | None:
        signed = request.query_params.get("sig")
        if request.path_params["workflow"] != self._workflow:
            return _error(404, "WorkflowNotFound", "The workflow could not be found.")
        if signed and "authorization" in request.headers:
            told = "The request must be authenticated only by Shared Access scheme."
            return _error(401, "DirectApiAuthorizationRequired", told)
        if not secrets.compare_digest(signed or "", self._signature):
            return _error(401, "DirectApiInvalidAuthorizationScheme", "The request is not signed as it should be.")
        if not request.headers.get("content-type", "").startswith("application/json"):
            return _error(400, "TriggerInputSchemaMismatch", "The body has to be JSON.")
        return None

    def _note(self, request: Request, body: bytes, status: int) -> None:
        envelope, faults = run_flow(body)
        text = json.dumps(envelope, ensure_ascii=False)
        reason = _REASON.search(text)
        message = Message(
            body=body,
            content_type=request.headers.get("content-type", ""),
            headers=_without_secrets(request),
            title=_title(envelope),
            reason=reason[1] if reason else "",
            faults=faults,
        )
        self._inbox.add(Medium.TEAMS, message, answer=status)


def run_flow(body: bytes) -> tuple[Any, tuple[str, ...]]:
    """Do what the stock flow does with a body; give what was read and why its run fails, as the run history would."""
    try:
        envelope = json.loads(body)
    except ValueError as exc:
        return None, (f"the body is no JSON: {exc}",)
    return envelope, tuple(_faults(envelope, len(body)))


def _faults(envelope: Any, size: int) -> list[str]:  # noqa: ANN401 - whatever somebody sent
    attachments = envelope.get("attachments") if isinstance(envelope, dict) else None
    if not isinstance(attachments, list):
        return [
            "the result of the evaluation of 'foreach' expression '@triggerOutputs()?['body']?['attachments']' is null"
        ]
    told = [] if envelope.get("type") == "message" else [f"type is {envelope.get('type')!r}, not 'message'"]
    told += [] if len(attachments) == 1 else [f"{len(attachments)} cards: each would become a message of its own"]
    for attachment in attachments:
        told += _card_faults(attachment)
    actual = size + ENVELOPE_BYTES
    if actual > CARD_BYTES_MAX:
        told.append(
            "MessageSizeExceeded-Message properties size exceeded. Actual message properties size: "
            f"{actual} bytes, whereas max allowed size is {CARD_BYTES_MAX} bytes"
        )
    return told


def _card_faults(attachment: Any) -> list[str]:  # noqa: ANN401
    if not isinstance(attachment, dict) or attachment.get("contentType") != CARD_TYPE:
        return [f"an attachment's contentType is not {CARD_TYPE}"]
    content = attachment.get("content")
    if not isinstance(content, dict) or content.get("type") != "AdaptiveCard":
        return ["an attachment's content is no AdaptiveCard"]
    version = str(content.get("version", ""))
    return [] if version in {"1.0", "1.1", "1.2", "1.3", "1.4"} else [f"card version {version!r} is not shown by Teams"]


def card_of(body: bytes) -> dict[str, Any] | None:
    """Give the card of a request, null where there is none."""
    envelope, _ = run_flow(body)
    try:
        card = envelope["attachments"][0]["content"]
    except (IndexError, KeyError, TypeError):
        return None
    return card if isinstance(card, dict) else None


def _title(envelope: Any) -> str:  # noqa: ANN401
    try:
        return str(envelope["attachments"][0]["content"]["fallbackText"])
    except (IndexError, KeyError, TypeError):
        return ""


def _without_secrets(request: Request) -> dict[str, str]:
    hidden = {"authorization", "cookie", "host"}
    return {name: value for name, value in request.headers.items() if name not in hidden}


def _accepted() -> Response:
    run = f"{secrets.randbits(96):029d}CU00"
    return Response(
        status_code=202, headers={"x-ms-workflow-run-id": run, "x-ms-correlation-id": secrets.token_hex(16)}
    )


def _error(status: int, code: str, message: str) -> Response:
    return JSONResponse({"error": {"code": code, "message": message}}, status)
