"""What a yes covers: the scope of a consent-based purpose, the words in which it is asked for, and what is new in a later version.

A change of purpose, method or categories needs a new consent (PIPL 14(2), NDR 22(6)), and so does a longer retention (NDR 22(4)) and a
new recipient (PIPL 23). What becomes less does not.
"""

from policies.naming import Title
from policies.terms import Catalogue, Field, Purpose, Scope, Sensitivity

LANGUAGES = ("zh-CN", "en")
"""In which the question is put. 中文 counts; the other is a translation."""


def scope_of(purpose: Purpose, catalogue: Catalogue) -> Scope:
    """What a yes to the purpose covers, as the policy has it now."""
    return Scope(
        version=purpose.version,
        fields=frozenset(purpose.fields),
        method=purpose.method,
        recipients=frozenset(purpose.recipients),
        retention_months=purpose.retention_months,
        months=purpose.consent_months,
        words={language: question(purpose, catalogue, language) for language in LANGUAGES},
    )


def widened(before: Scope, after: Scope) -> tuple[str, ...]:
    """In what the later scope goes beyond the earlier one: `fields`, `recipients`, `method`, `retention_months`."""
    beyond = {
        "fields": bool(after.fields - before.fields),
        "recipients": bool(after.recipients - before.recipients),
        "method": after.method != before.method,
        "retention_months": after.retention_months > before.retention_months,
    }
    return tuple(name for name, more in beyond.items() if more)


def question(purpose: Purpose, catalogue: Catalogue, language: str) -> str:
    """The question as it is put to the member: what, how, how long, who else; for separate consent why and with what effect (PIPL 17,
    30).
    """
    chinese = language == "zh-CN"
    parts = [_zh(purpose, catalogue) if chinese else _en(purpose, catalogue)]
    for name, text in (("necessity", purpose.necessity), ("impact", purpose.impact), ("logic", purpose.logic)):
        if text is not None:
            parts.append(_LABELS[name].zh + text.zh + "。" if chinese else f"{_LABELS[name].en}{text.en}.")
    parts.append(_FREELY.zh if chinese else _FREELY.en)
    return "\n".join(parts)


_LABELS = {
    "necessity": Title("必要性：", "Why it is necessary: "),
    "impact": Title("对您的影响：", "What it means for you: "),
    "logic": Title("自动化决策：", "Automated decision: "),
}
_FREELY = Title(
    "您可以不同意；不同意或日后撤回，都不影响其他服务。撤回与同意一样方便。",
    "You may say no. Saying no now, or taking a yes back later, changes nothing else for you, and is as easy as saying yes.",
)


def _zh(purpose: Purpose, catalogue: Catalogue) -> str:
    fields = "、".join(_named(field).zh for field in _fields(purpose, catalogue))
    to = "、".join(catalogue.recipients[key].name.zh for key in purpose.recipients if key in catalogue.recipients) or "无"
    lasts = f"自作出之日起 {purpose.consent_months} 个月" if purpose.consent_months else "至您撤回为止"
    return (
        f"是否同意“{purpose.title.zh}”？\n个人信息：{fields}。\n处理方式：{purpose.method.zh}。\n接收方：{to}。\n"
        f"同意有效期：{lasts}。会员关系终止后最多保存 {purpose.retention_months} 个月，撤回同意即删除仅为此目的保存的信息。"
    )


def _en(purpose: Purpose, catalogue: Catalogue) -> str:
    fields = ", ".join(_named(field).en for field in _fields(purpose, catalogue))
    to = ", ".join(catalogue.recipients[key].name.en for key in purpose.recipients if key in catalogue.recipients) or "nobody"
    lasts = (
        f"for {purpose.consent_months} months from the day it is given" if purpose.consent_months else "until you take it back"
    )
    return (
        f"Do you consent to “{purpose.title.en}”?\nData: {fields}.\nHow: {purpose.method.en}.\nWho else receives it: {to.rstrip('.')}.\n"
        f"The consent holds {lasts}. After the membership ends data is kept for at most {purpose.retention_months} months; taking the "
        "consent back deletes what is kept for this purpose alone."
    )


def _fields(purpose: Purpose, catalogue: Catalogue) -> list[Field]:
    return [catalogue.fields[key] for key in purpose.fields if key in catalogue.fields]


def _named(field: Field) -> Title:
    if field.sensitivity is Sensitivity.SENSITIVE:
        return Title(f"{field.title.zh}（敏感个人信息）", f"{field.title.en} (sensitive)")
    return field.title
