"""What a reply to a message says (SMS-03): no more of these, no more of anything, or nothing that a machine may understand.

Generous to whoever wants no more, and blind to everything else: a reply is compared whole, so 取消订单 takes nobody off a list, and no
reply is ever a consent.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from policies.searching import plain

_LONGEST = 200
"""More than any word and its decoration; a longer text is somebody writing, and a person reads it."""
_SIGNATURE = re.compile(r"\A[^\w【\[]*[【\[][^】\]]{0,40}[】\]]|[【\[][^】\]]{0,40}[】\]][^\w】\]]*\Z")
_TRIMMED = re.compile(r"[\W_]+")
_NUMBERED = re.compile(r"td[0-9]{1,12}|0{4,5}")
"""TD with the number of a service, and the carriers' own 0000 and 00000."""

ALWAYS = ("R", "T", "TD", "N", "退", "退订", "拒收", "取消", "stop", "unsubscribe")
"""Understood on every channel, whatever channels.toml adds: no word that members were ever taught may come to nothing."""
EVERYTHING = ("退订全部", "全部退订", "退订所有", "取消全部", "全部取消", "stop all", "unsubscribe all")


class ReplyKind(StrEnum):
    """OPT_OUT: no more on this channel. OPT_OUT_ALL: no more on any. UNKNOWN: a person reads it; it changes nothing."""

    OPT_OUT = "OPT_OUT"
    OPT_OUT_ALL = "OPT_OUT_ALL"
    UNKNOWN = "UNKNOWN"


@dataclass(frozen=True, slots=True)
class Reply:
    """What was understood. `word` is the word of the list that it was taken for, "" where there is none; never the member's own text."""

    kind: ReplyKind
    word: str = ""


def reply(text: str, opt_out_words: Iterable[str]) -> Reply:
    """What this text says on a channel with these opt-out words. Takes any text, of any length, and never raises."""
    said = _bare(text)
    everything, words = _known(tuple(opt_out_words))
    if said in everything:
        return Reply(ReplyKind.OPT_OUT_ALL, everything[said])
    if said in words:
        return Reply(ReplyKind.OPT_OUT, words[said])
    return Reply(ReplyKind.OPT_OUT, "TD") if _NUMBERED.fullmatch(said) else Reply(ReplyKind.UNKNOWN)


@lru_cache(maxsize=64)
def _known(opt_out_words: tuple[str, ...]) -> tuple[dict[str, str], dict[str, str]]:
    words = {_bare(word): word for word in (*ALWAYS, *opt_out_words)}
    words.pop("", None)
    return {_bare(word): word for word in EVERYTHING}, words


def _bare(text: str) -> str:
    """The letters alone: no signature before or behind, no spaces, punctuation or emoji, one width and one case."""
    if len(text) > _LONGEST:
        return ""
    seen = plain(text)
    return _TRIMMED.sub("", _SIGNATURE.sub("", seen)) or _TRIMMED.sub("", seen)
