"""What templates are given, by the names of the contract."""

from __future__ import annotations

import attrs
import pytest

from alertd.model.alert import Ended, Evidence
from alertd.model.change import Change
from alertd.model.notification import Reason
from alertd.render.context import BLOCK_ROOTS, highlights, message
from alertd.render.samples import NOW, alert, ended, event, evidence, notification, samples


def test_a_frame_has_the_names_of_the_contract() -> None:
    given = message(notification()).frame()

    assert set(given) >= {"group", "alerts", "links", "now"}
    group = given["group"]
    assert (group.key, group.reason, group.receiver) == (
        "route0/contoso/JobQuarantined",
        "first_notification",
        "identity-oncall",
    )
    assert group.labels == {"tenant": "contoso", "alertname": "JobQuarantined"}
    assert group.observed_between == notification().observed_between
    assert given["now"] == NOW


def test_a_block_has_the_names_of_the_contract() -> None:
    whole = message(notification())
    given = whole.block(whole.alerts.firing[0])

    assert set(given) == set(BLOCK_ROOTS)
    assert set(given) >= {"alert", "status", "previous", "job", "tenant", "changes", "observed_between", "remedy"}
    one = given["alert"]
    assert (one.name, one.severity, one.labels["tenant"]) == ("JobQuarantined", "critical", "contoso")
    assert one.annotations["summary"].startswith("Salesforce")
    assert one.startsAt
    assert one.activeSince
    assert one.endsAt is None
    assert len(one.fingerprint) == 16
    assert one.alert is one


@pytest.mark.parametrize("how", Ended)
def test_each_ended_alert_says_how_it_ended(how: Ended) -> None:
    entry = message(notification(Reason.ALL_RESOLVED, firing=(), resolved=(ended(alert(), how),))).alerts.resolved[0]

    assert entry.ended == how.value
    assert entry.ended_words
    assert entry.endsAt == NOW
    assert entry.remedy is None


@pytest.mark.parametrize(
    ("change", "tone"),
    [
        pytest.param({}, "critical", id="what fires decides"),
        pytest.param(
            {"firing": (alert(severity="info"), alert(severity="warning", number=2))}, "warning", id="the worst of it"
        ),
        pytest.param({"firing": (), "events": (event(),)}, "error", id="an event's severity"),
        pytest.param({"firing": (), "resolved": (ended(alert()),)}, "resolved", id="all resolved"),
        pytest.param({"firing": (), "resolved": (ended(alert(), Ended.GONE),)}, "ended", id="ended is no all-clear"),
        pytest.param({"reason": Reason.DRILL}, "drill", id="a drill is always one"),
    ],
)
def test_tone(change: dict[str, object], tone: str) -> None:
    assert message(attrs.evolve(notification(), **change)).group.tone == tone


def test_the_worst_and_newest_come_first() -> None:
    """What is cut for size is cut at the end."""
    old = alert(name="old", number=1)
    new = attrs.evolve(alert(name="new", number=2), startsAt=NOW)
    mild = alert(name="mild", number=3, severity="info")

    entries = message(notification(firing=(mild, old, new))).alerts.firing

    assert [entry.title for entry in entries] == ["new", "old", "mild"]


def test_links_are_shared_only_where_they_are_the_same() -> None:
    one = message(notification())
    two = message(notification(firing=(alert(), alert(number=2))))

    assert one.links.job == one.alerts.firing[0].links.job
    assert two.links.job is None
    assert two.links.alertd == "https://alertd.example.com"


def test_highlights_are_the_telling_changes_in_a_fixed_order() -> None:
    changes = (
        Change("status.lastExecution.activityIdentifier", "a", "b"),
        Change("schedule.state", "Active", "Disabled"),
        Change("status.code", "Active", "Paused"),
    )

    assert [(each.label, each.after) for each in highlights(changes)] == [
        ("Status", "Paused"),
        ("Schedule", "Disabled"),
    ]
    assert [each.label for each in highlights([Change("job.schedule.state", 1, 2)])] == ["Schedule"]


def test_entries_of_maps_are_named_by_their_key() -> None:
    changes = (
        Change('job.settings["Domain {x}"]', "a", "b"),
        Change('status.synchronizedEntryCountByType["user to User"]', 1_204, 3),
    )

    assert [each.label for each in highlights(changes)] == ["Synchronized, user to User", "Setting Domain {x}"]


def test_trouble_of_a_tenant_shows_no_job_s_error() -> None:
    assert message(samples()["template tenant"]).alerts.firing[0].error is None


def test_an_error_s_message_shows_no_credentials() -> None:
    """Connectors quote the request that failed."""
    seen = evidence()
    fault = attrs.evolve(
        seen.status.quarantine.error, message="GET https://scim.example.com/v2?access_token=S3CR3T said 401"
    )
    quoted = attrs.evolve(seen.status, quarantine=attrs.evolve(seen.status.quarantine, error=fault))

    entry = message(notification(firing=(alert(seen=attrs.evolve(seen, status=quoted)),))).alerts.firing[0]

    assert "S3CR3T" not in entry.error.message
    assert "scim.example.com" in entry.error.message


def test_nothing_known_is_enough() -> None:
    bare = attrs.evolve(alert(template=None), labels={}, annotations={}, evidence=Evidence())

    entry = message(notification(firing=(bare,), group_labels={}, external_url=None)).alerts.firing[0]

    assert entry.title == "alertd"
    assert entry.observed_between.end == entry.startsAt
