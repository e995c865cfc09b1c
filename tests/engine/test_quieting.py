"""What a person says about noise, as it is written down."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from alertd.engine.quieting import add_silence, expire_silence
from alertd.errors import UsageError
from alertd.model.alert import Alert, Identity, State
from alertd.notify.silences import SilenceState
from alertd.store.memory import MemoryStore

pytestmark = pytest.mark.anyio

NOW = datetime(2026, 1, 5, 9, tzinfo=UTC)
LABELS = {"alertname": "JobPaused", "tenant": "contoso", "service_principal": "Salesforce", "job_id": "SF.1"}
PAUSED = Alert(
    identity=Identity(rule="JobPaused", tenant_key="global/1", service_principal_id="sp", job_id="SF.1"),
    state=State.FIRING,
    severity="warning",
    labels=LABELS,
    episode=4,
    activeSince=NOW,
)


def after(hours: float) -> str:
    return (NOW + timedelta(hours=hours)).isoformat()


def request(**given: Any) -> dict[str, Any]:
    likely = {"matchers": ["tenant=contoso"], "created_by": "ada", "comment": "a change", "ends_at": after(2)}
    return likely | given


@pytest.fixture
async def store() -> MemoryStore:
    made = MemoryStore()
    async with made.transaction() as transaction:
        await transaction.save_alerts([(PAUSED, ["group"])])
    return made


async def silences(store: MemoryStore) -> Any:
    async with store.reading() as reader:
        return await reader.silences()


async def test_a_silence_is_written_down(store: MemoryStore) -> None:
    answer = await add_silence(store, request(matchers=["tenant=contoso", 'job_id=~"SF.*"'], comment=" a change "), NOW)

    (silence,) = await silences(store)
    assert answer == {"id": silence.id, "holds": ["JobPaused (contoso/Salesforce/SF.1)"]}
    assert [str(matcher) for matcher in silence.matchers] == ['tenant="contoso"', 'job_id=~"SF.*"']
    assert (silence.starts_at, silence.ends_at) == (NOW, NOW + timedelta(hours=2))
    assert (silence.created_by, silence.comment, silence.episodes) == ("ada", "a change", ())


async def test_a_silence_may_begin_later(store: MemoryStore) -> None:
    await add_silence(store, request(starts_at=after(1)), NOW)

    (silence,) = await silences(store)
    assert silence.state(NOW) is SilenceState.PENDING


async def test_until_its_alerts_end(store: MemoryStore) -> None:
    await add_silence(store, request(ends_at=None, until_state_change=True), NOW)

    (silence,) = await silences(store)
    assert silence.ends_at is None
    assert [(one.fingerprint, one.number) for one in silence.episodes] == [(PAUSED.fingerprint, 4)]


@pytest.mark.parametrize(
    ("given", "words"),
    [
        pytest.param({"comment": "  "}, "an author and a comment", id="no comment"),
        pytest.param({"created_by": ""}, "an author and a comment", id="no author"),
        pytest.param({"ends_at": None}, "needs an end", id="no end"),
        pytest.param({"ends_at": after(-1)}, "not in the past", id="an end in the past"),
        pytest.param({"ends_at": after(0)}, "not in the past", id="an end now"),
        pytest.param({"starts_at": after(3)}, "after it has begun", id="an end before the start"),
        pytest.param({"matchers": ["tenant"]}, "'tenant' is no matcher", id="no matcher"),
        pytest.param({"matchers": []}, "every alert there is", id="no matchers"),
        pytest.param({"matchers": ['tenant=~".*"', "x!=y"]}, "every alert there is", id="matchers that hold for everything"),
        pytest.param({"matchers": "tenant=contoso"}, "no request", id="another shape"),
        pytest.param(
            {"matchers": ["tenant=fabrikam"], "until_state_change": True}, "no alert that fires", id="made for nothing"
        ),
    ],
)  # fmt: skip
async def test_what_is_refused_is_not_written_down(store: MemoryStore, given: dict[str, Any], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        await add_silence(store, request(**given), NOW)

    assert await silences(store) == ()


@pytest.mark.parametrize("characters", [36, 4])
async def test_a_silence_is_ended_by_its_id_or_the_beginning_of_it(store: MemoryStore, characters: int) -> None:
    made = await add_silence(store, request(), NOW)

    await expire_silence(store, {"id": made["id"][:characters]}, NOW + timedelta(hours=1))

    (silence,) = await silences(store)
    assert silence.ends_at == NOW + timedelta(hours=1)


async def test_one_that_has_not_begun_never_does(store: MemoryStore) -> None:
    made = await add_silence(store, request(starts_at=after(1)), NOW)

    await expire_silence(store, {"id": made["id"]}, NOW)

    (silence,) = await silences(store)
    assert [silence.state(NOW + timedelta(hours=hours)) for hours in (0, 1.5)] == [SilenceState.EXPIRED] * 2


@pytest.mark.parametrize(
    ("wanted", "words"),
    [
        pytest.param("zzzz", "no silence", id="unknown"),
        pytest.param("", "no silence", id="nothing"),
        pytest.param(None, "no request", id="another shape"),
    ],
)
async def test_a_silence_that_is_not_there(store: MemoryStore, wanted: Any, words: str) -> None:
    await add_silence(store, request(), NOW)

    with pytest.raises(UsageError, match=words):
        await expire_silence(store, {"id": wanted}, NOW)


async def test_an_expired_silence_cannot_expire_again(store: MemoryStore) -> None:
    made = await add_silence(store, request(), NOW)

    with pytest.raises(UsageError, match="expired already"):
        await expire_silence(store, {"id": made["id"]}, NOW + timedelta(hours=3))
