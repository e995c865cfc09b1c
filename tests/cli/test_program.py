"""The program around the commands: help, exit codes, errors in plain words."""

from __future__ import annotations

import importlib
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import click
import pytest

from alertd import __version__
from alertd.cli import program
from alertd.cli.failure import tell_failure
from alertd.cli.registry import COMMANDS, Entry
from alertd.errors import AlertdError, ConfigError, Problem, StoreError, UsageError


def _alertd(*arguments: str, folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run alertd as a process of its own, as a shell would."""
    root = Path(__file__).resolve().parents[2]
    inherited = {name: os.environ[name] for name in ("PATH", "SYSTEMROOT", "TEMP") if name in os.environ}
    return subprocess.run(
        [sys.executable, "-m", "alertd", *arguments],
        cwd=folder,
        env={**inherited, "PYTHONPATH": str(root), **environment},
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )


def test_help_lists_every_command(tmp_path: Path) -> None:
    done = _alertd("--help", folder=tmp_path)

    assert done.returncode == 0
    assert done.stderr == ""
    for entry in COMMANDS:
        assert re.search(rf"^  {entry.name} +{re.escape(entry.summary)}", done.stdout, re.MULTILINE)


def test_help_loads_nothing_heavy(tmp_path: Path) -> None:
    """`alertd --help` has 0.15 s: what takes longer to import must wait until a command needs it."""
    code = (
        "import sys; from alertd.cli.program import run; run(['--help']);"
        "print([name for name in ('attrs', 'asyncio', 'httpx', 'yaml', 'jinja2', 'sqlalchemy', 'structlog', 'rich') if name in sys.modules])"
    )
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=root, capture_output=True, encoding="utf-8", timeout=60, check=True
    )

    assert done.stdout.splitlines()[-1] == "[]"


def test_the_exit_code_of_bad_configuration_reaches_the_shell(tmp_path: Path) -> None:
    (tmp_path / "alertd.yaml").write_text("recievers: []\n", encoding="utf-8")

    done = _alertd("routes", "test", folder=tmp_path)

    assert done.returncode == 2
    assert done.stdout == ""
    assert "alertd.yaml:1:1: recievers: unknown key `recievers`; did you mean `receivers`?" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_configuration_is_found_by_the_environment(tmp_path: Path) -> None:
    done = _alertd("routes", "test", folder=tmp_path, ALERTD_CONFIG="elsewhere.yaml")

    assert done.returncode == 2
    assert "elsewhere.yaml: no such file; `alertd init` writes one" in done.stderr


def test_output_is_utf8_whatever_the_locale(tmp_path: Path) -> None:
    (tmp_path / "alertd.yaml").write_text(
        "receivers: [{name: Bereitschaft ☎, webhook: [{url: 'http://127.0.0.1:1/h'}]}]\nroute: {receiver: Bereitschaft ☎}\n",
        encoding="utf-8",
    )

    done = _alertd("routes", "test", folder=tmp_path, PYTHONIOENCODING="ascii", LC_ALL="C", PYTHONUTF8="0")

    assert done.stdout.startswith("Bereitschaft ☎\t")


def test_a_reader_that_leaves_early_hears_no_complaint_and_nobody_takes_it_for_success() -> None:
    """A build that shows the first lines of failing tests has to fail."""
    root = Path(__file__).resolve().parents[2]
    process = subprocess.Popen(
        [sys.executable, "-m", "alertd", "--help"],
        cwd=root,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    )
    assert process.stdout is not None
    process.stdout.close()

    assert process.stderr is not None
    with process.stderr:
        assert process.stderr.read() == ""
    assert process.wait(timeout=60) == 1


@pytest.mark.parametrize("entry", COMMANDS, ids=lambda entry: entry.name)
def test_every_command_explains_itself(entry: Entry) -> None:
    """Help shows an example and the environment variables."""
    module, _, attribute = entry.target.partition(":")
    command = getattr(importlib.import_module(f"alertd.cli.{module}"), attribute)
    each = list(command.commands.values()) if isinstance(command, click.Group) else [command]

    for item in each:
        text = item.get_help(click.Context(item, info_name=f"alertd {entry.name}"))
        assert item.help, f"{entry.name}: no help"
        assert "Example" in text, f"{entry.name}: no example"
        assert "--debug" in text


def test_version(alertd: Any) -> None:
    assert alertd("--version").out == f"alertd {__version__}\n"
    assert alertd("version").out.startswith(f"alertd {__version__} (Python ")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        pytest.param(["chek"], "no command `chek`; did you mean `check`?", id="a misspelt command"),
        pytest.param(["check", "--jsn"], "--json", id="a misspelt option"),
        pytest.param(["routes"], "Usage: alertd routes", id="a group without a command"),
        pytest.param(["routes", "test", "severity"], "`severity` is no label: write NAME=VALUE", id="no label"),
    ],
)
def test_wrong_use_is_2(alertd: Any, arguments: list[str], words: str) -> None:
    Path("alertd.yaml").write_text(
        "receivers: [{name: a, webhook: [{url: 'http://127.0.0.1:1/h'}]}]\nroute: {receiver: a}\n", encoding="utf-8"
    )

    outcome = alertd(*arguments)

    assert outcome.code == 2
    assert words in outcome.out + outcome.err


@pytest.mark.parametrize(
    ("error", "code", "lines"),
    [
        pytest.param(UsageError("not like this"), 2, ["error: not like this"], id="wrong use"),
        pytest.param(AlertdError("it failed"), 1, ["error: it failed"], id="a failure"),
        pytest.param(
            ConfigError([Problem(file="a.yaml", line=1, column=2, found="x"), Problem(found="y")]),
            2,
            ["a.yaml:1:2: x", "y", "2 errors"],
            id="problems",
        ),
        pytest.param(
            ValueError("https://hooks.example.com/hunter2"),
            1,
            [
                "error: ValueError: https://hooks.example.com/<redacted>",
                "this is a fault in alertd; the same command with --debug shows where",
            ],
            id="a fault of ours, without its secret",
        ),
    ],
)
def test_errors_are_plain_lines(
    error: Exception, code: int, lines: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert tell_failure(error, debug=False) == code

    assert capsys.readouterr().err.splitlines() == lines


def test_the_chain_of_causes_is_told_and_the_traceback_waits_for_debug(capsys: pytest.CaptureFixture[str]) -> None:
    error = StoreError("the store cannot be opened")
    error.__cause__ = OSError(13, "Permission denied")

    tell_failure(error, debug=False)
    plain = capsys.readouterr().err
    tell_failure(error, debug=True)
    deep = capsys.readouterr().err

    assert plain.splitlines() == [
        "error: the store cannot be opened",
        "  because: PermissionError: [Errno 13] Permission denied",
    ]
    assert "alertd.errors.StoreError" in deep


def test_an_interruption_is_told_without_a_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(program.program, "invoke", interrupted)

    assert program.run(["version"]) == 130
    assert capsys.readouterr().err == "interrupted\n"
