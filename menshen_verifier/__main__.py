"""`menshen-verify`: is this export the log that was signed, is this proof true. No network, no database, no secret.

Exits 0 when all is well, 1 when something is not, 2 when it could not be found out.
"""

import argparse
import errno
import json
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from menshen_verifier import answer as answers
from menshen_verifier import pack as packs
from menshen_verifier import report as reports
from menshen_verifier.cost import Meter
from menshen_verifier.entry import parse_entry
from menshen_verifier.errors import Forged, Malformed
from menshen_verifier.findings import Evidence, Report, Verdict
from menshen_verifier.policy import Policy, parse_policy
from menshen_verifier.proof import Proven, check_proof, parse_proof
from menshen_verifier.rfc3161 import Authority, parse_authority
from menshen_verifier.shown import harmless
from menshen_verifier.verify import FRESH, verify

EVIDENCE = Path("menshen-evidence")
_MOST = 1 << 22
_YEAR_9999 = 253402300799
_ALONE = "无需网络、数据库或密钥 · No network, no database, no secret."
_USAGE = """menshen-verify DIR --policy FILE [options]
       menshen-verify proof FILE --policy FILE [--entry FILE] [--json]
       menshen-verify answer FILE --policy FILE [--since NOTE] [--json]
       menshen-verify pack FILE VKEY [--json]"""
_EPILOG = """
信任策略 policy file (C2SP tlog-policy):
  log VKEY            日志用过的每把公钥一行 · a line for each key that the log ever had
  witness NAME VKEY   见证方 · who cosigns
  group NAME 2 A B C  三者中的两个 · two of three
  quorum NAME         或 or: quorum none
策略须与导出分途送达：写策略的人决定何为真 · It must reach you on another way than the export: whoever writes it decides what is true.

退出码 exit codes:
  0  OK
  1  ALTERED, REMOVED, INSERTED, ROLLED-BACK, FORKED, STALE, UNSIGNED TAIL
  2  无法得出结论 · it could not be found out
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """The command. Returns its exit code."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    single = {"proof": (_proofs, proof), "answer": (_answers, answer), "pack": (_packs, pack)}.get(words[0] if words else "")
    try:
        if single is not None:
            return single[1](single[0]().parse_args(words[1:]))
        return export(_exports().parse_args(words))
    except (Malformed, Forged) as problem:
        return _unknown(str(problem))
    except OSError as problem:
        return _unknown(f"{problem.filename}: {problem.strerror}")


def export(given: argparse.Namespace) -> int:
    """`menshen-verify DIR`: everything in a folder."""
    policy, meter = parse_policy(_read(given.policy)), Meter()
    found = verify(
        given.folder,
        policy,
        now=_now(),
        since=_read(given.since) if given.since else None,
        notes=[_read(path) for path in given.note],
        authority=_authority(given.timestamps),
        fresh=int(given.fresh * 3600),
        processes=given.processes,
        progress=_progress(sys.stderr.isatty()),
    )
    return tell(found, as_json=given.json, evidence=given.evidence, meter=meter)


def tell(found: Report, *, as_json: bool, evidence: Path, meter: Meter) -> int:
    """Print the report, keep the evidence, and return the exit code."""
    sys.stdout.write(reports.as_json(found, meter.told(found.entries)) + "\n" if as_json else reports.page(found))
    if found.evidence:
        keep(found.evidence, evidence)
    return 0 if found.verdict is Verdict.OK else 1


def keep(notes: Sequence[Evidence], folder: Path) -> None:
    """Write the notes into `folder`. Raises OSError.

    Whoever made the export may have put a folder of this name into it, full of links to an auditor's own files: none is followed.
    """
    if folder.is_symlink():
        raise OSError(errno.ELOOP, "a link is not followed", str(folder))
    folder.mkdir(parents=True, exist_ok=True)
    for one in notes:
        (folder / one.name).unlink(missing_ok=True)
        with (folder / one.name).open("xb") as file:
            file.write(one.note)


def proof(given: argparse.Namespace) -> int:
    """`menshen-verify proof`: one entry in one file."""
    policy, raw = parse_policy(_read(given.policy)), _read(given.file)
    try:
        proven = check_proof(parse_proof(raw), policy, _read(given.entry) if given.entry else None)
        parse_entry(proven.entry)
        told = _object(proven, policy) if given.json else _proven(proven, policy)
    except Forged as problem:
        sys.stdout.write(_dumped({"proven": False, "why": str(problem)}) if given.json else f"不成立 NOT PROVEN：{problem}\n")
        return 1
    sys.stdout.write(told)
    return 0


def answer(given: argparse.Namespace) -> int:
    """`menshen-verify answer`: who has seen something, and whether that is all."""
    meter, since = Meter(), _read(given.since) if given.since else None
    found = answers.check_answer(given.file, parse_policy(_read(given.policy)), now=_now(), since=since)
    cost = meter.told(found.report.entries)
    sys.stdout.write(answers.as_json(found, cost) + "\n" if given.json else answers.page(found))
    return 0 if found.complete else 1


