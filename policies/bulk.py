"""How many people's data are many: the counts by which the law tells a grave taking from another."""

from collections.abc import Mapping
from enum import StrEnum


class BulkClass(StrEnum):
    """How many people's data make it grave to take it (法释〔2017〕10号 5(1)(3)-(5)): of tracks, communications, credit and property 50;
    of lodging, communication records, health and transactions 500; of everything else 5,000.
    """

    PROPERTY = "PROPERTY"
    TRANSACTION = "TRANSACTION"
    OTHER = "OTHER"


BULK_COUNTS: Mapping[BulkClass, int] = {BulkClass.PROPERTY: 50, BulkClass.TRANSACTION: 500, BulkClass.OTHER: 5000}
"""The law's counts. A policy may be stricter, and never laxer."""

EXPORT_ROWS = max(BULK_COUNTS.values())
"""No policy lets more rows about members leave at once on one person's word, or to somebody who is not registered."""
