"""Values: what Graph answers, what we derive from it, what fires and what is told. No I/O, no clock."""
