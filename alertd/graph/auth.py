"""Tokens: got through MSAL, kept here, and given out only as the value of an Authorization header.

MSAL speaks the protocol; keeping the token is done here, so that a file rotated, a token rejected and the virtual clock of a test all mean
what they say. Its quirks, as tried with 1.39:
- building an application asks the network, and a secret is fixed in it: it is built at first use, and anew when the secret has changed;
- a refusal is a dict with ``error``; a 5xx, a broken answer or an unknown tenant are exceptions of three kinds;
- it asks login.microsoftonline.com about other authorities, in every cloud and after every refusal: ours come from the configuration, so
  that question is switched off.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import hashlib
import json
import os
import re
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, Protocol

import attrs
import httpx
import msgspec

from alertd.clock import Clock
from alertd.errors import ConfigError, PollError, PollErrorKind
from alertd.graph.certificates import load_key_pair
from alertd.graph.credentials import AccessTokenFile, Certificate, ClientSecret, ManagedIdentity, WorkloadIdentity
from alertd.graph.cures import CURES, sign_in_cure
from alertd.graph.settings import TenantSettings
from alertd.graph.sign_in import SignIn, sign_in_failure
from alertd.model.secret import Secret

_EARLY = timedelta(minutes=5)  # a token this close to its end is renewed
_LIFETIME = 3600.0  # seconds, where the answer does not say
_REMEMBER_FAILURE = timedelta(seconds=30)  # so that a round of 150 batches asks once, not 150 times
_RETRY_WAIT = 6.0  # seconds; MSAL repeats a 5xx from memory for 5
_TRANSIENT = frozenset({PollErrorKind.NETWORK, PollErrorKind.TIMEOUT, PollErrorKind.SERVER})

Answer = Mapping[str, Any]


@attrs.frozen(kw_only=True)
class _Token:
    """A token as a header's value; `roles` is null where it cannot be read."""

    header: str = attrs.field(repr=False)
    expires_at: datetime
    renew_at: datetime
    roles: tuple[str, ...] | None


class TokenSource:
    """The tokens of one tenant for one scope.

    Asks once for all who wait; keeps a good token while renewing fails; remembers a failure for half a minute.
    """

    def __init__(self, tenant: TenantSettings, *, sign_in: SignIn, clock: Clock, scope: str | None = None) -> None:
        self._scope = scope or tenant.endpoints.scope
        self._sign_in = sign_in
        self._clock = clock
        self._acquirer = _acquirer(tenant, sign_in)
        self._credential = tenant.credential
        self._lock = asyncio.Lock()
        self._token: _Token | None = None
        self._failure: tuple[datetime, PollError] | None = None

    async def header(self, *, rejected: str | None = None, claims: str | None = None) -> str:
        """Give the value of an Authorization header.

        rejected: the value that was refused; it is not given again. claims: what the service wants the next token to hold.
        Raises PollError: auth, or network, timeout, server, throttled where the sign-in service could not be asked.
        """
        async with self._lock:
            now = self._clock.now()
            if rejected is not None and self._token is not None and self._token.header == rejected:
                self._token = self._failure = None
            if self._token is not None and now < self._token.renew_at:
                return self._token.header
            return (await self._renewed(now, claims)).header

    async def granted_roles(self) -> tuple[str, ...] | None:
        """Give the application permissions that the token holds, for a person to read; null where they cannot be read."""
        await self.header()
        return self._token.roles if self._token is not None else None

    @property
    def credential_expires_at(self) -> datetime | None:
        """The end of the certificate's validity, once it was used; null for other credentials."""
        return self._acquirer.expires_at

    def secret_begins_with(self, hint: str) -> bool:
        """Tell whether the client secret begins with the hint that Graph shows for it; false for other credentials."""
        return (
            bool(hint)
            and isinstance(self._credential, ClientSecret)
            and self._credential.secret.reveal().startswith(hint)
        )

    def forget(self) -> None:
        """Drop the token."""
        self._token = self._failure = None

    async def _renewed(self, now: datetime, claims: str | None) -> _Token:
        if self._failure is not None and now < self._failure[0] + _REMEMBER_FAILURE:
            return self._still_good(now, self._failure[1])
        try:
            self._token = await self._acquired(claims)
            self._failure = None
        except PollError as exc:
            self._failure = (self._clock.now(), exc)
            return self._still_good(now, exc)
        return self._token

    def _still_good(self, now: datetime, failure: PollError) -> _Token:
        if self._token is not None and now < self._token.expires_at:
            return self._token
        raise failure

    async def _acquired(self, claims: str | None) -> _Token:
        try:
            return await self._ask(claims)
        except PollError as exc:
            if exc.kind not in _TRANSIENT:
                raise
        await self._clock.sleep(_RETRY_WAIT)
        return await self._ask(claims)

    async def _ask(self, claims: str | None) -> _Token:
        answer = await self._sign_in.run(lambda: _acquire(self._acquirer, self._scope, claims))
        return _read_token(answer, self._clock.now())

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._scope})"


