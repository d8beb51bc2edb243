"""An RFC 3161 time stamp over the checkpoint's text: only a hash leaves the house, and the token says when it was there.

How this can hurt: a token that nobody checked is a file. So it is checked before it counts as a receipt: granted, over our text, with our
nonce, signed by a certificate for time stamps under a root that the settings name, at about the time that it is.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from rfc3161_client import (
    HashAlgorithm,
    TimeStampRequest,
    TimestampRequestBuilder,
    TimeStampResponse,
    VerificationError,
    VerifierBuilder,
    decode_timestamp_response,
)

from service.checkpoints.anchors.model import Deposit, Undeposited
from service.checkpoints.outside import Outside, Silent
from service.hazmat.certificates import Certificate

_QUERY, _REPLY = "application/timestamp-query", "application/timestamp-reply"
_OFF: Final = timedelta(days=1)
"""So much may our clocks differ: who stamps with the time of last year has another reason."""


@dataclass(frozen=True, slots=True)
class Authority:
    """One time-stamp authority. `roots`: under which its certificate must be."""

    kind: str
    every: timedelta
    url: str
    roots: Sequence[Certificate] = field(repr=False)
    outside: Outside = field(repr=False)

    async def deposit(self, deposit: Deposit, now: datetime) -> bytes:
        """See `Anchor`: the whole reply (a TimeStampResp in DER), as `openssl ts -verify -data TEXT -in REPLY` takes it."""
        text = deposit.text.encode()
        request = (
            TimestampRequestBuilder().data(text).hash_algorithm(HashAlgorithm.SHA256).cert_request(cert_request=True).build()
        )
        try:
            said = await self.outside.ask("POST", self.url, request.as_bytes(), {"content-type": _QUERY})
        except Silent as silent:
            raise Undeposited(silent.code) from None
        if said.status != 200 or said.kind != _REPLY:
            raise Undeposited(f"STATUS_{said.status}")
        self._check(said.body, request, text, now)
        return said.body

    async def close(self) -> None:
        """See `Anchor`."""
        await self.outside.close()

    def _check(self, reply: bytes, request: TimeStampRequest, text: bytes, now: datetime) -> None:
        try:
            answer = decode_timestamp_response(reply)
            verifier = VerifierBuilder(roots=list(self.roots), nonce=request.nonce).build()
            verifier.verify_message(answer, text)
            off = abs(_stamped(answer) - now)
        except (VerificationError, ValueError):
            raise Undeposited("TOKEN_DOES_NOT_HOLD") from None
        if off > _OFF:
            raise Undeposited("TOKEN_OF_ANOTHER_TIME")


def _stamped(answer: TimeStampResponse) -> datetime:
    return answer.tst_info.gen_time
