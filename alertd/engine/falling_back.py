"""Handing over to a fallback: what a message that was given up said is put into the conversations of whoever is told instead."""

from __future__ import annotations

from datetime import datetime

from alertd.notify.fallback import hand_over, handed, take_over
from alertd.notify.flush import begun
from alertd.notify.routing import Routing
from alertd.store.port import Transaction
from alertd.store.values import Conversation, Delivery


async def fall_back(
    transaction: Transaction, routing: Routing, talk: Conversation, delivery: Delivery, now: datetime
) -> bool:
    """Hand over what a delivery that was given up said; give whether somebody has something to tell now."""
    successors, over = routing.takes_over(talk), hand_over(talk, delivery)
    if not successors or not over:
        return False
    await transaction.save_conversation(handed(talk, over))
    key = talk.group_key
    known = {one.integration_id: one for one in await transaction.conversations_in(key)}
    alerts, joined = await transaction.alerts_in(key), False
    for one in successors:
        fresh = begun(key, talk.route_id, talk.group_labels, integration_id=one.id, receiver=one.receiver, now=now)
        taken = take_over(known.get(one.id), fresh, over, alerts)
        if taken is not None:
            await transaction.save_conversation(taken)
            joined = True
    return joined
