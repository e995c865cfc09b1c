"""Whatever stands in a configuration: it is read, or every problem is told; nothing else is raised."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from alertd.config import Secrets, parse_config
from alertd.errors import ConfigError, Problem

_WHOLE = Path(__file__).parent / "good" / "whole"
_CONTENT = yaml.safe_load((_WHOLE / "alertd.yaml").read_text(encoding="utf-8"))
_JUNK = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-1, 10**20),
    st.floats(allow_nan=True),
    st.text(max_size=20),
    st.sampled_from(
        [
            "",
            " ",
            "${",
            "${X}",
            "$${",
            "builtin",
            "http://[",
            "https://x:99999/",
            "sqlite:///",
            "a@",
            "@b",
            "a@b@c",
            "x <a@b",
            "::1:1",
            "../..",
            "~nobody/x",
            "\0",
        ]
    ),
    st.just([]),
    st.just({}),
    st.just([[]]),
    st.just([None]),
    st.just({"a": {"b": []}}),
)


def _places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield path
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, child in children:
        yield from _places(child, (*path, key))


def _with(value: Any, path: tuple[Any, ...], junk: Any) -> Any:
    if not path:
        return junk
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[path[0]] = _with(copy[path[0]], path[1:], junk)
    return copy


@settings(deadline=None)
@given(path=st.sampled_from(list(_places(_CONTENT))), junk=_JUNK, secrets=st.sampled_from(list(Secrets)))
def test_junk_anywhere_is_told_or_harmless(path: tuple[Any, ...], junk: Any, secrets: Secrets) -> None:
    text = yaml.safe_dump(_with(_CONTENT, path, junk), allow_unicode=True)

    problems: tuple[Problem, ...] = ()
    try:
        parse_config(
            text,
            directory=_WHOLE,
            environment={"CONTOSO_SECRET": "s", "TEAMS_URL": "https://x.example"},
            secrets=secrets,
        )
    except ConfigError as error:
        problems = error.problems

    assert not problems or any(not problem.warning for problem in problems)
