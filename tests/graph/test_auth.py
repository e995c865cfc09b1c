"""Tokens by every kind of credential, through the real MSAL, and what is said when there is none."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import jwt
import pytest
import trustme
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.serialization import pkcs12

from alertd.errors import PollError, PollErrorKind
from alertd.graph.auth import TokenSource
from alertd.graph.credentials import AccessTokenFile, Certificate, ClientSecret, ManagedIdentity, WorkloadIdentity
from alertd.graph.settings import HttpSettings, TenantSettings
from alertd.graph.sign_in import SignIn
from alertd.model.secret import Secret
from alertd.simulator.login import sign_in_refusal
from alertd.simulator.odata import Answer, Drop, Hang, html
from alertd.simulator.server import SimulatorServer
from alertd.simulator.simulator import Simulator
from alertd.simulator.tenant import PasswordCredential, SimulatedTenant

pytestmark = pytest.mark.anyio

Make = Callable[..., TokenSource]


@pytest.fixture
async def sign_in(settings: HttpSettings) -> AsyncIterator[SignIn]:
    sign_in = SignIn(settings)
    yield sign_in
    await sign_in.close()


@pytest.fixture
def make(sign_in: SignIn, server: SimulatorServer, contoso: SimulatedTenant, clock: Any) -> Make:
    """Make a source of contoso's tokens by a credential, its own secret by default."""

    def make(credential: Any = None, **more: Any) -> TokenSource:
        values = {
            "name": "contoso",
            "tenant_id": contoso.id,
            "client_id": contoso.client_id,
            "credential": credential or ClientSecret(secret=Secret(contoso.secrets[0].text)),
            "authority": server.origin,
        }
        return TokenSource(TenantSettings(**(values | more)), sign_in=sign_in, clock=clock)

    return make


def sign_ins(simulator: Simulator) -> int:
    return sum(call.path.endswith("/token") for call in simulator.calls)


async def refusal(source: TokenSource) -> PollError:
    with pytest.raises(PollError) as caught:
        await source.header()
    return caught.value


