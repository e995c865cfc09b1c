"""What to do about it, by quarantine reason and error code.

Codes carry their connector's name in front (``SalesforceInvalidCredentials``), so they are known by their ending; the
longest known ending wins. The facts are Microsoft's, the words are ours:
https://learn.microsoft.com/entra/identity/app-provisioning/application-provisioning-quarantine-status
https://learn.microsoft.com/entra/identity/monitoring-health/howto-analyze-provisioning-logs
"""

from __future__ import annotations

from collections.abc import Mapping

import attrs

from alertd.model.resources import SynchronizationError, SynchronizationStatus

# What Graph writes in the place of a code where there is none.
_NO_CODE = frozenset({None, "", "None"})

_LEARN = "https://learn.microsoft.com/entra/identity"
_QUARANTINE = f"{_LEARN}/app-provisioning/application-provisioning-quarantine-status"
_LOGS = f"{_LEARN}/monitoring-health/howto-analyze-provisioning-logs"
_STATUS = f"{_LEARN}/app-provisioning/check-status-user-account-provisioning"
_DELETES = f"{_LEARN}/app-provisioning/accidental-deletions"
_CLOUD_SYNC = f"{_LEARN}/hybrid/cloud-sync/reference-error-codes"
_CROSS_TENANT = f"{_LEARN}/multi-tenant-organizations/cross-tenant-synchronization-configure"
_INBOUND = f"{_LEARN}/app-provisioning/inbound-provisioning-api-issues"
_TUTORIALS = f"{_LEARN}/saas-apps/tutorial-list"
_MAPPINGS = f"{_LEARN}/app-provisioning/customize-application-attributes"
_ON_DEMAND = f"{_LEARN}/app-provisioning/provision-on-demand"
_KNOWN_ISSUES = f"{_LEARN}/app-provisioning/known-issues"
_GRAPH_PERMISSIONS = "https://learn.microsoft.com/graph/api/synchronization-synchronization-list-jobs"

_START = "Start provisioning again. Left alone, the job tries by itself, in quarantine only once a day."


@attrs.frozen(kw_only=True)
class Remedy:
    """What to do now. warning: what must not be done first. url: Microsoft's page about it."""

    title: str
    steps: tuple[str, ...]
    warning: str = ""
    url: str | None = None


_CREDENTIALS = Remedy(
    title="Renew the credentials of the target system",
    steps=(
        "In the target system, make a new token or secret for the provisioning account, or check that it still works.",
        "In the portal: Provisioning, Admin credentials. Enter it, Test connection, Save.",
        _START,
    ),
    url=_QUARANTINE,
)
_ESCROWS = Remedy(
    title="Find the error that most objects share",
    steps=(
        "Open the provisioning logs, filter on failures and group them by error code: usually one or two codes make up most.",
        "Mend the attribute mapping, the scope or the source data that causes them.",
        "Restart with reset scope 'Escrows, QuarantineState'. A full restart would go through every object again.",
    ),
    url=_STATUS,
)
_TOO_MANY_DELETES = Remedy(
    title="Decide about the deletions that were held back",
    steps=(
        "Open the provisioning logs and filter on action StagedDelete: these objects would be deleted or disabled.",
        "If they should go: choose Allow deletes. This cannot be undone.",
        "If they should not: undo the cause (scope filter, group assignment, source data), and only then restart.",
    ),
    warning="Do not restart the job first: look at what it wants to delete. Allow deletes only if you want every one of them gone.",
    url=_DELETES,
)

