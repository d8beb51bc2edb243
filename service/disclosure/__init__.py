"""Consent-gated reads: decide, open, record."""
