"""One entry in plain words, for the member whom it is about: 中文 first, staff by their roles' titles, nobody else by any name. Pure."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from policies.clock import SHANGHAI
from policies.naming import Title
from policies.terms import Catalogue
from service.inspection.reasons import reason

_YOU = Title("您本人", "you")
_SYSTEM = Title("系统", "the system")
_ANOTHER = Title("另一位会员（例如您的监护人）", "another member, such as your guardian")
_STAFF = Title("工作人员或系统", "staff or a system")

_DONE = {
    "access": Title("查看了您的信息", "read about you"),
    "change": Title("更改了您的信息", "changed something about you"),
    "consent": Title("记录了您的同意、拒绝或撤回", "recorded your consent, refusal or withdrawal"),
    "erase": Title("删除了您的信息", "erased you"),
    "export": Title("导出了您的信息", "exported something about you"),
    "audit": Title("查阅了与您有关的记录", "looked into the record about you"),
    "result": Title("记录了一项与您有关的处理结果", "recorded what became of something about you"),
}
_OTHER = Title("办理了与您有关的事项", "did something that concerns you")
_FIELDS = {"fld": Title("涉及", "fields"), "wth": Title("未予提供", "withheld")}

BASES = {
    "CONSENT": Title("取得个人同意", "the individual's consent"),
    "CONTRACT": Title("订立、履行合同所必需", "needed for a contract with the individual"),
    "LEGAL_DUTY": Title("履行法定职责或者法定义务所必需", "needed for a legal duty"),
    "EMERGENCY": Title("应对突发公共卫生事件或紧急情况", "an emergency"),
    "NEWS": Title("为公共利益实施新闻报道", "news reporting in the public interest"),
    "PUBLIC_INFORMATION": Title("处理已合法公开的个人信息", "information that is lawfully public"),
    "OTHER_LAW": Title("法律、行政法规规定的其他情形", "another law"),
}


def who(entry: Mapping[str, Any], catalogue: Catalogue, own: Collection[str]) -> Title:
    """Who did it: never an account."""
    act = entry["act"]
    if act["k"] == "member":
        return _YOU if act.get("id") in own else _ANOTHER
    if act["k"] == "system":
        return _SYSTEM
    titles = [catalogue.roles[role].title for role in act["role"] if role in catalogue.roles]
    return joined(titles) if titles else _STAFF


def fields(keys: Sequence[str], catalogue: Catalogue) -> list[Title]:
    """The names of fields; one that the catalogue no longer has, by its key."""
    return [catalogue.fields[key].title if key in catalogue.fields else Title(key, key) for key in keys]


def purpose(entry: Mapping[str, Any], catalogue: Catalogue) -> Title | None:
    """The name of the purpose."""
    key = entry.get("pur", "")
    if not key:
        return None
    return catalogue.purposes[key].title if key in catalogue.purposes else Title(key, key)


def basis(entry: Mapping[str, Any]) -> Title | None:
    """The legal basis in words."""
    key = entry.get("bas", "")
    return BASES.get(key, Title(key, key)) if key else None


def joined(titles: Sequence[Title]) -> Title:
    """Several names as one."""
    return Title("、".join(title.zh for title in titles), ", ".join(title.en for title in titles))


def sentence(entry: Mapping[str, Any], catalogue: Catalogue, own: Collection[str]) -> Title:
    """All of it in one sentence of each language."""
    at = datetime.fromisoformat(entry["ts"]).astimezone(SHANGHAI)
    actor, done = who(entry, catalogue, own), _DONE.get(entry["typ"], _OTHER)
    zh, en = f"{at:%Y年%m月%d日 %H:%M}，{actor.zh}", f"{at:%Y-%m-%d %H:%M} (China): {actor.en}"
    if stated := purpose(entry, catalogue):
        zh, en = f"{zh}为“{stated.zh}”", f'{en}, for "{stated.en}",'
    zh, en = f"{zh}{done.zh}", f"{en} {done.en}"
    for key, said in _FIELDS.items():
        if key in entry:
            named = joined(fields(entry[key], catalogue))
            zh, en = f"{zh}；{said.zh}：{named.zh}", f"{en}; {said.en}: {named.en}"
    if rests := basis(entry):
        zh, en = f"{zh}；依据：{rests.zh}", f"{en}; basis: {rests.en}"
    if entry["dec"] == "deny":
        why = reason(entry.get("rsn", ""))
        zh, en = f"{zh}；未获准许：{why.zh}", f"{en}; refused: {why.en}"
    return Title(f"{zh}。", f"{en}.")
