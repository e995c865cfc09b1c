"""YAML files as people write them: what is read, and what is told about the rest."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alertd.errors import ConfigError, Problem
from alertd.model.document import Document, Node
from alertd.model.yaml_tree import DEPTH_MAX, read_tree


def key(text: str) -> Node:
    """Give the value of the key `k` of a document."""
    return Document.parse(f"k: {text}\n", "f.yaml").root.mapping("k")["k"]


def only(document: Document) -> Problem:
    assert len(document.problems) == 1, document.problems
    return document.problems[0]


@pytest.mark.parametrize(
    ("written", "read", "expected"),
    [
        pytest.param("abc", Node.text, "abc", id="text"),
        pytest.param("22:00", Node.text, "22:00", id="a time is no number in base 60"),
        pytest.param("no", Node.text, "no", id="no is a text"),
        pytest.param("2026-01-01", Node.text, "2026-01-01", id="a date stays text"),
        pytest.param("true", Node.boolean, True, id="true"),
        pytest.param("False", Node.boolean, False, id="False"),
        pytest.param("'true'", Node.boolean, True, id="a quoted true is read where one is wanted"),
        pytest.param("007", Node.integer, 7, id="no octal"),
        pytest.param("-3", Node.integer, -3, id="negative"),
        pytest.param("2.5", Node.number, 2.5, id="fraction"),
        pytest.param("3", Node.number, 3, id="whole number"),
        pytest.param("1h30m", Node.duration, timedelta(minutes=90), id="duration"),
        pytest.param("[a, [b], {c: 1}]", Node.plain, ["a", ["b"], {"c": 1}], id="plain values"),
        pytest.param(
            "[1, 1.0, true, null, '1', yes, 1e3]",
            Node.plain,
            [1, 1.0, True, None, "1", "yes", 1000.0],
            id="plain scalars",
        ),
        pytest.param('"null"', Node.text, "null", id="a quoted null is a text"),
    ],
)
def test_scalars_are_what_the_reader_asks_for(written: str, read: Callable[[Node], object], expected: object) -> None:
    node = key(written)

    assert read(node) == expected
    assert type(read(node)) is type(expected)
    assert node.document.problems == []


@pytest.mark.parametrize(
    ("written", "read", "expected", "cure"),
    [
        pytest.param("yes", Node.boolean, "true or false", "disagree", id="yes is no truth value"),
        pytest.param("1.5", Node.integer, "a whole number", "", id="fraction for a whole number"),
        pytest.param("x", Node.number, "a number", "", id="word for a number"),
        pytest.param("nan", Node.number, "a number", "", id="nan is no number"),
        pytest.param("5 minutes", Node.duration, "a duration such as 90s", "", id="words for a duration"),
        pytest.param("[a]", Node.text, "text", "", id="list for text"),
        pytest.param("{a: b}", Node.sequence, "a list", "begin each entry", id="mapping for a list"),
        pytest.param("a", Node.entries, "a mapping", "key: value", id="text for a mapping"),
        pytest.param("", Node.text, "text", "give it a value", id="nothing for text"),
    ],
)
def test_what_does_not_fit_is_told_with_its_place(
    written: str, read: Callable[[Node], object], expected: str, cure: str
) -> None:
    node = key(written)

    read(node)

    problem = only(node.document)
    assert (problem.file, problem.line, problem.path) == ("f.yaml", 1, "k")
    assert problem.expected.startswith(expected)
    assert cure in problem.cure
    assert problem.found


@pytest.mark.parametrize("written", ["", "null", "~"])
def test_null_takes_the_default_but_is_given(written: str) -> None:
    node = key(written)

    assert (node.text("x"), node.duration(None), node.boolean(True), node.integer(4)) == ("x", None, True, 4)
    assert (node.given, node.null, node.document.problems) == (True, True, [])


def test_a_missing_key_is_told_at_its_mapping() -> None:
    document = Document.parse("a: 1\nb:\n  c: 1\n", "f.yaml")
    fields = document.root.mapping("a", "b")["b"].mapping("c", "name")

    assert fields["name"].text() == ""
    assert not fields["name"].given
    problem = only(document)
    assert (problem.line, problem.column, problem.path, problem.found) == (3, 3, "b.name", "nothing")
    assert problem.cure == "add `name`"


def test_unknown_keys_are_told_at_the_key_with_a_suggestion() -> None:
    document = Document.parse("severty: x\n", "f.yaml")

    document.root.mapping("severity", "labels")

    assert str(only(document)) == "f.yaml:1:1: severty: unknown key `severty`; did you mean `severity`?"


def test_choice_is_case_sensitive_and_suggests() -> None:
    node = key("Critical")

    assert node.choice(("critical", "error")) == "critical"
    assert only(node.document).cure == "did you mean `critical`?"


@pytest.mark.parametrize(("written", "found"), [("0", 1), ("1", 0), ("10", 0), ("11", 1)])
def test_bounds_of_whole_numbers_are_included(written: str, found: int) -> None:
    node = key(written)

    node.integer(least=1, most=10)

    assert len(node.document.problems) == found


def test_a_duration_below_its_least_is_told() -> None:
    node = key("10s")

    node.duration(least=timedelta(minutes=1))

    assert only(node.document).cure == "it must not be shorter than 60s"


def test_anchors_and_merge_keys_work_and_own_keys_win() -> None:
    document = Document.parse("base: &b {x: 1, y: 2}\nmore: {<<: *b, y: 3}\nboth: {<<: [*b, {z: 4}]}\nsame: *b\n")

    assert document.root.plain() == {
        "base": {"x": 1, "y": 2},
        "more": {"y": 3, "x": 1},
        "both": {"x": 1, "y": 2, "z": 4},
        "same": {"x": 1, "y": 2},
    }


LAUGHS = "a: &a [x,x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{chr(ord('b') + step)}: &{chr(ord('b') + step)} [{','.join(['*' + chr(ord('a') + step)] * 10)}]\n"
    for step in range(9)
)


@pytest.mark.parametrize(
    ("text", "place", "found"),
    [
        pytest.param("a: 1\na: 2\n", (2, 1), "key `a` a second time (first in line 1)", id="duplicate key"),
        pytest.param("a: b: c\n", (1, 5), "mapping values are not allowed", id="colon in a text"),
        pytest.param("a: 'x\n", (2, 1), "found unexpected end of stream", id="quote without end"),
        pytest.param("a: \x07\n", (1, 4), "character U+0007", id="control character"),
        pytest.param("a: !!python/object x\n", (1, 4), "tag", id="tag"),
        pytest.param("a: 1\n---\nb: 1\n", (2, 1), "a second document", id="two documents"),
        pytest.param("[a]: b\n", (1, 1), "a key that is a list", id="key that is no text"),
        pytest.param("a: *b\n", (1, 4), "alias `*b` of nothing", id="alias without anchor"),
        pytest.param("a: &a [*a]\n", (1, 8), "alias `*a` of nothing", id="alias of what is around it"),
        pytest.param("a: {<<: 1}\n", (1, 5), "`<<` with something else", id="merge of no mapping"),
        pytest.param(
            "- " * 10_000, (1, 2 * DEPTH_MAX + 1), "more than 100 levels", id="nesting that would kill libyaml"
        ),
        pytest.param("[" * 900, (1, DEPTH_MAX + 1), "more than 100 levels", id="brackets"),
        pytest.param(LAUGHS, (6, 4), "more than 1000000 values", id="a billion laughs"),
    ],
)
def test_what_is_no_yaml_is_one_problem_with_its_place(text: str, place: tuple[int, int], found: str) -> None:
    document = Document.parse(text, "f.yaml")

    problem = only(document)
    assert (problem.line, problem.column) == place
    assert problem.found.startswith(found)
    assert not document.root.given


def test_brackets_deeper_than_libyaml_itself_goes_are_told_in_our_words() -> None:
    """Where depends on the version: since 0.2.6 it has a limit of its own, a thousand levels, to which it looks ahead."""
    assert only(Document.parse("[" * 10_000, "f.yaml")).found == "more than 100 levels"


@given(st.text())
def test_any_text_is_read_or_is_one_problem(text: str) -> None:
    document = Document.parse(text)

    document.root.plain()

    assert len(document.problems) <= 1


PLACES = """\
plain: abc def
quoted: "abc def"
single: 'abc def'
folded: >- # é 漢 🙂
  abc
  def
