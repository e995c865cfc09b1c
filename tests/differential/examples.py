"""The smallest case of each difference, with what both tell in it. They stand in docs/alertmanager-differences.md, too."""

from __future__ import annotations

from collections.abc import Mapping

import attrs

from tests.differential.case import Alert, Case, Message, Receiver, Route, Silence, Span
from tests.differential.difference import Difference

Told = Mapping[int, str]  # by second: which alerts fire and which have ended


@attrs.frozen
class Example:
    """One difference at work. theirs, ours: what Alertmanager and alertd tell."""

    difference: Difference
    case: Case
    theirs: Told
    ours: Told

    @property
    def table(self) -> str:
        """Write it for the page."""
        rows = [
            f"| {beat}s | {self.theirs.get(beat, '')} | {self.ours.get(beat, '')} |"
            for beat in sorted({*self.theirs, *self.ours})
        ]
        return "\n".join(["| at | Alertmanager tells | alertd tells |", "|---|---|---|", *rows])


def told(messages: tuple[Message, ...]) -> Told:
    """Say what was told, as the examples say it."""
    lines: dict[int, list[str]] = {}
    for message in messages:
        firing = ", ".join(name for name, _ in message.firing)
        ended = ", ".join(name for name, *_ in message.resolved)
        parts = [f"firing {firing}" if firing else "", f"resolved {ended}" if ended else ""]
        lines.setdefault(message.beat, []).append("; ".join(part for part in parts if part))
    return {beat: " / ".join(said) for beat, said in sorted(lines.items())}


def _alert(case: str, name: str, *spans: Span) -> Alert:
    return Alert({"case": case, "alertname": name, "severity": "critical", "instance": name}, spans)


_USUAL = Route(receiver="r0", group_by=(), group_wait=1, group_interval=2, repeat_interval=3_600)


def _example(
    difference: Difference,
    fires: Mapping[str, tuple[Span, ...]],
    theirs: Told,
    ours: Told,
    *,
    root: Route = _USUAL,
    silences: tuple[Silence, ...] = (),
    send_resolved: bool = True,
    down: int = 0,
    slow: bool = False,
) -> Example:
    name = difference.name.lower()
    case = Case(
        name=name,
        alerts=tuple(_alert(name, alert, *spans) for alert, spans in fires.items()),
        receivers=(Receiver("r0", (send_resolved,)),),
        root=root,
        silences=silences,
        down=down,
        slow=slow,
    )
    return Example(difference, case, theirs, ours)


_BELOW = Route(matchers=('severity="critical"',), group_by=())

EXAMPLES = (
    _example(
        Difference.ENDS_WHILE_HELD,
        {"A": (Span(0, 10), Span(20, 30))},
        silences=(Silence(('alertname="A"',), 4, 14),),
        theirs={1: "firing A", 31: "resolved A"},
        ours={1: "firing A", 11: "resolved A", 21: "firing A", 31: "resolved A"},
    ),
    _example(
        Difference.ENDS_OF_WHAT_WAS_TOLD,
        {"A": (Span(0, 14),), "B": (Span(2, 4),)},
        root=attrs.evolve(_USUAL, group_interval=6),
        theirs={1: "firing A", 7: "firing A; resolved B", 19: "resolved A"},
        ours={1: "firing A", 19: "resolved A"},
    ),
    _example(
        Difference.EVERY_ALERT_REMEMBERED,
        {"A": (Span(0, 12),), "B": (Span(0, 4),)},
        silences=(Silence(('alertname="A"',), 2, 12),),
        theirs={1: "firing A, B", 5: "resolved B"},
        ours={1: "firing A, B", 5: "resolved B", 13: "resolved A"},
    ),
    _example(
        Difference.ENDS_WITHOUT_A_WORD,
        {"A": (Span(0, 2), Span(6, 20)), "B": (Span(0, 20),)},
        send_resolved=False,
        theirs={1: "firing A, B"},
        ours={1: "firing A, B", 7: "firing A, B"},
    ),
    _example(
        Difference.LATE,
        {"A": (Span(0, 6),)},
        down=16,
        theirs={},
        ours={21: "resolved A"},
    ),
    _example(
        Difference.REPEAT_AT_THE_TICK,
        {"A": (Span(0, 18),)},
        root=attrs.evolve(_USUAL, repeat_interval=4),
        slow=True,
        theirs={1: "firing A", 7: "firing A", 13: "firing A", 19: "resolved A"},
        ours={1: "firing A", 5: "firing A", 9: "firing A", 13: "firing A", 17: "firing A", 19: "resolved A"},
    ),
    _example(
        Difference.GROUPS_END,
        {"A": (Span(0, 6), Span(10, 20))},
        root=attrs.evolve(_USUAL, group_wait=5),
        theirs={5: "firing A", 7: "resolved A", 11: "firing A", 21: "resolved A"},
        ours={5: "firing A", 7: "resolved A", 15: "firing A", 21: "resolved A"},
    ),
    _example(
        Difference.WAIT_FROM_FIRING,
        {"A": (Span(-10, 9, known_at=4),)},
        root=attrs.evolve(_USUAL, group_wait=3),
        theirs={4: "firing A", 10: "resolved A"},
        ours={7: "firing A", 9: "resolved A"},
    ),
    _example(
        Difference.GROUP_BY_NOTHING,
        {"A": (Span(0, 10),), "B": (Span(0, 10),)},
        root=attrs.evolve(_USUAL, group_by=("alertname",), routes=(_BELOW,)),
        theirs={1: "firing A / firing B", 11: "resolved A / resolved B"},
        ours={1: "firing A, B", 11: "resolved A, B"},
    ),
)  # fmt: skip
