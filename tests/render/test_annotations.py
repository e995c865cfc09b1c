"""Annotations: compiled with the rule, and never the reason why an alert is lost."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest

from alertd.errors import ConfigError
from alertd.model.views import Subject
from alertd.render.annotations import TEXT_MAX, compile_annotations
from alertd.render.samples import NOW, job, status, tenant

SUBJECT = Subject(now=NOW, status=status(), previous=status("Active"), job=job(), tenant=tenant())


def test_they_see_the_subject_the_params_and_the_labels() -> None:
    annotate = compile_annotations(
        {
            "summary": "{{ job.displayName }} is in quarantine: {{ status.quarantine.reason }}",
            "description": "{{ params.threshold }} {{ labels.team }} {{ tenant.name }} {{ previous.code }} {{ previous_job.id }}|{{ now }}",
        },
        zone=ZoneInfo("Europe/Berlin"),
    )

    texts = annotate(SUBJECT, params={"threshold": 3}, labels={"team": "identity"})

    assert texts == {
        "summary": "Salesforce is in quarantine: EncounteredQuarantineException",
        "description": "3 identity contoso Active |2026-01-05 10:41 UTC (11:41 CET)",
    }


def test_null_is_quiet_in_them() -> None:
    annotate = compile_annotations({"summary": "[{{ job.schedule.interval }}{{ status.quarantine.error.code }}]"})

    assert annotate(Subject(now=NOW)) == {"summary": "[]"}


@pytest.mark.parametrize(
    "source",
    ["{{ job.displayName.nope() }}", "{{ params.x + 1 }}", "{{ 'x' * 10 }}", "{{ job.displayName | datetime }}"],
)
def test_one_that_fails_gives_the_facts_and_the_error(source: str) -> None:
    annotate = compile_annotations({"summary": source, "other": "fine"})

    texts = annotate(SUBJECT, params={"x": "text"}, labels={"alertname": "JobQuarantined"})

    assert texts["summary"].startswith("<error expanding template: ")
    assert all(fact in texts["summary"] for fact in ("JobQuarantined", "contoso", "Salesforce", "status Quarantine"))
    assert texts["other"] == "fine"


def test_output_is_bounded() -> None:
    annotate = compile_annotations({"summary": "{% for a in range(900) %}{{ '0123456789' }}{% endfor %}"})

    assert len(annotate(SUBJECT)["summary"]) == TEXT_MAX


@pytest.mark.parametrize(
    ("source", "found", "cure"),
    [
        ("{{ job.dispalyName }}", "job.dispalyName", "did you mean `displayName`?"),
        ("{{ statsu.code }}", "statsu", "did you mean `status`?"),
        ("{{ status.quarantine.raeson }}", "status.quarantine.raeson", "did you mean `reason`?"),
        ("{{ 1 | durration }}", "durration", "did you mean `duration`?"),
        ("{% if job %}", "Unexpected end of template", ""),
        ("x\n{{ job. }}", "expected name or number", ""),
    ],
)
def test_what_cannot_work_is_refused_at_load(source: str, found: str, cure: str) -> None:
    with pytest.raises(ConfigError) as refused:
        compile_annotations({"summary": source})

    problem = refused.value.problems[0]
    assert found in problem.found
    assert cure in problem.cure
    assert problem.path == "annotations.summary"
    assert problem.line == source.count("\n") + 1


def test_all_faults_are_told_at_once() -> None:
    with pytest.raises(ConfigError) as refused:
        compile_annotations({"a": "{{ x }}", "b": "{% if %}", "c": "{{ job.y }}"})

    assert [problem.path for problem in refused.value.problems] == ["annotations.a", "annotations.b", "annotations.c"]