def pack(given: argparse.Namespace) -> int:
    """`menshen-verify pack`: a compliance audit's pack, and whether its figures come out of its rows again."""
    return packs.main([str(given.file), given.vkey], as_json=given.json)


def _proven(proven: Proven, policy: Policy) -> str:
    checkpoint, times = proven.opened.checkpoint, policy.times(proven.opened)
    seen = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(min(times[0], _YEAR_9999))) if times else "—"
    return (
        f"成立 PROVEN：{checkpoint.origin} 第 {proven.index} 条，共 {checkpoint.size} 条 · entry {proven.index} of {checkpoint.size}\n"
        f"见证 witnessed：{seen}\n{harmless(proven.entry.decode())}\n"
    )


def _object(proven: Proven, policy: Policy) -> str:
    checkpoint, times = proven.opened.checkpoint, policy.times(proven.opened)
    return _dumped(
        {
            "proven": True,
            "origin": checkpoint.origin,
            "size": checkpoint.size,
            "root": checkpoint.root.hex(),
            "index": proven.index,
            "entry": parse_entry(proven.entry),
            "witnessed": proven.witnessed,
            "cosigned_at": min(times, default=None),
        }
    )


def _dumped(found: Mapping[str, Any]) -> str:
    return json.dumps(found, ensure_ascii=False, indent=2) + "\n"


def _exports() -> argparse.ArgumentParser:
    parser = _parser("menshen-verify", "这份导出是否就是已签名的日志 · Is this export the log that was signed?", epilog=_EPILOG)
    parser.usage = _USAGE
    parser.add_argument("folder", type=Path, metavar="DIR", help="导出目录 · the folder of the export")
    _policy(parser)
    _since(parser)
    parser.add_argument(
        "--note", type=Path, metavar="NOTE", action="append", default=[], help="其他检查点 · any other checkpoint"
    )
    parser.add_argument("--timestamps", type=Path, metavar="CA.pem", help="核对时间戳 · check time stamps against this authority")
    parser.add_argument("--fresh", type=float, metavar="HOURS", default=FRESH / 3600, help="见证的有效时长 · default 24")
    parser.add_argument("--evidence", type=Path, metavar="DIR", default=EVIDENCE, help="证据目录 · where evidence is kept")
    parser.add_argument("--processes", type=int, metavar="N", help="进程数 · default: one for each core")
    _json(parser)
    return parser


def _proofs() -> argparse.ArgumentParser:
    parser = _parser("menshen-verify proof", "验证单条证明 · Is this proof of one entry true?", epilog=_EPILOG)
    parser.add_argument("file", type=Path, metavar="FILE", help=".tlog-proof")
    _policy(parser)
    parser.add_argument("--entry", type=Path, metavar="FILE", help="条目的字节 · the entry's bytes, where the proof has none")
    _json(parser)
    return parser


def _answers() -> argparse.ArgumentParser:
    parser = _parser("menshen-verify answer", "验证“谁看过、是否全部” · Who has seen this, and is that all?", epilog=_EPILOG)
    parser.add_argument("file", type=Path, metavar="FILE", help="menshen audit who-saw -o FILE")
    _policy(parser)
    _since(parser)
    _json(parser)
    return parser


def _packs() -> argparse.ArgumentParser:
    asked = "重算合规审计包 · Is this pack signed, and does each figure come out of its rows?"
    parser = _parser("menshen-verify pack", asked)
    parser.add_argument("file", type=Path, metavar="FILE", help="menshen oversight audit-pack -o FILE")
    parser.add_argument("vkey", metavar="VKEY", help="签名公钥 · the public key that it is signed with")
    _json(parser)
    return parser


def _parser(name: str, asked: str, *, epilog: str = "") -> argparse.ArgumentParser:
    formatter = argparse.RawDescriptionHelpFormatter
    return argparse.ArgumentParser(name, description=f"{asked}\n\n{_ALONE}", epilog=epilog, formatter_class=formatter)


def _since(parser: argparse.ArgumentParser) -> None:
    told = "上次审计留下的检查点 · the checkpoint that the last audit kept"
    parser.add_argument("--since", type=Path, metavar="NOTE", help=told)


def _policy(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--policy", type=Path, required=True, metavar="FILE", help="信任策略 · whom to believe")


def _json(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="机器可读 · for machines")


def _read(path: Path) -> bytes:
    with path.open("rb") as file:
        found = file.read(_MOST + 1)
    if len(found) > _MOST:
        raise Malformed(f"{path}: too long")
    return found


def _authority(path: Path | None) -> Authority | None:
    return None if path is None else parse_authority(_read(path))


def _now() -> int:
    # A command that runs by itself is a composition root: here the time comes from the system.
    return int(time.time())  # noqa: TID251


def _progress(shown: bool) -> Callable[[int, int], None]:
    def show(done: int, whole: int) -> None:
        end = "\n" if done >= whole else ""
        sys.stderr.write(f"\r验证 verifying {done:,} / {whole:,}{end}")
        sys.stderr.flush()

    return show if shown else lambda _done, _whole: None


def _unknown(why: str) -> int:
    sys.stderr.write(f"无法判定 cannot be found out: {why}\n")
    return 2


if __name__ == "__main__":
    sys.exit(main())
