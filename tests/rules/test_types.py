"""What is known of a value before it is read."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Generic, TypeVar

import attrs
import pytest

from alertd.model.resources import SCHEDULE_STATES, SynchronizationSchedule
from alertd.rules.types import (
    BOOL,
    DATE,
    DURATION,
    NULL,
    NUMBER,
    TEXT,
    UNKNOWN,
    Kind,
    Type,
    members,
    type_of,
    unify,
)

T = TypeVar("T")


@attrs.frozen
class Anything(Generic[T]):
    """Nobody knows of what type its member is."""

    what: T


@attrs.frozen(kw_only=True)
class Holder:
    """One member of each sort that a class may have."""

    name: str
    seen_at: datetime | None
    codes: tuple[str, ...]
    spans: tuple[timedelta, ...] | None
    counts: Mapping[str, int]
    schedule: SynchronizationSchedule | None
    kept: SynchronizationSchedule


def test_members_have_the_types_of_their_annotations_and_may_be_null_where_these_say_so() -> None:
    schedule = Type(Kind.OBJECT, of=SynchronizationSchedule)

    assert members(Holder) == {
        "name": TEXT.certain,
        "seen_at": DATE,
        "codes": Type(Kind.LIST, nullable=False, element=TEXT.certain),
        "spans": Type(Kind.LIST, element=DURATION.certain),
        "counts": Type(Kind.MAP, nullable=False, element=NUMBER.certain),
        "schedule": schedule,
        "kept": schedule.certain,
    }


def test_a_member_that_is_a_word_of_a_known_enum_knows_the_words() -> None:
    assert members(SynchronizationSchedule)["state"] == attrs.evolve(TEXT, words=SCHEDULE_STATES)
    assert members(SynchronizationSchedule)["interval"].words == ()


def test_an_annotation_without_a_type_of_the_language_is_a_mistake_of_ours() -> None:
    with pytest.raises(TypeError, match=r"^no type of the rule language for ~T$"):
        members(Anything)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, NULL),
        (True, BOOL.certain),
        (1, NUMBER.certain),
        (0.5, NUMBER.certain),
        ("x", TEXT.certain),
        (timedelta(1), DURATION.certain),
        (("x",), Type(Kind.LIST, nullable=False, element=TEXT.certain)),
        ([1, 2], Type(Kind.LIST, nullable=False, element=NUMBER.certain)),
        ((), Type(Kind.LIST, nullable=False, element=NULL)),
    ],
)
def test_a_constant_has_the_type_of_its_value(value: object, expected: Type) -> None:
    assert type_of(value) == expected


WORDS, OTHERS = attrs.evolve(TEXT, words=("A", "B")), attrs.evolve(TEXT, words=("C",))


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        pytest.param(DATE.certain, DATE.certain, DATE.certain, id="neither is null"),
        pytest.param(DATE.certain, DATE, DATE, id="one may be null"),
        pytest.param(NULL, DATE.certain, DATE, id="one is null"),
        pytest.param(NULL, NULL, NULL, id="both are"),
        pytest.param(WORDS, WORDS, WORDS, id="words of one enum"),
        pytest.param(WORDS, OTHERS, TEXT, id="words of two"),
        pytest.param(DATE, NUMBER, None, id="two kinds"),
        pytest.param(Type(Kind.OBJECT, of=Holder), Type(Kind.OBJECT, of=Type), None, id="objects of two classes"),
        pytest.param(DATE, UNKNOWN, UNKNOWN, id="one has been complained about"),
    ],
)
def test_a_value_of_either_type_has_the_type_that_says_as_much_as_is_certain(
    one: Type, other: Type, expected: Type | None
) -> None:
    assert unify(one, other) == unify(other, one) == expected
