"""What reading a value depends on beside the value: where its file stands, the environment, and what may be touched."""

from __future__ import annotations

import enum
import os
import stat
from pathlib import Path

import attrs

from alertd.config.environment import Environment


class Secrets(enum.StrEnum):
    """What is done about secrets while a configuration is read."""

    LAZY = "lazy"  # files are read when the secret is used
    READ = "read"  # each file is opened once now, so that one that cannot be read is a problem
    IGNORE = "ignore"  # variables may be unset and files missing: a check where the secrets are not


@attrs.frozen(kw_only=True)
class Context:
    """What surrounds a value.

    directory: what relative paths are relative to: that of the file that names them.
    exposed: everybody on this machine may read the file, so a credential in it deserves a warning.
    allow_http: the entry that is being read says that plain HTTP is meant.
    """

    directory: Path
    environment: Environment
    secrets: Secrets = Secrets.LAZY
    exposed: bool = False
    allow_http: bool = False

    @classmethod
    def of_file(cls, path: Path, environment: Environment, secrets: Secrets) -> Context:
        """Give the context of the values of a file."""
        exposed = secrets is not Secrets.IGNORE and _readable_by_all(path)
        return cls(directory=path.absolute().parent, environment=environment, secrets=secrets, exposed=exposed)

    def resolve(self, text: str) -> Path:
        """Give the path that a text means, ``~`` included; as in a shell, the home of nobody is a name like any other."""
        expanded = os.path.expanduser(text)  # noqa: PTH111 - pathlib's raises RuntimeError for a user that is not there
        return Path(os.path.normpath(self.directory / expanded))

    def shown(self, path: Path) -> str:
        """Give a path as it stands in problems: from where the reader is, if it is below."""
        return os.path.relpath(path) if path.is_relative_to(Path.cwd()) else str(path)

    def unresolved(self, text: str) -> bool:
        """Whether the text still holds a variable that is not set, so nothing can be said about its value."""
        return text in self.environment.unset


def _readable_by_all(path: Path) -> bool:
    """Whether any user may read it; Windows keeps that in access lists, which `stat` does not show."""
    if os.name == "nt":
        return False
    try:
        return bool(path.stat().st_mode & stat.S_IROTH)
    except OSError:
        return False
