"""`alertd demo`: simulated tenants and receivers, the inbox page, and the real alertd between them, in one process."""
