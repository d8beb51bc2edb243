"""What can be wrong with a message's words: a code, the article that it rests on, and what to do about it in both languages."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from policies.naming import Title


class ObjectionCode(StrEnum):
    """What is wrong. Part of the public contract; names never change."""

    SENDER_UNKNOWN = "SENDER_UNKNOWN"
    SENDER_UNFIT = "SENDER_UNFIT"
    FORBIDDEN_WORD = "FORBIDDEN_WORD"
    PROMOTION_IN_SERVICE = "PROMOTION_IN_SERVICE"
    COUPON_LINK_IN_SERVICE = "COUPON_LINK_IN_SERVICE"
    CAMPAIGN_SLOT_IN_SERVICE = "CAMPAIGN_SLOT_IN_SERVICE"
    GIFT_TERMS_MISSING = "GIFT_TERMS_MISSING"
    SLOT_MISSING = "SLOT_MISSING"
    SUBJECT_UNMARKED = "SUBJECT_UNMARKED"
    SIGNATURE_MISSING = "SIGNATURE_MISSING"
    OPT_OUT_MISSING = "OPT_OUT_MISSING"
    VARIABLES_FORBIDDEN = "VARIABLES_FORBIDDEN"
    LONG_TERM_FORBIDDEN = "LONG_TERM_FORBIDDEN"
    REWARD_FOR_SUBSCRIBING = "REWARD_FOR_SUBSCRIBING"
    HTML_UNREADABLE = "HTML_UNREADABLE"
    BANNER_CLOSING = "BANNER_CLOSING"


@dataclass(frozen=True, slots=True)
class Objection:
    """One thing that may not be so. `place` is the part of the template; `word` what was found there, or which of several is missing."""

    code: ObjectionCode
    place: str
    word: str
    article: str
    explanation: Title


def objection(code: ObjectionCode, place: str, word: str = "") -> Objection:
    """The objection with its article and explanation."""
    article, explanation = _RESTS_ON[code]
    return Objection(code, place, word, article, explanation)


_RESTS_ON: Mapping[ObjectionCode, tuple[str, Title]] = {
    ObjectionCode.SENDER_UNKNOWN: (
        "通信短信息服务管理规定；广告法第43条第2款",
        Title("发送方未报备，不得以其名义发送。", "This sender is not registered; nothing may be sent in its name."),
    ),
    ObjectionCode.SENDER_UNFIT: (
        "通信短信息服务管理规定第19条",
        Title(
            "该发送方不用于此渠道、此品牌或此类消息；营销短信不得使用服务端口。",
            "This sender is not for this channel, brand or class of message; nothing commercial leaves by a service port.",
        ),
    ),
    ObjectionCode.FORBIDDEN_WORD: (
        "广告法第9条第3项",
        Title("不得使用“国家级”“最高级”“最佳”等用语。", "Superlatives such as 国家级, 最高级, 最佳 may not be used."),
    ),
    ObjectionCode.PROMOTION_IN_SERVICE: (
        "消费者权益保护法实施条例第24条；通信短信息服务管理规定",
        Title(
            "服务消息不得含促销内容；请改用营销模板。",
            "A service message may not promote anything; make it a commercial template.",
        ),
    ),
    ObjectionCode.COUPON_LINK_IN_SERVICE: (
        "消费者权益保护法实施条例第24条；通信短信息服务管理规定",
        Title("服务消息不得含优惠券链接。", "A service message may not link to a coupon."),
    ),
    ObjectionCode.CAMPAIGN_SLOT_IN_SERVICE: (
        "互联网广告管理办法第17条",
        Title("服务消息不得附加广告位。", "A service message may not carry a slot for a campaign."),
    ),
    ObjectionCode.GIFT_TERMS_MISSING: (
        "广告法第8条第2款",
        Title(
            "附带赠送的，须明示品种（kind）、规格（spec）、数量（quantity）、期限（term）和方式（method）。",
            "Say of what is given as well its kind, specification, quantity, term and method.",
        ),
    ),
    ObjectionCode.SLOT_MISSING: (
        "广告法第43条第2款",
        Title(
            "须写明发送者（sender）、联系方式（contact）和拒绝接收的方式（opt_out）。",
            "Say who sends (sender), how to reach them (contact) and how to refuse (opt_out).",
        ),
    ),
    ObjectionCode.SUBJECT_UNMARKED: (
        "互联网电子邮件服务管理办法第13条第3项",
        Title("商业邮件的主题须以“广告”或“AD”开头。", "The subject of a commercial mail begins with 广告 or AD."),
    ),
    ObjectionCode.SIGNATURE_MISSING: (
        "通信短信息服务管理规定",
        Title("短信须以已报备的【签名】开头。", "A text message begins with the registered 【signature】."),
    ),
    ObjectionCode.OPT_OUT_MISSING: (
        "通信短信息服务管理规定第20条",
        Title(
            "营销短信须以服务商规定的退订语原文结尾。", "A commercial text message ends with the vendor's exact opt-out sentence."
        ),
    ),
    ObjectionCode.VARIABLES_FORBIDDEN: (
        "服务商规则",
        Title("该服务商不允许营销模板含变量。", "This vendor allows no variables in a commercial template."),
    ),
    ObjectionCode.LONG_TERM_FORBIDDEN: (
        "微信小程序订阅消息规则",
        Title(
            "长期订阅仅向政务民生、医疗、交通、金融、教育等开放，零售不得使用。",
            "Long-term subscriptions are open to public services only, not to a retailer.",
        ),
    ),
    ObjectionCode.REWARD_FOR_SUBSCRIBING: (
        "微信小程序订阅消息规则",
        Title("不得以奖励诱导订阅。", "No reward for subscribing."),
    ),
    ObjectionCode.HTML_UNREADABLE: (
        "广告法第14条",
        Title("HTML 无法解析，不能确认会员将看到什么。", "The HTML cannot be parsed, so nobody can tell what members would see."),
    ),
    ObjectionCode.BANNER_CLOSING: (
        "广告法第44条第2款；互联网广告管理办法第10条",
        Title(
            "弹窗须显著标明关闭标志、一键关闭，不得倒计时、不得关闭后再次弹出。",
            "A pop-up shows how to close it, closes at one click, without a countdown, and does not come back.",
        ),
    ),
}
