"""Benchmarks: what alertd costs, beside what else would do the same, in one run.

    python -m bench poll_unchanged --jobs 100000 --json

A bench lets contestants take turns, A B A B, each in a process of its own on one core, with servers on the other; it reports the CPU time of that
process (user and system), since wall time on a shared machine says little, and the median of the ratios of turns that stood side by side.
"""
