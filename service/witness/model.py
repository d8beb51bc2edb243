"""What a witness remembers of a log, and what it answers."""

from dataclasses import dataclass
from enum import StrEnum
from http import HTTPStatus

from menshen_verifier import merkle


class Code(StrEnum):
    """What came of a submission: the answer's body where it is not signatures or a size, and the label in the counts."""

    COSIGNED = "COSIGNED"
    MALFORMED = "MALFORMED"
    OLD_IS_LARGER = "OLD_IS_LARGER"
    NOT_SIGNED = "NOT_SIGNED"
    UNKNOWN_LOG = "UNKNOWN_LOG"
    NOT_FROM_HERE = "NOT_FROM_HERE"
    INCONSISTENT = "INCONSISTENT"
    FORKED = "FORKED"
    TOO_LONG = "TOO_LONG"
    TOO_SLOW = "TOO_SLOW"
    STORE_UNAVAILABLE = "STORE_UNAVAILABLE"


STATUS = {
    Code.COSIGNED: HTTPStatus.OK,
    Code.MALFORMED: HTTPStatus.BAD_REQUEST,
    Code.OLD_IS_LARGER: HTTPStatus.BAD_REQUEST,
    Code.NOT_SIGNED: HTTPStatus.FORBIDDEN,
    Code.UNKNOWN_LOG: HTTPStatus.NOT_FOUND,
    Code.NOT_FROM_HERE: HTTPStatus.CONFLICT,
    Code.INCONSISTENT: HTTPStatus.UNPROCESSABLE_ENTITY,
    Code.FORKED: HTTPStatus.UNPROCESSABLE_ENTITY,
    Code.TOO_LONG: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    Code.TOO_SLOW: HTTPStatus.REQUEST_TIMEOUT,
    Code.STORE_UNAVAILABLE: HTTPStatus.SERVICE_UNAVAILABLE,
}
"""The status of each (C2SP tlog-witness)."""


@dataclass(frozen=True, slots=True)
class Standing:
    """The newest checkpoint of a log that was cosigned. `note` has the log's signature and the cosignatures."""

    size: int
    root: bytes
    note: str


NOTHING = Standing(0, merkle.EMPTY_ROOT, "")
"""Where every log begins."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of a submission. `lines` are cosignatures; `size` is what a log that came from elsewhere must go on from."""

    code: Code
    lines: tuple[str, ...] = ()
    size: int = 0


class Suspicion(StrEnum):
    """Why a refused checkpoint that the log did sign is kept.

    FORK is proof by itself: two roots of one size, both signed by the log. The others are a reason to ask: a checkpoint smaller than what
    was cosigned and never seen here, and a larger one whose proof did not hold (which a stranger can send with a checkpoint they found).
    """

    FORK = "fork"
    BEHIND = "behind"
    UNPROVEN = "unproven"
