"""Reading the configuration for a command, with the next command to try where there is none."""

from __future__ import annotations

from pathlib import Path

from alertd.config import Config, Secrets, load_config
from alertd.errors import ConfigError, Problem


def read_config(path: Path, secrets: Secrets = Secrets.LAZY) -> Config:
    """Give the configuration. Raises ConfigError."""
    require_file(path)
    return load_config(path, secrets=secrets)


def require_file(path: Path) -> None:
    """Raise ConfigError where there is no such file."""
    if not path.is_file():
        cure = "`alertd init` writes one; -c FILE or ALERTD_CONFIG names another"
        raise ConfigError([Problem(file=str(path), found="no such file", cure=cure)])