class TestCredentials:
    async def test_client_secret(self, make: Make, simulator: Simulator) -> None:
        header = await make().header()

        grant = simulator.login.grant(header.removeprefix("Bearer "))
        assert grant is not None
        assert grant.tenant.name == "contoso"

    @pytest.mark.parametrize("form", ["pem", "pfx"])
    async def test_certificate(self, make: Make, contoso: SimulatedTenant, tmp_path: Path, form: str) -> None:
        """Signed with the certificate's SHA-256 thumbprint; the end of its validity is known from then on."""
        issued = trustme.CA().issue_cert("alertd.example", key_type=trustme.KeyType.RSA)
        contoso.certificates.append(issued.cert_chain_pems[0].bytes())
        path = tmp_path / "app"
        path.write_bytes(issued.private_key_and_cert_chain_pem.bytes() if form == "pem" else _pfx(issued, b"pw"))
        source = make(Certificate(path=path, password=Secret("pw") if form == "pfx" else None))

        before = source.credential_expires_at
        header = await source.header()

        assert header.startswith("Bearer ey")
        assert before is None
        assert source.credential_expires_at is not None
        assert source.credential_expires_at.tzinfo is UTC

    async def test_certificate_that_is_not_registered(self, make: Make, tmp_path: Path) -> None:
        path = tmp_path / "app.pem"
        trustme.CA().issue_cert(
            "alertd.example", key_type=trustme.KeyType.RSA
        ).private_key_and_cert_chain_pem.write_to_path(path)

        error = await refusal(make(Certificate(path=path)))

        assert error.kind is PollErrorKind.AUTH
        assert "upload its public part" in error.cure

    async def test_workload_identity_reads_its_file_for_every_token(
        self, make: Make, contoso: SimulatedTenant, tmp_path: Path
    ) -> None:
        path = tmp_path / "token"
        path.write_text(_assertion("system:serviceaccount:old"))
        source = make(WorkloadIdentity(token_file=path))
        contoso.federated_subjects.add("system:serviceaccount:new")
        before = await refusal(source)

        path.write_text(_assertion("system:serviceaccount:new"))
        source.forget()

        assert "subject" in before.cure
        assert (await source.header()).startswith("Bearer ey")

    async def test_workload_identity_as_kubernetes_sets_it(
        self, make: Make, contoso: SimulatedTenant, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (tmp_path / "token").write_text(_assertion("system:serviceaccount:alertd"))
        contoso.federated_subjects.add("system:serviceaccount:alertd")
        monkeypatch.setenv("AZURE_FEDERATED_TOKEN_FILE", str(tmp_path / "token"))

        assert (await make(WorkloadIdentity()).header()).startswith("Bearer ey")

    @pytest.mark.parametrize("client_id", [None, "11111111-2222-3333-4444-555555555555"], ids=["system", "user"])
    async def test_managed_identity_of_a_machine(
        self,
        make: Make,
        simulator: Simulator,
        contoso: SimulatedTenant,
        monkeypatch: pytest.MonkeyPatch,
        client_id: str | None,
    ) -> None:
        """Its endpoint is on the machine, so no proxy comes in between."""
        simulator.login.managed_identities[client_id] = contoso
        monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
        async with simulator.serving() as metadata:
            monkeypatch.setenv("AZURE_POD_IDENTITY_AUTHORITY_HOST", metadata.origin)

            header = await make(ManagedIdentity(client_id=client_id), client_id=None).header()

        assert simulator.login.grant(header.removeprefix("Bearer ")) is not None

    async def test_managed_identity_of_app_service(
        self, make: Make, simulator: Simulator, contoso: SimulatedTenant, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        simulator.login.managed_identities[None] = contoso
        async with simulator.serving() as metadata:
            monkeypatch.setenv("IDENTITY_ENDPOINT", f"{metadata.origin}/msi/token")
            monkeypatch.setenv("IDENTITY_HEADER", simulator.login.identity_header)

            header = await make(ManagedIdentity()).header()

        assert header.startswith("Bearer ey")

    async def test_managed_identity_that_is_not_assigned(
        self, make: Make, simulator: Simulator, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        async with simulator.serving() as metadata:
            monkeypatch.setenv("AZURE_POD_IDENTITY_AUTHORITY_HOST", metadata.origin)

            error = await refusal(make(ManagedIdentity()))

        assert (error.kind, "assign a managed identity" in error.cure) == (PollErrorKind.AUTH, True)

    async def test_managed_identity_without_its_endpoint(self, make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("AZURE_POD_IDENTITY_AUTHORITY_HOST", "http://127.0.0.1:9")

        assert (await refusal(make(ManagedIdentity()))).kind is PollErrorKind.NETWORK

    async def test_access_token_file_is_read_again_within_a_minute(
        self, make: Make, simulator: Simulator, tmp_path: Path, clock: Any
    ) -> None:
        (tmp_path / "token").write_text(simulator.token("contoso") + "\n")
        source = make(AccessTokenFile(path=tmp_path / "token"))
        clock.at = datetime.now(UTC)
        first = await source.header()

        (tmp_path / "token").write_text(simulator.token("contoso"))
        kept = await source.header()
        clock.at += timedelta(seconds=61)

        assert kept == first
        assert await source.header() != first

    @pytest.mark.parametrize("content", [None, "", "two words", "tok\u00e9n"])
    async def test_access_token_file_that_is_none(self, make: Make, tmp_path: Path, content: str | None) -> None:
        if content is not None:
            (tmp_path / "token").write_text(content)

        error = await refusal(make(AccessTokenFile(path=tmp_path / "token")))

        assert error.kind is PollErrorKind.AUTH
        assert error.cure

    async def test_access_token_that_is_over(self, make: Make, tmp_path: Path) -> None:
        (tmp_path / "token").write_text(jwt.encode({"exp": 1}, "k" * 32))

        error = await refusal(make(AccessTokenFile(path=tmp_path / "token")))

        assert "expired" in str(error)

    async def test_an_opaque_access_token_is_taken_as_it_is(self, make: Make, tmp_path: Path) -> None:
        (tmp_path / "token").write_text("opaque")
        source = make(AccessTokenFile(path=tmp_path / "token"))

        assert await source.header() == "Bearer opaque"
        assert await source.granted_roles() is None

    async def test_a_loopback_authority_may_do_without_tls(self, make: Make, simulator: Simulator) -> None:
        """MSAL insists on https; a drill on this machine need not."""
        async with simulator.serving() as plain:
            header = await make(authority=plain.origin).header()

        assert header.startswith("Bearer ey")


class TestLife:
    async def test_a_good_token_is_kept(self, make: Make, simulator: Simulator) -> None:
        source = make()

        headers = {await source.header() for _ in range(3)}

        assert (len(headers), sign_ins(simulator)) == (1, 1)

    async def test_it_is_renewed_five_minutes_before_its_end(self, make: Make, clock: Any) -> None:
        source = make()
        first = await source.header()

        clock.at += timedelta(minutes=54)
        kept = await source.header()
        clock.at += timedelta(minutes=1)

        assert kept == first
        assert await source.header() != first

    async def test_a_rejected_token_is_replaced_once_for_all(self, make: Make, simulator: Simulator) -> None:
        source = make()
        first = await source.header()

        second = await source.header(rejected=first)
        again = await source.header(rejected=first)

        assert second == again != first
        assert sign_ins(simulator) == 2

    async def test_claims_reach_the_authority(self, make: Make, simulator: Simulator) -> None:
        source = make()
        first = await source.header()
        claims = '{"access_token": {"nbf": {"essential": true, "value": "1"}}}'

        await source.header(rejected=first, claims=claims)

        assert [json.loads(asked) for asked in simulator.login.claims_asked] == [json.loads(claims)]

    async def test_a_rotated_secret_takes_effect(
        self, make: Make, contoso: SimulatedTenant, tmp_path: Path, clock: Any
    ) -> None:
        """MSAL fixes the secret in its application, so that is built anew."""
        path = tmp_path / "secret"
        path.write_text(contoso.secrets[0].text)
        source = make(ClientSecret(secret=Secret.from_file(path)))
        first = await source.header()

        path.write_text("new-secret\n")
        contoso.secrets = [PasswordCredential(text="new-secret")]
        clock.at += timedelta(hours=1)

        assert await source.header() != first

    async def test_a_failure_is_remembered_for_half_a_minute(
        self, make: Make, simulator: Simulator, clock: Any
    ) -> None:
        """A round of many batches asks once."""
        source = make(ClientSecret(secret=Secret("wrong")))
        for _ in range(5):
            await refusal(source)
        asked = sign_ins(simulator)

        clock.at += timedelta(seconds=31)
        await refusal(source)

        assert (asked, sign_ins(simulator)) == (1, 2)

    async def test_a_token_that_is_still_good_outlives_a_failed_renewal(
        self, make: Make, contoso: SimulatedTenant, clock: Any
    ) -> None:
        source = make()
        first = await source.header()
        contoso.sign_in.always = sign_in_refusal(7000222, "expired")

        clock.at += timedelta(minutes=57)
        kept = await source.header()
        clock.at += timedelta(minutes=3)

        assert kept == first
        assert (await refusal(source)).kind is PollErrorKind.AUTH

    async def test_roles_are_readable(self, make: Make, contoso: SimulatedTenant) -> None:
        assert await make().granted_roles() == ("Application.Read.All", "Synchronization.Read.All")

        contoso.roles.clear()

        assert await make().granted_roles() == ()

    async def test_nothing_prints_a_token(self, make: Make) -> None:
        source = make()
        token = (await source.header()).removeprefix("Bearer ")

        assert token not in repr(source)
        assert token not in repr(vars(source))


class TestFailures:
    @pytest.mark.parametrize(
        ("change", "kind", "cure"),
        [
            ({"credential": ClientSecret(secret=Secret("wrong"))}, PollErrorKind.AUTH, "not its ID"),
            ({"client_id": "00000000-0000-0000-0000-000000000000"}, PollErrorKind.AUTH, "admin consent"),
            ({"tenant_id": "00000000-0000-0000-0000-000000000000"}, PollErrorKind.AUTH, "tenant_id and cloud"),
            ({"credential": ClientSecret(secret=Secret.from_file("/nonexistent"))}, PollErrorKind.AUTH, "read it"),
            ({"credential": Certificate(path=Path("/nonexistent"))}, PollErrorKind.AUTH, "read it"),
            ({"credential": WorkloadIdentity()}, PollErrorKind.AUTH, "read it"),
            ({"authority": "https://127.0.0.1:9"}, PollErrorKind.NETWORK, "reaches"),
        ],
        ids=[
            "wrong secret",
            "unknown client",
            "unknown tenant",
            "no secret file",
            "no certificate",
            "no token file",
            "no authority",
        ],
    )
    async def test_each_has_its_kind_and_cure(
        self, make: Make, change: dict[str, Any], kind: PollErrorKind, cure: str
    ) -> None:
        error = await refusal(make(**change))

        assert (error.kind, cure in error.cure) == (kind, True), (str(error), error.cure)
        assert "wrong" not in str(error)

    async def test_an_expired_secret(self, make: Make, contoso: SimulatedTenant) -> None:
        contoso.secrets = [PasswordCredential(text="old", ends_at=datetime(2020, 1, 1, tzinfo=UTC))]

        error = await refusal(make(ClientSecret(secret=Secret("old"))))

        assert "has expired" in error.cure

    @pytest.mark.parametrize(
        ("answer", "kind"),
        [
            (Answer(status=503, body=b"{}"), PollErrorKind.SERVER),
            (html(200), PollErrorKind.MALFORMED),
            (html(403), PollErrorKind.MALFORMED),
            (Answer(body=b"{}"), PollErrorKind.MALFORMED),
            (Answer(body=b"[]"), PollErrorKind.MALFORMED),
            (Answer(status=400, body=b'{"error":"temporarily_unavailable"}'), PollErrorKind.SERVER),
            (Answer(status=429, body=b'{"error":"slow_down"}', headers={"Retry-After": "7"}), PollErrorKind.THROTTLED),
            (Answer(status=302, headers={"Location": "https://evil.example/"}), PollErrorKind.MALFORMED),
            (Drop(), PollErrorKind.NETWORK),
            (sign_in_refusal(50034, "x", status=400, error="invalid_grant"), PollErrorKind.AUTH),
        ],
        ids=[
            "503",
            "html",
            "html 403",
            "no token",
            "a list",
            "unavailable",
            "throttled",
            "redirect",
            "dropped",
            "refused",
        ],
    )
    async def test_odd_answers(self, make: Make, contoso: SimulatedTenant, answer: Any, kind: PollErrorKind) -> None:
        contoso.sign_in.always = answer

        error = await refusal(make())

        assert error.kind is kind, str(error)

    async def test_a_passing_trouble_is_tried_again_once(
        self, make: Make, contoso: SimulatedTenant, clock: Any
    ) -> None:
        contoso.sign_in.following.append(Drop())

        header = await make().header()

        assert header.startswith("Bearer ey")
        assert clock.slept == [6.0]

    async def test_an_authority_that_hangs(
        self, server: SimulatorServer, contoso: SimulatedTenant, ca_file: Path, clock: Any
    ) -> None:
        contoso.sign_in.always = Hang()
        sign_in = SignIn(HttpSettings(ca_file=ca_file, timeout=0.2))
        tenant = TenantSettings(
            name="contoso",
            tenant_id=contoso.id,
            client_id=contoso.client_id,
            credential=ClientSecret(secret=Secret("x")),
            authority=server.origin,
        )

        error = await refusal(TokenSource(tenant, sign_in=sign_in, clock=clock))

        await sign_in.close()
        assert error.kind is PollErrorKind.TIMEOUT

    async def test_an_authority_nobody_vouches_for(
        self, server: SimulatorServer, contoso: SimulatedTenant, clock: Any
    ) -> None:
        sign_in = SignIn(HttpSettings(timeout=5))
        tenant = TenantSettings(
            name="contoso",
            tenant_id=contoso.id,
            client_id=contoso.client_id,
            credential=ClientSecret(secret=Secret("x")),
            authority=server.origin,
        )

        error = await refusal(TokenSource(tenant, sign_in=sign_in, clock=clock))

        await sign_in.close()
        assert (error.kind, "ca_file" in error.cure) == (PollErrorKind.NETWORK, True)

    async def test_a_ca_file_that_is_none(
        self, server: SimulatorServer, contoso: SimulatedTenant, tmp_path: Path, clock: Any
    ) -> None:
        (tmp_path / "ca.pem").write_text("nothing")
        sign_in = SignIn(HttpSettings(ca_file=tmp_path / "ca.pem"))
        tenant = TenantSettings(
            name="c",
            tenant_id=contoso.id,
            client_id="x",
            credential=ClientSecret(secret=Secret("x")),
            authority=server.origin,
        )

        error = await refusal(TokenSource(tenant, sign_in=sign_in, clock=clock))

        await sign_in.close()
        assert "ca.pem" in str(error)


def _assertion(subject: str) -> str:
    return jwt.encode({"sub": subject, "iss": "https://oidc.example", "aud": "api://AzureADTokenExchange"}, "k" * 32)


def _pfx(issued: trustme.LeafCert, password: bytes) -> bytes:
    from cryptography import x509
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    key: Any = load_pem_private_key(issued.private_key_pem.bytes(), None)
    certificate = x509.load_pem_x509_certificate(issued.cert_chain_pems[0].bytes())
    secrecy = serialization.BestAvailableEncryption(password)
    return pkcs12.serialize_key_and_certificates(b"alertd", key, certificate, None, secrecy)
