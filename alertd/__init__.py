"""alertd: the alerting rules engine for Microsoft Entra provisioning (synchronization) jobs."""

__version__ = "0.1.0"
