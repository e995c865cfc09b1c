"""Ids as segments of a path."""

from __future__ import annotations

from urllib.parse import quote, unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alertd.graph.segments import segment


@pytest.mark.parametrize("identifier", ["0000002a-5e4f-4c1a-9d2b-3a7c90d1e2f4", "SF.1", "", "-"])
def test_what_is_plain_stays_as_it_is(identifier: str) -> None:
    assert segment(identifier) == identifier


@given(st.text())
def test_whatever_it_is_it_is_one_segment_that_says_the_same(identifier: str) -> None:
    written = segment(identifier)

    assert written == quote(identifier, safe="")
    assert unquote(written) == identifier
