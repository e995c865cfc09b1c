"""How an explanation is put, apart from what it is about."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from alertd.chronicle import find_job
from alertd.config import Config
from alertd.errors import UsageError
from alertd.explanation.words import shown_children
from alertd.model.resources import SynchronizationStatus
from alertd.model.views import Subject
from alertd.rules.expression import Expression
from alertd.store.memory import MemoryStore
from alertd.store.values import TenantRecord

from ..backtest.living import START


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ('status.code in ["Paused", "NotRun"]', ["status.code"]),
        ('status.code in [previous.code, "NotRun"]', ["status.code", '[previous.code, "NotRun"]']),
        ('status.code == "Paused"', ["status.code"]),
    ],
)
def test_what_says_no_more_than_itself_is_not_shown(text: str, shown: list[str]) -> None:
    node = Expression.compile(text).trace(Subject(now=START, status=SynchronizationStatus(code="Active")))

    assert [child.text for child in shown_children(node)] == shown


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("job", "said"),
    [
        ("contoso/Salesforce/SF.1", "no job 'contoso/Salesforce/SF.1'; none of this tenant is known yet"),
        ("fabrikam/Salesforce/SF.1", "no tenant 'fabrikam'; known are contoso"),
    ],
)
async def test_a_job_of_which_nothing_is_known(job: str, said: str) -> None:
    store = MemoryStore()
    async with store.transaction() as transaction:
        await transaction.save_tenant(TenantRecord(key="global/1", name="contoso"), expected_epoch=0)

    async with store.reading() as reader:
        with pytest.raises(UsageError) as caught:
            await find_job(reader, cast("Config", cast("Any", SimpleNamespace(tenants=()))), job)

    assert str(caught.value) == said
