"""How a writer that read something older is refused."""

from __future__ import annotations

from alertd.errors import FencedError


def fenced_off(what: str, name: str, expected: int, found: int | None) -> FencedError:
    """Give the error that says what was read and what stands there; `found` is None where nothing does."""
    stands = "is not there any more" if found is None else f"stands at {name} {found}"
    return FencedError(f"{what} {stands}, expected {name} {expected}: somebody else wrote first")


def place_taken() -> FencedError:
    """Give the error for a second message at one place of a conversation."""
    return FencedError("another message already stands at this place of the conversation: somebody else wrote first")
