"""Whom we trust on the wire: the operating system's certificate store, and what `ca_file` adds to it."""

from __future__ import annotations

import ssl
from pathlib import Path

from alertd.errors import ConfigError, Problem


def make_ssl_context(ca_file: Path | None = None) -> ssl.SSLContext:
    """Make a context that verifies servers; raises ConfigError when `ca_file` holds no certificates.

    A context of truststore holds a lock during a handshake, so one that serves an event loop is never shared with threads: a slow
    handshake in a thread would stop the loop.
    """
    import truststore

    context = truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if ca_file is not None:
        try:
            context.load_verify_locations(cafile=ca_file)
        except (OSError, ssl.SSLError) as exc:
            raise ConfigError([_unusable(ca_file, exc)]) from exc
    return context


def _unusable(ca_file: Path, exc: OSError) -> Problem:
    found = "no certificates" if isinstance(exc, ssl.SSLError) else f"no readable file ({exc.strerror})"
    return Problem(
        file=str(ca_file),
        path="http.ca_file",
        found=found,
        expected="certificates in PEM form",
        cure="name the file that holds your proxy's or authority's root certificate",
    )
