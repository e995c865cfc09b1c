"""Certificates as credentials: PEM or PFX, told apart by content, in the form MSAL takes."""

from __future__ import annotations

import re
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import attrs

from alertd.errors import ConfigError, Problem
from alertd.graph.credentials import Certificate

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
    from cryptography.x509 import Certificate as LoadedCertificate

_PRIVATE_KEY = re.compile(rb"-----BEGIN ([A-Z ]*PRIVATE KEY)-----.+?-----END \1-----", re.DOTALL)
_X509 = re.compile(rb"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL)
_SIZE_MAX = 1_000_000  # bytes


@attrs.frozen(kw_only=True)
class KeyPair:
    """A private key and the certificate that belongs to it, both as unencrypted PEM, and the end of its validity."""

    private_key: str = attrs.field(repr=False)
    certificate: str
    not_after: datetime


def load_key_pair(credential: Certificate) -> KeyPair:
    """Read the file; raises ConfigError saying what is wrong with it, never what is in it."""
    raw = _read(credential.path)
    password = credential.password.reveal().encode() if credential.password is not None else None
    try:
        key, certificates = _load_pem(raw, password) if b"-----BEGIN" in raw else _load_pfx(raw, password)
    except (ValueError, TypeError) as exc:
        raise _unusable(
            credential.path, "a key that cannot be read", "check the password, and that the file is PEM or PFX"
        ) from exc
    return _matched(credential.path, key, certificates)


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(_SIZE_MAX)
    except OSError as exc:
        raise _unusable(path, f"no readable file ({exc.strerror})", "let the user that alertd runs as read it") from exc


def _load_pem(raw: bytes, password: bytes | None) -> tuple[PrivateKeyTypes | None, list[LoadedCertificate]]:
    from cryptography import x509
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    block = _PRIVATE_KEY.search(raw)
    certificates = [x509.load_pem_x509_certificate(match[0]) for match in _X509.finditer(raw)]
    if block is None:
        return None, certificates
    encrypted = b"ENCRYPTED" in block[0]
    return load_pem_private_key(block[0], password if encrypted else None), certificates


def _load_pfx(raw: bytes, password: bytes | None) -> tuple[PrivateKeyTypes | None, list[LoadedCertificate]]:
    from cryptography.hazmat.primitives.serialization import pkcs12

    key, certificate, others = pkcs12.load_key_and_certificates(raw, password)
    return key, [certificate, *others] if certificate is not None else others


def _matched(path: Path, key: PrivateKeyTypes | None, certificates: list[LoadedCertificate]) -> KeyPair:
    """Pair the key with its own certificate: the file may hold the chain, in any order."""
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

    if not isinstance(key, RSAPrivateKey):
        found = "no private key" if key is None else "a key that is not RSA"
        raise _unusable(path, found, "put the RSA private key and its certificate into one file")
    own = next((certificate for certificate in certificates if certificate.public_key() == key.public_key()), None)
    if own is None:
        raise _unusable(
            path, "no certificate of its private key", "put the private key and its certificate into one file"
        )
    private_key = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return KeyPair(
        private_key=private_key.decode(),
        certificate=own.public_bytes(serialization.Encoding.PEM).decode(),
        not_after=own.not_valid_after_utc,
    )


def _unusable(path: Path, found: str, cure: str) -> ConfigError:
    return ConfigError([Problem(file=str(path), found=found, expected="a certificate with its private key", cure=cure)])
