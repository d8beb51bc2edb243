"""From what the replay saw to a verdict: which entries are not those that were signed, and what that makes of the log."""

from dataclasses import dataclass

from menshen_verifier import genesis, known, merkle, rfc3161
from menshen_verifier.errors import Forged, Malformed
from menshen_verifier.export import Export, Manifest
from menshen_verifier.findings import Evidence, Finding, Part, Report, Verdict
from menshen_verifier.known import Known
from menshen_verifier.lanes import Break
from menshen_verifier.policy import NONE, Policy
from menshen_verifier.replay import Replay
from menshen_verifier.rfc3161 import Authority

_SHOWN = 20
_MOST_TOKEN = 1 << 20


@dataclass(frozen=True, slots=True)
class Case:
    """What is judged: `known[0]` is the export's newest checkpoint; `size` that of the tree, which may be larger."""

    export: Export
    policy: Policy
    known: list[Known]
    manifest: Manifest
    size: int

    @property
    def newest(self) -> Known:
        """The export's newest checkpoint."""
        return self.known[0]


def report(case: Case, replay: Replay, *, now: int, fresh: int, authority: Authority | None, since: int | None) -> Report:
    """The verdict is that of the worst finding."""
    forked, evidence = _forks(case, replay)
    back, more = _rolled_back(case)
    stamps, wrong = _timestamps(case, authority)
    findings = [
        *forked,
        *back,
        *_entries(case, replay, forked=bool(forked)),
        *_beside(case, replay),
        *wrong,
        *_lost(replay),
        *_unsigned(case, replay),
    ]
    findings += _stale(case, replay, now - fresh)
    ranks = list(Verdict)
    ordered = tuple(sorted(dict.fromkeys(findings), key=_order))
    compared, newest = replay.compared, case.newest.checkpoint
    return Report(
        verdict=min((one.verdict for one in ordered), key=ranks.index, default=Verdict.OK),
        findings=ordered,
        origin=newest.origin,
        size=newest.size,
        root=newest.root.hex(),
        first=case.manifest.first,
        end=case.manifest.end,
        entries=replay.entries,
        writers=len(replay.lanes.spans),
        checkpoints=compared.count,
        unchecked=compared.unchecked,
        since=since,
        cosigned_size=compared.cosigned if case.policy.quorum != NONE else None,
        cosigned_at=compared.newest_time,
        begun_at=compared.begun if case.policy.quorum != NONE else None,
        witnesses=_witnesses(case),
        first_ts=replay.first_ts.decode(),
        last_ts=replay.last_ts.decode(),
        timestamps=stamps,
        evidence=tuple(dict.fromkeys((*evidence, *more))),
        continues=genesis.continued(case.export, case.manifest, case.size),
    )


def _order(one: Finding) -> tuple[bool, bool, int]:
    """The record itself first, then what lies beside it, then what is only not known yet."""
    return one.verdict in {Verdict.STALE, Verdict.UNSIGNED_TAIL}, one.part not in {Part.ENTRY, Part.CHECKPOINT}, one.first


def _forks(case: Case, replay: Replay) -> tuple[list[Finding], list[Evidence]]:
    """Step 5: two heads under the log's key that cannot both be true. Both are kept: no database can have made them."""
    compared = replay.compared
    if compared.failing and compared.failing[0] <= compared.fitting:
        one, other = _signed(case, compared.failing[0]), _signed(case, compared.fitting)
        # Where the auditor's head is the one that does not fit, the export's others say nothing about where its history parts.
        agreed = compared.agreed if compared.foreign else compared.before
        finding = Finding(Verdict.FORKED, Part.CHECKPOINT, agreed, max(agreed, compared.failing[0] - 1))
        return [finding], [head.evidence for head in (*one, *other)]
    for head in case.known:
        others = [one for one in _signed(case, head.checkpoint.size) if one.checkpoint.root != head.checkpoint.root]
        if others:
            finding = Finding(Verdict.FORKED, Part.CHECKPOINT, compared.agreed, max(compared.agreed, head.checkpoint.size - 1))
            return [finding], [head.evidence, others[0].evidence]
    return [], []


def _signed(case: Case, size: int) -> list[Known]:
    """All checkpoints of that size."""
    beside = known.of_export(case.policy, case.export, size)
    return [one for one in case.known if one.checkpoint.size == size] + ([beside] if beside is not None else [])


def _rolled_back(case: Case) -> tuple[list[Finding], list[Evidence]]:
    """Step 2."""
    size = case.newest.checkpoint.size
    larger = [one for one in case.known if one.checkpoint.size > size]
    for other in case.export.sizes()[::-1]:
        beside = known.of_export(case.policy, case.export, other) if other > size else None
        if other <= size or beside is not None:
            larger += [beside] if beside is not None else []
            break
    if not larger:
        return [], []
    largest = max(larger, key=lambda one: one.checkpoint.size)
    finding = Finding(Verdict.ROLLED_BACK, Part.CHECKPOINT, size, largest.checkpoint.size - 1)
    return [finding], [largest.evidence, case.newest.evidence]


def _entries(case: Case, replay: Replay, *, forked: bool) -> list[Finding]:
    """Step 6: which entries are not the signed ones. The first known checkpoint that does not fit, and the last one before it, say roughly
    where; the tiles say it exactly if they still are those of the signed tree; else numbers and forms are what is left to go by. Where none
    fails to fit, only what lies behind missing hashes is in question.
    """
    if not replay.compared.failing or forked:
        return _parting(replay.differing, _sure(replay))
    begin, end = replay.compared.before, replay.compared.failing[0]
    inside = _parting([one for one in replay.differing if one.first < end], begin)
    missing = [one for one in replay.findings if one.part is Part.ENTRY]
    if inside and _tiles_are_signed(case, end):
        return inside
    broken = [one for one in sorted(replay.lanes.breaks, key=lambda one: one.at) if begin <= one.at < end]
    if broken:
        return [_numbered(broken[0], Part.ENTRY)]
    strange = [one for one in replay.findings if one.part is Part.FORM and begin <= one.first < end]
    if strange:
        return [Finding(Verdict.ALTERED, Part.ENTRY, strange[0].first, strange[0].last)]
    return [] if missing else [Finding(Verdict.ALTERED, Part.ENTRY, begin, max(begin, end - 1))]


