"""Files of rules as JSON Schema, for editors: keys, shapes and words. What an expression means only the loader knows."""

from __future__ import annotations

from typing import Any

from alertd.model.alert import SEVERITIES, Scope

Schema = dict[str, Any]

DIALECT = "https://json-schema.org/draft/2020-12/schema"
DURATION: Schema = {"type": "string", "pattern": r"^(?=.)(\d+w)?(\d+d)?(\d+h)?(\d+m)?(\d+s)?$"}
SCALAR: Schema = {"type": ["string", "number", "boolean"]}
_CONSTANT: Schema = {"anyOf": [SCALAR, {"type": "null"}, {"type": "array", "items": SCALAR}]}


def rules_schema() -> Schema:
    """Give the schema of a file of rules, draft 2020-12."""
    return {
        "$schema": DIALECT,
        "title": "alertd rules",
        **mapping({"groups": described("Groups of rules.", {"type": "array", "items": _group()})}, ["groups"]),
    }


def described(text: str, schema: Schema) -> Schema:
    """Give a schema with what it means."""
    return {**schema, "description": text}


def mapping(properties: dict[str, Schema], required: list[str] | None = None) -> Schema:
    """Give the schema of a mapping that has no other keys."""
    schema: Schema = {"type": "object", "properties": properties, "additionalProperties": False}
    return schema | ({"required": required} if required else {})


def _group() -> Schema:
    return mapping(
        {
            "name": described("What the group is called.", SCALAR),
            "scope": described(
                "What its rules are asked about.",
                {"enum": [scope.value for scope in Scope], "default": Scope.JOB.value},
            ),
            "rules": described("The rules, in order.", {"type": "array", "items": _rule()}),
        },
        ["rules"],
    )


def _rule() -> Schema:
    text: Schema = {"type": "string", "minLength": 1}
    condition: Schema = {"type": ["string", "boolean"]}
    texts: Schema = {"type": "object", "additionalProperties": SCALAR}
    own_labels: Schema = {**texts, "propertyNames": {"pattern": "^[A-Za-z_][A-Za-z0-9_]*$"}}
    return mapping(
        {
            "alert": described("The rule's name, unique among all rules.", text),
            "when": described("A state: the alert begins to fire when this holds.", condition),
            "clear_when": described("What resolves it; by default that `when` does not hold.", condition),
            "event": described("A moment: told once, never firing, never resolved.", condition),
            "for": described("How long `when` must hold before it fires.", DURATION),
            "keep_firing_for": described("How long it must be clear before it is resolved.", DURATION),
            "severity": described("How bad it is.", {"enum": list(SEVERITIES), "default": "warning"}),
            "labels": described("Labels of its alerts, beside those alertd sets.", own_labels),
            "params": described(
                "Constants for expressions and annotations, as `params.name`.",
                {"type": "object", "additionalProperties": _CONSTANT},
            ),
            "annotations": described(
                "Texts about the alert, each a Jinja template; `summary` is the first line that people read.",
                {**texts, "properties": {"summary": SCALAR, "description": SCALAR}},
            ),
            "template": described(
                "Which message block under templates/; without it `default`.",
                {"type": "string", "pattern": "^[a-z0-9][a-z0-9_-]*$"},
            ),
            "enabled": described("Whether it is asked at all.", {"type": "boolean", "default": True}),
        },
        ["alert"],
    ) | {"oneOf": [{"required": ["when"]}, {"required": ["event"], "not": {"anyOf": _OF_STATES}}]}


_OF_STATES: list[Schema] = [{"required": [key]} for key in ("clear_when", "for", "keep_firing_for")]
