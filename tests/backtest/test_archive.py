"""History goes from one machine to another and stays what it was; an archive that is none is refused as a whole."""

from __future__ import annotations

import asyncio
import gzip
import json
from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alertd.backtest.archive import line_of, read_line
from alertd.cli.program import run
from alertd.diff import diff
from alertd.errors import PollErrorKind
from alertd.model.facts import step
from alertd.model.reading import Failed, Ok, Reading
from alertd.model.resources import SynchronizationJob, SynchronizationSchedule, SynchronizationStatus
from alertd.store.opening import open_store
from alertd.store.port import Reader
from alertd.store.values import HistoryEntry, JobRecord

from ..core import strategies
from .living import START, STEP, WATCHED, Live, setting_of

_RULES = """\
groups: [{name: own, rules: [{alert: Quarantined, when: status.code == "Quarantine", annotations: {summary: "!"}}]}]
"""
_CONFIG = """\
store: sqlite:///{store}
receivers: [{{name: oncall, webhook: [{{url: 'http://127.0.0.1:1/h'}}]}}]
route: {{receiver: oncall}}
rules: [own.yaml]
"""


@given(before=strategies.jobs, after=strategies.jobs)
def test_a_snapshot_is_read_back_as_it_was_written(before: SynchronizationJob, after: SynchronizationJob) -> None:
    """Dates, durations, progress and odd settings among what changed, and facts with their instants."""
    facts = step(step(None, None, before, START), before, after, START + STEP)
    entry = HistoryEntry(
        tenant_key=WATCHED.key,
        service_principal_id="salesforce",
        job_id="SF.1",
        sequence=2,
        at=START + STEP,
        changes=diff(before, after),
        facts=facts,
    )

    assert read_line(line_of(entry)) == entry


@given(job=strategies.jobs, sequence=st.integers(1, 100))
def test_jobs_are_written_as_graph_writes_them(job: SynchronizationJob, sequence: int) -> None:
    facts = step(None, None, job, START)
    record = JobRecord(
        tenant_key=WATCHED.key, service_principal_id="salesforce", job=job, facts=facts, sequence=sequence,
        first_seen_at=START, changed_at=START,
    )  # fmt: skip

    read = read_line(line_of(record))

    assert isinstance(read, JobRecord)
    assert diff(read.job, job) == ()
    assert (read.facts, read.sequence, read.key) == (facts, sequence, record.key)


def _rounds() -> list[Mapping[str, Reading]]:
    def job(code: str, minutes: int) -> SynchronizationJob:
        schedule = SynchronizationSchedule(interval=timedelta(minutes=minutes), state="Active")
        return SynchronizationJob(id="SF.1", schedule=schedule, status=SynchronizationStatus(code=code))

    steps = [job("Active", 40), job("Quarantine", 40), job("Quarantine", 20), job("Active", 20)]
    failed = {"salesforce": Failed(kind=PollErrorKind.SERVER)}
    return [
        failed,
        *({"salesforce": Ok(jobs=(one,))} for one in steps),
        failed,
        {"salesforce": Ok()},
        {"salesforce": Ok()},
    ]


Call = Callable[..., tuple[int, str, str]]


@pytest.fixture
def call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Call:
    """Give a way to call the program in a folder with a past in one store, and another store that has none."""
    monkeypatch.chdir(tmp_path)
    Path("own.yaml").write_text(_RULES, encoding="utf-8")
    Path("here.yaml").write_text(_CONFIG.format(store="here.db"), encoding="utf-8")
    Path("laptop.yaml").write_text(_CONFIG.format(store="laptop.db"), encoding="utf-8")

    async def live() -> None:
        store = await open_store("sqlite:///here.db", tmp_path)
        await Live(store, setting_of(_RULES), ["salesforce"]).run(_rounds())
        await store.close()

    asyncio.run(live())

    def called(*arguments: str) -> tuple[int, str, str]:
        capsys.readouterr()
        code = run(arguments)
        return code, *capsys.readouterr()

    return called


async def _all(reader: Reader) -> dict[str, Any]:
    (tenant,) = await reader.tenants()
    return {
        "tenant": tenant,
        "principals": await reader.principals(tenant.key),
        "jobs": await reader.jobs(tenant.key),
        "rounds": await reader.rounds(tenant.key),
        "readings": await reader.reading_changes(tenant.key),
        "history": [entry async for entry in reader.history()],
    }


def _content(name: str) -> dict[str, Any]:
    async def read() -> dict[str, Any]:
        store = await open_store(f"sqlite:///{name}", Path.cwd())
        async with store.reading() as reader:
            found = await _all(reader)
        await store.close()
        return found

    return asyncio.run(read())


@pytest.mark.parametrize("name", ["past.jsonl", "past.jsonl.gz"])
def test_what_is_exported_here_is_there_after_the_import(call: Call, name: str) -> None:
    assert call("history", "export", "-c", "here.yaml", "-o", name)[0] == 0

    code, _, err = call("history", "import", name, "-c", "laptop.yaml")

    assert (code, err) == (0, "1 tenants, 0 jobs, 8 rounds, 5 snapshots imported\n")
    assert _content("laptop.db") == _content("here.db")


