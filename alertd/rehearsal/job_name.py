"""How people name a job: ``contoso/Salesforce/SF.1``."""

from __future__ import annotations

import uuid
from collections.abc import Mapping

import attrs

_PRINCIPALS = uuid.UUID("9b0f3f0e-53f8-4a0c-9a55-0b9a3b1f6f2d")  # namespace of ids that a test does not give
_TENANTS = uuid.UUID("1f6f9c1c-4a6b-4a43-8c9e-7c2f4f6a8d10")


@attrs.frozen(kw_only=True)
class JobName:
    """A job by its tenant, its service principal's display name, and its id.

    service_principal_id: null where the name is enough to tell it; then one is made up, always the same for a name.
    """

    tenant: str
    service_principal: str
    id: str
    service_principal_id: str | None = None

    @classmethod
    def parse(cls, text: str) -> JobName:
        """Read ``tenant/displayName/job id``, split at the first and the last slash. Raises ValueError."""
        tenant, _, rest = text.partition("/")
        principal, _, job_id = rest.rpartition("/")
        if not (tenant and principal and job_id):
            raise ValueError("it is split at the first and the last slash")
        return cls(tenant=tenant, service_principal=principal, id=job_id)

    @property
    def principal_id(self) -> str:
        """The service principal's id."""
        return self.service_principal_id or made_up_principal_id(self.tenant, self.service_principal)

    def is_of(self, labels: Mapping[str, str]) -> bool:
        """Whether an alert with these labels is about this job."""
        named = (self.tenant, self.service_principal, self.id)
        found = tuple(labels.get(name) for name in ("tenant", "service_principal", "job_id"))
        return named == found and self.service_principal_id in {None, labels.get("service_principal_id")}

    def __str__(self) -> str:
        return f"{self.tenant}/{self.service_principal}/{self.id}"


def made_up_principal_id(tenant: str, service_principal: str) -> str:
    """Give an id for a service principal of which only the names are known, always the same for a name."""
    return str(uuid.uuid5(_PRINCIPALS, f"{tenant}/{service_principal}"))


def made_up_tenant_id(name: str) -> str:
    """Give a tenant id for a tenant of which only the name is known, always the same for a name."""
    return str(uuid.uuid5(_TENANTS, name))


def named_in(labels: Mapping[str, str]) -> str:
    """Say what an alert with these labels is about: its job, its tenant, or nothing for alertd itself."""
    parts = (labels.get(name, "") for name in ("tenant", "service_principal", "job_id"))
    return "/".join(part for part in parts if part)
