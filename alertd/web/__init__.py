"""Pages and HTTP interfaces: the daemon's status, metrics and API, and the inbox of the demo."""