def test_rules_are_tried_on_what_was_imported(call: Call) -> None:
    call("history", "export", "-c", "here.yaml", "-o", "past.jsonl")
    call("history", "import", "past.jsonl", "-c", "laptop.yaml")

    tried = [
        json.loads(call("backtest", "--rules", "own.yaml", "--since", START.isoformat(), "--json", "-c", config)[1])
        for config in ("here.yaml", "laptop.yaml")
    ]

    assert tried[0]["notifications"] == tried[1]["notifications"]
    assert [one["reason"] for one in tried[1]["notifications"]["current"]] == ["first_notification", "all_resolved"]


def test_an_export_begins_where_it_is_told_to_and_can_be_replayed_from_there(call: Call) -> None:
    since = (START + 3 * STEP).isoformat()
    _, out, err = call("history", "export", "-c", "here.yaml", "--since", since)

    header, *lines = [json.loads(line) for line in out.splitlines()]
    snapshots = [line["snapshot"] for line in lines if "snapshot" in line]
    assert (header["alertd"], header["version"], header["since"]) == ("history", 1, "2026-01-05T09:15:00Z")
    assert err == f"{len(lines) + 1} lines written\n"
    assert [("full" in one, one.get("gone", False)) for one in snapshots] == [
        (True, False),
        (False, False),
        (False, True),
    ]
    assert [one["reading"]["outcome"] for one in lines if "reading" in one] == ["ok", "server", "ok"]


def test_a_tenant_is_not_imported_twice(call: Call) -> None:
    call("history", "export", "-c", "here.yaml", "-o", "past.jsonl")

    code, _, err = call("history", "import", "past.jsonl", "-c", "here.yaml")

    assert code == 2
    assert "already holds tenant contoso" in err


def _lines(path: str) -> list[bytes]:
    return Path(path).read_bytes().splitlines(keepends=True)


_HEADER = b'{"alertd":"history","version":1,"exported_at":"2026-01-05T09:00:00Z","since":null}\n'


@pytest.mark.parametrize(
    ("content", "said"),
    [
        pytest.param(b"", "an empty file", id="empty"),
        pytest.param(b"groups: []\n", "past.jsonl:1: no JSON", id="no JSON"),
        pytest.param(b'{"groups": []}\n', "past.jsonl:1: expected a header", id="no archive"),
        pytest.param(_HEADER.replace(b":1,", b":2,"), "version 2 of the format", id="of a later version"),
        pytest.param(_HEADER + b'{"tenant":{"key":"global/1","name":"t","epoch":"x"}}\n', "jsonl:2: Expected `int`", id="wrong type"),
        pytest.param(_HEADER + b'{"tenent":{}}\n', "`tenent`, expected one of tenant", id="unknown kind"),
        pytest.param(_HEADER + b'{"tenant":{"key":"g/1","name":"t","x":1}}\n', "unknown key `x` of `tenant`", id="unknown key"),
        pytest.param(_HEADER + b'{"snapshot":{"changes":[["status.code","a"]]}}\n', "a list of [path, before, after]", id="half a change"),
        pytest.param(_HEADER + b'{"tenant":{"key":"g/1"', "jsonl:2: no JSON", id="cut off"),
    ],
)  # fmt: skip
def test_an_archive_that_is_none_leaves_the_store_as_it_was(call: Call, content: bytes, said: str) -> None:
    Path("past.jsonl").write_bytes(content)

    code, out, err = call("history", "import", "past.jsonl", "-c", "laptop.yaml")

    assert (code, out) == (2, "")
    assert said in err


def test_a_damaged_line_at_the_end_takes_back_all_before_it(call: Call) -> None:
    call("history", "export", "-c", "here.yaml", "-o", "past.jsonl")
    Path("past.jsonl").write_bytes(b"".join(_lines("past.jsonl")) + b"{\n")

    assert call("history", "import", "past.jsonl", "-c", "laptop.yaml")[0] == 2
    assert "nothing has happened" in call("history", "--since", "2020-01-01", "-c", "laptop.yaml")[2]


def test_a_compressed_archive_that_is_cut_off_is_refused(call: Call) -> None:
    Path("past.jsonl.gz").write_bytes(gzip.compress(_HEADER * 100)[:-10])

    code, _, err = call("history", "import", "past.jsonl.gz", "-c", "laptop.yaml")

    assert code == 2
    assert "past.jsonl.gz" in err


def test_the_listing_needs_no_word(call: Call) -> None:
    short = call("history", "--since", START.isoformat(), "-c", "here.yaml")
    long = call("history", "list", "--since", START.isoformat(), "-c", "here.yaml")
    of_job = call("history", "contoso/Salesforce/SF.1", "--since", START.isoformat(), "-c", "here.yaml")

    assert short == long
    assert of_job[0] == 0
    assert "status.code: Active -> Quarantine" in of_job[1]


def test_a_write_by_a_daemon_is_not_disturbed(call: Call) -> None:
    from alertd.store.lock import StoreLock

    call("history", "export", "-c", "here.yaml", "-o", "past.jsonl")

    with StoreLock.hold(Path("laptop.db")):
        code, _, err = call("history", "import", "past.jsonl", "-c", "laptop.yaml")

    assert code == 1
    assert str(Path("laptop.db")) in err
