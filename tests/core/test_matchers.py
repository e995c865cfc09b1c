"""Conditions on labels, in Alertmanager's notation."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alertd.notify.matchers import Matcher, Operator, all_match, parse_matcher

EQUAL, NOT_EQUAL, MATCHES, NOT_MATCHES = Operator


@pytest.mark.parametrize(
    ("text", "matcher"),
    [
        pytest.param('severity="critical"', Matcher("severity", EQUAL, "critical"), id="equal"),
        pytest.param('severity!="info"', Matcher("severity", NOT_EQUAL, "info"), id="not equal"),
        pytest.param(
            'service_principal=~"Workday.*"', Matcher("service_principal", MATCHES, "Workday.*"), id="matches"
        ),
        pytest.param('tenant!~"test|dev"', Matcher("tenant", NOT_MATCHES, "test|dev"), id="does not match"),
        pytest.param("severity=critical", Matcher("severity", EQUAL, "critical"), id="value without quotes"),
        pytest.param(' severity = "critical" ', Matcher("severity", EQUAL, "critical"), id="blanks around"),
        pytest.param('team=""', Matcher("team", EQUAL, ""), id="empty value"),
        pytest.param("team=", Matcher("team", EQUAL, ""), id="no value is the empty one"),
        pytest.param('team=" a b "', Matcher("team", EQUAL, " a b "), id="blanks within quotes count"),
        pytest.param(r'note="say \"no\""', Matcher("note", EQUAL, 'say "no"'), id="escaped quotes"),
        pytest.param(r'path="C:\\x"', Matcher("path", EQUAL, r"C:\x"), id="escaped backslash"),
        pytest.param(r'note="a\nb\tc"', Matcher("note", EQUAL, "a\nb\tc"), id="line break and tab"),
        pytest.param(r'job_id=~"SF\.\d+"', Matcher("job_id", MATCHES, r"SF\.\d+"), id="escapes of the pattern stay"),
        pytest.param('"größe"="ø"', Matcher("größe", EQUAL, "ø"), id="quoted name, any script"),
        pytest.param('größe="ø"', Matcher("größe", EQUAL, "ø"), id="any script without quotes"),
        pytest.param('"a b"="c"', Matcher("a b", EQUAL, "c"), id="quoted name with a blank"),
        pytest.param('a="{}=,!~"', Matcher("a", EQUAL, "{}=,!~"), id="signs within quotes"),
        pytest.param("a==~b", None, id="two operators"),
    ],
)
def test_reading(text: str, matcher: Matcher | None) -> None:
    if matcher is None:
        with pytest.raises(ValueError, match="a matcher such as"):
            parse_matcher(text)
    else:
        assert parse_matcher(text) == matcher


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="nothing"),
        pytest.param("severity", id="no operator"),
        pytest.param('="critical"', id="no name"),
        pytest.param('""="critical"', id="an empty name"),
        pytest.param('severity>"critical"', id="unknown operator"),
        pytest.param('severity~"critical"', id="half an operator"),
        pytest.param('severity="critical', id="quote not closed"),
        pytest.param('severity=critical"', id="quote not opened"),
        pytest.param('severity="a"b"', id="quote within quotes"),
        pytest.param('severity="a" team="b"', id="two matchers"),
        pytest.param('{severity="a"}', id="braces"),
        pytest.param("severity='a'", id="single quotes"),
        pytest.param("severity=a b", id="blank in a value without quotes"),
        pytest.param('severity="a\\"', id="the last quote is escaped"),
    ],
)
def test_what_is_no_matcher(text: str) -> None:
    with pytest.raises(
        ValueError, match=r'^a matcher such as severity="critical" or service_principal=~"Workday\.\*"$'
    ):
        parse_matcher(text)


@pytest.mark.parametrize(
    ("pattern", "reason"),
    [
        pytest.param("(", "missing ): (", id="not closed"),
        pytest.param("*a", "no argument for repetition operator: *", id="nothing to repeat"),
        pytest.param("(?=a)", "invalid perl operator: (?=", id="RE2 has no look-ahead"),
        pytest.param(r"(a)\1", r"invalid escape sequence: \1", id="RE2 has no back-reference"),
        pytest.param("a{1001}", "invalid repetition size: {1001}", id="RE2 bounds repetition"),
    ],
)
@pytest.mark.parametrize("operator", ["=~", "!~"])
def test_a_pattern_that_re2_refuses(pattern: str, reason: str, operator: str) -> None:
    """In RE2's own words, so that they can be looked up."""
    expected = f"a regular expression that RE2 accepts ({reason})"
    with pytest.raises(ValueError, match=f"^{re.escape(expected)}$"):
        parse_matcher(f'a{operator}"{pattern}"')


