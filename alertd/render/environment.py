"""Templates: found and read once; then messages are rendered without touching a disk.

A file of the user's stands before the shipped one of the same relative name. What is wrong with any of them is said at
load (what does not compile) or by `check` (what compiles and yet names something that is not there).
"""

from __future__ import annotations

import traceback
from collections.abc import Collection, Mapping, MutableMapping
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import attrs
import jinja2
from jinja2 import meta, nodes

from alertd.errors import AlertdError, ConfigError, Problem
from alertd.model.suggestion import did_you_mean
from alertd.render.sandbox import TEXT_MAX, MessageEnvironment

SUFFIX = ".j2"
_FILE_MAX = 256_000  # bytes


class TemplateFailure(AlertdError):  # noqa: N818 - it is told to people, in a message that goes out all the same
    """A template could not be rendered. name: its relative name. line: counted from one, zero where unknown."""

    def __init__(self, name: str, line: int, fault: str) -> None:
        self.name = name
        self.line = line
        self.fault = fault
        super().__init__(f"{name}:{line}: {fault}" if line else f"{name}: {fault}")


@attrs.frozen
class Source:
    """A template's text and where it was read."""

    path: Path
    text: str


class _Sources(jinja2.BaseLoader):
    """Templates from memory, parsed once; they know their file's name, for messages about errors."""

    def __init__(self, sources: Mapping[str, Source]) -> None:
        self.sources = sources
        self.trees: dict[str, nodes.Template] = {}

    def load(
        self,
        environment: jinja2.Environment,
        name: str,
        globals: MutableMapping[str, Any] | None = None,  # noqa: A002
    ) -> jinja2.Template:
        if name not in self.sources:
            raise jinja2.TemplateNotFound(name)
        path = str(self.sources[name].path)
        code = environment.compile(self.tree(environment, name), name, path)
        return environment.template_class.from_code(environment, code, globals or {}, None)

    def tree(self, environment: jinja2.Environment, name: str) -> nodes.Template:
        if name not in self.trees:
            source = self.sources[name]
            self.trees[name] = environment.parse(source.text, name, str(source.path))
        return self.trees[name]


