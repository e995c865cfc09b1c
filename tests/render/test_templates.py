"""Templates: found, overridden by name, compiled, checked."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from alertd.errors import ConfigError
from alertd.render.environment import TemplateFailure, Templates, shipped_templates
from alertd.render.samples import TEMPLATES

Load = Callable[[Mapping[str, str]], Templates]


def test_the_shipped_templates_have_no_fault(templates: Templates) -> None:
    """Every one of them, with every sample, every branch's names included."""
    assert templates.check(shipped=True) == ()


def test_every_kind_of_block_is_shipped_for_people(templates: Templates) -> None:
    names = [name or "default" for name in TEMPLATES]

    missing = [
        path
        for name in names
        for path in (
            f"teams/blocks/{name}.card.json.j2",
            f"email/blocks/{name}.body.txt.j2",
            f"email/blocks/{name}.body.html.j2",
        )
        if not templates.has(path)
    ]

    assert missing == []


def test_a_user_s_template_stands_before_the_shipped_one(own_templates: Load) -> None:
    templates = own_templates({"email/message.subject.txt.j2": "mine {{ group.reason }}"})

    assert templates.own == {"email/message.subject.txt.j2"}
    assert templates.sources["email/message.subject.txt.j2"].text.startswith("mine")
    assert templates.has("teams/message.card.json.j2")
    assert templates.check() == ()


def test_nothing_is_read_after_load(own_templates: Load, tmp_path: Path) -> None:
    templates = own_templates({"email/message.subject.txt.j2": "mine"})
    (tmp_path / "templates/email/message.subject.txt.j2").unlink()

    assert templates.render("email/message.subject.txt.j2", {}) == "mine"


def test_all_that_does_not_compile_is_told_at_once_with_its_line(own_templates: Load) -> None:
    with pytest.raises(ConfigError) as refused:
        own_templates(
            {
                "teams/blocks/a.card.json.j2": "[\n{{ alert.name | datetme }}\n]",
                "teams/blocks/b.card.json.j2": "\n\n{% if %}",
                "email/blocks/c.body.txt.j2": '{% import "nowhere.j2" as x %}',
            }
        )

    told = {(Path(problem.file).name, problem.line, problem.cure) for problem in refused.value.problems}
    assert ("a.card.json.j2", 2, "did you mean `datetime`?") in told
    assert ("b.card.json.j2", 3, "") in told
    assert any(name == "c.body.txt.j2" for name, _, _ in told)


@pytest.mark.parametrize("kind", ["missing", "a file"])
def test_the_folder_has_to_be_one(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "templates"
    if kind == "a file":
        path.write_text("x")

    with pytest.raises(ConfigError, match="a folder of templates"):
        Templates.load(path)


def test_bytes_that_are_no_text_are_named(tmp_path: Path) -> None:
    (tmp_path / "x.j2").write_bytes(b"\xff\xfe")

    with pytest.raises(ConfigError, match="UTF-8"):
        Templates.load(tmp_path)


@pytest.mark.parametrize(
    ("name", "text", "found", "line"),
    [
        pytest.param(
            "email/message.body.txt.j2", "{{ group.headlin }}", "unknown name `group.headlin`", 1, id="a member"
        ),
        pytest.param("email/message.body.txt.j2", "\n{{ grup.x }}", "unknown name `grup`", 2, id="a name"),
        pytest.param(
            "teams/blocks/mine.card.json.j2",
            "[{% if false %}{{ job.dislayName }}{% endif %}]",
            "unknown name `job.dislayName`",
            1,
            id="in a branch",
        ),
        pytest.param(
            "email/message.body.txt.j2",
            "{% for entry in alerts.firing %}{{ entry.nam }}{% endfor %}",
            "unknown name `entry.nam`",
            1,
            id="in a loop",
        ),
        pytest.param(
            "teams/blocks/mine.card.json.j2", "[}", "no JSON at line 1, column 2 of the output", 0, id="no JSON"
        ),
        pytest.param(
            "teams/blocks/mine.card.json.j2", "{}", "a block is a list of elements, not dict", 0, id="no list"
        ),
        pytest.param(
            "teams/message.card.json.j2",
            '{"type": "AdaptiveCard", "version": "1.5"}',
            "version '1.5'",
            0,
            id="a later card",
        ),
        pytest.param(
            "teams/message.card.json.j2",
            '{"type": "AdaptiveCard", "version": "1.4", "body": [{"type": "Table"}]}',
            "element 'Table', which a version 1.4 card from a webhook cannot have",
            0,
            id="a later element",
        ),
        pytest.param(
            "email/message.subject.txt.j2",
            "x\n{{ group.labels.x.y + alerts }}{{ alerts.firing[99].x }}",
            "no element 99",
            2,
            id="at run time",
        ),
    ],
)
def test_check_finds_what_only_a_message_would_show(
    own_templates: Load, name: str, text: str, found: str, line: int
) -> None:
    problems = own_templates({name: text}).check()

    assert any(
        found in problem.found and problem.line == line and problem.file.endswith(name) for problem in problems
    ), problems


def test_check_warns_of_a_frame_that_nobody_asks_for(own_templates: Load) -> None:
    problems = own_templates({"teams/message.crad.json.j2": "x"}).check()

    assert [(problem.warning, problem.cure) for problem in problems] == [
        (True, "did you mean `teams/message.card.json.j2`?")
    ]


def test_a_failure_names_the_file_and_line_where_it_happened(own_templates: Load) -> None:
    templates = own_templates(
        {
            "a.j2": '{% import "b.j2" as b %}\n\n{{ b.broken(3) }}',
            "b.j2": "\n{% macro broken(x) %}\n{{ x.y.z }}{% endmacro %}",
        }
    )

    with pytest.raises(TemplateFailure) as failure:
        templates.render("a.j2", {})

    assert (failure.value.name, failure.value.line) == ("b.j2", 3)


def test_output_is_capped_while_it_is_made(own_templates: Load) -> None:
    rows = "{% for a in range(1000) %}{% for b in range(1000) %}xxxxxxxxxx{% endfor %}{% endfor %}"

    with pytest.raises(TemplateFailure, match="longer than"):
        own_templates({"a.j2": rows}).render("a.j2", {})


def test_html_is_escaped_and_text_is_not(own_templates: Load) -> None:
    templates = own_templates({"a.body.html.j2": "{{ x }}", "a.body.txt.j2": "{{ x }}"})

    assert templates.render("a.body.html.j2", {"x": "<b>"}) == "&lt;b&gt;"
    assert templates.render("a.body.txt.j2", {"x": "<b>"}) == "<b>"


def test_shipped_templates_are_where_they_are_looked_for() -> None:
    assert (shipped_templates() / "teams" / "message.card.json.j2").is_file()
