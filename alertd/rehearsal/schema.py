"""Files of tests as JSON Schema, for editors: keys, shapes and the words of timelines."""

from __future__ import annotations

import typing
from datetime import datetime, timedelta
from types import UnionType
from typing import Any

import attrs

from alertd.errors import PollErrorKind
from alertd.model.alert import SEVERITIES, Ended
from alertd.model.notification import Reason
from alertd.model.resources import NamedValues, SynchronizationSchedule, SynchronizationStatus
from alertd.rules.schema import DIALECT, DURATION, SCALAR, Schema, described, mapping

_TEXT: Schema = {"type": "string", "minLength": 1}
_INSTANT: Schema = {"type": "string", "description": "An instant, or a distance from the step such as -25d."}
_TIMES = r"(\s+x[0-9]+)?"
_ERROR = rf"error(\(({'|'.join(PollErrorKind)})\))?"
_JOB_STEP = rf"^([A-Z]\w*(\([^()]+\))?|absent|same|succeeded|failed\([^()]+\)|entry_errors\([0-9]+\)|{_ERROR}){_TIMES}$"
_MOMENT = DURATION["pattern"].removesuffix("$")
_MOMENTS: Schema = {"type": "string", "pattern": rf"{_MOMENT}(\.\.(\d+[wdhms])+)?$"}


def rehearsal_schema() -> Schema:
    """Give the schema of a file of tests, draft 2020-12."""
    keys = {
        "rule_files": described(
            "Files of rules, relative to this one; `builtin`: the shipped ones. The rules of the tests are these alone.",
            {"type": "array", "items": _TEXT, "minItems": 1},
        ),
        "config": described("A configuration for routes, receivers and inhibition, relative to this file.", _TEXT),
        "tests": described("The tests.", {"type": "array", "items": _test(), "minItems": 1}),
    }
    return {"$schema": DIALECT, "title": "alertd tests of rules", **mapping(keys, ["rule_files", "tests"])}


def _test() -> Schema:
    return mapping(
        {
            "name": described("What should be so.", SCALAR),
            "interval": described("One step; 5m by default.", DURATION),
            "start": described("The first step's instant.", {"type": "string"}),
            "only": described("Names of rules; the others of the files are left out.", _list(_TEXT)),
            "jobs": described("Jobs and what each answers, step by step.", _list(_job())),
            "tenants": described("Whole rounds of tenants; an error replaces its jobs' steps.", _list(_tenant())),
            "silences": described("Silences that somebody has made.", _list(_silence())),
            "receivers_down": described("Every attempt within answers 503.", _list(_span({"receiver": _TEXT}))),
            "answers": described("What a receiver answers within a span.", _list(_answer())),
            "restarts": described("When the process dies and comes back.", _list(DURATION)),
            "until": described("How long the test runs on.", DURATION),
            "expect_alerts": described("Alerts at a moment; a missing state is not checked.", _list(_alerts())),
            "expect_notifications": described("All notifications, in order.", _list(_notification())),
        },
        ["name"],
    )


def _list(items: Schema) -> Schema:
    return {"type": "array", "items": items}


def _job() -> Schema:
    step: Schema = {"anyOf": [{"type": "string", "pattern": _JOB_STEP}, _overlay()]}
    return mapping({"job": _job_name(), "timeline": {**_list(step), "minItems": 1}}, ["job", "timeline"])


def _job_name() -> Schema:
    parts = ("tenant", "servicePrincipal", "servicePrincipalId", "id")
    whole: Schema = {"type": "string", "pattern": "^[^/]+/.+/[^/]+$"}
    return described(
        "tenant/displayName/job id, split at the first and the last slash; or its parts.",
        {"anyOf": [whole, mapping(dict.fromkeys(parts, _TEXT), ["tenant", "servicePrincipal", "id"])]},
    )


def _overlay() -> Schema:
    """Properties laid over the step before, by Graph's names; null deletes."""
    status = _properties(SynchronizationStatus)
    schedule = _of(SynchronizationSchedule)
    settings = _of(NamedValues)
    job = mapping(
        {"templateId": _of(str), "schedule": schedule, "synchronizationJobSettings": settings, "settings": settings}
    )
    return mapping({**status, "schedule": schedule, "job": job})


def _properties(resource: type[attrs.AttrsInstance]) -> dict[str, Schema]:
    hints = typing.get_type_hints(resource)
    return {field.name: _of(hints[field.name]) for field in attrs.fields(resource)}


def _of(hint: Any) -> Schema:  # noqa: ANN401 - a type expression
    kind = next((one for one in typing.get_args(hint) if one is not type(None)), hint) if _is_union(hint) else hint
    return {"anyOf": [_kind(kind), {"type": "null"}]}


def _is_union(hint: Any) -> bool:  # noqa: ANN401 - a type expression
    return isinstance(hint, UnionType) or typing.get_origin(hint) is typing.Union


def _kind(kind: Any) -> Schema:  # noqa: ANN401 - a type expression
    if typing.get_origin(kind) is tuple:
        return _list(_kind(typing.get_args(kind)[0]))
    if isinstance(kind, type) and issubclass(kind, NamedValues):
        return {
            "anyOf": [{"type": "object", "additionalProperties": SCALAR}, _list({"type": "object"})]
        }  # or as Graph writes it
    if attrs.has(kind):
        return mapping(_properties(kind))
    scalars = {bool: {"type": "boolean"}, int: {"type": "integer"}, datetime: _INSTANT, timedelta: {"type": "string"}}
    return scalars.get(kind, SCALAR)


def _tenant() -> Schema:
    step: Schema = {"type": "string", "pattern": rf"^(ok|{_ERROR}){_TIMES}$"}
    return mapping({"tenant": _TEXT, "timeline": {**_list(step), "minItems": 1}}, ["tenant", "timeline"])


def _silence() -> Schema:
    keys = {"matchers": {**_list(_TEXT), "minItems": 1}, "starts": DURATION, "ends": DURATION}
    return mapping(keys, ["matchers", "starts", "ends"])


def _span(more: dict[str, Schema]) -> Schema:
    return mapping({**more, "from": DURATION, "to": DURATION}, ["receiver", "from", "to"])


def _answer() -> Schema:
    status: Schema = {"type": "integer", "minimum": 100, "maximum": 599}
    spoken = _span({"receiver": _TEXT, "status": status, "retry_after": DURATION, "hang": {"type": "boolean"}})
    return spoken | {"oneOf": [{"required": ["status"]}, {"required": ["hang"]}]}


def _alerts() -> Schema:
    states = dict.fromkeys(("firing", "pending", "baseline"), _list(_entry()))
    return mapping({"at": DURATION, **states}, ["at"])


def _notification() -> Schema:
    reason = {"enum": [reason.value for reason in Reason]}
    lists = {"firing": _list(_entry()), "resolved": _list(_entry(ended=True)), "events": _list(_entry())}
    return mapping({"at": _MOMENTS, "receiver": _TEXT, "reason": reason, **lists}, ["at"])


def _entry(*, ended: bool = False) -> Schema:
    keys: dict[str, Schema] = {
        "alert": _TEXT,
        "job": _job_name(),
        "labels": {"type": "object", "additionalProperties": SCALAR},
        "severity": {"enum": list(SEVERITIES)},
        "contains": described("A text within one of its annotations.", SCALAR),
    }
    keys |= {"ended": {"enum": [how.value for how in Ended]}} if ended else {}
    return {"anyOf": [_TEXT, mapping(keys)]}
