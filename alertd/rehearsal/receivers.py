"""The receivers of a rehearsal: the world outside, which no restart touches. They answer as the test says, and remember what they took."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

import attrs

from alertd.errors import DeliveryError, DeliveryFailureReason
from alertd.model.notification import Notification, Rendered
from alertd.notify.channels.answers import Answer, refusal
from alertd.notify.channels.port import Accepted, Integration
from alertd.rehearsal.script import Behaviour

HANG = timedelta(seconds=30)  # how long the daemon waits for an answer before it gives an attempt up


@attrs.frozen(kw_only=True)
class Attempt:
    """One attempt and what came of it: ``accepted``, a status, or ``no answer``."""

    at: datetime
    receiver: str
    outcome: str
    notification: Notification


class Receivers:
    """All receivers, each the same to all its integrations.

    attempts: in the order in which they ended.
    """

    def __init__(self, behaviours: Iterable[Behaviour], start: datetime) -> None:
        self._behaviours = tuple(behaviours)
        self._start = start
        self._messages: dict[str, Notification] = {}
        self.attempts: list[Attempt] = []

    def expect(self, notification: Notification) -> None:
        """Take note of a message that may be on its way later."""
        self._messages[notification.key] = notification

    def hangs(self, receiver: str, now: datetime) -> bool:
        """Whether an attempt that begins now gets no answer."""
        behaviour = self._behaviour(receiver, now)
        return behaviour is not None and behaviour.answer == "hang"

    def answer(self, receiver: str, key: str, now: datetime) -> Accepted:
        """Answer an attempt. Raises DeliveryError."""
        behaviour = self._behaviour(receiver, now)
        answer = Answer(status=202 if behaviour is None or behaviour.answer == "hang" else behaviour.answer)
        self._note(receiver, key, now, "accepted" if answer.accepted else str(answer.status))
        if not answer.accepted:
            raise _refusal(answer, behaviour, receiver, now)
        return Accepted(str(answer.status))

    def no_answer(self, receiver: str, key: str, now: datetime) -> DeliveryError:
        """End an attempt that got no answer: nobody knows whether the message arrived."""
        self._note(receiver, key, now, "no answer")
        return DeliveryError(
            DeliveryFailureReason.TIMEOUT, f"{receiver} did not answer in time", retriable=True, ambiguous=True
        )

    def _note(self, receiver: str, key: str, now: datetime, outcome: str) -> None:
        self.attempts.append(Attempt(at=now, receiver=receiver, outcome=outcome, notification=self._messages[key]))

    def _behaviour(self, receiver: str, now: datetime) -> Behaviour | None:
        """Give the first that speaks of this receiver and moment: outages stand before single answers."""
        moment = now - self._start
        return next((one for one in self._behaviours if one.receiver == receiver and moment in one.span), None)


def _refusal(answer: Answer, behaviour: Behaviour | None, receiver: str, now: datetime) -> DeliveryError:
    error = refusal(answer, receiver, now=now)
    if error.retriable and behaviour is not None:
        error.retry_after = behaviour.retry_after
    return error


class RehearsedChannel:
    """An integration that renders nothing and sends to `receivers`."""

    def __init__(self, integration: Integration, receivers: Receivers) -> None:
        self.integration = integration
        self._receivers = receivers

    def render(self, notification: Notification) -> Rendered:
        """Give a message that says nothing but which one it is; what it would say is looked up in the notification."""
        self._receivers.expect(notification)
        return Rendered(body=notification.key.encode(), content_type="text/plain")

    async def send(
        self,
        rendered: Rendered,  # noqa: ARG002 - the notification says it all
        *,
        key: str,
        attempt: int,  # noqa: ARG002 - receivers do not care
        now: datetime,
        recipients: tuple[str, ...] = (),  # noqa: ARG002 - there is one
    ) -> Accepted:
        """Make one attempt. Raises DeliveryError."""
        return self._receivers.answer(self.integration.receiver, key, now)

    async def check(self) -> Accepted:
        """Say that it is there."""
        return Accepted()

    async def close(self) -> None:
        """Do nothing: nothing is open."""
