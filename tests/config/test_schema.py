"""The JSON Schema says the same as the loader, as far as a schema can."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from alertd.config.schema import config_schema, declared_keys

_HERE = Path(__file__).parent
# Defects of shape, which a schema can know; the others are about references, files and the environment.
_OF_SHAPE = (
    "not-a-mapping", "unknown-section", "unknown-key-in-section", "section-is-text", "no-receivers", "no-route", "receivers-empty",
    "interval-is-no-duration", "concurrency-too-high", "first-sight-unknown", "two-credentials", "credential-misspelt", "unknown-cloud",
    "graph-url-is-no-url", "tenant-without-name", "later-sections", "escalation-wrong", "store-is-a-path", "override-severity-unknown",
    "override-without-alert", "webhook-is-no-list", "inhibit-rule-without-target", "inhibit-rule-unknown-word",
    "mail-port-out-of-range", "mail-without-recipient", "name-in-tenant-defaults", "route-without-receiver", "size-without-unit",
    "route-matchers-at-the-root", "routes-are-a-mapping", "time-intervals-wrong",
)  # fmt: skip


def _load(path: Path) -> Any:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def test_it_is_a_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(config_schema())


@pytest.mark.parametrize(
    "path", [_HERE / "good" / "least.yaml", _HERE / "good" / "whole" / "alertd.yaml"], ids=["least", "whole"]
)
def test_good_configurations_fit(path: Path) -> None:
    jsonschema.Draft202012Validator(config_schema()).validate(_load(path))


@pytest.mark.parametrize("name", _OF_SHAPE)
def test_defects_of_shape_do_not_fit(name: str) -> None:
    content = _load(_HERE / "bad" / f"{name}.yaml")

    assert not jsonschema.Draft202012Validator(config_schema()).is_valid(content)


def test_every_key_says_what_it_means() -> None:
    described = [declared.path for declared in declared_keys() if not declared.doc.endswith(".")]

    assert described == []


def test_the_keys_are_those_of_the_contract() -> None:
    """A key that disappears from here is a break for every operator."""
    top = [declared.path for declared in declared_keys() if "." not in declared.path]

    assert top == [
        "store", "engine", "poll", "history", "tenant_defaults", "tenants_files", "tenants", "rules", "overrides", "templates",
        "receivers", "route", "inhibit_rules", "common_causes", "time_intervals", "delivery", "digest", "silence_warning", "web", "external_url",
        "timezone", "http", "log", "heartbeat",
    ]  # fmt: skip
