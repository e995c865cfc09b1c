"""Graph v1.0 within our resource tree: service principals, jobs, applications, sendMail, batches.

Permissions are asked for as Graph does: a missing one is a 403 on the directory and, on jobs, a 401 without a message.
"""

from __future__ import annotations

import base64
import binascii
import random
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, unquote

import attrs
import msgspec

from alertd.errors import PollErrorKind
from alertd.simulator.odata import Answer, Outcome, as_part, batch_part, error, failing, ok, ok_raw, throttled
from alertd.simulator.tenant import SimulatedPrincipal, SimulatedTenant

PARTS_MAX = 20
_PAGE, _PAGE_MAX = 100, 999
_DIRECTORY_ROLES = {
    "Application.Read.All",
    "Application.ReadWrite.All",
    "Directory.Read.All",
    "Directory.ReadWrite.All",
}
_SYNCHRONIZATION_ROLES = {"Synchronization.Read.All", "Synchronization.ReadWrite.All"}
# How a whole tenant fails: these take the envelope of a batch, the other kinds each of its parts.
_ENVELOPE_FAILS = {
    PollErrorKind.AUTH,
    PollErrorKind.SERVER,
    PollErrorKind.NETWORK,
    PollErrorKind.TIMEOUT,
    PollErrorKind.MALFORMED,
}
_ID = r"\(appId='(?P<app_id>[^']*)'\)|/(?P<id>[^/()]+)"


@attrs.frozen(kw_only=True)
class Request:
    """A request to Graph, whole or part of a batch.

    path: below the version root, as on the wire. base: scheme, host and version root, for links. roles: those of the token.
    """

    method: str
    path: str
    query: str
    base: str
    roles: frozenset[str]
    body: bytes = b""
    content_type: str = ""


