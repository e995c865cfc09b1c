"""What the demo tells at the terminal: where to look, what happens, what arrives, and in the end what was expected and found.

Everything goes to stderr. Without a terminal there are no colours, and one line for each thing.
"""

from __future__ import annotations

from datetime import datetime

from rich.console import Console
from rich.table import Table
from rich.text import Text

from alertd.demo.expectations import Expectations
from alertd.demo.stage import Stage
from alertd.render.hostile import plain
from alertd.simulator.inbox import Arrival, Medium

_NAMES = {Medium.TEAMS: "Teams", Medium.EMAIL: "e-mail", Medium.WEBHOOK: "webhook"}
_STYLES = {Medium.TEAMS: "magenta", Medium.EMAIL: "cyan", Medium.WEBHOOK: "blue"}
_SIGNS = {"running": "begins", "done": "told"}


class Programme:
    """Tells a person what goes on. stays: the demo goes on when the story is over."""

    def __init__(self, console: Console | None = None, *, stays: bool = True) -> None:
        self._stays = stays
        self._console = console or Console(stderr=True, soft_wrap=True, highlight=False)
        self._told: dict[str, str] = {}
        self._over = False

    def open(self, stage: Stage) -> None:
        """Say where to look."""
        say = self._console.print
        say(Text("alertd demo", style="bold"), "everything is on this machine, and nothing leaves it", sep="   ")
        say(f"  inbox    {stage.page.origin}/   what reaches Teams, mail and webhook")
        say(f"  status   {stage.web.origin}/   alertd's own page")
        say("  Ctrl-C ends it\n")

    def arrived(self, stage: Stage, arrival: Arrival) -> None:
        """Say what has come."""
        line = self._line(stage, arrival.at)
        line.append(f"{_NAMES[arrival.medium]:<8}", style=_STYLES[arrival.medium])
        if arrival.accepted:
            line.append(f"{arrival.message.reason:<19}", style="dim")
            line.append(plain(arrival.message.title, 120))
        else:
            line.append(f"{f'answered {arrival.answer}':<19}", style="yellow")
            line.append(plain(arrival.message.title, 90), style="dim")
        for fault in arrival.message.faults:
            line.append(f"  {plain(fault, 200)}", style="bold red")
        self._console.print(line)

    def turn(self, stage: Stage, now: datetime) -> None:
        """Say which part of the story has begun or was told to its end since the last look."""
        story = stage.story()
        for chapter in story:
            if self._told.get(chapter.title, "waiting") != chapter.state:
                self._told[chapter.title] = chapter.state
                line = self._line(stage, now)
                line.append(f"{'story':<8}{_SIGNS.get(chapter.state, ''):<19}", style="bold green")
                line.append(chapter.title, style="bold")
                self._console.print(line)
        if self._stays and not self._over and all(chapter.state == "done" for chapter in story):
            self._over = True
            self._console.print("\nThat was the whole story. The pages stay until Ctrl-C.", style="dim")

    def close(self, expectations: Expectations, began_at: datetime) -> None:
        """Say what was expected and what was found."""
        self._console.print(result_table(expectations, began_at))

    def _line(self, stage: Stage, at: datetime) -> Text:
        return Text(f"{(at - stage.began_at).total_seconds():7.1f}s  ", style="dim")


def result_table(expectations: Expectations, began_at: datetime) -> Table:
    """Give a row for each thing expected and a column for each channel."""
    table = Table(title="expected, and when it arrived", title_justify="left", box=None, pad_edge=False)
    for heading in ("alert", "tenant", "expected", *_NAMES.values()):
        table.add_column(heading)
    for one in expectations.expected:
        found = (expectations.found_at(one, medium) for medium in _NAMES)
        cells = [
            f"{(at - began_at).total_seconds():.1f}s" if at is not None else Text("missing", style="bold red")
            for at in found
        ]
        table.add_row(one.alert, one.tenant, one.how, *cells)
    return table
