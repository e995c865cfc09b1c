"""Cards: read, tidied, judged."""

from __future__ import annotations

from typing import Any

import pytest

from alertd.render.cards import compact, faults, parse, tidy

BODY = {"type": "AdaptiveCard", "version": "1.4"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[1, 2, ]", [1, 2]),
        ('{"a": [1,\n ], }', {"a": [1]}),
        ('{"a": ",] ,}"}', {"a": ",] ,}"}),
        ('["\\",]", ]', ['",]']),
    ],
)
def test_a_comma_may_stand_before_a_closing_bracket(text: str, expected: Any) -> None:
    assert parse(text) == expected


def test_what_is_no_json_is_told_with_its_place() -> None:
    with pytest.raises(ValueError, match="line 2, column 1"):
        parse("[1,\nx]")


def test_tidy_leaves_out_what_says_nothing() -> None:
    untidy = [
        None,
        {"type": "TextBlock", "text": ""},
        {"type": "TextBlock", "text": "x", "color": None},
        [{"type": "TextBlock", "text": "spliced"}],
        {"type": "FactSet", "facts": [{"title": "a", "value": ""}, {"title": "b", "value": None}]},
        {"type": "FactSet", "facts": [{"title": "a", "value": "1"}, {"title": "b", "value": ""}]},
        {"type": "Container", "items": [{"type": "RichTextBlock", "inlines": [{"type": "TextRun", "text": ""}]}]},
        {"type": "ActionSet", "actions": [{"type": "Action.OpenUrl", "title": "x", "url": None}]},
    ]

    assert tidy(untidy) == [
        {"type": "TextBlock", "text": "x"},
        {"type": "TextBlock", "text": "spliced"},
        {"type": "FactSet", "facts": [{"title": "a", "value": "1"}]},
    ]


@pytest.mark.parametrize(
    ("card", "fault"),
    [
        ([], "no object of type AdaptiveCard"),
        ({"type": "MessageCard"}, "no object of type AdaptiveCard"),
        ({"type": "AdaptiveCard"}, "version None"),
        (BODY | {"version": "1.5"}, "version '1.5'"),
        (BODY | {"body": [{"type": "TextBlok", "text": "x"}]}, "element 'TextBlok'"),
        (BODY | {"body": [{"type": "Table"}]}, "element 'Table'"),
        (BODY | {"body": ["x"]}, "bare str"),
        (BODY | {"body": [{"type": "TextBlock", "text": 5}]}, "no text"),
        (BODY | {"body": [{"type": "TextBlock", "text": "x", "color": "Red"}]}, "color 'Red'"),
        (BODY | {"body": [{"type": "FactSet"}]}, "FactSet without `facts`"),
        (BODY | {"body": [{"type": "FactSet", "facts": [{"title": "a", "value": 3}]}]}, "a fact without text `value`"),
        (BODY | {"actions": [{"type": "Action.Http", "url": "x"}]}, "element 'Action.Http'"),
        (BODY | {"actions": [{"type": "Action.Submit"}]}, "element 'Action.Submit'"),
        (BODY | {"actions": [{"type": "Action.OpenUrl"}]}, "Action.OpenUrl without `url`"),
    ],
)
def test_faults(card: Any, fault: str) -> None:
    assert fault in "; ".join(faults(card))


def test_a_column_needs_no_type() -> None:
    assert faults(BODY | {"body": [{"type": "ColumnSet", "columns": [{"items": []}]}]}) == []


def test_compact_counts_as_teams_counts() -> None:
    assert compact({"a": ["é", "😀"]}) == '{"a":["é","😀"]}'.encode()
