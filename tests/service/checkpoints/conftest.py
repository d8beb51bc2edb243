"""The log's own fixtures, for a room that stands on it."""

from tests.service.audit.conftest import administrator, begin, eventually, home, journal

__all__ = ["administrator", "begin", "eventually", "home", "journal"]
