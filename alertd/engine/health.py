"""alertd about itself: what the rules of scope `alertd` are asked with."""

from __future__ import annotations

from datetime import datetime

from alertd.engine.rounds import Rounds
from alertd.model.views import Alertd
from alertd.store.port import Store


async def judge_alertd(
    store: Store, rounds: Rounds, now: datetime, *, reload_failed: bool = False, store_trouble: bool = False
) -> None:
    """Ask the rules about alertd's own health; what they say never goes through an integration that fails."""
    async with store.reading() as reader:
        failing = await reader.failed_integrations()
    health = Alertd(
        failedDeliveries=sum(failing.values()),
        unhealthyRules=len(rounds.unhealthy_rules),
        reloadFailed=reload_failed,
        storeTrouble=store_trouble,
    )
    await rounds.judge_alertd(health, failing.keys(), now)
