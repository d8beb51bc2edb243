"""Alembic migrations: run on both databases, expand and contract only."""
