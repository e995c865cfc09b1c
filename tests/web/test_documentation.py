"""docs/http.md names every metric and every path."""

from __future__ import annotations

from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

from alertd.config.sections import Listen
from alertd.metrics import Figures, Metrics
from alertd.store.memory import MemoryStore
from alertd.web.api import Api

PAGE = (Path(__file__).parents[2] / "docs" / "http.md").read_text(encoding="utf-8")


def test_every_metric_is_documented() -> None:
    text = Metrics(process=False).exposition(Figures()).decode()

    missing = [family.name for family in text_string_to_metric_families(text) if f"`{family.name}" not in PAGE]

    assert missing == []


def test_every_path_is_documented() -> None:
    api = [route.path for route in Api(None, MemoryStore()).routes()]  # type: ignore[arg-type]
    paths = ["/metrics", "/-/healthy", "/-/ready", "/-/reload", *api]

    assert [path for path in paths if path not in PAGE] == []


def test_the_default_address_is_the_documented_one() -> None:
    from alertd.config.sections import Web

    assert Web().listen == Listen("127.0.0.1", 9095)
    assert str(Web().listen) in PAGE
