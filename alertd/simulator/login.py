"""The sign-in service: tokens for client secrets, certificates, federated assertions and managed identities.

Speaks as Microsoft's does, so that the real MSAL cannot tell: OpenID configuration, OAuth errors with AADSTS codes, tokens with roles.
Tokens live by the wall clock, as MSAL does, however fast the rest of the simulation runs.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
import uuid
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

import attrs
import msgspec

from alertd.clock import Clock
from alertd.errors import PollErrorKind
from alertd.simulator.odata import Answer, Drop, Hang, Outcome, html
from alertd.simulator.tenant import SimulatedTenant

_JSON = "application/json; charset=utf-8"
_ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


@attrs.frozen(kw_only=True)
class Grant:
    """What a token stands for."""

    tenant: SimulatedTenant
    roles: frozenset[str]
    expires_at: datetime


class _Refused(Exception):  # noqa: N818 - reads as what it is in `raise`
    """A request for a token is refused: OAuth's error, the AADSTS code, what a person is told."""

    def __init__(self, status: int, error: str, code: int, told: str) -> None:
        self.status, self.error, self.code, self.told = status, error, code, told
        super().__init__(told)


class Login:
    """Checks who asks, gives tokens out, and knows those it gave."""

    def __init__(self, *, clock: Clock, tenants: Callable[[], Iterable[SimulatedTenant]]) -> None:
        self.identity_header = secrets.token_urlsafe(16)
        self.managed_identities: dict[str | None, SimulatedTenant] = {}
        self.claims_asked: list[str] = []
        self._clock = clock
        self._tenants = tenants
        self._key = secrets.token_bytes(32)
        self._grants: dict[str, Grant] = {}

    def grant(self, token: str) -> Grant | None:
        """Give what a token stands for, null for one that is unknown, revoked or over."""
        grant = self._grants.get(token)
        return grant if grant is not None and self._clock.now() < grant.expires_at else None

    def issue(
        self,
        tenant: SimulatedTenant,
        *,
        audience: str = "https://graph.microsoft.com",
        roles: Iterable[str] | None = None,
    ) -> str:
        """Give a token of a tenant, with its own roles unless others are given."""
        import jwt

        granted = frozenset(tenant.roles if roles is None else roles)
        now = self._clock.now()
        expires_at = now + timedelta(seconds=tenant.token_lifetime)
        claims: dict[str, Any] = {
            "aud": audience,
            "iss": f"https://sts.windows.net/{tenant.id}/",
            "iat": int(now.timestamp()),
            "nbf": int(now.timestamp()),
            "exp": int(expires_at.timestamp()),
            "appid": tenant.client_id,
            "idtyp": "app",
            "tid": tenant.id,
            "uti": uuid.uuid4().hex,
            "ver": "1.0",
        }
        if granted:  # without consent the claim is not there at all
            claims["roles"] = sorted(granted)
        token = jwt.encode(claims, self._key, algorithm="HS256")
        self._grants[token] = Grant(tenant=tenant, roles=granted, expires_at=expires_at)
        return token

    def revoke(self, tenant: SimulatedTenant) -> None:
        """Refuse all tokens of a tenant from now on."""
        self._grants = {token: grant for token, grant in self._grants.items() if grant.tenant is not tenant}

    def openid_configuration(self, tenant_name: str, origin: str) -> Outcome:
        """Answer which endpoints a tenant has."""
        tenant = self._tenant(tenant_name)
        if tenant is None:
            return _unknown_tenant(tenant_name, self._clock.now())
        scripted = tenant.sign_in.always if isinstance(tenant.sign_in.always, Hang | Drop) else None
        return scripted or _json(
            200,
            {
                "issuer": f"{origin}/{tenant.id}/v2.0",
                "authorization_endpoint": f"{origin}/{tenant.id}/oauth2/v2.0/authorize",
                "token_endpoint": f"{origin}/{tenant.id}/oauth2/v2.0/token",
                "device_authorization_endpoint": f"{origin}/{tenant.id}/oauth2/v2.0/devicecode",
                "jwks_uri": f"{origin}/{tenant.id}/discovery/v2.0/keys",
                "token_endpoint_auth_methods_supported": [
                    "client_secret_post",
                    "private_key_jwt",
                    "client_secret_basic",
                ],
            },
        )

    def instance_discovery(self, origin: str) -> Outcome:
        """Answer that this host is a known authority."""
        host = origin.partition("://")[2]
        aliases = [{"preferred_network": host, "preferred_cache": host, "aliases": [host]}]
        return _json(
            200,
            {
                "tenant_discovery_endpoint": f"{origin}/common/v2.0/.well-known/openid-configuration",
                "metadata": aliases,
            },
        )

    def token(self, tenant_name: str, form: Mapping[str, str], origin: str, now: datetime) -> Outcome:
        """Answer a request for a token. now: of the scenario; the token's own life is the wall clock's."""
        tenant = self._tenant(tenant_name)
        if tenant is None:
            return _unknown_tenant(tenant_name, self._clock.now())
        scripted = tenant.sign_in.next()
        if scripted is not None:
            return scripted
        trouble = _trouble(tenant.failure(now))
        if trouble is not None:
            return trouble
        try:
            audience = self._check(tenant, form, f"{origin}/{tenant.id}/oauth2/v2.0/token")
        except _Refused as exc:
            return _refusal(exc, self._clock.now())
        if "claims" in form:
            self.claims_asked.append(form["claims"])
        lifetime = tenant.token_lifetime
        body = {"token_type": "Bearer", "expires_in": lifetime, "ext_expires_in": lifetime}
        return _json(200, body | {"access_token": self.issue(tenant, audience=audience)})

    def managed_identity(self, query: Mapping[str, str], headers: Mapping[str, str], *, app_service: bool) -> Outcome:
        """Answer on a machine's own endpoint, or on App Service's."""
        if app_service and headers.get("x-identity-header") != self.identity_header:
            return _json(401, {"statusCode": 401, "message": "The X-IDENTITY-HEADER is missing or wrong."})
        if not app_service and headers.get("metadata", "").lower() != "true":
            return _json(
                400, {"error": "invalid_request", "error_description": "Required metadata header not specified"}
            )
        tenant = self.managed_identities.get(query.get("client_id"))
        if tenant is None:
            told = {"statusCode": 400, "message": "No such identity."} if app_service else _NO_IDENTITY
            return _json(400, told)
        end = self._clock.now() + timedelta(seconds=tenant.token_lifetime)
        resource = query.get("resource", "")
        body = {"access_token": self.issue(tenant, audience=resource), "token_type": "Bearer", "resource": resource}
        return _json(200, body | {"expires_in": str(tenant.token_lifetime), "expires_on": str(int(end.timestamp()))})

    def _tenant(self, name: str) -> SimulatedTenant | None:
        known = (
            tenant
            for tenant in self._tenants()
            if name.lower() in {tenant.id.lower(), f"{tenant.name}.onmicrosoft.com"}
        )
        return next(known, None)

    def _check(self, tenant: SimulatedTenant, form: Mapping[str, str], endpoint: str) -> str:
        """Check a request for a token; gives the audience, raises _Refused."""
        if form.get("client_id") != tenant.client_id:
            raise _Refused(400, "unauthorized_client", 700016, "The application was not found in this directory.")
        if form.get("grant_type") != "client_credentials":
            raise _Refused(400, "unsupported_grant_type", 70003, "The grant type is not supported.")
        if "client_assertion" in form:
            _check_assertion(tenant, form, endpoint)
        else:
            self._check_secret(tenant, form.get("client_secret", ""))
        scope = form.get("scope", "")
        if not scope.endswith("/.default"):
            raise _Refused(400, "invalid_scope", 1002012, "A scope of client credentials ends in /.default.")
        return scope.removesuffix("/.default")

    def _check_secret(self, tenant: SimulatedTenant, text: str) -> None:
        known = next(
            (secret for secret in tenant.secrets if secrets.compare_digest(secret.text.encode(), text.encode())), None
        )
        if known is None:
            raise _Refused(401, "invalid_client", 7000215, "The client secret is invalid. Send its value, not its ID.")
        if known.ends_at is not None and known.ends_at <= self._clock.now():
            raise _Refused(401, "invalid_client", 7000222, "The client secret keys are expired.")