class GraphApi:
    """Answers for all tenants; `source` decides the order of a batch's parts and the look of links."""

    def __init__(self, *, source: random.Random) -> None:
        self._source = source
        self._links: dict[tuple[str, str], tuple[int, int, str]] = {}

    def answer(self, tenant: SimulatedTenant, request: Request, now: datetime) -> Outcome:
        """Answer a whole request, or the envelope of a batch and all its parts."""
        scripted = tenant.script.next()
        if scripted is not None:
            return scripted
        if request.method == "POST" and request.path == "/$batch":
            kind = tenant.failure(now)
            return (
                failing(kind, directory=False)
                if kind is not None and kind in _ENVELOPE_FAILS
                else self._batch(tenant, request, now)
            )
        return self._single(tenant, request, now)

    def _single(self, tenant: SimulatedTenant, request: Request, now: datetime) -> Outcome:
        if tenant.throttle is not None and not tenant.throttle.allows(now):
            return throttled(tenant.throttle.retry_after)
        kind = tenant.failure(now)
        if kind is not None:
            return failing(kind, directory="/synchronization" not in request.path)
        for method, shape, handler in self._routes():
            match = shape.fullmatch(request.path)
            if match is not None and method == request.method:
                return handler(
                    tenant, request, {name: unquote(text) for name, text in match.groupdict().items() if text}, now
                )
        return error(400, "BadRequest", "Resource not found for the segment in the request.", now=now)

    def _routes(self) -> tuple[tuple[str, re.Pattern[str], Handler], ...]:
        return (
            ("GET", _JOBS, self._jobs),
            ("GET", _PRINCIPALS, self._principals),
            ("GET", _PRINCIPAL, self._principal),
            ("GET", _APPLICATION, self._application),
            ("POST", _SEND_MAIL, self._send_mail),
        )

    def _batch(self, tenant: SimulatedTenant, request: Request, now: datetime) -> Outcome:
        try:
            parts = msgspec.json.decode(request.body, type=_Batch).requests
        except msgspec.DecodeError as exc:
            return error(400, "BadRequest", f"The batch payload cannot be read: {exc}", now=now)
        if len(parts) > PARTS_MAX:
            return error(400, "MaximumValueExceeded", f"A batch holds at most {PARTS_MAX} requests.", now=now)
        if len({part.id.lower() for part in parts}) < len(parts):
            return error(
                400, "BadRequest", "The ids of a batch's requests must be unique, whatever their case.", now=now
            )
        answers: dict[str, Answer] = {}
        for part in parts:
            answers[part.id] = self._part(tenant, request, part, answers, now)
        written = [batch_part(name, answer) for name, answer in answers.items()]
        self._source.shuffle(written)
        return ok_raw(b'{"responses":[' + b",".join(written) + b"]}")

    def _part(
        self, tenant: SimulatedTenant, envelope: Request, part: _Part, done: Mapping[str, Answer], now: datetime
    ) -> Answer:
        if any(done[name].status >= 400 for name in part.dependsOn if name in done):  # noqa: PLR2004 - a refusal
            return error(424, "FailedDependency", "A request that this one depends on has failed.", now=now)
        path, _, query = part.url.partition("?")
        path = path if path.startswith("/") else f"/{path}"
        if path.lower() == "/$batch":
            return error(400, "BadRequest", "A batch holds no batches.", now=now)
        request = attrs.evolve(envelope, method=part.method.upper(), path=path, query=query, body=bytes(part.body))
        return as_part(self._single(tenant, request, now))

    def _jobs(self, tenant: SimulatedTenant, request: Request, path: Mapping[str, str], now: datetime) -> Outcome:
        if not request.roles & _SYNCHRONIZATION_ROLES:
            return failing(PollErrorKind.PERMISSION, directory=False)
        principal = tenant.principals.get(path["id"])
        if principal is None:
            return _not_found(path["id"], now)
        scripted = principal.script.next()
        if scripted is not None:
            return scripted
        kind = principal.failure(now)
        if kind is not None:
            return failing(kind, directory=False)
        return _one_job(principal, path["job"], now) if "job" in path else _all_jobs(principal, request.base, now)

    def _principals(self, tenant: SimulatedTenant, request: Request, path: Mapping[str, str], now: datetime) -> Outcome:  # noqa: ARG002
        if not request.roles & _DIRECTORY_ROLES:
            return failing(PollErrorKind.PERMISSION, directory=True)
        asked = self._page_asked(tenant, request.query)
        if isinstance(asked, str):
            return error(400, "Request_UnsupportedQuery", asked, now=now)
        first, size, select = asked
        everyone = list(tenant.principals.values())
        body: dict[str, Any] = {
            "@odata.context": f"{request.base}/$metadata#servicePrincipals" + (f"({select})" if select else ""),
            "value": [
                _selected(principal_body(principal, tenant), select) for principal in everyone[first : first + size]
            ],
        }
        if first + size < len(everyone):
            body["@odata.nextLink"] = self._link(tenant, request.base, first + size, size, select)
        return ok(body)

    def _page_asked(self, tenant: SimulatedTenant, query: str) -> tuple[int, int, str] | str:
        """Read what a query asks for; a link of ours is known by its very text. A text says what is wrong."""
        if "$skiptoken" in query or "%24skiptoken" in query:
            return self._links.get((tenant.id, query), "The skip token is not one that was given out.")
        options = dict(parse_qsl(query, keep_blank_values=True))
        unknown = [name for name in options if name not in {"$select", "$top"}]
        if unknown:
            return f"The query option {unknown[0]} is not supported here."
        select, top = options.get("$select", ""), options.get("$top", str(_PAGE))
        wrong = [name for name in filter(None, select.split(",")) if name not in _PROPERTIES]
        if wrong:
            return f"Could not find a property named '{wrong[0]}' on type 'servicePrincipal'."
        if not top.isdecimal() or not 1 <= int(top) <= _PAGE_MAX:
            return f"Invalid page size: it must be from 1 to {_PAGE_MAX}."
        return 0, int(top), select

    def _link(self, tenant: SimulatedTenant, base: str, first: int, size: int, select: str) -> str:
        """Give a link that is good only to the letter: its escapes are valid, and each could be written otherwise."""
        opaque = (
            base64.b64encode(self._source.randbytes(24))
            .decode()
            .replace("+", "%2b")
            .replace("/", "%2F")
            .replace("=", "%3D")
        )
        query = f"$select={select.replace(',', '%2c')}&$top={size}&$skiptoken=RFNwdAoAAQ%27{opaque}%7E!"
        self._links[tenant.id, query] = (first, size, select)
        return f"{base}/servicePrincipals?{query}"

    def _principal(self, tenant: SimulatedTenant, request: Request, path: Mapping[str, str], now: datetime) -> Outcome:
        if not request.roles & _DIRECTORY_ROLES:
            return failing(PollErrorKind.PERMISSION, directory=True)
        found = [
            one for one in tenant.principals.values() if path.get("id") == one.id or path.get("app_id") == one.app_id
        ]
        if not found:
            return _not_found(path.get("id") or path.get("app_id", ""), now)
        select = dict(parse_qsl(request.query)).get("$select", "")
        context = {"@odata.context": f"{request.base}/$metadata#servicePrincipals/$entity"}
        return ok(context | _selected(principal_body(found[0], tenant), select))

    def _application(
        self, tenant: SimulatedTenant, request: Request, path: Mapping[str, str], now: datetime
    ) -> Outcome:
        if not request.roles & _DIRECTORY_ROLES:
            return failing(PollErrorKind.PERMISSION, directory=True)
        if path["app_id"] != tenant.client_id:
            return _not_found(path["app_id"], now)
        return ok(
            {
                "id": tenant.client_id,
                "passwordCredentials": [_password(secret.text, secret.ends_at) for secret in tenant.secrets],
            }
        )

    def _send_mail(self, tenant: SimulatedTenant, request: Request, path: Mapping[str, str], now: datetime) -> Outcome:
        if "Mail.Send" not in request.roles:
            return error(403, "ErrorAccessDenied", "Access is denied. Check credentials and try again.", now=now)
        if not request.content_type.startswith("text/plain"):
            return error(400, "ErrorInvalidRequest", "Only mail in MIME form, as text/plain, is simulated.", now=now)
        try:
            mime = base64.b64decode(request.body, validate=True)
        except binascii.Error:
            return error(400, "ErrorMimeContentInvalidBase64String", "The MIME content is no base64 text.", now=now)
        tenant.mails.append((path["id"], mime))
        return Answer(status=202)


