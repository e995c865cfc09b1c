"""Alerts: their identity, their life, and what one round of readings makes of them. Pure."""
