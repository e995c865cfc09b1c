"""The configuration as JSON Schema, for editors: made from the declarations that also read the file."""

from __future__ import annotations

from alertd.config.kinds import Declared, Schema
from alertd.config.root import Config
from alertd.config.route import ChildRoute
from alertd.config.shape import shape_of


def config_schema() -> Schema:
    """Give the schema, draft 2020-12. It knows keys, shapes and bounds; what refers to other sections only the loader knows."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "alertd configuration",
        **shape_of(Config).schema(),
        "$defs": {"route": shape_of(ChildRoute).schema()},
    }


def declared_keys() -> list[Declared]:
    """Give every key with its path, meaning and default."""
    return list(shape_of(Config).declared())
