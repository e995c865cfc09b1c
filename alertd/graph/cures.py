"""What a person does about a failure: one sentence for each kind, and a nearer one where the sign-in service names its reason.

The AADSTS numbers are hints for people alone: Microsoft may change them, so nothing is decided by them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from alertd.errors import PollErrorKind

CURES: Mapping[PollErrorKind, str] = {
    PollErrorKind.AUTH: "check tenant_id, client_id and credential of this tenant; `alertd doctor` tries them",
    PollErrorKind.PERMISSION: "grant the application permissions Synchronization.Read.All and Application.Read.All, with admin consent",
    PollErrorKind.NOT_FOUND: "the service principal was deleted or never was in this tenant; the next discovery will show",
    PollErrorKind.THROTTLED: "nothing to do if it passes; else raise poll.interval or lower poll.concurrency",
    PollErrorKind.SERVER: "nothing to do if it passes; else see the service health page and check graph_url",
    PollErrorKind.NETWORK: "check that this machine reaches the host, directly or through http.proxy",
    PollErrorKind.TIMEOUT: "check the network to Microsoft; raise poll.timeout if it is slow",
    PollErrorKind.MALFORMED: "check that graph_url names Microsoft Graph and no proxy answers in its place; else report it to alertd",
}

DIRECTORY_CURE = "grant the application permission Application.Read.All, with admin consent"
SYNCHRONIZATION_CURE = "grant the application permission Synchronization.Read.All, with admin consent"
BUDGET_CURE = (
    "raise poll.max_requests_per_minute or poll.interval, set poll.max_added_delay, or watch fewer service_principals"
)

_AADSTS = re.compile(r"AADSTS(\d{5,8})")
_AADSTS_CURES: Mapping[str, str] = {
    "7000215": "the client secret is wrong: use the secret's value, not its ID, and check that it belongs to this client_id",
    "7000222": "the client secret has expired: add a new one to the app registration and put its value into the credential",
    "700016": "the application is not in this tenant: check client_id and tenant_id, and give admin consent in that tenant",
    "90002": "the tenant was not found: check tenant_id and cloud",
    "900023": "tenant_id is neither a GUID nor a verified domain",
    "900021": "tenant_id is neither a GUID nor a verified domain",
    "700027": "the certificate is not registered for the application: upload its public part to the app registration",
    "700024": "the assertion is outside its time of validity: check this machine's clock, or the token file's age",
    "70021": "no federated credential matches: compare issuer, subject and audience with the app registration's",
    "700211": "no federated credential has this issuer: compare it with the app registration's",
    "700212": "no federated credential has this audience: compare it with the app registration's",
    "700213": "no federated credential has this subject: compare it with the app registration's",
    "7000112": "the application is disabled in this tenant: enable it under Enterprise applications",
    "7000229": "the application has no service principal in this tenant: give admin consent there",
    "500011": "Graph is unknown in this tenant: check cloud",
    "53003": "Conditional Access blocks the application: exclude it, or let it in from this machine's address",
    "50034": "check client_id",
}


def sign_in_cure(description: str) -> str:
    """Give the cure for what the sign-in service said."""
    numbers = _AADSTS.findall(description)
    known = next((_AADSTS_CURES[number] for number in numbers if number in _AADSTS_CURES), None)
    if known is not None:
        return known
    look_up = f"; see https://login.microsoftonline.com/error?code={numbers[0]}" if numbers else ""
    return CURES[PollErrorKind.AUTH] + look_up
