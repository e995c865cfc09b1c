"""The last edge of a channel: nothing but DeliveryError gets past, and no secret in its text."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from alertd.errors import AlertdError, DeliveryError, DeliveryFailureReason
from alertd.redaction import redact
from alertd.render.hostile import plain

_FAULT_MAX = 200


@contextlib.contextmanager
def delivery_errors(who: str) -> Iterator[None]:
    """Turn whatever is raised inside into a DeliveryError that names `who`.

    Our own errors (a secret's file cannot be read) come before anything was sent, and a later attempt may find it mended.
    Of anything else nobody knows how far it had come.
    """
    try:
        yield
    except DeliveryError:
        raise
    except AlertdError as exc:
        raise DeliveryError(DeliveryFailureReason.OTHER, f"{who}: {exc}", retriable=True) from exc
    except Exception as exc:  # noqa: BLE001 - the edge itself
        told = plain(redact(str(exc)), _FAULT_MAX)
        raise DeliveryError(
            DeliveryFailureReason.OTHER, f"{who}: {type(exc).__name__}: {told}", retriable=True, ambiguous=True
        ) from None
