"""The closed list of what alertd does otherwise than Alertmanager, each with the heading of docs/alertmanager-differences.md that says why."""

from __future__ import annotations

import enum


class Difference(enum.StrEnum):
    """What alertd does otherwise. A difference that is none of these is a bug."""

    ENDS_WHILE_HELD = "An end while silenced, inhibited or muted is told"
    ENDS_OF_WHAT_WAS_TOLD = "Nobody hears of the end of what they never heard of"
    EVERY_ALERT_REMEMBERED = "Whoever was told of an alert hears of its end, whatever was said in between"
    ENDS_WITHOUT_A_WORD = "Without send_resolved, an alert that fires again is told again"
    LATE = "What began and ended while a receiver was down is told late"
    REPEAT_AT_THE_TICK = "A repeat comes when it is due"
    GROUPS_END = "A group ends with its last alert"
    WAIT_FROM_FIRING = "group_wait counts from the moment an alert begins to fire"
    GROUP_BY_NOTHING = "An empty group_by makes one group"
