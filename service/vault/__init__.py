"""The vault: keys, sealed fields, lookups, pseudonyms, shredding.

It owns the keyring table and the members' secrets, and trusts the KMS for the keyring's keys, the caller's chance for
nonces, and nobody for the bytes it is asked to open. What its bytes are is written in docs/formats/ (sealed-field,
sealed-map, wrapped-secret, lookup, normalisers, pseudonym).
"""
