"""The report: one page in 中文 and English for people, JSON for machines. Nothing that stands in an entry is printed
but the name of the log that entry 0 goes on from.
"""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from menshen_verifier.findings import Finding, Part, Report, Verdict

_CHINA = timezone(timedelta(hours=8))
_LATEST = 253402271999
"""The last second that has a date in China, in the year 9999: a witness may put any number to its signature."""
_LINES = 40

_VERDICTS = {
    Verdict.OK: ("完整，无改动", "whole, nothing was altered"),
    Verdict.FORKED: ("分叉：同一密钥签了两份互不相容的历史", "forked: one key signed two histories that cannot both be true"),
    Verdict.ROLLED_BACK: ("回滚：日志比已知的检查点短", "rolled back: the log is shorter than a checkpoint that is remembered"),
    Verdict.ALTERED: ("被篡改", "altered"),
    Verdict.REMOVED: ("有条目被删除", "entries were removed"),
    Verdict.INSERTED: ("有条目被插入", "entries were inserted"),
    Verdict.STALE: ("过期：没有新近的见证签名", "stale: no witness has cosigned it lately"),
    Verdict.UNSIGNED_TAIL: ("末尾尚未签名或见证", "the tail is not signed, or not witnessed, yet"),
}
_PARTS = {
    Part.ENTRY: ("审计条目", "entries"),
    Part.CHECKPOINT: ("检查点", "checkpoints"),
    Part.FORM: ("条目格式", "the form of an entry"),
    Part.NUMBERS: ("写入者的连续编号", "a writer's numbers"),
    Part.CLOCK: ("条目时间与见证时间不符", "what entries say of the time, against witnesses"),
    Part.TILE: ("哈希瓦片", "tiles of hashes"),
    Part.LINES: ("entries.jsonl 与条目不符", "entries.jsonl, against the entries"),
    Part.MANIFEST: ("导出清单", "the manifest"),
    Part.TIMESTAMP: ("时间戳", "a time stamp"),
}


def as_json(report: Report, cost: Mapping[str, Any]) -> str:
    """One object. `cost` is what it took."""
    return json.dumps({**as_object(report), "cost": dict(cost)}, ensure_ascii=False, indent=2)


def as_object(report: Report) -> dict[str, Any]:
    """For JSON. Findings and evidence are lists; the notes themselves are in the evidence's files."""
    found: dict[str, Any] = {name: getattr(report, name) for name in Report.__dataclass_fields__}
    found["findings"] = [
        {"verdict": one.verdict, "part": one.part, "first": one.first, "last": one.last} for one in report.findings
    ]
    found["evidence"] = [one.name for one in report.evidence]
    found["timestamps"] = [{"size": size, "at": at} for size, at in report.timestamps]
    return found


def page(report: Report) -> str:
    """One page."""
    zh, en = _VERDICTS[report.verdict]
    lines = [
        "门神审计日志验证报告 · Menshen audit log, verification report",
        "=" * 64,
        f"结论 Verdict       {report.verdict} {zh} · {en}",
        f"日志 Log           {report.origin}",
        *([f"承接 Continues     {report.continues[0]} @ {report.continues[1]:,}（已终结 closed）"] if report.continues else []),
        f"大小 Size          {report.size:,} 条 entries",
        f"根 Root            {report.root}",
        f"范围 Range         {_range(report)}",
        f"时间 Time          {report.first_ts or '—'} … {report.last_ts or '—'}",
        f"检查点 Checkpoints {report.checkpoints:,} 个相符 fit{_unchecked(report)}",
        f"自上次 Since       {_since(report)}",
        f"见证 Witnesses     {_witnessed(report)}",
        f"写入者 Writers     {report.writers:,}，编号连续性见下 · their numbers: see below",
        *(f"时间戳 Time stamp  {size:,} @ {at}" for size, at in report.timestamps[-3:]),
        "",
    ]
    return "\n".join([*lines, *_findings(report), *_evidence(report)]) + "\n"


def _findings(report: Report) -> list[str]:
    if not report.findings:
        return [
            f"未发现问题：{report.entries:,} 条逐条重算，与签名一致。",
            "Nothing was found: every entry was hashed anew and is what was signed.",
        ]
    shown = [f"  {_said(one)}" for one in report.findings[:_LINES]]
    more = len(report.findings) - len(shown)
    return ["发现 Findings", *shown, *([f"  … 另有 {more} 项 · and {more} more"] if more else [])]


def _said(one: Finding) -> str:
    zh, en = _PARTS[one.part]
    where = f"{one.first:,}" if one.first == one.last else f"{one.first:,}–{one.last:,}"
    return f"{one.verdict} {where}：{zh} · {en}"


def _evidence(report: Report) -> list[str]:
    names = [f"  {one.name}" for one in report.evidence]
    return (
        ["", "证据：由日志密钥签名，请妥善保存 · Evidence, signed with the log's key: keep these files", *names] if names else []
    )


def _range(report: Report) -> str:
    whole = report.first == 0 and report.end == report.size
    said = "全部 all" if whole else f"[{report.first:,}, {report.end:,})"
    return f"{said}，重算 {report.entries:,} 条 · {report.entries:,} entries hashed"


def _unchecked(report: Report) -> str:
    return f"，{report.unchecked:,} 个无法核对 cannot be compared" if report.unchecked else ""


def _since(report: Report) -> str:
    if report.since is None:
        return "未提供上次的检查点 · no earlier checkpoint was given"
    if report.verdict in {Verdict.FORKED, Verdict.ROLLED_BACK, Verdict.ALTERED, Verdict.REMOVED, Verdict.INSERTED}:
        return f"{report.since:,}：见发现 · see the findings"
    return f"{report.since:,}：仅有追加 · only appended to"


def _witnessed(report: Report) -> str:
    if report.cosigned_at is None:
        return "无 none"
    when = datetime.fromtimestamp(min(report.cosigned_at, _LATEST), UTC).astimezone(_CHINA)
    size = "" if report.cosigned_size is None else f"{report.cosigned_size:,} "
    names = " ".join(report.witnesses) or "—"
    return f"{size}@ {when:%Y-%m-%d %H:%M:%S} 北京时间 China time, {names}"
