"""What service and signer process say to each other over their socket (docs/formats/signer.md). Each side reads the other as a stranger."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from menshen_verifier import merkle
from menshen_verifier.base64 import decoded, encoded
from menshen_verifier.checkpoint import Checkpoint, parse_checkpoint
from menshen_verifier.errors import Malformed
from menshen_verifier.note import Key, parse_key, parse_note

TITLE = "menshen/signer/v1"
MOST_BYTES = 16 << 10
"""Of a request or an answer: 63 hashes take 3 KiB, four signatures of ML-DSA-44 13."""

_MOST_HASHES = 126
_MOST_LINES = 8
_LARGEST = 2**63 - 1
_NUMBER = re.compile(r"0|[1-9][0-9]{0,18}")
_LINE = re.compile(r"— [^\s+]+ [A-Za-z0-9+/]+={0,2}")
_DETAIL = re.compile(r"[ -~]{1,200}")


@dataclass(frozen=True, slots=True)
class Ask:
    """Which keys there are, and what was signed last."""


@dataclass(frozen=True, slots=True)
class Activate:
    """Let the key that waits take over; the one before it signs beside it."""


@dataclass(frozen=True, slots=True)
class Sign:
    """Sign this checkpoint; `proof` shows that it goes on from size `old`."""

    old: int
    proof: tuple[bytes, ...]
    checkpoint: Checkpoint


@dataclass(frozen=True, slots=True)
class Known:
    """The answer to Ask and Activate: the size that was signed last, the keys in use, and the one that waits, if there is one."""

    size: int
    keys: tuple[Key, ...]
    waits: Key | None = None


@dataclass(frozen=True, slots=True)
class Lines:
    """The answer to Sign."""

    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Ahead:
    """Another size than `old` was signed last: this one."""

    size: int


@dataclass(frozen=True, slots=True)
class Refused:
    """It is not signed, and why. `broken` says that asking again is of no use."""

    detail: str
    broken: bool


Request = Ask | Activate | Sign
Answer = Known | Lines | Ahead | Refused


def request_bytes(request: Request) -> bytes:
    """As it goes over the wire; the end of the stream is its end."""
    if isinstance(request, Sign):
        lines = [f"{TITLE} sign", f"old {request.old}", *map(encoded, request.proof), "", request.checkpoint.text]
        return "\n".join(lines).encode()
    return f"{TITLE} {'ask' if isinstance(request, Ask) else 'activate'}\n".encode()


def parse_request(raw: bytes) -> Request:
    """Raises Malformed, whatever the bytes."""
    verb, _, rest = _text(raw).partition("\n")
    if verb == f"{TITLE} ask" and not rest:
        return Ask()
    if verb == f"{TITLE} activate" and not rest:
        return Activate()
    if verb != f"{TITLE} sign":
        raise Malformed("signer: not a request")
    head, gap, body = rest.partition("\n\n")
    old, *proof = head.split("\n")
    if not gap or not old.startswith("old ") or len(proof) > _MOST_HASHES:
        raise Malformed("signer: no old size, or too long a proof")
    hashes = tuple(map(decoded, proof))
    if any(len(one) != merkle.HASH_BYTES for one in hashes):
        raise Malformed("signer: a hash that is not of 32 bytes")
    return Sign(_number(old.removeprefix("old ")), hashes, parse_checkpoint(body))


def answer_bytes(answer: Answer) -> bytes:
    """As it goes over the wire."""
    match answer:
        case Known():
            waits = [f"next {answer.waits.vkey}"] if answer.waits else []
            lines = [f"known {answer.size}", *(f"key {key.vkey}" for key in answer.keys), *waits]
        case Lines():
            lines = ["signed", *answer.lines]
        case Ahead():
            lines = [f"ahead {answer.size}"]
        case Refused():
            lines = [f"{'broken' if answer.broken else 'refused'} {answer.detail}"]
    return "".join(f"{line}\n" for line in lines).encode()


def parse_answer(raw: bytes) -> Answer:
    """Raises Malformed, whatever the bytes."""
    first, *lines, end = _text(raw).split("\n") if raw.endswith(b"\n") else ("", "x")
    word, _, told = first.partition(" ")
    if end or len(lines) > _MOST_LINES:
        raise Malformed("signer: not an answer")
    if word == "signed" and lines and not told and all(map(_LINE.fullmatch, lines)):
        parse_note("\n".join(["x", "", *lines, ""]).encode())
        return Lines(tuple(lines))
    if word == "known":
        return _known(_number(told), lines)
    if word == "ahead" and not lines:
        return Ahead(_number(told))
    if word in {"refused", "broken"} and not lines and _DETAIL.fullmatch(told):
        return Refused(told, word == "broken")
    raise Malformed("signer: not an answer")


def _known(size: int, lines: Sequence[str]) -> Known:
    waits = lines[-1].removeprefix("next ") if lines and lines[-1].startswith("next ") else None
    listed = lines[:-1] if waits is not None else lines
    if not listed or not all(line.startswith("key ") for line in listed):
        raise Malformed("signer: no keys")
    keys = tuple(parse_key(line.removeprefix("key ")) for line in listed)
    return Known(size, keys, parse_key(waits) if waits is not None else None)


def _number(text: str) -> int:
    if not _NUMBER.fullmatch(text) or int(text) > _LARGEST:
        raise Malformed("signer: not a size")
    return int(text)


def _text(raw: bytes) -> str:
    if len(raw) > MOST_BYTES:
        raise Malformed("signer: too long")
    try:
        return raw.decode()
    except UnicodeDecodeError:
        raise Malformed("signer: not UTF-8") from None
