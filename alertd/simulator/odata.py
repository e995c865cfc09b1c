"""Graph's way of answering: content types, headers, error bodies."""

from __future__ import annotations

import random
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import attrs
import msgspec

from alertd.errors import PollErrorKind

CONTENT_TYPE = "application/json;odata.metadata=minimal;odata.streaming=true;IEEE754Compatible=false;charset=utf-8"
_TOP_LEVEL = {
    "Cache-Control": "no-cache",
    "Strict-Transport-Security": "max-age=31536000",
    "Vary": "Accept-Encoding",
    "x-ms-ags-diagnostic": '{"ServerInfo":{"DataCenter":"Simulated","Slice":"E","Ring":"5","ScaleUnit":"001","RoleInstance":"SIM0001"}}',
}


@attrs.frozen(kw_only=True)
class Answer:
    """What goes out: whole, or as a part of a batch. body: JSON unless the content type says otherwise; empty for none."""

    status: int = 200
    body: bytes = b""
    content_type: str = CONTENT_TYPE
    headers: Mapping[str, str] = attrs.field(factory=dict)


@attrs.frozen
class Hang:
    """Nothing comes back until the client gives up."""


@attrs.frozen
class Drop:
    """The connection is broken off."""


Outcome = Answer | Hang | Drop


def ok(plain: object, **headers: str) -> Answer:
    """Give a good answer."""
    return ok_raw(msgspec.json.encode(plain), **headers)


def ok_raw(body: bytes, **headers: str) -> Answer:
    """Give a good answer whose JSON is written already."""
    return Answer(body=body, headers={"OData-Version": "4.0", "x-ms-resource-unit": "1", **headers})


def error(
    status: int, code: str, message: str, *, headers: Mapping[str, str] | None = None, now: datetime | None = None
) -> Answer:
    """Give an OData error with its inner error."""
    identifier = str(uuid.uuid4())
    at = (now or datetime.now(UTC)).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S")
    inner = {"date": at, "request-id": identifier, "client-request-id": identifier}
    body = {"error": {"code": code, "message": message, "innerError": inner}}
    return Answer(
        status=status, body=msgspec.json.encode(body), content_type="application/json", headers=dict(headers or {})
    )


def html(status: int = 200) -> Answer:
    """Give what a gateway answers in Graph's place."""
    body = b"<!DOCTYPE html><html><head><title>Gateway</title></head><body>Something stands in between.</body></html>"
    return Answer(status=status, body=body, content_type="text/html; charset=utf-8")


_REFUSALS: Mapping[PollErrorKind, tuple[int, str, str]] = {
    PollErrorKind.AUTH: (401, "InvalidAuthenticationToken", "The access token has expired or is not yet valid."),
    PollErrorKind.PERMISSION: (401, "UnknownError", ""),
    PollErrorKind.NOT_FOUND: (
        404,
        "Request_ResourceNotFound",
        "The resource does not exist, or something it refers to is gone.",
    ),
    PollErrorKind.SERVER: (503, "serviceNotAvailable", "The service is temporarily unavailable."),
}


def failing(kind: PollErrorKind, *, directory: bool, retry_after: float = 2.128) -> Outcome:
    """Give what makes a client see this kind of failure; a missing role looks different on the directory and on jobs."""
    if kind is PollErrorKind.PERMISSION and directory:
        return error(403, "Authorization_RequestDenied", "Insufficient privileges to complete the operation.")
    if kind in _REFUSALS:
        return error(*_REFUSALS[kind])
    others: Mapping[PollErrorKind, Outcome] = {
        PollErrorKind.THROTTLED: throttled(retry_after),
        PollErrorKind.NETWORK: Drop(),
        PollErrorKind.TIMEOUT: Hang(),
        PollErrorKind.MALFORMED: html(),
    }
    return others[kind]


def throttled(retry_after: float = 2.128) -> Answer:
    """Give a 429 with decimal seconds."""
    return error(429, "TooManyRequests", "Please retry again later.", headers={"Retry-After": f"{retry_after:g}"})


def as_part(outcome: Outcome) -> Answer:
    """Give an outcome as a part of a batch can be: what hangs or breaks there is the gateway's 504 or 502."""
    if isinstance(outcome, Hang):
        return error(504, "GatewayTimeout", "The upstream service did not answer in time.")
    if isinstance(outcome, Drop):
        return error(502, "BadGateway", "The upstream service broke off.")
    return outcome


def batch_part(name: str, answer: Answer) -> bytes:
    """Write a part: its JSON body as it stands, any other one as base64 text, none as null."""
    headers: dict[str, Any] = {"Cache-Control": "no-cache", **answer.headers}
    if answer.body:
        headers["Content-Type"] = answer.content_type
    head = msgspec.json.encode({"id": name, "status": answer.status, "headers": headers})
    is_json = answer.content_type.startswith("application/json")
    body = b"null" if not answer.body else answer.body if is_json else msgspec.json.encode(answer.body)
    return head[:-1] + b',"body":' + body + b"}"


def top_level_headers(answer: Answer, client_request_id: str | None, source: random.Random) -> dict[str, str]:
    """Give the headers of a whole answer; the client's own request id comes back."""
    identifier = str(uuid.UUID(int=source.getrandbits(128), version=4))
    ids = {"request-id": identifier, "client-request-id": client_request_id or identifier}
    return {"Content-Type": answer.content_type, **_TOP_LEVEL, **ids, **answer.headers}
