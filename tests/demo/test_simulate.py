"""`alertd simulate`: the simulated tenants alone, and alertd pointed at them by what it prints."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from alertd.cli.program import run
from alertd.simulator.scenario import scenarios


def test_the_list_names_every_scenario(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["simulate", "--list"]) == 0

    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == list(scenarios())


def test_an_unknown_scenario_is_told_with_the_nearest(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["simulate", "graph-outages"]) == 2

    assert "graph-outage" in capsys.readouterr().err


@pytest.mark.skipif(sys.platform == "win32", reason="signals are sent otherwise there")
def test_what_it_prints_is_what_alertd_needs(tmp_path: Path) -> None:
    """The printed tenants, put into a configuration, are polled by a real `alertd poll`."""
    command = [sys.executable, "-u", "-m", "alertd", "simulate", "credential-expires"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8") as process:
        assert process.stdout is not None
        assert process.stderr is not None
        for line in process.stderr:
            if "Ctrl-C" in line:
                break
        printed = _until_blank(process.stdout)
        config = {**yaml.safe_load(printed), "receivers": [{"name": "nobody"}], "route": {"receiver": "nobody"}}
        (tmp_path / "alertd.yaml").write_text(yaml.safe_dump(config), encoding="utf-8")

        polled = subprocess.run(
            [sys.executable, "-m", "alertd", "poll", "--no-wait", "-c", str(tmp_path / "alertd.yaml")],
            capture_output=True,
            timeout=60,
            check=False,
            encoding="utf-8",
        )
        process.send_signal(signal.SIGTERM)

    assert polled.returncode == 0, polled.stderr
    assert process.returncode == 0


def _until_blank(stream: object) -> str:
    import os

    assert hasattr(stream, "fileno")
    return os.read(stream.fileno(), 65_536).decode()