class _Acquirer(Protocol):
    """One way of getting a token; runs in a thread."""

    expires_at: datetime | None

    def acquire(self, scope: str, claims: str | None) -> Answer:
        """Give MSAL's answer, good or not; raises whatever goes wrong on the way."""
        ...


def _acquirer(tenant: TenantSettings, sign_in: SignIn) -> _Acquirer:
    if isinstance(tenant.credential, ManagedIdentity):
        return _FromManagedIdentity(tenant.credential, sign_in.settings.timeout)
    if isinstance(tenant.credential, AccessTokenFile):
        return _FromFile(tenant.credential)
    return _FromAuthority(tenant, sign_in)


def _acquire(acquirer: _Acquirer, scope: str, claims: str | None) -> Answer:
    """Get an answer; every way in which that can fail becomes a PollError here."""
    from msal.exceptions import MsalError

    try:
        return dict(acquirer.acquire(scope, claims))  # an odd authority may send a list
    except ConfigError as exc:
        raise PollError(PollErrorKind.AUTH, str(exc), cure=exc.problems[0].cure) from exc
    except (httpx.HTTPError, httpx.InvalidURL) as exc:
        raise sign_in_failure(exc) from exc
    except (MsalError, RuntimeError) as exc:
        raise PollError(PollErrorKind.SERVER, f"sign-in: {_line(exc)}", cure=CURES[PollErrorKind.SERVER]) from exc
    except OSError as exc:  # the managed identity's endpoint, through requests
        raise sign_in_failure(exc) from exc
    except ValueError as exc:
        raise _discovery_failure(exc) from exc
    except (KeyError, TypeError, AttributeError) as exc:
        raise _senseless(exc) from exc


def _discovery_failure(exc: ValueError) -> PollError:
    """MSAL says in a ValueError that the authority does not know the tenant; the service's words are in its context."""
    if isinstance(exc, json.JSONDecodeError) or isinstance(exc.__context__, json.JSONDecodeError):
        return _senseless(exc)
    told = f"{exc} {exc.__context__ or ''}"
    return PollError(PollErrorKind.AUTH, f"sign-in: {_line(exc)}", cure=sign_in_cure(told))


def _senseless(exc: Exception) -> PollError:
    message = f"sign-in: an answer that makes no sense ({_line(exc)})"
    return PollError(PollErrorKind.MALFORMED, message, cure="check `authority`, and any proxy or gateway on the way")


@attrs.frozen(kw_only=True)
class _Material:
    """What MSAL signs or sends. digest: changes when the secret does."""

    credential: Any = attrs.field(repr=False)
    digest: bytes = b""
    expires_at: datetime | None = None


class _FromAuthority:
    """Client secret, certificate or federated token, through MSAL."""

    def __init__(self, tenant: TenantSettings, sign_in: SignIn) -> None:
        self.expires_at: datetime | None = None
        self._tenant = tenant
        self._sign_in = sign_in
        self._application: Any = None
        self._digest: bytes | None = None

    def acquire(self, scope: str, claims: str | None) -> Answer:
        material = _material(self._tenant.credential)
        self.expires_at = material.expires_at
        if self._application is None or material.digest != self._digest:
            self._application = self._built(material)
            self._digest = material.digest
        answer: Answer = self._application.acquire_token_for_client([scope], claims_challenge=claims)
        return answer

    def _built(self, material: _Material) -> Any:  # noqa: ANN401 - MSAL has no types
        import msal

        class Forgetful(msal.TokenCache):  # type: ignore[misc]
            """Keeps nothing: the TokenSource keeps the one token there is."""

            def add(self, event: object, now: object = None) -> None:
                """Forget it."""

        authority = f"{self._tenant.endpoints.authority}/{self._tenant.tenant_id}"
        return msal.ConfidentialClientApplication(
            self._tenant.client_id,
            client_credential=material.credential,
            authority=self._sign_in.http.authority(authority),
            http_client=self._sign_in.http,
            instance_discovery=False,
            token_cache=Forgetful(),
        )


def _material(credential: object) -> _Material:
    match credential:
        case ClientSecret():
            secret = credential.secret.reveal()
            return _Material(credential=secret, digest=hashlib.sha256(secret.encode()).digest())
        case Certificate():
            pair = load_key_pair(credential)
            material = {"private_key": pair.private_key, "public_certificate": pair.certificate}
            digest = hashlib.sha256(pair.private_key.encode() + pair.certificate.encode()).digest()
            return _Material(credential=material, digest=digest, expires_at=pair.not_after)
        case WorkloadIdentity():
            return _Material(credential={"client_assertion": _federated(credential)})
    raise AssertionError(credential)


def _federated(credential: WorkloadIdentity) -> Callable[[], str]:
    """Give a reader of the token file, which the platform renews: MSAL calls it for each request."""
    path = (
        credential.token_file or os.environ.get("AZURE_FEDERATED_TOKEN_FILE") or "AZURE_FEDERATED_TOKEN_FILE (not set)"
    )
    return Secret.from_file(path).reveal