class Templates:
    """All templates. Immutable; safe to use from several tasks at once.

    Those of the user's are compiled at once, to find what is wrong with them; the shipped ones, which our tests compile,
    at their first use, which keeps commands quick. No template is read from disk after `load`.
    """

    def __init__(
        self, sources: Mapping[str, Source], *, own: Collection[str] = (), zone: ZoneInfo | None = None
    ) -> None:
        """Take templates by relative name; `own` names those of the user's.

        Raises ConfigError with every one of these that does not compile.
        """
        self.sources = dict(sources)
        self.own = frozenset(own)
        self.zone = zone
        self._loader = _Sources(self.sources)
        self.environment = MessageEnvironment(loader=self._loader, autoescape=_is_html, zone=zone)
        problems = [problem for name in sorted(self.own) for problem in self._compile_problems(name)]
        if problems:
            raise ConfigError(problems)

    @classmethod
    def load(cls, user_dir: Path | None = None, *, zone: ZoneInfo | None = None) -> Templates:
        """Read the shipped templates and, before them, those in `user_dir`.

        zone: the time zone that messages give beside UTC. Raises ConfigError.
        """
        shipped, problems = _read_tree(shipped_templates())
        if user_dir is not None and not user_dir.is_dir():
            found = "a file" if user_dir.exists() else "nothing"
            cure = "create it, or leave `templates` out"
            raise ConfigError([Problem(file=str(user_dir), found=found, expected="a folder of templates", cure=cure)])
        own, own_problems = _read_tree(user_dir) if user_dir is not None else ({}, [])
        if problems or own_problems:
            raise ConfigError([*problems, *own_problems])
        return cls(shipped | own, own=own, zone=zone)

    def check(self, *, shipped: bool = False) -> tuple[Problem, ...]:
        """Render every template with samples and list what is wrong, warnings included.

        Without any template of the user's there is nothing to find; `shipped` looks all the same.
        """
        from alertd.render.checking import check

        return check(self) if self.own or shipped else ()

    def tree(self, name: str) -> nodes.Template:
        """Give a template as parsed."""
        return self._loader.tree(self.environment, name)

    def has(self, name: str) -> bool:
        """Say whether there is a template of this relative name."""
        return name in self.sources

    def render(self, name: str, context: Mapping[str, Any]) -> str:
        """Render one template, its output bounded while it is made. Raises TemplateFailure, and nothing else."""
        try:
            return _collected(self.environment.get_template(name).generate(dict(context)), name)
        except TemplateFailure:
            raise
        except Exception as exc:
            raise self._failure(name, exc) from exc

    def _failure(self, name: str, exc: Exception) -> TemplateFailure:
        """Say where it failed: the innermost line of any template on the way."""
        files = {str(source.path): own for own, source in self.sources.items()}
        frames = [frame for frame in traceback.extract_tb(exc.__traceback__) if frame.filename in files]
        place = (files[frames[-1].filename], frames[-1].lineno or 0) if frames else (name, 0)
        return TemplateFailure(
            *place, f"{exc}" if isinstance(exc, jinja2.TemplateError) else f"{type(exc).__name__}: {exc}"
        )

    def _compile_problems(self, name: str) -> list[Problem]:
        path = str(self.sources[name].path)
        try:
            self.environment.get_template(name)
        except jinja2.TemplateSyntaxError as exc:
            return [
                Problem(
                    file=path,
                    line=exc.lineno,
                    found=(exc.message or "a syntax error").rstrip("."),
                    cure=self.environment.cure(exc),
                )
            ]
        except RecursionError:
            return [Problem(file=path, found="expressions nested too deeply", cure="split them up")]
        wanted = [other for other in meta.find_referenced_templates(self.tree(name)) if other is not None]
        return [
            Problem(file=path, found=f"a reference to the template {other!r}", cure=did_you_mean(other, self.sources))
            for other in wanted
            if other not in self.sources
        ]


def _is_html(name: str | None) -> bool:
    return name is not None and name.endswith(f".html{SUFFIX}")


def _collected(chunks: Any, name: str) -> str:  # noqa: ANN401 - Jinja's iterator of text
    collected: list[str] = []
    size = 0
    for chunk in chunks:
        size += len(chunk)
        if size > TEXT_MAX:
            raise TemplateFailure(name, 0, f"the output is longer than {TEXT_MAX:,} characters")
        collected.append(chunk)
    return "".join(collected)


def shipped_templates() -> Path:
    """Find the shipped templates: in the installed package, else in the source tree."""
    package = Path(__file__).resolve().parents[1]
    installed = package / "_shipped" / "templates"
    return installed if installed.is_dir() else package.parent / "templates"


def _read_tree(folder: Path) -> tuple[dict[str, Source], list[Problem]]:
    sources: dict[str, Source] = {}
    problems: list[Problem] = []
    for path in sorted(folder.rglob(f"*{SUFFIX}")):
        read = _read(path)
        if isinstance(read, Problem):
            problems.append(read)
        else:
            sources[path.relative_to(folder).as_posix()] = read
    return sources, problems


def _read(path: Path) -> Source | Problem:
    try:
        raw = path.read_bytes()
    except OSError as exc:
        return Problem(
            file=str(path), found=exc.strerror or "an error", cure="let the user that alertd runs as read it"
        )
    if len(raw) > _FILE_MAX:
        return Problem(file=str(path), found=f"{len(raw):,} bytes", expected=f"at most {_FILE_MAX:,}")
    try:
        return Source(path, raw.decode("utf-8-sig"))
    except UnicodeDecodeError as exc:
        return Problem(file=str(path), found=f"no UTF-8 text at byte {exc.start}", cure="save it as UTF-8")
