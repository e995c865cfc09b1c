"""Secrets print nothing, and files are read at each use."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest

from alertd.errors import ConfigError
from alertd.model.secret import Secret


@pytest.mark.parametrize("shown", [repr, str, format, lambda s: f"{s!r} {s}", lambda s: "%s" % s, lambda s: f"{s:>20}"])  # noqa: UP031
def test_a_secret_never_prints(shown: object) -> None:
    assert "hunter2" not in shown(Secret("hunter2"))  # type: ignore[operator]
    assert "<secret>" in shown(Secret("hunter2"))  # type: ignore[operator]


def test_a_secret_does_not_print_inside_other_values() -> None:
    assert "hunter2" not in repr({"a": [Secret("hunter2")]})


def test_a_secret_is_not_pickled() -> None:
    with pytest.raises(TypeError):
        pickle.dumps(Secret("hunter2"))


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"abc", "abc"),
        (b"abc\n", "abc"),
        (b"abc\r\n", "abc"),
        (b"abc\n\n", "abc\n"),
        (b" abc ", " abc "),
        (b"\xef\xbb\xbfabc\n", "abc"),
    ],
    ids=["plain", "newline", "windows newline", "one newline only", "blanks are kept", "byte order mark"],
)
def test_a_file_is_read_without_its_last_newline(tmp_path: Path, content: bytes, expected: str) -> None:
    (tmp_path / "s").write_bytes(content)

    assert Secret.from_file(tmp_path / "s").reveal() == expected


def test_a_rotated_file_takes_effect_at_the_next_use(tmp_path: Path) -> None:
    (tmp_path / "s").write_text("old")
    secret = Secret.from_file(tmp_path / "s")
    before = secret.reveal()

    (tmp_path / "s").write_text("new")

    assert (before, secret.reveal()) == ("old", "new")


@pytest.mark.parametrize("content", [None, b"", b"\n", b"\xff\xfe\x00", b"x" * 1_000_001])
def test_an_unusable_file_says_which_and_what_to_do(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "s"
    if content is not None:
        path.write_bytes(content)

    with pytest.raises(ConfigError) as caught:
        Secret.from_file(path).reveal()

    assert caught.value.problems[0].file == str(path)
    assert caught.value.problems[0].cure


def test_equality_is_by_source(tmp_path: Path) -> None:
    assert Secret("a") == Secret("a")
    assert Secret("a") != Secret("b")
    assert Secret.from_file(tmp_path / "x") == Secret.from_file(tmp_path / "x")
    assert Secret.from_file(tmp_path / "x") != Secret("x")
    assert len({Secret("a"), Secret("a"), Secret.from_file("a")}) == 2
