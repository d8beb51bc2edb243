"""What may not stand in a message, and the article that says so. (A stand-in with the signature agreed on, until the real one.)"""

import re
from dataclasses import dataclass
from unicodedata import normalize

from policies.marketing import MessageClass, Sender
from policies.naming import Title
from policies.terms import Brand, Controller


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """The words of one template."""

    message_class: MessageClass
    channel: str
    text: str
    subject: str = ""
    html: str = ""
    variables: tuple[str, ...] = ()
    long_term: bool = False


@dataclass(frozen=True, slots=True)
class Objection:
    """One thing that may not be so. `place` is the part, `word` what was found there ("" where something is missing)."""

    code: str
    place: str
    word: str
    article: str
    explanation: Title


_FORBIDDEN = ("国家级", "最高级", "最佳")
_PROMOTION = ("优惠券", "折扣", "限时", "立减", "coupon")


def objections(words: Words, sender: Sender, _brand: Brand | None, _controller: Controller) -> tuple[Objection, ...]:
    """Everything that is wrong with it."""
    found: list[Objection] = []
    commercial = words.message_class is MessageClass.COMMERCIAL
    for place in ("subject", "text", "html"):
        plain = re.sub(r"[\s\u200b]", "", normalize("NFKC", getattr(words, place))).casefold()
        found += [
            Objection("FORBIDDEN_WORD", place, word, "广告法9(3)", Title("不得使用绝对化用语", "No superlatives"))
            for word in _FORBIDDEN
            if word in plain
        ]
        if words.message_class is MessageClass.SERVICE:
            found += [
                Objection(
                    "PROMOTION_IN_SERVICE", place, word, "短信息服务管理规定", Title("服务消息不得含促销", "No promotion here")
                )
                for word in _PROMOTION
                if word in plain
            ]
    if words.channel == "sms" and not words.text.startswith(sender.identity):
        found.append(Objection("SIGNATURE_MISSING", "text", "", "广告法43(2)", Title("须以签名开头", "Begin with the signature")))
    if commercial and sender.opt_out and not words.text.endswith(sender.opt_out):
        found.append(
            Objection("OPT_OUT_MISSING", "text", "", "广告法43(2)", Title("须以退订语结尾", "End with the opt-out sentence"))
        )
    if commercial and words.channel == "email" and not words.subject.startswith(("广告", "AD")):
        found.append(
            Objection(
                "SUBJECT_UNMARKED",
                "subject",
                "",
                "互联网电子邮件服务管理办法13(3)",
                Title("须以“广告”开头", "Begin with 广告 or AD"),
            )
        )
    if commercial and words.channel == "email" and not {"sender", "contact", "opt_out"} <= set(words.variables):
        found.append(
            Objection("SLOT_MISSING", "html", "", "广告法43(2)", Title("缺少必备信息", "Say who sends and how to refuse"))
        )
    if commercial and not sender.variables and words.variables:
        found.append(Objection("VARIABLES_FORBIDDEN", "variables", "", "服务商规则", Title("营销短信不得含变量", "No variables")))
    if words.long_term:
        found.append(
            Objection("LONG_TERM_FORBIDDEN", "kind", "", "微信订阅消息规则", Title("零售不得用长期订阅", "Not for retail"))
        )
    return tuple(found)
