"""The audit log: one Merkle tree of entries, written before anybody is told anything, that nobody can quietly rewrite.

What trusts what: the database is trusted to be there, not to be honest. Who can write to it can stop the log, and is found out for
everything else, by the head's MAC, by the next append, by the remembered head or by `menshen audit verify` (docs/formats/audit-log.md).
"""
