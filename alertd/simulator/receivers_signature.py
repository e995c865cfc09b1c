"""Verifying signatures of Standard Webhooks, as a receiver does it: written from the specification, not from our signer.

Source: github.com/standard-webhooks/standard-webhooks, spec/standard-webhooks.md (1.0.0).
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping
from datetime import datetime

TOLERANCE_SECONDS = 300  # older or newer timestamps may be a replay
_PREFIX = "whsec_"


class SignatureFault(Exception):  # noqa: N818 - it is a finding of the receiver, which says so to the sender
    """The signature does not hold; the text says why."""


def verify(body: bytes, headers: Mapping[str, str], secret: str, now: datetime) -> None:
    """Check headers (names in lower case) and body; raises SignatureFault."""
    identifier, sent_at = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    if not identifier or not sent_at.isdecimal():
        raise SignatureFault("webhook-id or webhook-timestamp is missing")
    if abs(now.timestamp() - int(sent_at)) > TOLERANCE_SECONDS:
        raise SignatureFault(f"webhook-timestamp is more than {TOLERANCE_SECONDS} seconds away")
    signed = b".".join((identifier.encode(), sent_at.encode(), body))
    expected = base64.b64encode(hmac.new(key_of(secret), signed, hashlib.sha256).digest()).decode()
    given = [version_and_text.partition(",") for version_and_text in headers.get("webhook-signature", "").split()]
    if not any(version == "v1" and hmac.compare_digest(text, expected) for version, _, text in given):
        raise SignatureFault("no webhook-signature fits the body")


def key_of(secret: str) -> bytes:
    """Give the key: what stands behind ``whsec_`` is base64, any other text is the key itself."""
    if not secret.startswith(_PREFIX):
        return secret.encode()
    try:
        return base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
    except binascii.Error as exc:
        raise SignatureFault("what follows whsec_ in the secret is no base64") from exc
