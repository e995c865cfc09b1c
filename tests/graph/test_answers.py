"""Which answers are failures, of which kind, and what is done about them."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from alertd.errors import PollErrorKind
from alertd.graph.answers import Place, failure
from alertd.graph.cures import CURES, sign_in_cure

NOW = datetime(2026, 1, 5, 9, tzinfo=UTC)
SHARED = Path(__file__).resolve().parents[2].parent / "shared" / "graph" / "examples"
AUTH, PERMISSION, NOT_FOUND = PollErrorKind.AUTH, PollErrorKind.PERMISSION, PollErrorKind.NOT_FOUND
THROTTLED, SERVER, TIMEOUT = PollErrorKind.THROTTLED, PollErrorKind.SERVER, PollErrorKind.TIMEOUT
BATCH, DIRECTORY, JOBS = Place.BATCH, Place.DIRECTORY, Place.SYNCHRONIZATION


def odata(code: str, message: str = "some words") -> bytes:
    return json.dumps({"error": {"code": code, "message": message, "innerError": {"request-id": "r-1"}}}).encode()


HTML = b"<html>blocked by policy</html>"


@pytest.mark.parametrize(
    ("place", "status", "body", "kind", "retriable"),
    [
        pytest.param(JOBS, 401, odata("UnknownError", ""), PERMISSION, False, id="401 UnknownError without a message"),
        pytest.param(DIRECTORY, 401, odata("UnknownError", ""), PERMISSION, False, id="the same elsewhere"),
        pytest.param(JOBS, 401, odata("InvalidAuthenticationToken"), AUTH, False, id="401 about the token"),
        pytest.param(DIRECTORY, 401, odata(""), AUTH, False, id="401 without a code, directory"),
        pytest.param(JOBS, 401, odata(""), PERMISSION, False, id="401 without a code, jobs"),
        pytest.param(DIRECTORY, 401, b"", AUTH, False, id="401 without a body"),
        pytest.param(DIRECTORY, 403, odata("Authorization_RequestDenied"), PERMISSION, False, id="403"),
        pytest.param(DIRECTORY, 403, HTML, SERVER, False, id="403 of a gateway"),
        pytest.param(JOBS, 404, odata("Request_ResourceNotFound"), NOT_FOUND, False, id="404 of a principal"),
        pytest.param(JOBS, 404, HTML, SERVER, False, id="404 of a gateway is no principal's end"),
        pytest.param(BATCH, 404, odata("ResourceNotFound"), SERVER, False, id="404 of the batch is no principal's end"),
        pytest.param(DIRECTORY, 400, odata("Request_UnsupportedQuery"), SERVER, False, id="400"),
        pytest.param(DIRECTORY, 302, b"", SERVER, False, id="a redirect"),
        pytest.param(BATCH, 424, odata("FailedDependency"), THROTTLED, True, id="424 of a batch"),
        pytest.param(BATCH, 429, odata("TooManyRequests"), THROTTLED, True, id="429"),
        pytest.param(BATCH, 509, HTML, THROTTLED, True, id="509"),
        pytest.param(BATCH, 500, odata(""), SERVER, True, id="500"),
        pytest.param(BATCH, 502, HTML, SERVER, True, id="502 of a gateway"),
        pytest.param(BATCH, 503, b"", SERVER, True, id="503 without a body"),
        pytest.param(BATCH, 504, HTML, TIMEOUT, True, id="504"),
    ],
)
def test_kinds(place: Place, status: int, body: bytes, kind: PollErrorKind, retriable: bool) -> None:
    error = failure(status, {}, body, place=place, now=NOW)

    assert error is not None
    assert (error.kind, error.retriable) == (kind, retriable)
    assert error.cure


@pytest.mark.parametrize(
    "body", [b"null", b"[]", b'"x"', b'{"error": null}', b'{"error": []}', b"\xff\xfe", b"{", b'{"error":{"code":5}}']
)
def test_odd_bodies_are_read_all_the_same(body: bytes) -> None:
    error = failure(503, {}, body, place=BATCH, now=NOW)

    assert error is not None
    assert error.kind is SERVER


def test_a_part_of_a_batch_is_graphs_own_without_a_body() -> None:
    error = failure(404, {}, b"null", place=JOBS, now=NOW, genuine=True)

    assert error is not None
    assert error.kind is NOT_FOUND


def test_success_is_no_failure() -> None:
    assert failure(200, {}, b"{}", place=JOBS, now=NOW) is None


def test_retry_after_is_read_where_another_attempt_makes_sense() -> None:
    throttled = failure(429, {"retry-after": "2.128"}, b"", place=BATCH, now=NOW)
    refused = failure(403, {"retry-after": "5"}, odata("x"), place=BATCH, now=NOW)

    assert throttled is not None
    assert refused is not None
    assert (throttled.retry_after, refused.retry_after) == (2.128, None)


@pytest.mark.parametrize(
    "encode", [base64.b64encode, base64.urlsafe_b64encode, lambda raw: base64.b64encode(raw).rstrip(b"=")]
)
def test_a_claims_challenge_is_read(encode: object) -> None:
    claims = '{"access_token":{"nbf":{"essential":true,"value":"1767603600"}}}'
    challenge = f'Bearer realm="", error="insufficient_claims", claims="{encode(claims.encode()).decode()}"'  # type: ignore[operator]

    error = failure(401, {"www-authenticate": challenge}, odata("InvalidAuthenticationToken"), place=JOBS, now=NOW)

    assert error is not None
    assert (error.token_rejected, error.claims) == (True, claims)


@pytest.mark.parametrize("challenge", ["", "Bearer", 'Bearer claims="%%%"', 'Bearer claims="////"'])
def test_a_broken_challenge_asks_for_nothing(challenge: str) -> None:
    error = failure(401, {"www-authenticate": challenge}, odata("InvalidAuthenticationToken"), place=JOBS, now=NOW)

    assert error is not None
    assert error.claims is None


def test_a_message_is_one_printable_line_of_bounded_length() -> None:
    error = failure(400, {}, odata("Bad", "a\nb\x1b[31m\u202e" + "x" * 5000), place=DIRECTORY, now=NOW)

    assert str(error).startswith("400 Bad; a b[31mxxx")
    assert str(error).endswith("request-id r-1")
    assert len(str(error)) < 300


def test_every_kind_has_a_cure() -> None:
    assert set(CURES) == set(PollErrorKind)


@pytest.mark.parametrize(
    ("told", "cure"),
    [
        ("AADSTS7000215: Invalid client secret provided.", "not its ID"),
        ("AADSTS7000222: expired", "expired"),
        ("AADSTS700016: not found", "admin consent"),
        ("AADSTS90002: Tenant not found", "tenant_id"),
        ("AADSTS700027: x", "certificate"),
        ("AADSTS700213: x", "subject"),
        ("AADSTS1234567: never seen", "https://login.microsoftonline.com/error?code=1234567"),
        ("no number at all", "alertd doctor"),
    ],
)
def test_the_sign_in_services_number_is_a_hint(told: str, cure: str) -> None:
    assert cure in sign_in_cure(told)


@pytest.mark.skipif(not SHARED.exists(), reason="documented examples are not part of the repository")
@pytest.mark.parametrize("path", sorted(SHARED.glob("error-*.json")), ids=lambda path: path.stem)
def test_documented_errors_are_read(path: Path) -> None:
    body = path.read_bytes()
    status = next((int(word) for word in path.stem.split("-") if word.isdigit()), 400)

    error = failure(status, {}, body, place=JOBS, now=NOW)

    assert error is not None
    assert error.code == json.loads(body)["error"]["code"]