_REASONS: Mapping[str, Remedy] = {
    "EncounteredQuarantineException": _CREDENTIALS,
    "EncounteredEscrowProportionThreshold": _ESCROWS,
    "EncounteredBaseEscrowThreshold": _ESCROWS,
    "EncounteredTotalEscrowThreshold": attrs.evolve(
        _ESCROWS,
        steps=(
            *_ESCROWS.steps[:1],
            "Look at references too (manager, group members): their failures count here.",
            *_ESCROWS.steps[1:],
        ),
    ),
    "TooManyDeletes": _TOO_MANY_DELETES,
    "QuarantinedOnDemand": Remedy(
        title="Ask Microsoft: they put the job into quarantine themselves",
        steps=(
            "Look for a message of Microsoft's about this application.",
            "Open a support case with the job id and the activity id given here.",
        ),
        url=_QUARANTINE,
    ),
    "IngestionInterrupted": Remedy(
        title="Check the source that feeds this job",
        steps=(
            "Check that the source (HR system, agent, API client) is up and still sends.",
            "Read the provisioning logs of its latest uploads.",
            "If it stays like this, open a support case with the job id.",
        ),
        url=_INBOUND,
    ),
}
# These say no more than "it failed at once"; the others say what to do whatever the single errors were.
_CODE_KNOWS_MORE = frozenset({"EncounteredQuarantineException", "Unknown", None, ""})
_QUARANTINE_GENERIC = Remedy(
    title="Find out why the job is in quarantine",
    steps=(
        "Open the provisioning page of the job: it gives the reason and the latest error.",
        "Test connection under Admin credentials, then read the failures in the provisioning logs.",
        _START,
    ),
    url=_QUARANTINE,
)

_RETRIED = Remedy(
    title="Nothing yet: the service tries again by itself",
    steps=(
        "Wait for the next run. If it goes on for a day, check the target system's health, then open a support case.",
    ),
    url=_LOGS,
)
_RIGHTS = Remedy(
    title="Give the provisioning account the rights it needs",
    steps=(
        "The target system knows the account but refuses what it tries to do: check its role there.",
        "Compare with the tutorial of this application.",
        _START,
    ),
    url=_TUTORIALS,
)
_DUPLICATES = Remedy(
    title="Two objects claim the same identity",
    steps=(
        "Find the objects in the provisioning logs: two of them match, or a value that must be unique is taken.",
        "Correct the value in the source, or choose a matching attribute that is unique.",
    ),
    url=_LOGS,
)
_DATA = Remedy(
    title="Mend the attribute mapping or the source data",
    steps=(
        "Find the attribute in the provisioning logs: it is missing, unknown to the target or has a value it does not accept.",
        "Change the mapping or the source, then try one object with Provision on demand.",
    ),
    url=_MAPPINGS,
)
_SCIM = Remedy(
    title="Ask the developer of the application: its SCIM answers cannot be used",
    steps=(
        "Check that the tenant URL under Admin credentials is right and answers as SCIM does.",
        "Give the error message to the application's developer or vendor.",
    ),
    url=_LOGS,
)
_B2B = Remedy(
    title="Check the cross-tenant settings on both sides",
    steps=(
        "Automatic redemption of invitations must be on in both tenants, and inbound synchronization in the target.",
        "Check the target's directory quota and its external collaboration settings.",
    ),
    url=_CROSS_TENANT,
)
_AGENT = Remedy(
    title="Look after the cloud sync agent",
    steps=(
        "Check on the agent's server that the service runs and can reach Microsoft.",
        "In the portal, check that an agent is active for this domain; register it again if it is not.",
    ),
    url=_CLOUD_SYNC,
)
_AGENT_ACCOUNT = Remedy(
    title="Repair the service account of cloud sync",
    steps=(
        "On the agent's server run Repair-AADCloudSyncToolsAccount.",
        "Check that the agent is active again in the portal.",
    ),
    url=_CLOUD_SYNC,
)

