"""The one line that people read on a locked phone, and the name of an incident."""

from __future__ import annotations

from datetime import timedelta

import attrs
import pytest

from alertd.model.alert import Ended, Evidence
from alertd.model.notification import Notification, Reason
from alertd.render.samples import alert, ended, event, evidence, notification
from alertd.render.wording import MEANINGS, headline, incident_title, rule_words

THREE = tuple(alert(name=name, number=number) for number, name in enumerate(("Salesforce", "Box", "Slack"), 1))
OVER = ended(alert())
DISABLED = alert().disableAt
assert DISABLED is not None
SILENT = attrs.evolve(alert(), annotations={})


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        pytest.param(
            notification(), "Salesforce is in quarantine: EncounteredQuarantineException", id="the rule's own summary"
        ),
        pytest.param(
            notification(firing=(SILENT,)), "Salesforce entered quarantine", id="no summary: what the status tells"
        ),
        pytest.param(
            notification(firing=(attrs.evolve(SILENT, evidence=Evidence()),)),
            "Salesforce: Job quarantined",
            id="no summary and no status: the rule",
        ),
        pytest.param(
            notification(firing=THREE), "3 alerts in contoso: Job quarantined", id="several alerts of one rule"
        ),
        pytest.param(
            notification(firing=(alert(), alert("JobStale", number=2))), "2 alerts in contoso", id="several rules"
        ),
        pytest.param(
            notification(Reason.SOME_RESOLVED, firing=THREE[1:], resolved=(OVER,)),
            "2 firing, 1 resolved in contoso: Job quarantined",
            id="counts of both",
        ),
        pytest.param(
            notification(Reason.ALL_RESOLVED, firing=(), resolved=(OVER,)),
            "Resolved: Salesforce left quarantine",
            id="resolved",
        ),
        pytest.param(
            notification(
                Reason.SUBJECT_GONE, firing=(), resolved=(ended(attrs.evolve(SILENT, evidence=evidence()), Ended.GONE),)
            ),
            "Gone: Salesforce (Job quarantined)",
            id="gone is no recovery",
        ),
        pytest.param(
            notification(Reason.REPEAT),
            "Still firing: Salesforce is in quarantine: EncounteredQuarantineException",
            id="a reminder",
        ),
        pytest.param(
            notification(Reason.ESCALATION),
            "Escalated: Salesforce is in quarantine: EncounteredQuarantineException",
            id="an escalation",
        ),
        pytest.param(
            notification(Reason.FALLBACK, firing=(), resolved=(OVER,), stands_in_for=("oncall/teams/default",)),
            "Undelivered: Salesforce left quarantine",
            id="a fallback",
        ),
        pytest.param(
            notification(Reason.REMINDER_DEADLINE, at=DISABLED - timedelta(days=3) + timedelta(minutes=5)),
            "Disabled in 3 days: Salesforce is in quarantine: EncounteredQuarantineException",
            id="three days before, at the next tick",
        ),
        pytest.param(
            notification(Reason.REMINDER_DEADLINE, firing=THREE, at=DISABLED - timedelta(days=1)),
            "Disabled in 24 hours: 3 alerts in contoso: Job quarantined",
            id="a day before",
        ),
        pytest.param(
            notification(Reason.EVENT, firing=(), events=(event(),)),
            "Salesforce: the service has thrown away error records during the first cycle",
            id="an event",
        ),
        pytest.param(
            notification(Reason.DRILL, firing=()),
            "Drill: this is a test of alertd, nothing is wrong",
            id="an empty drill",
        ),
        pytest.param(notification(Reason.DIGEST, firing=()), "Digest: nothing is firing", id="an empty digest"),
    ],
)
def test_headline(message: Notification, expected: str) -> None:
    assert headline(message) == expected


@pytest.mark.parametrize("reason", Reason)
def test_every_reason_has_a_meaning_and_a_headline(reason: Reason) -> None:
    assert MEANINGS[reason]
    assert headline(notification(reason))


def test_headline_is_one_line() -> None:
    assert headline(notification(firing=(alert(summary="a\nb\u202ec" * 200),))).count("\n") == 0


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("JobQuarantined", "Job quarantined"),
        ("QuarantineDisableIn7Days", "Quarantine disable in7 days"),
        ("my-rule", "my-rule"),
        ("SCIMErrors", "SCIMErrors"),
    ],
)
def test_rule_words(name: str, words: str) -> None:
    assert rule_words(name) == words


def test_an_incident_is_named_after_its_oldest_alert() -> None:
    """Mail programs thread by subject: it stays when another job joins, and when the first one has ended."""
    first = alert()
    joined = attrs.evolve(alert(name="Box", number=2), startsAt=first.startsAt + timedelta(minutes=5))

    alone = incident_title(notification(firing=(first,)))
    both = incident_title(notification(Reason.NEW_ALERTS, firing=(joined, first)))
    left = incident_title(notification(Reason.SOME_RESOLVED, firing=(joined,), resolved=(ended(first),)))

    assert alone == both == left == "contoso: Salesforce - JobQuarantined"


def test_a_title_that_was_kept_is_used() -> None:
    assert incident_title(notification(title="contoso: Box - JobStale")) == "contoso: Box - JobStale"


def test_a_tenant_s_incident_names_the_tenant_once() -> None:
    from alertd.render.samples import unreachable

    assert incident_title(notification(firing=(unreachable(),))) == "contoso: TenantUnreachable"
