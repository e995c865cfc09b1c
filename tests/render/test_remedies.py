"""What to do, by reason and by error code."""

from __future__ import annotations

import attrs
import pytest

from alertd.model.resources import (
    QUARANTINE_REASONS,
    SynchronizationError,
    SynchronizationStatus,
    SynchronizationTaskExecution,
)
from alertd.render.links import safe_link
from alertd.render.remedies import error_code, error_of, remedy_for, remedy_for_code
from alertd.render.samples import TEMPLATES, status


@pytest.mark.parametrize(
    ("code", "title"),
    [
        ("SystemForCrossDomainIdentityManagementCredentialValidationFailure", "credentials"),
        ("SalesforceInvalidCredentials", "credentials"),
        ("BoxInsufficientPermissions", "Authorize"),
        ("ContosoEntryConflict", "same identity"),
        ("SystemForCrossDomainIdentityManagementServiceIncompatible", "SCIM"),
        ("AzureDirectoryB2BManagementPolicyCheckFailure", "cross-tenant"),
        ("contosotoomanyrequests", "by itself"),
        ("HybridSynchronizationActiveDirectoryInternalServerError", "agent"),
        ("SomethingInternalServerError", "by itself"),
        ("HybridIdentityServiceNoActiveAgents", "agent"),
        ("AzureActiveDirectoryExpiredCredentials", "service account"),
        ("LicenseLimitExceeded", "licences"),
        ("WorkdayMissingValues", "mapping"),
    ],
)
def test_codes_are_known_by_their_longest_ending(code: str, title: str) -> None:
    remedy = remedy_for_code(code)

    assert remedy is not None
    assert title in remedy.title


@pytest.mark.parametrize("code", ["None", "", None, "NobodyKnowsThis"])
def test_unknown_codes_have_no_remedy(code: str | None) -> None:
    assert remedy_for_code(code) is None


@pytest.mark.parametrize("reason", [*QUARANTINE_REASONS, "SomethingNew"])
def test_every_quarantine_has_a_remedy(reason: str) -> None:
    remedy = remedy_for(status(reason=reason), template="quarantine")

    assert remedy is not None
    assert remedy.steps
    assert safe_link(remedy.url) == remedy.url


def test_too_many_deletes_warns_whatever_the_error_says() -> None:
    held = status(reason="TooManyDeletes")
    with_error = attrs.evolve(
        held, quarantine=attrs.evolve(held.quarantine, error=SynchronizationError(code="XInvalidCredentials"))
    )

    remedy = remedy_for(with_error, template="quarantine")

    assert remedy is not None
    assert "Do not restart" in remedy.warning


def test_thresholds_say_more_than_single_errors() -> None:
    """In quarantine for too many errors, the latest error's code is one of thousands."""
    remedy = remedy_for(status(reason="EncounteredEscrowProportionThreshold"), template="quarantine")

    assert remedy is not None
    assert "share" in remedy.title


@pytest.mark.parametrize("template", [name for name in TEMPLATES if name not in {None, "tenant"}])
def test_every_kind_of_trouble_has_a_remedy(template: str) -> None:
    assert remedy_for(status("Active"), template=template) is not None


def test_no_trouble_has_none() -> None:
    assert remedy_for(status("Active")) is None
    assert remedy_for(None) is None


@pytest.mark.parametrize("kind", ["auth", "permission", "throttled", "network", "server", None])
def test_tenants_have_one_by_the_kind_of_failure(kind: str | None) -> None:
    assert remedy_for(None, template="tenant", poll_error=kind) is not None


def test_a_placeholder_is_no_error() -> None:
    """A job that has just been made shows a failed run with the error code `None`."""
    fresh = SynchronizationStatus(
        code="NotRun",
        lastExecution=attrs.evolve(status().lastExecution, error=SynchronizationError(code="None", message="")),
    )

    assert error_of(fresh) is None
    assert error_of(None) is None


@pytest.mark.parametrize("code", [None, "", "None"])
def test_an_error_with_a_message_alone_has_no_code(code: str | None) -> None:
    """Graph writes `None` where there is none; whatever agrees by its code must not agree in that."""
    said = SynchronizationError(code=code, message="The service answered 503")
    failed = SynchronizationStatus(code="Active", lastExecution=SynchronizationTaskExecution(error=said))

    assert error_of(failed) == said
    assert error_code(failed) is None
