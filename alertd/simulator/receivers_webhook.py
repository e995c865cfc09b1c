"""A stand-in for any service with a webhook: it takes JSON and, with a secret, checks that the request is signed."""

from __future__ import annotations

import asyncio
import base64
import json
import secrets
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from alertd.clock import Clock
from alertd.simulator.inbox import Inbox, Medium, Message
from alertd.simulator.receivers_behaviour import Behaviour, Mode
from alertd.simulator.receivers_http import bad_answer, body_of, say_nothing
from alertd.simulator.receivers_signature import SignatureFault, verify

PATH = "/hooks/alertd"


class WebhookReceiver:
    """A service that takes signed requests. signing_secret: empty to take unsigned ones."""

    def __init__(
        self, inbox: Inbox, stopping: asyncio.Event, clock: Clock, *, signing_secret: str | None = None
    ) -> None:
        self.behaviour = Behaviour()
        made = f"whsec_{base64.b64encode(secrets.token_bytes(32)).decode()}"
        self.signing_secret = made if signing_secret is None else signing_secret
        self._inbox = inbox
        self._stopping = stopping
        self._clock = clock

    async def __call__(self, request: Request) -> Response:
        """Take one request."""
        body = await body_of(request)
        mode = self.behaviour.next()
        if mode is Mode.HANGING:
            self._inbox.add(Medium.WEBHOOK, self._read(request, body), answer=0)
            return await say_nothing(request, self._stopping)
        message = self._read(request, body)
        answer = bad_answer(mode, self.behaviour) or _answer(message)
        self._inbox.add(Medium.WEBHOOK, message, answer=answer.status_code)
        return answer

    def _read(self, request: Request, body: bytes) -> Message:
        faults, notes = self._check(request, body)
        title, reason = _said(body)
        return Message(
            body=body,
            content_type=request.headers.get("content-type", ""),
            headers={name: value for name, value in request.headers.items() if name not in {"authorization", "host"}},
            title=title,
            reason=reason,
            faults=tuple(faults),
            notes=tuple(notes),
        )

    def _check(self, request: Request, body: bytes) -> tuple[list[str], list[str]]:
        if not self.signing_secret:
            return [], []
        try:
            verify(body, request.headers, self.signing_secret, self._clock.now())
        except SignatureFault as exc:
            return [str(exc)], []
        return [], ["signature verified"]


def _answer(message: Message) -> Response:
    if message.faults:
        return JSONResponse({"error": message.faults[0]}, 401)
    return Response(status_code=204)


def _said(body: bytes) -> tuple[str, str]:
    """Give headline and reason, of our own format or of Alertmanager's."""
    try:
        plain: Any = json.loads(body)
    except ValueError:
        return "", ""
    if not isinstance(plain, dict):
        return "", ""
    data = plain.get("data")
    if isinstance(data, dict):
        return str(data.get("headline", "")), str(data.get("reason", ""))
    return str(plain.get("groupKey", "")), str(plain.get("notification_reason", ""))
