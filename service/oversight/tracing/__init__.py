"""What the log says of accounts, kept in two small tables: when each was last seen, and when it last used what a role of it may.

No request writes any of it: a task reads the log's new entries every few minutes. Reading some twice changes nothing, so two
instances may do it at once, and one that dies has lost nothing. Denied acts count as having been seen, and as no use.
"""
