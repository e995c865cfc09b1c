"""Annotations of rules: one small template each, compiled with the rule, rendered while its condition is true.

A broken annotation never costs an alert: its text then says what is wrong, and still whom it is about.
"""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Protocol
from zoneinfo import ZoneInfo

import jinja2

from alertd.errors import ConfigError, Problem
from alertd.model.alert import Child, Evidence
from alertd.model.resources import SynchronizationStatus
from alertd.model.views import Alertd, Job, Subject, Tenant
from alertd.render.hostile import plain, shorten
from alertd.render.names import unknown_names
from alertd.render.sandbox import MessageEnvironment

TEXT_MAX = 4_000  # characters; an annotation is a sentence or a paragraph

ROOTS: Mapping[str, Any] = {
    "status": SynchronizationStatus,
    "previous": SynchronizationStatus,
    "job": Job,
    "previous_job": Job,
    "tenant": Tenant,
    "alertd": Alertd,
    "params": Any,
    "labels": Any,
    "now": Any,
}


# What the texts of a common cause's parent see.
CHILDREN_ROOTS: Mapping[str, Any] = {
    "children": tuple[Child, ...],
    "count": int,
    "names": tuple[str, ...],
    "codes": tuple[str, ...],
    "tenants": tuple[str, ...],
    "labels": Any,
}
CHILDREN_TEXTS: Mapping[str, str] = {
    "summary": "{{ count }} alerts {{ names | join(' and ') }} in {{ labels.tenant or (tenants | length ~ ' tenants') }}"
    "{{ ': ' ~ codes | join(', ') if codes }}",
    "description": "{% for child in children[:10] %}{{ ', ' if not loop.first }}{{ child.title }}{% endfor %}"
    "{{ ' and ' ~ (count - 10) ~ ' more' if count > 10 }}",
}


class Annotate(Protocol):
    """Render a rule's annotations for one subject; raises nothing."""

    def __call__(
        self, subject: Subject, *, params: Mapping[str, Any] | None = None, labels: Mapping[str, str] | None = None
    ) -> dict[str, str]:
        """Give annotation name -> text."""
        ...


def compile_annotations(annotations: Mapping[str, str], *, zone: ZoneInfo | None = None) -> Annotate:
    """Compile a rule's annotations.

    Raises ConfigError with every one that does not compile or names something that is not there; `path` is
    ``annotations.<name>``, `line` counts within the annotation's text.
    """
    compiled = _compiled(annotations, ROOTS, zone)

    def annotate(
        subject: Subject, *, params: Mapping[str, Any] | None = None, labels: Mapping[str, str] | None = None
    ) -> dict[str, str]:
        context = {root: getattr(subject, root, None) for root in ROOTS} | {
            "params": params or {},
            "labels": labels or {},
        }
        return {name: _rendered(template, context) for name, template in compiled.items()}

    return annotate


def compile_for_children(
    annotations: Mapping[str, str], *, zone: ZoneInfo | None = None
) -> Callable[[Mapping[str, str], Evidence], Mapping[str, str]]:
    """Compile the texts of a common cause's parent, on top of those that are there by default.

    Gives a function of its labels and evidence. Raises ConfigError as `compile_annotations` does.
    """
    compiled = _compiled({**CHILDREN_TEXTS, **annotations}, CHILDREN_ROOTS, zone)

    def annotate(labels: Mapping[str, str], evidence: Evidence) -> Mapping[str, str]:
        children = evidence.children
        context = {
            "children": children,
            "count": evidence.children_total,
            "names": _distinct(child.name for child in children),
            "codes": _distinct(child.error_code for child in children),
            "tenants": _distinct(child.tenant for child in children),
            "labels": labels,
        }
        return {name: _rendered(template, context) for name, template in compiled.items()}

    return annotate


def _distinct(words: Iterable[str]) -> tuple[str, ...]:
    """Give each word once, the most frequent first, without empty ones."""
    return tuple(word for word, _ in Counter(word for word in words if word).most_common())


def _compiled(
    annotations: Mapping[str, str], roots: Mapping[str, Any], zone: ZoneInfo | None
) -> Mapping[str, jinja2.Template]:
    environment = _environment(zone)
    found = {name: _compile(environment, name, text, roots) for name, text in annotations.items()}
    problems = [problem for one in found.values() if not isinstance(one, jinja2.Template) for problem in one]
    if problems:
        raise ConfigError(problems)
    return {name: one for name, one in found.items() if isinstance(one, jinja2.Template)}


@functools.cache
def _environment(zone: ZoneInfo | None) -> MessageEnvironment:
    return MessageEnvironment(zone=zone)


def _compile(
    environment: MessageEnvironment, name: str, text: str, roots: Mapping[str, Any]
) -> jinja2.Template | list[Problem]:
    path = f"annotations.{name}"
    try:
        tree = environment.parse(text)
        unknown = list(unknown_names(tree, environment.globals, roots))  # before the compiler, which changes the tree
        code = environment.compile(tree)
    except jinja2.TemplateSyntaxError as exc:
        cure = environment.cure(exc)
        return [Problem(path=path, line=exc.lineno, found=(exc.message or "a syntax error").rstrip("."), cure=cure)]
    except RecursionError:
        return [Problem(path=path, found="expressions nested too deeply", cure="make it shorter")]
    problems = [
        Problem(path=path, line=each.line, found=f"unknown name `{each.name}`", cure=each.cure, code="unknown-variable")
        for each in unknown
    ]
    return problems or environment.template_class.from_code(environment, code, environment.globals)


def _rendered(template: jinja2.Template, context: Mapping[str, Any]) -> str:
    try:
        text = "".join(_bounded(template.generate(dict(context))))
    except Exception as exc:  # noqa: BLE001 - whatever it is, the alert must go on
        return f"<error expanding template: {plain(exc)}> {_facts(context)}"
    return shorten(text.strip(), TEXT_MAX)


def _bounded(chunks: Iterable[str]) -> Iterable[str]:
    room = TEXT_MAX + 1
    for chunk in chunks:
        yield chunk[:room]
        room -= len(chunk)
        if room <= 0:
            return


def _facts(context: Mapping[str, Any]) -> str:
    job, status, tenant, labels = (context.get(name) for name in ("job", "status", "tenant", "labels"))
    names = (labels or {}).get("alertname"), getattr(tenant, "name", None), getattr(job, "displayName", None)
    facts = [plain(name) for name in (*names, getattr(job, "id", None)) if name]
    code = getattr(status, "code", None)
    return ", ".join([*facts, f"status {plain(code)}"] if code else facts)
