"""One small module for each integration, behind one port. `registry` makes channels of settings."""
