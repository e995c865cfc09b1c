"""The command: python -m bench."""

from __future__ import annotations

import json
import sys

import click

from bench.contest import ContestError
from bench.machine import describe, versions
from bench.progress import shown
from bench.registry import BENCHES, Bench, named
from bench.results import FILE, Taken, write
from bench.table import plain

_EPILOG = """\b
Examples:
  python -m bench poll_unchanged                  a table, with the default size
  python -m bench poll_unchanged --jobs 1000 --rounds 3 --json
  python -m bench growth --jobs 10000             from 1,000 to 10,000 jobs; a million takes a quarter of an hour
  python -m bench store --write                   anew, and into bench/RESULTS.md in place of its chapter
  python -m bench --list
  python -m bench --all                           every bench; writes bench/RESULTS.md
\b
Exit codes: 0 every budget met, 1 a budget not met or a contestant failed, 2 wrong use."""


@click.command(epilog=_EPILOG, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.argument("name", required=False)
@click.option("--jobs", type=click.IntRange(min=1), help="How many jobs; by default what --list says.")
@click.option("--rounds", type=click.IntRange(min=1), help="How many turns each contestant takes.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object instead of tables.")
@click.option("--list", "listed", is_flag=True, help="Name all benches with their sizes.")
@click.option(
    "--write", "written", is_flag=True, help="Put the result into bench/RESULTS.md in place of what is there."
)
@click.option("--all", "everything", is_flag=True, help="Run every bench and write bench/RESULTS.md.")
def main(
    name: str | None,
    jobs: int | None,
    rounds: int | None,
    *,
    as_json: bool,
    listed: bool,
    written: bool,
    everything: bool,
) -> None:
    """Measure what alertd costs, beside what else would do the same.

    Contestants take turns, each in a process of its own on one core, servers on another. Leave the machine alone meanwhile.
    """
    if listed:
        _list()
    elif everything:
        _exit(_run_all(jobs, rounds, as_json=as_json))
    else:
        _exit(_run(_chosen(name), jobs, rounds, as_json=as_json, written=written))


def _list() -> None:
    for bench in BENCHES:
        click.echo(f"{bench.name:<16}{bench.jobs:>9,} jobs {bench.rounds:>3} rounds  {bench.summary}")


def _chosen(name: str | None) -> Bench:
    bench = named(name or "")
    if bench is None:
        found = f"no bench `{name}`" if name else "no name was given"
        raise click.UsageError(f"{found}; expected one of {', '.join(one.name for one in BENCHES)}")
    return bench


def _run(bench: Bench, jobs: int | None, rounds: int | None, *, as_json: bool, written: bool) -> bool:
    machine = describe()
    try:
        with shown(bench.name) as progress:
            result = bench.run(jobs, rounds, progress)
    except ContestError as error:
        raise click.ClickException(str(error)) from error
    except ModuleNotFoundError as error:
        raise click.ClickException(f"{error}; install the extra: pip install -e '.[bench]'") from error
    taken = Taken(result=result, machine=machine, versions=versions(bench.packages))
    click.echo(json.dumps(result.plain(machine, taken.versions)) if as_json else f"{plain(result)}\n")
    if written:
        write(taken, [one.name for one in BENCHES])
        click.echo(f"wrote the chapter {bench.name} of {FILE}", err=True)
    return taken.result.kept


def _run_all(jobs: int | None, rounds: int | None, *, as_json: bool) -> bool:
    """Run one after the other; each chapter is written as soon as it is there, so that a run that is cut off keeps what it has."""
    kept = [_run(bench, jobs, rounds, as_json=as_json, written=True) for bench in BENCHES]  # all of them, met or not
    return all(kept)


def _exit(fine: bool) -> None:
    sys.exit(0 if fine else 1)


if __name__ == "__main__":
    main(prog_name="python -m bench")
