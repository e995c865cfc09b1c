"""The simulator in a program's hands: tenants to change while a real client watches them.

simulator = Simulator()
contoso = simulator.add_tenant("contoso")
simulator.play(Scenario.load("credential-expires"))
async with simulator.serving() as server:          # server.origin is graph_url and authority in one
    contoso.roles.clear()                          # consent is lost
    contoso.failing = PollErrorKind.SERVER         # an outage
"""

from __future__ import annotations

import contextlib
import random
import re
from collections import deque
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from alertd.clock import Clock, SystemClock
from alertd.simulator.graph_api import GraphApi, Request
from alertd.simulator.login import Login
from alertd.simulator.odata import Answer, Outcome, error, top_level_headers
from alertd.simulator.scenario import Scenario
from alertd.simulator.server import Call, SimulatorServer, Tls, serving
from alertd.simulator.tenant import PasswordCredential, SimulatedTenant, derived_id
from alertd.simulator.timeline import expand

_CALLS_KEPT = 1_000
_CHALLENGE = 'Bearer realm="", authorization_uri="https://login.microsoftonline.com/common/oauth2/authorize"'


class Simulator:
    """Simulated tenants behind one address.

    clock: of the timelines. token_clock: of the tokens' lives, by default the machine's, as MSAL's is. seed: of everything random.
    """

    def __init__(self, *, clock: Clock | None = None, token_clock: Clock | None = None, seed: int = 0) -> None:
        self.tenants: dict[str, SimulatedTenant] = {}
        self.calls: deque[Call] = deque(maxlen=_CALLS_KEPT)
        self.login = Login(clock=token_clock or SystemClock(), tenants=self.tenants.values)
        self._clock = clock or SystemClock()
        self._random = random.Random(seed)  # noqa: S311 - a simulation repeats itself
        self._api = GraphApi(source=self._random)

    def add_tenant(self, name: str, *, tenant_id: str | None = None, secret: str | None = None) -> SimulatedTenant:
        """Add a tenant with one client secret, or give the one there is of that name."""
        if name not in self.tenants:
            identifier = tenant_id or derived_id("tenant", name)
            secrets = [PasswordCredential(text=secret or f"simulated-secret-of-{name}")]
            self.tenants[name] = SimulatedTenant(
                name=name, id=identifier, client_id=derived_id("client", name), secrets=secrets
            )
        return self.tenants[name]

    def play(self, scenario: Scenario, *, start: datetime | None = None) -> None:
        """Add a scenario's tenants and jobs; its first step is at `start`, by default now."""
        begin = start or self._clock.now()
        for tenant in scenario.tenants:
            simulated = self.add_tenant(tenant.name)
            if tenant.timeline is not None:
                simulated.answers, simulated.start, simulated.interval = tenant.timeline.steps, begin, scenario.interval
        for job in scenario.jobs:
            simulated = self.add_tenant(job.tenant)
            simulated.add_job(
                job.service_principal,
                job.id,
                expand(job.timeline, start=begin, interval=scenario.interval, job_id=job.id),
                start=begin,
                interval=scenario.interval,
                principal_id=job.service_principal_id,
            )
        for tenant_name, principal in scenario.idle:
            self.add_tenant(tenant_name).add_principal(principal)

    def token(self, tenant: str, *, roles: Iterable[str] | None = None) -> str:
        """Give a token of a tenant without signing in."""
        return self.login.issue(self.tenants[tenant], roles=roles)

    def server(self, *, host: str = "127.0.0.1", port: int = 0, tls: Tls | None = None) -> SimulatorServer:
        """Make a server; port 0 is any free one."""
        return SimulatorServer(self.respond, host=host, port=port, tls=tls)

    def serving(
        self, *, host: str = "127.0.0.1", port: int = 0, tls: Tls | None = None
    ) -> contextlib.AbstractAsyncContextManager[SimulatorServer]:
        """Serve for the length of a block; gives the server, which can be stopped and started in between."""
        return serving(self.server(host=host, port=port, tls=tls))

    def respond(self, call: Call) -> tuple[Outcome, dict[str, str], float]:
        """Answer one HTTP request: outcome, headers, seconds to wait before it."""
        self.calls.append(call)
        if not call.prefix:
            outcome = self._sign_in(call)
            return outcome, _plain_headers(outcome), 0.0
        outcome, tenant = self._graph(call)
        headers = (
            top_level_headers(outcome, call.headers.get("client-request-id"), self._random)
            if isinstance(outcome, Answer)
            else {}
        )
        return outcome, headers, tenant.latency if tenant else 0.0

    def _graph(self, call: Call) -> tuple[Outcome, SimulatedTenant | None]:
        now = self._clock.now()
        grant = self.login.grant(call.headers.get("authorization", "").removeprefix("Bearer "))
        if grant is None:
            told = "The access token is missing, expired, or of another cloud."
            return error(
                401, "InvalidAuthenticationToken", told, headers={"WWW-Authenticate": _CHALLENGE}, now=now
            ), None
        request = Request(
            method=call.method,
            path=call.path,
            query=call.query,
            base=f"{call.origin}{call.prefix}",
            roles=grant.roles & frozenset(grant.tenant.roles),
            body=call.body,
            content_type=call.headers.get("content-type", ""),
        )
        return self._api.answer(grant.tenant, request, now), grant.tenant

    def _sign_in(self, call: Call) -> Outcome:
        for method, shape, answer in (
            ("GET", _CONFIGURATION, self._configuration),
            ("POST", _TOKEN, self._token),
            ("GET", _INSTANCE, self._instance),
            ("GET", _IDENTITY, self._identity),
        ):
            match = shape.fullmatch(call.path)
            if match is not None and call.method == method:
                return answer(call, match)
        return Answer(status=404, body=b"not found", content_type="text/plain")

    def _configuration(self, call: Call, match: re.Match[str]) -> Outcome:
        return self.login.openid_configuration(match["tenant"], call.origin)

    def _token(self, call: Call, match: re.Match[str]) -> Outcome:
        return self.login.token(match["tenant"], call.form, call.origin, self._clock.now())

    def _instance(self, call: Call, match: re.Match[str]) -> Outcome:  # noqa: ARG002
        return self.login.instance_discovery(call.origin)

    def _identity(self, call: Call, match: re.Match[str]) -> Outcome:
        return self.login.managed_identity(call.options, call.headers, app_service=match["kind"] == "msi")


_CONFIGURATION = re.compile(r"/(?P<tenant>[^/]+)/v2\.0/\.well-known/openid-configuration")
_TOKEN = re.compile(r"/(?P<tenant>[^/]+)/oauth2/v2\.0/token")
_INSTANCE = re.compile(r"/common/discovery/instance")
_IDENTITY = re.compile(r"/(?P<kind>msi|metadata/identity/oauth2)/token")


def _plain_headers(outcome: Outcome) -> dict[str, Any]:
    return {"Content-Type": outcome.content_type, **outcome.headers} if isinstance(outcome, Answer) else {}
