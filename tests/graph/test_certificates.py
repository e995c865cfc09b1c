"""Certificates as credentials: which files are taken, and what is said about the others."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import pkcs12
from cryptography.x509.oid import NameOID

from alertd.errors import ConfigError
from alertd.graph.certificates import load_key_pair
from alertd.graph.credentials import Certificate
from alertd.model.secret import Secret

NOT_AFTER = datetime(2031, 1, 1, tzinfo=UTC)
KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
OTHER_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)


def certificate_of(key: rsa.RSAPrivateKey) -> x509.Certificate:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "alertd")])
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(x509.random_serial_number()).not_valid_before(NOT_AFTER - timedelta(days=3650))
    return builder.not_valid_after(NOT_AFTER).sign(key, hashes.SHA256())


OWN, CHAIN = certificate_of(KEY), certificate_of(OTHER_KEY)
_PEM, _PKCS8 = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8


def pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(_PEM)


def key_pem(password: bytes | None = None, form: serialization.PrivateFormat = _PKCS8) -> bytes:
    secrecy = serialization.BestAvailableEncryption(password) if password else serialization.NoEncryption()
    return KEY.private_bytes(_PEM, form, secrecy)


def pfx(password: bytes | None) -> bytes:
    secrecy = serialization.BestAvailableEncryption(password) if password else serialization.NoEncryption()
    return pkcs12.serialize_key_and_certificates(b"alertd", KEY, OWN, [CHAIN], secrecy)


Write = Callable[[bytes], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write(content: bytes) -> Path:
        (tmp_path / "app").write_bytes(content)
        return tmp_path / "app"

    return write


@pytest.mark.parametrize(
    ("content", "password"),
    [
        pytest.param(key_pem() + pem(OWN), None, id="key, then certificate"),
        pytest.param(pem(OWN) + key_pem(), None, id="certificate, then key"),
        pytest.param(pem(CHAIN) + pem(OWN) + key_pem(), None, id="the chain in any order"),
        pytest.param(
            key_pem(form=serialization.PrivateFormat.TraditionalOpenSSL) + pem(OWN), None, id="a traditional key"
        ),
        pytest.param(key_pem(b"pw") + pem(OWN), "pw", id="an encrypted key"),
        pytest.param(key_pem() + pem(OWN), "pw", id="a password that is not needed"),
        pytest.param(b"Bag Attributes\n" + pem(OWN) + b"\n# comment\n" + key_pem(), None, id="text in between"),
        pytest.param(pfx(b"pw"), "pw", id="PFX"),
        pytest.param(pfx(None), None, id="PFX without a password"),
    ],
)
def test_files_that_are_taken(write: Write, content: bytes, password: str | None) -> None:
    pair = load_key_pair(Certificate(path=write(content), password=Secret(password) if password else None))

    assert pair.certificate.encode() == pem(OWN)
    assert pair.private_key.encode() == key_pem()
    assert pair.not_after == NOT_AFTER
    assert "PRIVATE" not in repr(pair)


@pytest.mark.parametrize(
    ("content", "password", "found"),
    [
        pytest.param(b"", None, "cannot be read", id="empty"),
        pytest.param(b"hello", None, "cannot be read", id="no certificate at all"),
        pytest.param(pem(OWN), None, "no private key", id="no key"),
        pytest.param(key_pem(), None, "no certificate", id="no certificate"),
        pytest.param(key_pem() + pem(CHAIN), None, "no certificate of its private key", id="another's certificate"),
        pytest.param(key_pem(b"pw") + pem(OWN), "wrong", "cannot be read", id="a wrong password"),
        pytest.param(key_pem(b"pw") + pem(OWN), None, "cannot be read", id="a missing password"),
        pytest.param(pfx(b"pw"), "wrong", "cannot be read", id="PFX with a wrong password"),
        pytest.param(
            ec.generate_private_key(ec.SECP256R1()).private_bytes(_PEM, _PKCS8, serialization.NoEncryption())
            + pem(OWN),
            None,
            "not RSA",
            id="an elliptic key",
        ),
    ],
)
def test_files_that_are_not(write: Write, content: bytes, password: str | None, found: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load_key_pair(Certificate(path=write(content), password=Secret(password) if password else None))

    (problem,) = caught.value.problems
    assert found in problem.found
    assert problem.cure
    assert "wrong" not in str(problem).replace("wrong or", "")


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="No such file"):
        load_key_pair(Certificate(path=tmp_path / "none"))