_NO_IDENTITY = {"error": "invalid_request", "error_description": "Identity not found"}


def _check_assertion(tenant: SimulatedTenant, form: Mapping[str, str], endpoint: str) -> None:
    """Check a signed assertion: of a registered certificate, or of a federated subject."""
    import jwt

    if form.get("client_assertion_type") != _ASSERTION:
        raise _Refused(400, "invalid_request", 900144, "The client assertion type is missing.")
    assertion = form["client_assertion"]
    try:
        claims = jwt.decode(assertion, options={"verify_signature": False})
        thumbprint = jwt.get_unverified_header(assertion).get("x5t#S256")
    except jwt.PyJWTError as exc:
        raise _Refused(401, "invalid_client", 50027, "The client assertion is no JWT.") from exc
    if thumbprint is None:
        if claims.get("sub") not in tenant.federated_subjects:
            raise _Refused(
                401, "invalid_client", 700213, "No matching federated identity credential was found for the subject."
            )
        return
    _check_signature(tenant, assertion, str(thumbprint), endpoint)


def _check_signature(tenant: SimulatedTenant, assertion: str, thumbprint: str, endpoint: str) -> None:
    import jwt
    from cryptography import x509
    from cryptography.hazmat.primitives.serialization import Encoding

    loaded = [x509.load_pem_x509_certificate(pem) for pem in tenant.certificates]
    by_thumbprint = {_thumbprint(certificate.public_bytes(Encoding.DER)): certificate for certificate in loaded}
    certificate = by_thumbprint.get(thumbprint.rstrip("="))
    if certificate is None:
        raise _Refused(401, "invalid_client", 700027, "The certificate that signed the assertion is not registered.")
    try:
        key: Any = certificate.public_key()
        jwt.decode(assertion, key, algorithms=["PS256"], audience=endpoint, issuer=tenant.client_id)
    except jwt.ExpiredSignatureError as exc:
        raise _Refused(401, "invalid_client", 700024, "The assertion is outside its time of validity.") from exc
    except jwt.PyJWTError as exc:
        raise _Refused(401, "invalid_client", 700027, "The assertion's signature does not hold.") from exc


