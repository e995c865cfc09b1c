"""Two sequences of messages side by side, for whoever has to find out why they differ."""

from __future__ import annotations

from tests.differential.case import Case, Messages


def beside(one: str, told: Messages, other: str, expected: Messages, case: Case) -> str:
    """Show what both tell, what only one of them tells, and the case."""
    lines = [f"case {case.name}: `{one}` and `{other}` differ"]
    for message in sorted({*told, *expected}):
        who = "both" if message in told and message in expected else one if message in told else other
        lines.append(f"  {who:>20}  {message}")
    return "\n".join([*lines, *_described(case)])


def _described(case: Case) -> list[str]:
    return [
        f"  minute begins at beat {case.boundary}",
        *(f"  alert {dict(alert.labels)}: {_spans(alert.spans)}" for alert in case.alerts),
        *(f"  {receiver}" for receiver in case.receivers),
        *(f"  {rule}" for rule in case.inhibit_rules),
        *(f"  {silence}" for silence in case.silences),
        *(f"  {route}" for route in case.root.every()),
    ]


def _spans(spans: object) -> str:
    return ", ".join(str(span) for span in spans) if isinstance(spans, tuple) else ""
