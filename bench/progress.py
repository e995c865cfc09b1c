"""Progress of a long bench, on stderr."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

Progress = Callable[[str, int, int], None]  # what is being done, rounds done, rounds in all


@contextmanager
def shown(name: str) -> Iterator[Progress]:
    """Show one bar while the block runs, on a terminal; a line for each step elsewhere, as for a file that somebody watches."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bars

    columns = (
        TextColumn(name),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.description}"),
    )
    console = Console(stderr=True)
    with Bars(*columns, console=console, disable=not console.is_terminal) as bars:
        bar = bars.add_task("", total=None)
        told: list[tuple[str, int]] = [("", 0)]

        def report(what: str, done: int, total: int) -> None:
            bars.update(bar, description=what, completed=done, total=total)
            if not console.is_terminal and (step := (what, 100 * done // total)) != told[0]:
                told[0] = step
                console.print(f"{name}: {what} {done} of {total}", highlight=False)

        yield report
