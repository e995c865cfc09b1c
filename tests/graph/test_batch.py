"""The envelope of a batch: parts succeed and fail alone."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from alertd.errors import PollErrorKind
from alertd.graph.answers import GraphError
from alertd.graph.batch import decode_batch, encode_batch

NOW = datetime(2026, 1, 5, 9, tzinfo=UTC)
SHARED = Path(__file__).resolve().parents[2].parent / "shared" / "graph" / "examples"


def decode(*parts: Any, asked: tuple[str, ...] = ("1", "2", "3")) -> dict[str, Any]:
    outcomes = decode_batch(json.dumps({"responses": parts}).encode(), asked, now=NOW)
    return {
        name: error.kind if isinstance(error := outcome, GraphError) else json.loads(bytes(outcome))
        for name, outcome in outcomes.items()
    }


def test_the_request_is_relative_to_the_version_root() -> None:
    assert json.loads(encode_batch({"1": "/servicePrincipals/a/synchronization/jobs"})) == {
        "requests": [{"id": "1", "method": "GET", "url": "/servicePrincipals/a/synchronization/jobs"}]
    }


def test_parts_come_in_any_order() -> None:
    outcomes = decode(
        {"id": "2", "status": 200, "body": {"b": 2}}, {"id": "1", "status": 200, "body": {"a": 1}}, asked=("1", "2")
    )

    assert outcomes == {"1": {"a": 1}, "2": {"b": 2}}


def test_the_case_of_an_id_does_not_matter() -> None:
    assert decode({"id": "AB", "status": 200, "body": 1}, asked=("ab",)) == {"ab": 1}


def test_parts_fail_alone() -> None:
    outcomes = decode(
        {"id": "1", "status": 200, "body": {}},
        {"id": "2", "status": 404, "body": {"error": {"code": "Request_ResourceNotFound", "message": ""}}},
        {"id": "3", "status": 401, "body": {"error": {"code": "UnknownError", "message": ""}}},
    )

    assert outcomes == {"1": {}, "2": PollErrorKind.NOT_FOUND, "3": PollErrorKind.PERMISSION}


def test_headers_of_a_part_are_found_whatever_their_case() -> None:
    body = json.dumps(
        {"responses": [{"id": "1", "status": 429, "headers": {"RETRY-after": "2.5"}, "body": None}]}
    ).encode()

    outcome = decode_batch(body, ["1"], now=NOW)["1"]

    assert isinstance(outcome, GraphError)
    assert (outcome.kind, outcome.retry_after) == (PollErrorKind.THROTTLED, 2.5)


@pytest.mark.parametrize(
    "odd",
    [
        pytest.param({"id": "2", "status": "200", "body": {}}, id="a status that is text"),
        pytest.param({"id": "2"}, id="no status"),
        pytest.param(None, id="null"),
        pytest.param({"id": 2, "status": 200}, id="an id that is a number"),
        pytest.param("text", id="text"),
    ],
)
def test_a_part_of_a_wrong_shape_spoils_no_other(odd: Any) -> None:
    outcomes = decode({"id": "1", "status": 200, "body": {"a": 1}}, odd, {"id": "3", "status": 200, "body": {"c": 3}})

    assert outcomes == {"1": {"a": 1}, "2": PollErrorKind.MALFORMED, "3": {"c": 3}}


@pytest.mark.parametrize("headers", [None, [], "x", {"retry-after": 5}], ids=str)
def test_odd_headers_are_read_as_far_as_they_go(headers: Any) -> None:
    assert decode({"id": "1", "status": 429, "headers": headers}, asked=("1",)) == {"1": PollErrorKind.THROTTLED}


def test_a_part_without_a_body_has_null() -> None:
    assert decode({"id": "1", "status": 200}, asked=("1",)) == {"1": None}


def test_a_part_that_was_not_answered_is_malformed_not_missing() -> None:
    assert decode(asked=("1",)) == {"1": PollErrorKind.MALFORMED}


def test_parts_nobody_asked_for_are_left_out() -> None:
    assert decode({"id": "9", "status": 200, "body": {}}, asked=()) == {}


@pytest.mark.parametrize(
    "body", [b"<html>", b"", b"null", b"{}", b'{"responses": null}', b'{"responses": {}}', b"\xff"]
)
def test_an_answer_that_is_none_to_a_batch(body: bytes) -> None:
    with pytest.raises(GraphError) as caught:
        decode_batch(body, ["1"], now=NOW)

    assert caught.value.kind is PollErrorKind.MALFORMED


@pytest.mark.skipif(not SHARED.exists(), reason="documented examples are not part of the repository")
def test_the_documented_answer() -> None:
    body = (SHARED / "batch-response-mixed-200-403-405.json").read_bytes()
    asked = [part["id"] for part in json.loads(body)["responses"]]

    outcomes = decode_batch(body, asked, now=NOW)

    kinds = [outcome.kind if isinstance(outcome, GraphError) else "ok" for outcome in outcomes.values()]
    assert {"ok", PollErrorKind.PERMISSION, PollErrorKind.SERVER} == set(kinds)
    assert all(isinstance(outcome, GraphError | msgspec.Raw) for outcome in outcomes.values())
