"""Who is calling: a bearer token becomes an Actor, or nothing at all.

Trusted: the issuer's public keys, as a file that an administrator puts there. Not trusted: every byte of the token until its
signature holds, and every claim until it has been checked one by one. Every way of failing looks the same from outside.
"""
