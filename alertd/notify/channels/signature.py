"""Standard Webhooks 1.0: headers that let a receiver recognise a repeat and verify the sender. Pure.

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Mapping
from datetime import datetime

_PREFIX = "whsec_"
_ID = re.compile(r"[A-Za-z0-9_\-]{1,64}")
_KEY_MIN, _KEY_MAX = 24, 64  # bytes, the specification's


def webhook_headers(key: str, body: bytes, now: datetime, secrets: str | None = None) -> dict[str, str]:
    """Give the headers of one attempt.

    key: the notification's; the id made of it is the same over all attempts. now: of this attempt. secrets: one, or
    several with white space between them while one replaces another: each signs; none, and nothing is signed.
    """
    identity, timestamp = webhook_id(key), str(int(now.timestamp()))
    signatures = [_signature(secret, identity, timestamp, body) for secret in (secrets or "").split()]
    headers: Mapping[str, str] = {"webhook-signature": " ".join(signatures)} if signatures else {}
    return {"webhook-id": identity, "webhook-timestamp": timestamp, **headers}


def webhook_id(key: str) -> str:
    """Give the key itself where it may stand in an id; dots would end it too early in what is signed."""
    digest = hashlib.sha256(key.encode(errors="replace")).hexdigest()
    return key if _ID.fullmatch(key) else f"msg_{digest[:32]}"


def _signature(secret: str, identity: str, timestamp: str, body: bytes) -> str:
    signed = f"{identity}.{timestamp}.".encode() + body
    digest = hmac.new(_key(secret), signed, hashlib.sha256).digest()
    return f"v1,{base64.b64encode(digest).decode()}"


def _key(secret: str) -> bytes:
    """Read a secret as receivers' libraries do: base64, with or without its prefix; any other text is the key itself."""
    try:
        key = base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
    except binascii.Error:
        return secret.encode()
    return key if secret.startswith(_PREFIX) or _KEY_MIN <= len(key) <= _KEY_MAX else secret.encode()