_CODES: Mapping[str, Remedy] = {
    "CredentialValidationFailure": _CREDENTIALS,
    "CredentialsValidationFailure": _CREDENTIALS,
    "InvalidCredentials": _CREDENTIALS,
    "ExpiredCredentials": _CREDENTIALS,
    "InsufficientPermissions": attrs.evolve(
        _CREDENTIALS, title="Authorize the connection again, with enough permissions"
    ),
    "AzureActiveDirectoryInvalidCredential": _AGENT_ACCOUNT,
    "AzureActiveDirectoryExpiredCredentials": _AGENT_ACCOUNT,
    "ServiceIncompatible": _SCIM,
    "MultipleEntriesInResponse": _SCIM,
    "B2BManagementPolicyCheckFailure": _B2B,
    "QuotaLimitExceeded": _B2B,
    "AzureActiveDirectoryForbidden": _B2B,
    "CannotUpdateObjectsOriginatedInExternalService": _B2B,
    "InvitationCreationFailure": _B2B,
    "Conflict": _DUPLICATES,
    "DuplicateTargetEntries": _DUPLICATES,
    "DuplicateSourceEntries": _DUPLICATES,
    "TooManyRequests": _RETRIED,
    "InternalServerError": _RETRIED,
    "InternalError": _RETRIED,
    "Timeout": _RETRIED,
    "WebExceptionProtocolError": _RETRIED,
    "ServerBusy": _RETRIED,
    "InsufficientRights": _RIGHTS,
    "MethodNotAllowed": _RIGHTS,
    "NotPermitted": _RIGHTS,
    "Unauthorized": _RIGHTS,
    "UnprocessableEntity": attrs.evolve(_SCIM, title="The target system did not accept what was sent"),
    "NotImplemented": attrs.evolve(_SCIM, title="The target system cannot do what was asked of it"),
    "InvalidAnchor": Remedy(
        title="An account vanished from the target system: restart the job",
        steps=("Restart provisioning; it looks every object up again and takes as long as the first cycle did.",),
        url=_LOGS,
    ),
    "MandatoryFieldsMissing": _DATA,
    "MissingValues": _DATA,
    "SchemaAttributeNotFound": _DATA,
    "SchemaPropertyCanOnlyAcceptValue": _DATA,
    "InvalidDomain": _DATA,
    "LicenseLimitExceeded": Remedy(
        title="The target system is out of licences",
        steps=("Buy licences there, or provision fewer people by narrowing the scope.",),
        url=_LOGS,
    ),
    "NoAgentsAssigned": _AGENT,
    "NoActiveAgents": _AGENT,
    "HybridIdentityServiceInvalidResource": _AGENT,
    "AgentSignalingError": _AGENT,
    "HybridSynchronizationActiveDirectoryInternalServerError": _AGENT,
}
_CODES_BY_ENDING = sorted(((ending.lower(), remedy) for ending, remedy in _CODES.items()), key=lambda row: -len(row[0]))

_FAILURE_GENERIC = Remedy(
    title="Find out what fails",
    steps=(
        "Open the provisioning logs of the job and read the latest failures.",
        "Test connection under Provisioning, Admin credentials.",
        "Try one object with Provision on demand: it shows each step and its error.",
    ),
    url=_ON_DEMAND,
)

_BY_TEMPLATE: Mapping[str, Remedy] = {
    "common_cause": Remedy(
        title="Look for what they have in common",
        steps=(
            "Many jobs seldom fail together each for itself: look at what they share, such as a credential, the target system or a recent change.",
            "Mend that one thing; the jobs come back by themselves, those in quarantine at their next attempt.",
        ),
        url=_KNOWN_ISSUES,
    ),
    "deletes": _TOO_MANY_DELETES,
    "escrows": attrs.evolve(
        _ESCROWS, steps=(*_ESCROWS.steps[:2], "Failed objects are tried again by themselves, less and less often.")
    ),
    "failure": _FAILURE_GENERIC,
    "quarantine": _QUARANTINE_GENERIC,
    "schedule": Remedy(
        title="Find out whether this was meant",
        steps=(
            "Read the audit log of the application: it names who started, stopped or changed provisioning.",
            "If nobody meant it, start provisioning again.",
        ),
        url=_KNOWN_ISSUES,
    ),
    "gone": Remedy(
        title="Find out who removed the job",
        steps=(
            "Read the audit log of the application, and the list of deleted enterprise applications (kept for 30 days).",
            "A restart from the portal makes a new job with another id: then the new one appears and all is well.",
        ),
        url=_KNOWN_ISSUES,
    ),
    "alertd": Remedy(
        title="Look after alertd itself",
        steps=("Run alertd status and alertd doctor where it runs, and read its log.",),
    ),
}

