"""A number that stands for the bytes of an answer, to know it again when it comes a second time."""

from __future__ import annotations

import hashlib
import sys

import msgspec

_WIDTH = 64  # bits: of 10^9 changed answers a year one would be taken for the one before in 10^10 years


def digest_of(body: msgspec.Raw) -> int:
    """Give the digest of a body. It holds within this process alone.

    Python's own hash of bytes is a SipHash with a key that every process draws anew, so nobody outside can aim at a collision; it takes 1.4 us
    for 2.5 kB where BLAKE2b takes 6.8. Where it is narrower, BLAKE2b it is.
    """
    if sys.hash_info.width < _WIDTH:
        return int.from_bytes(hashlib.blake2b(body, digest_size=_WIDTH // 8).digest())
    return hash(bytes(body))