Handler = Callable[[SimulatedTenant, Request, Mapping[str, str], datetime], Outcome]

_JOBS = re.compile(r"/servicePrincipals/(?P<id>[^/()]+)/synchronization/jobs(?:/(?P<job>[^/]+))?", re.IGNORECASE)
_PRINCIPALS = re.compile(r"/servicePrincipals", re.IGNORECASE)
_PRINCIPAL = re.compile(rf"/servicePrincipals(?:{_ID})", re.IGNORECASE)
_APPLICATION = re.compile(r"/applications\(appId='(?P<app_id>[^']*)'\)", re.IGNORECASE)
_SEND_MAIL = re.compile(r"/users/(?P<id>[^/]+)/(?:microsoft\.graph\.)?sendMail", re.IGNORECASE)


class _Part(msgspec.Struct):
    id: str
    method: str
    url: str
    body: msgspec.Raw = msgspec.Raw(b"")
    dependsOn: list[str] = msgspec.field(default_factory=list)  # noqa: N815 - on the wire


class _Batch(msgspec.Struct):
    requests: list[_Part]


def principal_body(principal: SimulatedPrincipal, tenant: SimulatedTenant) -> dict[str, Any]:
    """Write a service principal whole."""
    return {
        "id": principal.id,
        "deletedDateTime": None,
        "accountEnabled": principal.account_enabled,
        "appDisplayName": principal.display_name,
        "appId": principal.app_id,
        "applicationTemplateId": principal.application_template_id,
        "appOwnerOrganizationId": tenant.id,
        "displayName": principal.display_name,
        "homepage": None,
        "servicePrincipalType": principal.service_principal_type,
        "servicePrincipalNames": [principal.app_id],
        "tags": ["WindowsAzureActiveDirectoryIntegratedApp"],
    }


_PROPERTIES = frozenset(
    {
        "id",
        "deletedDateTime",
        "accountEnabled",
        "appDisplayName",
        "appId",
        "applicationTemplateId",
        "appOwnerOrganizationId",
        "displayName",
        "homepage",
        "servicePrincipalType",
        "servicePrincipalNames",
        "tags",
    }
)


def _selected(body: dict[str, Any], select: str) -> dict[str, Any]:
    return {name: body[name] for name in select.split(",") if name in body} if select else body


def _all_jobs(principal: SimulatedPrincipal, base: str, now: datetime) -> Outcome:
    context = msgspec.json.encode(f"{base}/$metadata#servicePrincipals('{principal.id}')/synchronization/jobs")
    bodies = [body for job in principal.jobs if (body := job.body(now)) is not None]
    return ok_raw(b'{"@odata.context":' + context + b',"value":[' + b",".join(bodies) + b"]}")


def _one_job(principal: SimulatedPrincipal, job_id: str, now: datetime) -> Outcome:
    body = next((body for job in principal.jobs if job.id == job_id and (body := job.body(now)) is not None), None)
    return ok_raw(body) if body is not None else _not_found(job_id, now)


def _not_found(identifier: str, now: datetime) -> Answer:
    return error(404, "Request_ResourceNotFound", f"Resource '{identifier[:100]}' does not exist.", now=now)


def _password(text: str, ends_at: datetime | None) -> dict[str, Any]:
    end = ends_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if ends_at else None
    return {"displayName": None, "hint": text[:3], "keyId": "00000000-0000-0000-0000-000000000000", "endDateTime": end}
