"""A receipt as a person reads it, in 中文 and English: the event's own words, nothing that a later policy could change."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from policies.clock import SHANGHAI
from policies.naming import Title

STATES: Mapping[str, Title] = {
    "NEVER_ASKED": Title("从未征求", "never asked"),
    "REQUESTED": Title("已征求，未答复", "asked, not answered"),
    "DEFERRED": Title("暂不决定", "not now"),
    "REFUSED": Title("不同意", "refused"),
    "GIVEN": Title("同意", "given"),
    "RENEWED": Title("再次同意", "given again"),
    "WITHDRAWN": Title("已撤回", "withdrawn"),
    "REVOKED": Title("已由他人终止", "ended by somebody else"),
    "EXPIRED": Title("已到期", "expired"),
    "INVALIDATED": Title("已失效", "invalidated"),
    "UNKNOWN": Title("无法证明", "unproven"),
}
_ROLES: Mapping[str, Title] = {
    "self": Title("本人", "the member"),
    "guardian": Title("监护人", "the guardian"),
    "assisted": Title("本人，由工作人员转达", "the member, passed on by staff"),
    "system": Title("系统", "the system"),
}
_UNKNOWN = Title("未知", "unknown")


def text(record: Mapping[str, Any], language: str, *, receipt_id: str, notice: str, words: str, until: str) -> str:
    """The receipt's lines. `notice` is its permalink, `words` the question in this language; each may be empty. `until`: see `ends`."""
    chinese = language == "zh-CN"
    lines = _lines(record, receipt_id=receipt_id, notice=notice, until=until)
    said = [label.zh + value.zh if chinese else f"{label.en}: {value.en}" for label, value in lines if value.zh]
    if words:
        said.append(f"所问：\n{words}" if chinese else f"The question:\n{words}")
    return "\n".join(
        ["个人信息处理同意回执" if chinese else "Receipt for a consent to the processing of personal information", *said]
    )


def _lines(record: Mapping[str, Any], *, receipt_id: str, notice: str, until: str) -> list[tuple[Title, Title]]:
    controller = record["piiControllers"][0]
    at = datetime.fromisoformat(record["eventTime"])
    return [
        (Title("回执编号：", "Receipt"), _same(receipt_id)),
        (Title("记录编号：", "Record"), _same(record["recordId"])),
        (Title("结果：", "Answer"), STATES.get(record["eventState"], _UNKNOWN)),
        (Title("时间：", "When"), Title(f"{_clock(at)}（北京时间）", f"{_clock(at)} in Beijing")),
        (Title("由谁作出：", "By"), _ROLES.get(record.get("entityRole", ""), _UNKNOWN)),
        (Title("处理目的：", "Purpose"), _purpose(record)),
        (Title("有效期：", "Holds"), _holds(until)),
        (
            Title("个人信息处理者：", "Controller"),
            _same(f"{controller['name']}, {controller['address']}, {controller['contact']}"),
        ),
        (Title("所示告知：", "Notice shown"), _same(" ".join(filter(None, (notice, str(record.get("noticeSha256", ""))))))),
        (Title("撤回方式：", "How to take it back"), _same(str(record["withdrawalMethod"]))),
    ]


def _purpose(record: Mapping[str, Any]) -> Title:
    title, key, version = record["purposeTitle"], record["purpose"], record.get("purposeVersion", 1)
    return Title(f"{title}（{key}，第 {version} 版）", f"{key} ({title}), version {version}")


def _holds(until: str) -> Title:
    if until == FOR_EVER:
        return Title("至撤回为止", "until it is taken back")
    return (
        Title(
            f"{_clock(datetime.fromisoformat(until))}（北京时间）前", f"until {_clock(datetime.fromisoformat(until))} in Beijing"
        )
        if until
        else Title("", "")
    )


FOR_EVER = "withdrawal"
"""What `until` is for a consent that has no end of its own; "" for an answer that allows nothing."""


def _clock(moment: datetime) -> str:
    return moment.astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M:%S")


def _same(words: str) -> Title:
    return Title(words, words)
