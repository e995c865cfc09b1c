"""Who is told what, and when: matchers, routes, groups, inhibition, decisions (pure), and the loops that act on them (shell)."""
