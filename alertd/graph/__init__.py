"""The only place that speaks to Microsoft: clouds, tokens, requests, and the reading of their answers."""
