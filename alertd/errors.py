"""The errors of alertd, a shallow tree.

AlertdError
+ ConfigError      problems: everything wrong with configuration, rules, templates or test files, all at once
+ PollError        kind, cure, retry_after: Microsoft did not answer as it should; what was known stays untouched
+ DeliveryError    reason, retriable, ambiguous, retry_after: one attempt at one integration did not succeed
+ StoreError       cure: the store cannot be used
  + FencedError    somebody else wrote first; the work is taken anew from what stands in the store
+ UsageError       a command was used wrongly

A foreign exception (httpx, msal, smtplib, the database) becomes one of these at the edge where it arises.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable
from datetime import timedelta

import attrs


class AlertdError(Exception):
    """The root: what a command prints as one plain line, without a traceback."""


@attrs.frozen(kw_only=True)
class Problem:
    """One thing wrong with a file that a person wrote.

    file, line, column: where it stands, counted from one; zero where there is no such place.
    path: the key within the file, such as ``rules[3].when``.
    found, expected, cure: what is there, what should be, and what to do about it. Never a secret.
    code: the linter's code of a finding, such as ``never-true``; empty for an error of form.
    warning: a warning does not stop anything unless ``check --strict`` asks for it.
    """

    file: str = ""
    line: int = 0
    column: int = 0
    path: str = ""
    found: str
    expected: str = ""
    cure: str = ""
    code: str = ""
    warning: bool = False

    def __str__(self) -> str:
        place = ":".join(str(part) for part in (self.file, self.line, self.column) if part)
        head = ": ".join(part for part in (place, self.path) if part)
        told = [f"found {self.found}" if self.expected else self.found]
        told += [f"expected {self.expected}"] if self.expected else []
        told += [self.cure] if self.cure else []
        kind = "warning: " if self.warning else ""
        code = f" [{self.code}]" if self.code else ""
        return f"{head}: {kind}{'; '.join(told)}{code}" if head else f"{kind}{'; '.join(told)}{code}"


class ConfigError(AlertdError):
    """Files that a person wrote are wrong; `problems` names every fault with its place and cure."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


class PollErrorKind(enum.StrEnum):
    """Why Microsoft's answer could not be used: a closed set, fit for a metric label."""

    AUTH = "auth"  # no token: wrong secret, expired certificate, unknown tenant
    PERMISSION = "permission"  # a token, but consent or an app role is missing
    NOT_FOUND = "not_found"  # the service principal is not there
    THROTTLED = "throttled"  # 429, or the round ended before its Retry-After
    SERVER = "server"  # 5xx, or an answer Graph should not give
    NETWORK = "network"  # no connection, no name, no TLS
    TIMEOUT = "timeout"  # no answer in time
    MALFORMED = "malformed"  # an answer that is not what the documentation promises


class PollError(AlertdError):
    """Microsoft did not answer as it should.

    cure: one sentence for the person who has to mend it.
    retry_after: seconds that the service asked to wait, counted from the moment the answer arrived.
    """

    def __init__(self, kind: PollErrorKind, message: str, *, cure: str = "", retry_after: float | None = None) -> None:
        self.kind = kind
        self.cure = cure
        self.retry_after = retry_after
        super().__init__(message)


class DeliveryFailureReason(enum.StrEnum):
    """Why an attempt at an integration failed: a closed set, fit for a metric label."""

    CLIENT_ERROR = "client_error"  # the receiver refused the message itself
    AUTH = "auth"  # the receiver refused us
    RATE_LIMITED = "rate_limited"
    SERVER_ERROR = "server_error"
    NETWORK = "network"
    TIMEOUT = "timeout"
    CANCELLED = "cancelled"  # the process is stopping
    OTHER = "other"


class DeliveryError(AlertdError):
    """One attempt at one integration did not succeed.

    retriable: a later attempt may succeed with the same message.
    ambiguous: the body went out, so the receiver may have taken it.
    retry_after: seconds the receiver asked us to wait.
    status: the receiver's status code, zero where it gave none.
    remaining: recipients still open after a partial acceptance; None where the channel has no recipients.
    """

    def __init__(
        self,
        reason: DeliveryFailureReason,
        message: str,
        *,
        retriable: bool,
        ambiguous: bool = False,
        retry_after: timedelta | None = None,
        status: int = 0,
        remaining: tuple[str, ...] | None = None,
    ) -> None:
        self.reason = reason
        self.retriable = retriable
        self.ambiguous = ambiguous
        self.retry_after = retry_after
        self.status = status
        self.remaining = remaining
        super().__init__(message)


class StoreError(AlertdError):
    """The store cannot be used; the message says what to do."""


class FencedError(StoreError):
    """Somebody else wrote first; the work is taken anew from what stands in the store."""


class UsageError(AlertdError):
    """A command was used wrongly: exit code 2."""
