"""Campaigns: what is to be sent to whom, reviewed by somebody else than who wrote it (promise 9)."""
