"""Whom to believe (C2SP tlog-policy): the keys of a log, its witnesses, and how many of them must have cosigned.

    log members.example.cn/audit+cc952708+AQOh…          every key that the log ever had: a line for each
    witness compliance witness.example.cn/w1+9a436a43+BCms…
    witness auditor    witness.example.cn/w2+20e995f1+BL/s…
    group both all compliance auditor
    quorum both

How this can hurt: whoever writes this file decides what is true. It must reach the auditor on another way than the export.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from menshen_verifier.checkpoint import Opened, open_checkpoint
from menshen_verifier.errors import Forged, Malformed
from menshen_verifier.note import Key, Kind, parse_key

MOST_BYTES = 1 << 20
MOST_LINES = 4096
NONE = "none"
_FOREIGN = re.compile(rb"[^\t\n\x20-\x7e\x80-\xff]")
_GAPS = re.compile(r"[ \t]+")
_COUNT = re.compile(r"[1-9][0-9]{0,3}")
_OF_LOGS = frozenset({Kind.ED25519, Kind.ML_DSA_44})
_OF_WITNESSES = frozenset({Kind.COSIGNATURE_V1, Kind.ML_DSA_44})


@dataclass(frozen=True, slots=True)
class Group:
    """Witnesses or groups, of which at least `least` must have cosigned."""

    least: int
    members: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Policy:
    """The log's keys, the witnesses by the names that they have in this file, the groups in their order, and the quorum's name."""

    logs: tuple[Key, ...]
    witnesses: Mapping[str, Key] = field(default_factory=dict)
    groups: Mapping[str, Group] = field(default_factory=dict)
    quorum: str = NONE

    def open(self, raw: bytes) -> Opened:
        """A checkpoint of a log of ours. Raises Malformed, Forged. Whether enough witnesses saw it, `witnessed` says."""
        opened = open_checkpoint(raw, self.logs, self.witnesses.values())
        if not any(one.key in self.logs and one.key.name == opened.checkpoint.origin for one in opened.signed):
            raise Forged("checkpoint: of another log than the key that signed it")
        return opened

    def of(self, raw: bytes, size: int, root: bytes) -> Opened:
        """The same, of just this size and root. Raises Malformed, Forged."""
        opened = self.open(raw)
        if (opened.checkpoint.size, opened.checkpoint.root) != (size, root):
            raise Forged("checkpoint: of another size or root than was said")
        return opened

    def witnessed(self, opened: Opened) -> bool:
        """Whether the quorum cosigned. Always, where the policy asks for none."""
        return self.quorum == NONE or self._met({one.key for one in opened.signed})

    def seen(self, opened: Opened) -> int | None:
        """The latest second since when the quorum has cosigned it: a single witness with a new time makes no old quorum new.

        Of a policy without a quorum, when any witness last did. None where there is no such time.
        """
        ours = set(self.witnesses.values())
        latest = [(one.time, one.key) for one in opened.signed if one.key in ours and one.time]
        times = sorted({time for time, _ in latest}, reverse=True)
        since = (time for time in times if self.quorum == NONE or self._met({key for at, key in latest if at >= time}))
        return next(since, None)

    def _met(self, signed: set[Key]) -> bool:
        met = {name: key in signed for name, key in self.witnesses.items()}
        for name, group in self.groups.items():
            met[name] = sum(met[member] for member in group.members) >= group.least
        return met[self.quorum]

    def times(self, opened: Opened) -> list[int]:
        """When witnesses of ours cosigned it, in seconds since 1970, the earliest first."""
        ours = set(self.witnesses.values())
        return sorted(one.time for one in opened.signed if one.key in ours and one.time)


def parse_policy(raw: bytes) -> Policy:
    """Raises Malformed."""
    if len(raw) > MOST_BYTES or _FOREIGN.search(raw):
        raise Malformed("policy: too long, or a control character")
    lines = raw.decode("utf-8", "surrogateescape").split("\n")
    if len(lines) > MOST_LINES:
        raise Malformed("policy: too many lines")
    read = _Reading()
    for line in lines:
        words = _GAPS.split(line.strip(" \t"))
        if words[0] and not words[0].startswith("#"):
            read.line(words)
    return read.policy()


class _Reading:
    """What was read so far; a name means only what stands above it."""

    def __init__(self) -> None:
        self._logs: list[Key] = []
        self._witnesses: dict[str, Key] = {}
        self._groups: dict[str, Group] = {}
        self._members: set[str] = set()
        self._quorum: list[str] = []

    def line(self, words: list[str]) -> None:
        match words:
            case ["log", vkey] | ["log", vkey, _]:
                self._logs.append(_key(vkey, _OF_LOGS, self._logs))
            case ["witness", name, vkey] | ["witness", name, vkey, _]:
                self._new(name)
                self._witnesses[name] = _key(vkey, _OF_WITNESSES, self._witnesses.values())
            case ["group", name, least, _, *_]:
                self._new(name)
                self._groups[name] = self._group(least, words[3:])
            case ["quorum", name] if name == NONE or self._defined(name):
                self._quorum.append(name)
            case _:
                raise Malformed("policy: a line that is none of log, witness, group, quorum")

    def policy(self) -> Policy:
        if len(self._quorum) != 1:
            raise Malformed("policy: exactly one quorum is needed")
        return Policy(tuple(self._logs), self._witnesses, self._groups, self._quorum[0])

    def _defined(self, name: str) -> bool:
        return name in self._witnesses or name in self._groups

    def _new(self, name: str) -> None:
        if name == NONE or self._defined(name):
            raise Malformed("policy: a name that is taken")

    def _group(self, least: str, members: list[str]) -> Group:
        if not all(map(self._defined, members)) or len(set(members)) < len(members) or self._members & set(members):
            raise Malformed("policy: a group's member is not defined, or in a group already")
        self._members |= set(members)
        count = {"any": "1", "all": str(len(members))}.get(least, least)
        if not _COUNT.fullmatch(count) or int(count) > len(members):
            raise Malformed("policy: a group's number is not from 1 to that of its members")
        return Group(int(count), tuple(members))


def _key(vkey: str, kinds: frozenset[Kind], others: Iterable[Key]) -> Key:
    key = parse_key(vkey)
    if key.kind not in kinds:
        raise Malformed("policy: a key of a kind that cannot sign this")
    if any(one.public == key.public for one in others):
        raise Malformed("policy: a key stands twice")
    return key
