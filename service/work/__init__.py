"""Work that outlives a request: jobs queued in a unit's own transaction, done at least once, whoever dies meanwhile."""
