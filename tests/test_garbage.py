"""How often the interpreter searches for garbage."""

from __future__ import annotations

import gc

import pytest

from alertd.garbage import seldom_collected


def test_a_search_waits_for_as_many_objects_as_it_is_told_and_everything_is_as_before_afterwards() -> None:
    before, frozen = gc.get_threshold(), gc.get_freeze_count()

    with seldom_collected(12_345):
        assert gc.get_threshold() == (12_345, *before[1:])
        assert gc.get_freeze_count() > frozen

    assert (gc.get_threshold(), gc.get_freeze_count()) == (before, frozen)


def test_what_fails_leaves_the_interpreter_as_it_was() -> None:
    before = gc.get_threshold()

    with pytest.raises(ValueError, match="midway"), seldom_collected(12_345):
        raise ValueError("midway")

    assert gc.get_threshold() == before
