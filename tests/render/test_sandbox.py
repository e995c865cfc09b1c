"""Templates are quiet about null, strict about names, and bounded in what they compute."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from jinja2.exceptions import SecurityError, UndefinedError

from alertd.render.filters import Window
from alertd.render.samples import job
from alertd.render.sandbox import TEXT_MAX, MessageEnvironment

NOW = datetime(2026, 1, 5, 9, 15, tzinfo=UTC)
GIVEN = {"nothing": None, "now": NOW, "job": job(), "labels": {"team": "identity", "items": "x"}, "big": "x" * 600_000}


def text(source: str, zone: str | None = None) -> str:
    environment = MessageEnvironment(zone=ZoneInfo(zone) if zone else None)
    return environment.from_string(source).render(GIVEN)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        pytest.param("[{{ nothing }}]", "[]", id="null prints as nothing"),
        pytest.param("[{{ nothing.a.b }}]", "[]", id="an attribute of null is null"),
        pytest.param("[{{ nothing['a'] }}]", "[]", id="an entry of null is null"),
        pytest.param("[{{ nothing.method(1) }}]", "[]", id="a call of null is null"),
        pytest.param("{{ nothing < 3 }} {{ 3 >= nothing }}", "false false", id="ordering with null is false"),
        pytest.param("{{ nothing == none }} {{ nothing != 1 }}", "true true", id="equality with null works"),
        pytest.param("{{ 1 < 2 < 3 }} {{ 1 < nothing < 3 }}", "true false", id="chains are compared pairwise"),
        pytest.param("[{{ nothing + 1 }}{{ -nothing }}{{ 1 / 0 }}]", "[]", id="arithmetic with null or zero is null"),
        pytest.param("[{{ 'a' ~ nothing ~ 'b' }}]", "[ab]", id="null vanishes in a joined text"),
        pytest.param("[{{ nothing | upper | trim }}]", "[]", id="a filter of null is null"),
        pytest.param("{{ nothing | default('-', true) }}", "-", id="default still sees null"),
        pytest.param("[{% for x in nothing %}x{% endfor %}]", "[]", id="a loop over null does not run"),
        pytest.param("[{{ 'x' if false }}]", "[]", id="a condition without else is null"),
        pytest.param("{{ 1 in nothing }} {{ 1 not in nothing }}", "false true", id="nothing is in null"),
        pytest.param("[{{ labels.owner }}]", "[]", id="a label that is not there is null"),
        pytest.param("{{ labels.items }}", "x", id="a label comes before a method of the map"),
        pytest.param("{{ true }} {{ 2.0 }}", "true 2", id="values are printed as JSON would"),
        pytest.param("{{ now }}", "2026-01-05 09:15 UTC", id="an instant prints as people read it"),
        pytest.param("{{ now - now }}", "0s", id="a span of time too"),
    ],
)
def test_quiet(source: str, expected: str) -> None:
    assert text(source) == expected


@pytest.mark.parametrize(
    "source",
    [
        "{{ nope }}",
        "{{ nope.x }}",
        "{{ job.dispalyName }}",
        "{{ nope < 3 }}",
        "{{ nope ~ 'x' }}",
        "{{ nope | tojson }}",
    ],
)
def test_a_name_that_does_not_exist_is_an_error(source: str) -> None:
    with pytest.raises(UndefinedError):
        text(source)


@pytest.mark.parametrize(
    "source",
    [
        pytest.param("{{ 'x' * 9 }}", id="a text times a number"),
        pytest.param("{{ [1] * 9 }}", id="a list times a number"),
        pytest.param("{{ 9 ** 99 }}", id="a tower of powers"),
        pytest.param("{{ '%099d' % 1 }}", id="padding by percent"),
        pytest.param("{{ 'x'.ljust(9) }}", id="padding by method"),
        pytest.param("{{ 'x'['zfill'](9) }}", id="padding by method, by subscript"),
        pytest.param("{{ '{:>9}'.format(1) }}", id="padding by format"),
        pytest.param("{{ range(1001) | list }}", id="a long range"),
        pytest.param("{{ big ~ big }}", id="a text that doubles"),
        pytest.param("{{ big + big }}", id="a sum that doubles"),
        pytest.param("{{ ''.__class__ }}", id="a way out of the sandbox"),
        pytest.param("{{ labels.__class__ }}", id="a way out by a map"),
        pytest.param("{{ labels.update({}) }}", id="a change of what was given"),
    ],
)
def test_nothing_grows_and_nothing_escapes(source: str) -> None:
    with pytest.raises(SecurityError):
        text(source)


@pytest.mark.parametrize("source", ["{{ lipsum() }}", "{{ cycler }}", "{{ joiner }}"])
def test_globals_are_few(source: str) -> None:
    with pytest.raises(UndefinedError):
        text(source)


def test_filters_that_make_much_of_little_are_gone() -> None:
    assert not {"center", "format", "batch", "slice", "random", "urlize"} & MessageEnvironment().filters.keys()


def test_times_stand_in_both_zones() -> None:
    assert text("{{ now | datetime }}", "Europe/Berlin") == "2026-01-05 09:15 UTC (10:15 CET)"


def test_indent_is_bounded() -> None:
    assert len(text("{{ 'a\nb' | indent(1000000) }}")) < 100


def test_ago_counts_from_the_context_s_now() -> None:
    environment = MessageEnvironment()

    assert (
        environment.from_string("{{ t | ago }}").render(t=NOW - timedelta(hours=3, minutes=5), now=NOW) == "3h 5m ago"
    )
    with pytest.raises(UndefinedError, match="with context"):
        environment.from_string("{{ t | ago }}").render(t=NOW)


def test_datetime_is_for_instants() -> None:
    with pytest.raises(TypeError, match="not for int"):
        text("{{ 3 | datetime }}")


def test_a_window_prints_as_people_read_it() -> None:
    window = Window(NOW, NOW + timedelta(minutes=5))

    assert MessageEnvironment().from_string("{{ w }}").render(w=window) == "between 2026-01-05 09:15 and 09:20 UTC"


def test_the_limit_is_what_the_reference_promises() -> None:
    """One part of a message never holds more than a megabyte of text, whatever a template does."""
    assert TEXT_MAX == 1_000_000
