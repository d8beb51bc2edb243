"""What a stranger needs to verify Menshen's audit log, without Menshen: formats, the tree, the replay, a verdict.

Standard library and `cryptography` only, so that an auditor can read and install it alone (`menshen_verifier/README.md`). The service
writes the same formats with these very modules: what it cannot write, nobody can verify.
"""
