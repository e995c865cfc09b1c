"""`alertd routes test` says of an alert what `amtool config routes test` says of it, for route trees that are made up."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import attrs
import pytest

from tests.cli.conftest import Outcome
from tests.differential.case import Case, Receiver, Route
from tests.differential.documents import alertd_config, alertmanager_config
from tests.differential.making import make_case
from tests.real_alertmanager import amtool, needs_alertmanager

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)


def _tree(seed: int) -> Case:
    """Make up a tree in which every route has a receiver of its own, so that none can pass for another."""
    cases = (make_case(seed, number, 30) for number in itertools.count())
    case = next(case for case in cases if case.root.routes)
    names = (f"r{index}" for index in itertools.count())
    root = _named(case.root, names)
    return attrs.evolve(case, root=root, receivers=tuple(Receiver(one.receiver or "", (True,)) for one in root.every()))


def _named(route: Route, names: Iterator[str]) -> Route:
    return attrs.evolve(route, receiver=next(names), routes=tuple(_named(child, names) for child in route.routes))


@pytest.mark.alertmanager
@needs_alertmanager
@pytest.mark.parametrize("seed", range(25))
def test_alertd_and_amtool_say_the_same(seed: int, alertd: Callable[..., Outcome]) -> None:
    tree = _tree(seed)
    Path("alertd.yaml").write_text(alertd_config(tree, NOON), encoding="utf-8")
    Path("alertmanager.yml").write_text(alertmanager_config([tree], "http://127.0.0.1", NOON), encoding="utf-8")

    for alert in tree.alerts:
        labels = [f"{name}={value}" for name, value in alert.labels.items()]
        ours = json.loads(alertd("routes", "test", "--json", *labels).out)
        quoted = [f'{name}="{value}"' for name, value in alert.labels.items()]
        theirs = amtool("config", "routes", "test", "--config.file=alertmanager.yml", *quoted)
        assert [row["receiver"] for row in ours] == theirs.strip().split(",")
