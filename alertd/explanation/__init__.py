"""Why a rule says what it says about a job, and why somebody was told of it or was not."""