def _sure(replay: Replay) -> int:
    """Up to which size the tree is known to be a signed one, where no checkpoint contradicts it. Once hashes are gone nothing behind them
    can be compared: whoever takes the last entries away as well must not have the rest believed.
    """
    return replay.compared.before if replay.root is None else replay.size


def _parting(differing: list[Finding], begin: int) -> list[Finding]:
    """Where entries and tiles part from `begin` on: what follows an entry that was taken out or put in is its consequence."""
    inside = sorted((one for one in differing if one.first >= begin), key=lambda one: one.first)
    moved = next((at for at, one in enumerate(inside) if one.verdict is not Verdict.ALTERED), len(inside))
    return inside[: min(moved + 1, _SHOWN)]


def _tiles_are_signed(case: Case, size: int) -> bool:
    """Whether the leaf hashes in tiles come to a root that was signed at this size."""
    frontier: tuple[bytes, ...] = ()
    for first in range(0, size, merkle.TILE_WIDTH):
        hashes = case.export.tile(0, first // merkle.TILE_WIDTH, min(merkle.TILE_WIDTH, case.size - first))
        if hashes is None:
            return False
        frontier = merkle.extend(first, frontier, hashes[: size - first]).frontier
    return merkle.root(frontier) in {one.checkpoint.root for one in _signed(case, size)}


def _numbered(found: Break, part: Part) -> Finding:
    """What was taken out stood somewhere since the writer's last entry; what was put in shows itself."""
    if found.number > found.due:
        return Finding(Verdict.REMOVED, part, found.before + 1, found.at)
    return Finding(Verdict.INSERTED, part, found.at, found.at)


def _beside(case: Case, replay: Replay) -> list[Finding]:
    """Steps 3, 6 to 10: what is wrong although the tree is the signed one. Where it is not, tiles and numbers only repeat what is said."""
    whole, sure = not replay.compared.failing, _sure(replay)
    missing = any(one.part is Part.ENTRY for one in replay.findings)
    repeats = {one for one in replay.findings if one.part is Part.TILE and one.verdict is Verdict.ALTERED and one.last >= sure}
    kept = [one for one in replay.findings if one not in repeats and (whole or one.part is not Part.TILE)]
    kept = [one for one in kept if not (missing and one.part is Part.LINES)]
    if whole:
        beside = [one for one in replay.differing if one.first < sure]
        kept += [Finding(Verdict.ALTERED, Part.TILE, one.first, one.last) for one in beside[:_SHOWN]]
    if whole and not missing:
        kept += [_numbered(one, Part.NUMBERS) for one in replay.lanes.breaks[:_SHOWN]]
    if case.manifest.origin != case.newest.checkpoint.origin:
        kept.append(Finding(Verdict.ALTERED, Part.MANIFEST, case.manifest.first, case.manifest.end))
    return kept


def _lost(replay: Replay) -> list[Finding]:
    """Step 5: a checkpoint that the auditor brought, in a part of which even the hashes are gone. Nobody can say that it fits."""
    size, told = replay.compared.lost, replay.root is None
    return [] if size is None or told else [Finding(Verdict.REMOVED, Part.TILE, max(size - 1, 0), max(size - 1, 0))]


def _unsigned(case: Case, replay: Replay) -> list[Finding]:
    """Step 11: entries that nobody signed, or that the quorum has not seen."""
    signed = case.newest.checkpoint.size
    if case.policy.quorum != NONE:
        signed = min(signed, replay.compared.cosigned or 0)
    known_to_fail = bool(replay.compared.failing) or replay.root is None
    return (
        [] if signed == case.size or known_to_fail else [Finding(Verdict.UNSIGNED_TAIL, Part.CHECKPOINT, signed, case.size - 1)]
    )


def _stale(case: Case, replay: Replay, oldest: int) -> list[Finding]:
    """Step 11: without a fresh cosignature, somebody may show the auditor an old state and everybody else a newer one."""
    newest = replay.compared.newest_time
    if case.policy.quorum == NONE or (newest is not None and newest >= oldest):
        return []
    size = case.newest.checkpoint.size
    return [Finding(Verdict.STALE, Part.CHECKPOINT, size, size)]


def _witnesses(case: Case) -> tuple[str, ...]:
    opened = case.policy.open(case.newest.note)
    return tuple(one.key.name for one in opened.signed if one.time is not None)


def _timestamps(case: Case, authority: Authority | None) -> tuple[tuple[tuple[int, str], ...], list[Finding]]:
    """Step 12: the time that a time-stamp authority put to a checkpoint, for each token that is asked about."""
    found, wrong = [], []
    for size, kind, path in case.export.anchors() if authority is not None else ():
        if kind.partition(".")[0] not in rfc3161.KINDS or authority is None:
            continue
        notes = [one.note for one in _signed(case, size)]
        try:
            token = rfc3161.check(case.export.read(path, _MOST_TOKEN), notes, authority)
        except (Malformed, Forged):
            wrong.append(Finding(Verdict.ALTERED, Part.TIMESTAMP, size, size))
        else:
            found.append((size, token.isoformat()))
    return tuple(found), wrong