class _FromManagedIdentity:
    """The identity of the machine or service, from its own endpoint: never through a proxy."""

    expires_at: datetime | None = None

    def __init__(self, credential: ManagedIdentity, timeout: float) -> None:
        self._credential = credential
        self._timeout = timeout

    def acquire(self, scope: str, claims: str | None) -> Answer:
        import msal
        import requests  # Service Fabric's endpoint needs its sessions

        timeout = self._timeout

        class Session(requests.Session):
            """Bounded in time."""

            def request(self, *arguments: Any, **options: Any) -> Any:  # noqa: ANN401 - requests' own
                return super().request(*arguments, **({"timeout": timeout} | options))

        client_id = self._credential.client_id
        identity = (
            msal.UserAssignedManagedIdentity(client_id=client_id) if client_id else msal.SystemAssignedManagedIdentity()
        )
        with Session() as session:
            session.trust_env = False
            client = msal.ManagedIdentityClient(identity, http_client=session)
            answer: Answer = client.acquire_token_for_client(
                resource=scope.removesuffix("/.default"), claims_challenge=claims
            )
        if "access_token" not in answer:
            told = _line(f"{answer.get('error')}: {answer.get('error_description')}")
            raise PollError(PollErrorKind.AUTH, f"managed identity refused: {told}", cure=_IDENTITY_CURE)
        return answer


_IDENTITY_CURE = "assign a managed identity to the machine or service alertd runs on, and check its client_id"


class _FromFile:
    """A token that somebody else keeps fresh in a file."""

    expires_at: datetime | None = None
    _READ_AGAIN = 60.0  # seconds

    def __init__(self, credential: AccessTokenFile) -> None:
        self._file = Secret.from_file(credential.path)

    def acquire(self, scope: str, claims: str | None) -> Answer:  # noqa: ARG002 - whoever fills the file decides
        token = self._file.reveal().strip()
        if not re.fullmatch(r"[\x21-\x7e]+", token):
            return {"error": "invalid_token", "error_description": "the access token file holds no token"}
        return {"access_token": token, "expires_on": _claims_of(token).get("exp"), "refresh_in": self._READ_AGAIN}


def _read_token(answer: Answer, now: datetime) -> _Token:
    token = answer.get("access_token")
    if not isinstance(token, str) or not token:
        raise _refusal(answer)
    expires_at = _end(answer, now)
    if expires_at <= now:
        raise PollError(
            PollErrorKind.AUTH, "the access token has expired", cure="whoever fills the token file must renew it"
        )
    return _Token(
        header=f"Bearer {token}",
        expires_at=expires_at,
        renew_at=_renewal(answer, now, expires_at),
        roles=_roles(_claims_of(token)),
    )


def _roles(claims: Mapping[str, Any]) -> tuple[str, ...] | None:
    """Without admin consent a token has no roles at all; an opaque token has no claims at all."""
    roles = claims.get("roles", [])
    return tuple(str(role) for role in roles) if claims and isinstance(roles, list) else None


def _end(answer: Answer, now: datetime) -> datetime:
    """A token file's end stands in the token, as seconds since 1970; the service says how many seconds it has."""
    if isinstance(answer.get("expires_on"), int | float):
        return now + timedelta(seconds=min(answer["expires_on"] - now.timestamp(), _LIFETIME * 24))
    return now + timedelta(seconds=_seconds(answer.get("expires_in"), _LIFETIME))


def _renewal(answer: Answer, now: datetime, expires_at: datetime) -> datetime:
    """Renew five minutes before the end, a short-lived token at half its life, sooner where the service asks for it."""
    latest = max(expires_at - _EARLY, now + (expires_at - now) / 2)
    return min(latest, now + timedelta(seconds=_seconds(answer.get("refresh_in"), float(10**8))))


def _seconds(value: object, default: float) -> float:
    try:
        return float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return default


_SERVICE_TROUBLE = frozenset({"temporarily_unavailable", "server_error", "timeout"})
_TOO_MANY = frozenset({"slow_down", "too_many_requests", "throttled"})


def _refusal(answer: Answer) -> PollError:
    """Decide by OAuth's `error`; the AADSTS number serves the hint alone."""
    error, told = answer.get("error"), str(answer.get("error_description") or "")
    if not error:
        return _senseless(ValueError("neither a token nor an error"))
    message = f"sign-in refused: {_line(f'{error}: {told}')}"
    if error in _SERVICE_TROUBLE:
        return PollError(PollErrorKind.SERVER, message, cure=CURES[PollErrorKind.SERVER])
    if error in _TOO_MANY:
        return PollError(PollErrorKind.THROTTLED, message, cure=CURES[PollErrorKind.THROTTLED])
    return PollError(PollErrorKind.AUTH, message, cure=sign_in_cure(told))


def _claims_of(token: str) -> Mapping[str, Any]:
    """Read a token's claims without trusting them; empty where it is opaque."""
    parts = token.split(".")
    try:
        plain = msgspec.json.decode(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except (IndexError, binascii.Error, ValueError, msgspec.DecodeError):
        return {}
    return plain if isinstance(plain, dict) else {}


def _line(told: object) -> str:
    """Shorten an exception, or a text, to one line."""
    text = f"{type(told).__name__}: {told}" if isinstance(told, BaseException) else str(told)
    return " ".join(text.split())[:300]
