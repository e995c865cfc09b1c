"""Kinds of values that name something in the file system, relative to the file that names it."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

import attrs

from alertd.config.context import Context, Secrets
from alertd.config.kinds import Kind, Schema
from alertd.model.document import Node

RELATIVE = "paths are relative to the file that names them"


@attrs.frozen
class FilePath(Kind):
    """A file that has to be there, given with its whole path. secret: it is only looked for when secrets are."""

    secret: bool = attrs.field(default=False, kw_only=True)

    expected: ClassVar[str] = "the path of a file"
    harmless: ClassVar[Any] = Path()

    def read(self, node: Node, context: Context) -> Path:
        """Give the path."""
        name = node.text("")
        path = context.resolve(name)
        looked_for = not self.secret or context.secrets is Secrets.READ
        if name and looked_for and not context.unresolved(name) and not path.is_file():
            node.problem(expected="a file that is there", cure=f"{RELATIVE}: {path}")
        return path

    def schema(self) -> Schema:
        """Say that it is a string."""
        return {"type": "string", "minLength": 1}


@attrs.frozen
class Directory(Kind):
    """A directory that has to be there, given with its whole path."""

    expected: ClassVar[str] = "the path of a directory"
    harmless: ClassVar[Any] = Path()

    def read(self, node: Node, context: Context) -> Path:
        """Give the path."""
        name = node.text("")
        path = context.resolve(name)
        if name and not context.unresolved(name) and not path.is_dir():
            node.problem(expected="a directory that is there", cure=f"{RELATIVE}: {path}")
        return path

    def schema(self) -> Schema:
        """Say that it is a string."""
        return {"type": "string", "minLength": 1}


@attrs.frozen
class Files(Kind):
    """A path or a glob, given as the files that it means now, in order of name."""

    expected: ClassVar[str] = "a path or a glob such as tenants/*.yaml"
    harmless: ClassVar[Any] = ()

    def read(self, node: Node, context: Context) -> tuple[Path, ...]:
        """Give the files; a path without one is a problem, a glob without one a warning."""
        text = node.text("")
        if not text or context.unresolved(text):
            return ()
        path = context.resolve(text)
        is_glob = any(sign in text for sign in "*?[")
        anchor = Path(path.anchor)
        found = sorted(anchor.glob(str(path.relative_to(anchor)))) if is_glob else [path]
        files = tuple(file for file in found if file.is_file())
        if not files:
            node.problem(expected="a file that is there", cure=f"{RELATIVE}: {path}", warning=is_glob)
        return files

    def schema(self) -> Schema:
        """Say that it is a string."""
        return {"type": "string", "minLength": 1}
