"""What must survive: snapshots, facts, history, alerts, groups, conversations, the told-ledger and the outbox."""
