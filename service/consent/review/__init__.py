"""Consents seen over all members: who is stale, how many stand how, and whether what is kept is what the ledger says."""