def test_a_bad_pattern_is_no_matter_where_none_is_wanted() -> None:
    assert parse_matcher('a="("').matches({"a": "("})


@pytest.mark.parametrize(
    ("text", "labels", "expected"),
    [
        pytest.param('a="x"', {"a": "x"}, True, id="equal"),
        pytest.param('a="x"', {"a": "X"}, False, id="case counts"),
        pytest.param('a="x"', {}, False, id="missing is not x"),
        pytest.param('a=""', {}, True, id="missing equals empty"),
        pytest.param('a=""', {"a": ""}, True, id="empty equals empty"),
        pytest.param('a=""', {"a": "x"}, False, id="x is not empty"),
        pytest.param('a!="x"', {}, True, id="missing differs from x"),
        pytest.param('a!="x"', {"a": "x"}, False, id="x does not differ from x"),
        pytest.param('a!=""', {}, False, id="missing does not differ from empty"),
        pytest.param('a=~"x|y"', {"a": "y"}, True, id="one of two"),
        pytest.param('a=~"x"', {"a": "xx"}, False, id="the whole value, at its end"),
        pytest.param('a=~"x"', {"a": "yx"}, False, id="the whole value, at its beginning"),
        pytest.param('a=~"x|yz"', {"a": "xz"}, False, id="anchors hold for each alternative"),
        pytest.param('a=~"x*"', {}, True, id="missing is empty to a pattern"),
        pytest.param('a=~"x+"', {}, False, id="a pattern that wants something"),
        pytest.param('a=~"(?i)workday"', {"a": "WorkDay"}, True, id="case-insensitive where asked"),
        pytest.param('a!~"x.*"', {"a": "xyz"}, False, id="matched, so not told"),
        pytest.param('a!~"x.*"', {"a": "yx"}, True, id="not matched"),
        pytest.param('a!~"x+"', {}, True, id="missing does not match"),
        pytest.param('a!~".*"', {}, False, id="a pattern that takes anything takes the missing"),
        pytest.param('a=~"Größe."', {"a": "Größe😀"}, True, id="a character is not a byte"),
        pytest.param('a=~"a.b"', {"a": "a\nb"}, False, id="a dot is no line break"),
        pytest.param('a=~"x"', {"a": "x\n"}, False, id="a line break at the end counts"),
    ],
)  # fmt: skip
def test_matching(text: str, labels: dict[str, str], expected: bool) -> None:
    assert parse_matcher(text).matches(labels) is expected


def test_a_pattern_takes_linear_time() -> None:
    """With a backtracking engine this would not end within a lifetime."""
    assert not parse_matcher('a=~"(a*)*b"').matches({"a": "a" * 50_000})


def test_all_must_match() -> None:
    matchers = [parse_matcher('a="x"'), parse_matcher('b!="y"')]

    assert all_match(matchers, {"a": "x", "b": "z"})
    assert not all_match(matchers, {"a": "x", "b": "y"})
    assert not all_match(matchers, {"b": "z"})


def test_no_matchers_match_everything() -> None:
    assert all_match([], {})


@pytest.mark.parametrize(
    ("matcher", "text"),
    [
        pytest.param(Matcher("a", EQUAL, "x"), 'a="x"', id="a value is always quoted"),
        pytest.param(Matcher("a b", EQUAL, "x"), '"a b"="x"', id="a name where it has to be"),
        pytest.param(Matcher("a", EQUAL, r"C:\n"), r'a="C:\\n"', id="a backslash"),
        pytest.param(Matcher("a", NOT_EQUAL, '"x"'), r'a!="\"x\""', id="quotes"),
        pytest.param(Matcher("a", EQUAL, "x\ny"), r'a="x\ny"', id="a line break"),
    ],
)
def test_how_a_matcher_is_written(matcher: Matcher, text: str) -> None:
    assert str(matcher) == text
    assert parse_matcher(text) == matcher


_texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=12) | st.sampled_from(
    ["", '"', "\\", "\\n", "a\nb", "a\\", "x y", "=~", "{", "a,b", "\t"]
)


@given(_texts.filter(bool), st.sampled_from([EQUAL, NOT_EQUAL]), _texts)
def test_what_is_written_reads_back(name: str, operator: Operator, value: str) -> None:
    """Group keys and route ids are made of this text."""
    matcher = Matcher(name, operator, value)

    assert parse_matcher(str(matcher)) == matcher


@given(_texts, _texts)
def test_two_values_are_never_written_alike(one: str, other: str) -> None:
    assert (str(Matcher("a", EQUAL, one)) == str(Matcher("a", EQUAL, other))) is (one == other)
