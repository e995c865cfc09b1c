"""Rules tried on the past: stored history played once more, through the code that decides in the daemon."""