_POLL_ERRORS: Mapping[str, Remedy] = {
    "auth": Remedy(
        title="Renew the credential that alertd uses for this tenant",
        steps=(
            "Check the secret or certificate of alertd's application registration in this tenant: it has probably expired.",
            "Enter the new one in alertd's configuration and run alertd doctor.",
        ),
    ),
    "permission": Remedy(
        title="Grant alertd's application its permissions again",
        steps=(
            "In this tenant, grant admin consent for Synchronization.Read.All and Application.Read.All (application permissions).",
            "Run alertd doctor: it lists what the token carries.",
        ),
        url=_GRAPH_PERMISSIONS,
    ),
    "throttled": Remedy(
        title="Ask Microsoft Graph less often",
        steps=(
            "Raise poll.interval or lower poll.concurrency, and see who else uses the same application registration.",
        ),
        url="https://learn.microsoft.com/graph/throttling",
    ),
    "network": Remedy(
        title="Check the way from alertd to Microsoft Graph",
        steps=("Check name resolution, proxy and firewall where alertd runs; alertd doctor tries each step.",),
    ),
}
_POLL_ERROR_GENERIC = Remedy(
    title="Check whether Microsoft Graph is well, then alertd's way to it",
    steps=(
        "Look at the service health page of the admin center.",
        "Run alertd doctor where alertd runs: it tries token, permissions and Graph one by one.",
    ),
)


def remedy_for(
    status: SynchronizationStatus | None, *, template: str | None = None, poll_error: str | None = None
) -> Remedy | None:
    """Give what to do; null where nothing needs doing.

    status: as last seen. template: the alert's message block, which says what kind of trouble it tells.
    poll_error: kind of the tenant's last failed round, for alerts about a tenant.
    """
    if template == "tenant":
        return _POLL_ERRORS.get(poll_error or "", _POLL_ERROR_GENERIC)
    if status is None or template in {"gone", "schedule", "alertd"}:
        return _BY_TEMPLATE.get(template or "")
    return _of_status(status, template)


def _of_status(status: SynchronizationStatus, template: str | None) -> Remedy | None:
    reason = status.quarantine.reason if status.quarantine is not None else None
    in_quarantine = status.code == "Quarantine"
    if reason == "TooManyDeletes" and in_quarantine:
        return _TOO_MANY_DELETES
    by_code = remedy_for_code(error_code(status))
    by_kind = _BY_TEMPLATE.get(template or "")
    if in_quarantine:
        by_reason = _REASONS.get(reason or "")
        return (
            (by_code or by_reason or _QUARANTINE_GENERIC)
            if reason in _CODE_KNOWS_MORE
            else by_reason or by_code or _QUARANTINE_GENERIC
        )
    return by_kind if template in {"deletes", "escrows"} else by_code or by_kind


def remedy_for_code(code: str | None) -> Remedy | None:
    """Give what to do about an error code, known by its longest known ending."""
    lowered = (code or "").lower()
    return next((remedy for ending, remedy in _CODES_BY_ENDING if lowered.endswith(ending)), None)


def error_of(status: SynchronizationStatus | None) -> SynchronizationError | None:
    """Give the error that matters: the quarantine's own, else the latest run's; null where there was none."""
    if status is None:
        return None
    quarantine = status.quarantine.error if status.quarantine is not None and status.code == "Quarantine" else None
    run = status.lastExecution.error if status.lastExecution is not None else None
    return next((error for error in (quarantine, run) if error is not None and _says_something(error)), None)


def error_code(status: SynchronizationStatus | None) -> str | None:
    """Give the code of the error that matters; null also where the error has none, only a message."""
    error = error_of(status)
    return error.code if error is not None and error.code not in _NO_CODE else None


def _says_something(error: SynchronizationError) -> bool:
    """Tell an error from Graph's way of saying "no error": code ``None`` as text and an empty message."""
    return error.code not in _NO_CODE or bool(error.message)
