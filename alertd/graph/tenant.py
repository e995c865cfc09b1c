"""The face of this package: one tenant to discover and read, and the connections that tenants share."""

from __future__ import annotations

import random
from collections.abc import AsyncGenerator, Callable, Iterable
from contextlib import aclosing
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import partial
from urllib.parse import quote, urlsplit

import attrs
import msgspec

from alertd.clock import Clock
from alertd.errors import ConfigError, PollError
from alertd.graph.answers import Place
from alertd.graph.auth import TokenSource
from alertd.graph.budget import Budget
from alertd.graph.client import GraphClient
from alertd.graph.credentials import ClientSecret
from alertd.graph.discovery import Discovery, Selection, discover
from alertd.graph.meter import Meter, Sent
from alertd.graph.poll import read_principals
from alertd.graph.settings import HttpSettings, TenantSettings
from alertd.graph.sign_in import SignIn
from alertd.graph.transport import Transport
from alertd.model.reading import Failed, Known, Reading, nothing_known
from alertd.model.requests import Requests


class _PasswordCredential(msgspec.Struct, rename="camel"):
    hint: str | None = None
    end_date_time: datetime | None = None


class _Application(msgspec.Struct, rename="camel"):
    password_credentials: list[_PasswordCredential] = msgspec.field(default_factory=list)


_application = msgspec.json.Decoder(_Application)


@attrs.frozen(kw_only=True)
class Probe:
    """What a check of the way to Graph showed.

    roles: application permissions in the token; null where it is opaque or there is none. clock_skew: Graph's clock minus ours, which
    is good to a second; null where Graph did not say. error: why there is no answer.
    """

    roles: tuple[str, ...] | None = None
    clock_skew: timedelta | None = None
    error: Failed | None = None


class GraphTenant:
    """One tenant. No method but `header` raises PollError: failures are values."""

    def __init__(self, settings: TenantSettings, *, client: GraphClient, sign_in: SignIn) -> None:
        self._settings = settings
        self._client = client
        self._sign_in = sign_in
        self._selection = Selection(settings.include, settings.exclude)
        self._secret_expires_at: datetime | None = None
        self._sources = {settings.endpoints.scope: client.tokens}

    @property
    def settings(self) -> TenantSettings:
        """What it was made from."""
        return self._settings

    @property
    def credential_expires_at(self) -> datetime | None:
        """When the credential ends: the certificate's notAfter, or the client secret's end where the directory shows it.

        Null until the first sign-in or discovery, and for credentials that have no end.
        """
        return self._client.tokens.credential_expires_at or self._secret_expires_at

    def job_url(self, service_principal_id: str) -> str:
        """Give the portal page of a service principal's provisioning."""
        return self._settings.endpoints.job_url(service_principal_id)

    async def listing(self, deadline: datetime) -> AsyncGenerator[Discovery, None]:
        """List all service principals, part by part; they are complete together where each part is."""
        complete = True
        async with aclosing(discover(self._client, self._selection, deadline=deadline)) as parts:
            async for part in parts:
                complete = complete and part.complete
                yield part
        if complete and isinstance(self._settings.credential, ClientSecret):
            self._secret_expires_at = await self._find_secret_end(deadline)

    async def discover(self, deadline: datetime) -> Discovery:
        """List all service principals at once."""
        whole = Discovery()
        async for part in self.listing(deadline):
            whole += part
        return whole

    def readings(
        self, principal_ids: Iterable[str], deadline: datetime, known: Known = nothing_known
    ) -> AsyncGenerator[dict[str, Reading], None]:
        """Read the jobs of these service principals: exactly one reading for each, some at a time, at the deadline at the latest.

        NotAsked is the reading of those for which the budget of requests had no room before the deadline, Unchanged of those whose answer has
        the digest that is `known`.
        """
        return read_principals(self._client, principal_ids, deadline=deadline, known=known)

    async def read(self, principal_ids: Iterable[str], deadline: datetime) -> dict[str, Reading]:
        """Read the jobs of these service principals, all at once, in their order."""
        asked = list(principal_ids)
        found: dict[str, Reading] = {}
        async for some in self.readings(asked, deadline):
            found |= some
        return {key: found[key] for key in asked}

    @property
    def requests(self) -> Requests:
        """The requests sent so far."""
        return self._client.meter.total

    def room(self, now: datetime) -> int | None:
        """Give how many requests the budget allows at once; null where there is no budget."""
        return self._client.budget.room(now) if self._client.budget is not None else None

    async def probe(self, deadline: datetime) -> Probe:
        """Try the whole way once: token, permissions, Graph, clocks."""
        try:
            roles = await self._client.tokens.granted_roles()
        except PollError as exc:
            return Probe(error=_failed(exc))
        try:
            reply = await self._client.get(
                "/servicePrincipals?$select=id&$top=1", place=Place.DIRECTORY, deadline=deadline
            )
        except PollError as exc:
            return Probe(roles=roles, error=_failed(exc))
        return Probe(roles=roles, clock_skew=_skew(reply.headers.get("date"), self._client.clock.now()))

    async def header(self, scope: str, *, rejected: str | None = None) -> str:
        """Give the value of an Authorization header for this scope: Graph's own for mail, or another service's, such as a flow's trigger.

        rejected: the value that was refused; it is not given again. Raises PollError.
        """
        if scope not in self._sources:
            self._sources[scope] = TokenSource(
                self._settings, sign_in=self._sign_in, clock=self._client.clock, scope=scope
            )
        return await self._sources[scope].header(rejected=rejected)

    async def close(self) -> None:
        """Forget the tokens; connections are shared, and closed by `GraphClients`."""
        for source in self._sources.values():
            source.forget()

    async def _find_secret_end(self, deadline: datetime) -> datetime | None:
        """Look the secret's end up in the app registration, which only its home tenant shows; null where it is not there."""
        path = f"/applications(appId='{quote(self._settings.client_id or '', safe='')}')?$select=passwordCredentials"
        try:
            reply = await self._client.get(path, place=Place.DIRECTORY, deadline=deadline)
            secrets = _application.decode(reply.body).password_credentials
            ends = [
                secret.end_date_time
                for secret in secrets
                if secret.end_date_time and self._client.tokens.secret_begins_with(secret.hint or "")
            ]
        except (PollError, ConfigError, msgspec.DecodeError, UnicodeDecodeError):
            return None
        return max(ends, default=None)