literal: |
    abc
      def
long: abc
  def
escaped: "a\\tbc def"
"""


@pytest.mark.parametrize(
    ("name", "place"),
    [
        ("plain", (1, 12)),
        ("quoted", (2, 14)),
        ("single", (3, 14)),
        ("folded", (6, 3)),
        ("literal", (9, 7)),
        ("long", (11, 3)),
    ],
)
def test_a_character_of_a_text_has_its_place_in_the_file(name: str, place: tuple[int, int]) -> None:
    """Whatever way YAML has of writing a text, the `d` of `def` is found where it stands."""
    node = Document.parse(PLACES).root.mapping(*("plain", "quoted", "single", "folded", "literal", "long", "escaped"))[
        name
    ]

    assert node.position(node.text().index("d")) == place


def test_behind_an_escape_the_place_is_that_of_the_text() -> None:
    node = dict(Document.parse(PLACES).root.entries())["escaped"]

    assert node.position(5) == (12, 10)


def test_fill_changes_texts_and_problems_show_what_is_written() -> None:
    """What was filled in may be a secret."""
    secret = {"${TOKEN}": "hunter2", "${PORT}": "587"}
    document = Document.parse("a: ${TOKEN}\nb: ${PORT}\n", fill=lambda text: secret.get(text, text))
    fields = document.root.mapping("a", "b")

    assert (fields["a"].text(), fields["b"].integer()) == ("hunter2", 587)
    fields["a"].integer()
    assert "hunter2" not in str(only(document))
    assert only(document).found == "`${TOKEN}`"


def test_what_cannot_be_filled_is_a_problem() -> None:
    def fill(text: str) -> str:
        raise ValueError("set TOKEN")

    document = Document.parse("a: ${TOKEN}\n", fill=fill)

    document.root.mapping("a")["a"].text()

    assert only(document).cure == "set TOKEN"


def test_check_raises_all_problems_and_passes_over_warnings() -> None:
    document = Document.parse("a: x\nb: y\n")
    fields = document.root.mapping("a", "b")
    fields["a"].problem("odd", warning=True)
    document.check()

    fields["b"].integer()

    with pytest.raises(ConfigError) as caught:
        document.check()
    assert len(caught.value.problems) == 2


@pytest.mark.parametrize(
    ("content", "found"),
    [pytest.param(None, "no readable file", id="missing"), pytest.param(b"a: \xff", "byte 0xff at 3", id="no UTF-8")],
)
def test_a_file_that_cannot_be_read_is_a_problem(tmp_path: Path, content: bytes | None, found: str) -> None:
    path = tmp_path / "f.yaml"
    if content is not None:
        path.write_bytes(content)

    document = Document.load(path)

    assert only(document).found.startswith(found)
    assert only(document).file == str(path)


def test_a_byte_order_mark_is_no_content(tmp_path: Path) -> None:
    path = tmp_path / "f.yaml"
    path.write_text("a: 1\n", encoding="utf-8-sig")

    assert Document.load(path).root.plain() == {"a": 1}


def test_an_empty_text_is_no_document() -> None:
    assert read_tree("# nothing\n") is None
