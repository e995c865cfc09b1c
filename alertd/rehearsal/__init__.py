"""Rehearsals: rules, routes and receivers tried out on timelines, under a clock that jumps; what `alertd test` runs."""
