"""Pseudonyms, version 1 (docs/formats/pseudonym.md): a member's name in the audit log, which dies with the member's
secret.
"""

import re
from binascii import b2a_base64
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final

from service.errors import BadInput, ConfigError
from service.values import lineage
from service.vault.framing import utf8
from service.vault.keys import MACS, MemberKeys

LABEL: Final = b"audit-sub/v1"
RECEIPT_LABEL: Final = b"menshen/receipt-principal/v1"
PREFIX: Final = "p1:"
RECEIPT_PREFIX: Final = "r1:"
SIZE: Final = 16
TEXT_SIZE: Final = 22

_URL_SAFE = bytes.maketrans(b"+/", b"-_")
_EPOCH = re.compile(r"[0-9]{4}-(?:0[1-9]|1[0-2])")


class Pseudonyms:
    """Makes pseudonyms for one audit log.

    Raises ConfigError for an origin with a zero byte: it could pass for another one.
    """

    def __init__(self, origin: str) -> None:
        if "\x00" in origin:
            raise ConfigError("MENSHEN_ORIGIN: a zero byte")
        self._start = LABEL + b"\x00" + utf8(origin) + b"\x00"
        # One event has one receipt for ever (ADR 13), also after its log was closed and another begun.
        self._receipts = RECEIPT_LABEL + b"\x00" + utf8(lineage(origin).first)
        self._of_month = lru_cache(maxsize=64)(self._month)

    def at_moment(self, keys: MemberKeys, now: datetime) -> str:
        """The pseudonym of the moment's month in UTC. Raises ValueError for a naive moment."""
        if now.tzinfo is not UTC:
            now = _in_utc(now)
        return PREFIX + _text(keys, self._of_month(now.year, now.month))

    def at_epoch(self, keys: MemberKeys, epoch: str) -> str:
        """The pseudonym of a month, `YYYY-MM`. Raises BadInput for anything else."""
        if not _EPOCH.fullmatch(epoch):
            raise BadInput("a month is YYYY-MM")
        return PREFIX + _text(keys, self._start + epoch.encode())

    def for_receipts(self, keys: MemberKeys) -> str:
        """The member's name on consent receipts, in every month (docs/formats/consent-receipt.md)."""
        return RECEIPT_PREFIX + _text(keys, self._receipts)

    def _month(self, year: int, month: int) -> bytes:
        return self._start + f"{year:04}-{month:02}".encode()


def _text(keys: MemberKeys, message: bytes) -> str:
    digest = MACS[keys.header](keys.hazmat_pseudonym_key, message)[:SIZE]
    return b2a_base64(digest, newline=False)[:TEXT_SIZE].translate(_URL_SAFE).decode()


def _in_utc(moment: datetime) -> datetime:
    if moment.tzinfo is None:
        raise ValueError("a moment needs its zone")
    return moment.astimezone(UTC)