class GraphClients:
    """What tenants share: connections to each Graph host, and the way to the sign-in service.

    told: hears of every request that was sent, with the tenant's name.
    """

    def __init__(
        self,
        settings: HttpSettings,
        *,
        clock: Clock,
        random: Callable[[], float] = random.random,
        told: Callable[[str, Sent], None] = lambda _tenant, _sent: None,
    ) -> None:
        self.settings = settings  # of tenants made from now on
        self._clock = clock
        self._random = random
        self._told = told
        self._budgets: dict[tuple[str, str], Budget] = {}
        self._sign_in = SignIn(settings)
        self._transports: dict[str, Transport] = {}

    def tenant(self, settings: TenantSettings) -> GraphTenant:
        """Make a tenant; nothing is opened before its first request."""
        client = GraphClient(
            base_url=settings.base_url,
            tokens=TokenSource(settings, sign_in=self._sign_in, clock=self._clock),
            transport=self._transport(settings.base_url),
            clock=self._clock,
            random=self._random,
            settings=self.settings,
            budget=self._budget(settings),
            meter=Meter(partial(self._told, settings.name)),
        )
        return GraphTenant(settings, client=client, sign_in=self._sign_in)

    async def close(self) -> None:
        """Close all connections."""
        for transport in self._transports.values():
            await transport.close()
        self._transports.clear()
        await self._sign_in.close()

    def _budget(self, settings: TenantSettings) -> Budget | None:
        """Give a tenant's budget; what it has spent in the last minute counts on when the tenant is made anew by a reload."""
        key, per_minute = (settings.base_url, settings.tenant_id), self.settings.requests_per_minute
        if per_minute is None:
            self._budgets.pop(key, None)
            return None
        budget = self._budgets.setdefault(key, Budget(per_minute))
        budget.per_minute = per_minute
        return budget

    def _transport(self, base_url: str) -> Transport:
        parts = urlsplit(base_url)
        origin = f"{parts.scheme}://{parts.netloc}"
        return self._transports.setdefault(origin, Transport(base_url, self.settings))


def _skew(date: str | None, now: datetime) -> timedelta | None:
    try:
        return parsedate_to_datetime(date or "") - now
    except (ValueError, TypeError):
        return None


def _failed(error: PollError) -> Failed:
    return Failed(kind=error.kind, message=str(error), cure=error.cure)