def _thumbprint(der: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(der).digest()).decode().rstrip("=")


def _trouble(kind: PollErrorKind | None) -> Outcome | None:
    """Give what the sign-in service answers when a whole tenant fails; lacking consent or throttled, it still gives tokens."""
    outcomes: Mapping[PollErrorKind, Outcome] = {
        PollErrorKind.SERVER: _json(
            503, {"error": "temporarily_unavailable", "error_description": "AADSTS90033: try again later."}
        ),
        PollErrorKind.NETWORK: Drop(),
        PollErrorKind.TIMEOUT: Hang(),
        PollErrorKind.MALFORMED: html(),
    }
    if kind is PollErrorKind.AUTH:
        return sign_in_refusal(7000222, "The client secret keys are expired.")
    return outcomes.get(kind) if kind is not None else None


def sign_in_refusal(
    code: int, told: str, *, status: int = 401, error: str = "invalid_client", now: datetime | None = None
) -> Answer:
    """Give a refusal to script: an AADSTS code and its text."""
    return _refusal(_Refused(status, error, code, told), now)


def _unknown_tenant(name: str, now: datetime) -> Answer:
    told = f"Tenant '{name[:64]}' not found. Check that it has subscriptions and that the tenant's ID is right."
    return _refusal(_Refused(400, "invalid_tenant", 90002, told), now)


def _refusal(refused: _Refused, now: datetime | None) -> Answer:
    at = f"{now:%Y-%m-%d %H:%M:%S}Z" if now is not None else "2026-01-01 00:00:00Z"
    trace, correlation = str(uuid.uuid4()), str(uuid.uuid4())
    told = f"AADSTS{refused.code}: {refused.told} Trace ID: {trace} Correlation ID: {correlation} Timestamp: {at}"
    body = {
        "error": refused.error,
        "error_description": told,
        "error_codes": [refused.code],
        "timestamp": at,
        "trace_id": trace,
        "correlation_id": correlation,
        "error_uri": f"https://login.microsoftonline.com/error?code={refused.code}",
    }
    return _json(refused.status, body)


def _json(status: int, plain: object) -> Answer:
    return Answer(status=status, body=msgspec.json.encode(plain), content_type=_JSON)
