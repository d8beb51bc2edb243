"""What may not stand in a message: each rule on a template that is fine but for one thing, and words hidden in every way."""

from dataclasses import replace
from email import message_from_bytes, policy
from email.header import Header
from email.message import EmailMessage

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.lint import Objection, ObjectionCode, Words, banner_objections, marked_as_advertising, objections
from policies.marketing import MessageClass, Sender
from policies.objections import objection
from policies.searching import words_in
from policies.terms import Catalogue
from policies.wording import Listed

SMS = Words(
    message_class=MessageClass.COMMERCIAL, channel="sms", text="【示例生活】秋季家居新品到店，会员享九折优惠券。拒收请回复R"
)
ORDER = Words(message_class=MessageClass.SERVICE, channel="sms", text="【示例生活】您的订单已发货。", variables=("name",))
FOOTER = "${sender} · ${contact} · 退订 ${opt_out}"
MAIL = Words(
    message_class=MessageClass.COMMERCIAL,
    channel="email",
    subject="广告 秋季新品",
    text=f"新品到店。\n{FOOTER}",
    html='<p>新品到店。</p><p>${sender} · ${contact} · <a href="${opt_out}">退订</a></p>',
    variables=("sender", "contact", "opt_out"),
)
WECHAT = Words(message_class=MessageClass.COMMERCIAL, channel="wechat", text="新品到店，点开卡片可退订")
SENDERS = {("sms", True): "living_sms", ("sms", False): "living_sms_service", ("email", True): "living_email"}


def linted(words: Words, catalogue: Catalogue, **changed: object) -> tuple[Objection, ...]:
    """What the shipped wording has against it, from the sender that fits the class."""
    commercial = words.message_class is MessageClass.COMMERCIAL
    key = SENDERS.get((words.channel, commercial), f"living_{words.channel}" + ("" if words.channel == "wechat" else "_service"))
    sender = replace(catalogue.senders[key], **changed)  # type: ignore[arg-type]
    return objections(words, sender, catalogue.controller.brands[0], catalogue.controller, catalogue.wording)


def codes(words: Words, catalogue: Catalogue, **changed: object) -> set[tuple[str, str, str]]:
    """The same, in short."""
    return {(found.code.value, found.place, found.word) for found in linted(words, catalogue, **changed)}


@pytest.mark.parametrize("words", [SMS, ORDER, MAIL, WECHAT], ids=["sms", "order", "mail", "wechat"])
def test_a_template_that_keeps_the_rules_meets_no_objection(words: Words, catalogue: Catalogue) -> None:
    assert codes(words, catalogue) == set()


HIDDEN = [
    "{0}{1}{2}",
    "{0} {1} {2}",
    "{0}\u3000{1}\u3000{2}",
    "{0}\u200b{1}\u200d{2}",
    "{0}\ufeff{1}\u00ad{2}",
    "{0}-{1}_{2}",
    "{0}*{1}·{2}",
    "{0}\n{1}\n{2}",
    "{0}\u0336{1}\u0336{2}",
    "{0}\u3164{1}\u2800{2}",
    "{0}🎁{1}🎁{2}",
]


@pytest.mark.obligation("MK-07")
@pytest.mark.parametrize("hidden", HIDDEN)
def test_a_superlative_is_found_however_it_is_hidden(hidden: str, catalogue: Catalogue) -> None:
    text = f"【示例生活】{hidden.format(*'国家级')}品质，到店即享。拒收请回复R"

    assert codes(replace(SMS, text=text), catalogue) == {("FORBIDDEN_WORD", "text", "国家级")}


@pytest.mark.obligation("MK-07")
@pytest.mark.parametrize("word", ["国家级", "最高级", "最佳", "第一", "顶级", "ＮＯ．１", "No.1", "n o 1"])
@pytest.mark.parametrize("place", ["subject", "text", "html"])
def test_superlatives_are_found_in_every_part(word: str, place: str, catalogue: Catalogue) -> None:
    words = replace(MAIL, **{place: getattr(MAIL, place) + f"，{word}之选"})

    assert {(code, where) for code, where, _ in codes(words, catalogue)} == {("FORBIDDEN_WORD", place)}


@pytest.mark.obligation("MK-07")
def test_no_superlative_hides_in_tags_entities_pictures_or_an_encoded_subject(catalogue: Catalogue) -> None:
    for html in ("最<b>佳</b>", "&#26368;&#20339;", '<img alt="最佳" src="a.png">', "<p>最</p> <p>佳</p>"):
        assert ("FORBIDDEN_WORD", "html", "最佳") in codes(replace(MAIL, html=MAIL.html + html), catalogue)
    subject = "广告 " + Header("最佳秋装", "utf-8").encode()
    assert codes(replace(MAIL, subject=subject), catalogue) == {("FORBIDDEN_WORD", "subject", "最佳")}


def test_phrases_in_which_a_word_is_harmless_are_let_be_and_shield_nothing_else(catalogue: Catalogue) -> None:
    kept = "【示例生活】我们将第一时间处理，最佳赏味期见包装。"
    assert codes(replace(ORDER, text=kept), catalogue) == set()
    assert codes(replace(ORDER, text=kept + "全国第一"), catalogue) == {("FORBIDDEN_WORD", "text", "第一")}
    assert words_in(Listed(("最佳",), ("最佳时间",)), "最 佳 时 间") == ()
    assert words_in(Listed(("首佳",), ("X",)), "首X佳") == ()


def test_a_latin_word_is_a_word_and_not_a_part_of_one() -> None:
    sale = Listed(("sale", "618"))
    assert [words_in(sale, text) for text in ("wholesaler", "has ale", "salem", "单号20261618", "6180")] == [()] * 5
    assert [words_in(sale, text) for text in ("big SALE!", "s-a-l-e", "Sales", "ｓａｌｅ", "大sale啦")] == [("sale",)] * 5
    assert words_in(sale, "618大促") == ("618",)


@pytest.mark.obligation("MK-06")
@pytest.mark.parametrize("message_class", [MessageClass.SERVICE, MessageClass.BREACH])
@pytest.mark.parametrize(
    "word", ["优惠券", "折扣", "限时", "立减", "coupon", "红包", "Coupons", "优 惠 券", "优\u200b惠券", "ＣＯＵＰＯＮ"]
)
def test_nothing_is_promoted_under_the_name_of_a_service_or_of_an_incident(
    message_class: MessageClass, word: str, catalogue: Catalogue
) -> None:
    found = linted(replace(ORDER, message_class=message_class, text=f"【示例生活】您的订单已发货，{word} 待领"), catalogue)

    assert {(objection.code, objection.place) for objection in found} == {(ObjectionCode.PROMOTION_IN_SERVICE, "text")}
    assert all(objection.article and objection.explanation.zh and objection.explanation.en for objection in found)


@pytest.mark.obligation("MK-06")
@pytest.mark.parametrize(
    ("place", "link"),
    [
        ("text", "https://m.example.com/c?to=coupon_12"),
        ("text", "详见 m.example.com/YouHui/1"),
        ("text", "https://m.example.com/%63oupon"),
        ("html", '<a href="https://m.example.com/voucher">查看订单</a>'),
        ("html", '<img src="/promo/a.png">'),
    ],
)
def test_a_service_message_links_to_no_coupon(place: str, link: str, catalogue: Catalogue) -> None:
    words = replace(ORDER, channel="email", text="您的订单已发货。", html="<p>您的订单已发货。</p>")
    found = codes(replace(words, **{place: getattr(words, place) + link}), catalogue)

    assert ("COUPON_LINK_IN_SERVICE", place) in {(code, where) for code, where, _ in found}


@pytest.mark.obligation("ADV-02")
@pytest.mark.parametrize("name", ["campaign", "top_banner", "ad", "AD_1", "offers", "ｃａｍｐａｉｇｎ"])
def test_a_service_template_has_no_slot_for_a_campaign(name: str, catalogue: Catalogue) -> None:
    declared = replace(ORDER, variables=("name", name))
    used = replace(ORDER, text=f"{ORDER.text}${{{name}}}")

    assert codes(declared, catalogue) == codes(used, catalogue) == {("CAMPAIGN_SLOT_IN_SERVICE", "variables", name)}
    assert codes(replace(ORDER, variables=("address", "loading")), catalogue) == set()


GIFT = {
    "kind": "赠品：香氛蜡烛",
    "spec": "规格 100 克",
    "quantity": "每人一份",
    "term": "截至 12 月 31 日",
    "method": "到店领取",
}


@pytest.mark.obligation("MK-07")
@pytest.mark.parametrize("left_out", GIFT)
def test_a_gift_is_told_with_its_kind_specification_quantity_term_and_method(left_out: str, catalogue: Catalogue) -> None:
    def sms(terms: list[str]) -> Words:
        return replace(SMS, text=f"【示例生活】消费满百元有礼，{'，'.join(terms)}。拒收请回复R")

    assert codes(sms(list(GIFT.values())), catalogue) == set()
    rest = [words for term, words in GIFT.items() if term != left_out]
    assert codes(sms(rest), catalogue) == {("GIFT_TERMS_MISSING", "text", left_out)}


@pytest.mark.obligation("MK-03")
@pytest.mark.parametrize("slot", ["sender", "contact", "opt_out"])
def test_a_commercial_mail_says_who_sends_how_to_reach_them_and_how_to_refuse_in_both_parts(
    slot: str, catalogue: Catalogue
) -> None:
    for place in ("text", "html"):
        words = replace(MAIL, **{place: getattr(MAIL, place).replace(f"${{{slot}}}", "")})
        assert codes(words, catalogue) == {("SLOT_MISSING", place, slot)}
    hidden = replace(MAIL, html=f"<!-- {FOOTER} --><p>新品</p><style>{FOOTER}</style>")
    assert ("SLOT_MISSING", "html", slot) in codes(hidden, catalogue)


def test_words_that_say_it_are_as_good_as_the_slot(catalogue: Catalogue) -> None:
    who = f"{catalogue.controller.legal_name.zh}，{catalogue.controller.contact_phone}"
    assert codes(replace(MAIL, text=f"新品。{who} ${{opt_out}}", html=""), catalogue) == set()


@pytest.mark.obligation("MK-03")
def test_on_a_channel_of_which_the_policy_says_nothing_everything_must_be_said(catalogue: Catalogue) -> None:
    wording = replace(catalogue.wording, slots={})
    found = objections(SMS, catalogue.senders["living_sms"], catalogue.controller.brands[0], catalogue.controller, wording)
    assert {(objection.code, objection.word) for objection in found} == {(ObjectionCode.SLOT_MISSING, "contact")}


@pytest.mark.obligation("EM-02")
def test_the_subject_of_a_commercial_mail_begins_with_the_mark(catalogue: Catalogue) -> None:
    for good in ("AD 双11新品", "AD：新品", "广告 新品", "广告：新品", "广告新品", "AD新品", "AD"):
        assert codes(replace(MAIL, subject=good), catalogue) == set()
    for bad in (
        "双11 AD",
        "新品（广告）",
        "",
        " AD 新品",
        "\u200bAD",
        "ADIDAS 新品",
        "AD2026",
        "ad 新品",
        "【广告】新品",
        "ＡＤ 新品",
    ):
        assert codes(replace(MAIL, subject=bad), catalogue) == {("SUBJECT_UNMARKED", "subject", "")}
    assert codes(replace(MAIL, message_class=MessageClass.SERVICE, subject="发货通知"), catalogue) == set()


@pytest.mark.obligation("EM-02")
@pytest.mark.parametrize("subject", ["广告 秋季新品", "AD 双11" + "很长的主题" * 30, "广告", "双11 AD", "新品"])
@pytest.mark.parametrize("charset", ["utf-8", "gb18030"])
def test_the_mark_is_seen_through_the_encoding_of_a_header(subject: str, charset: str, catalogue: Catalogue) -> None:
    prefixes = catalogue.wording.subject_prefixes
    message = EmailMessage()
    message["Subject"] = subject
    sent = message_from_bytes(bytes(message), policy=policy.default)["Subject"]

    expected = subject.startswith(("广告", "AD"))
    assert marked_as_advertising(Header(subject, charset).encode(), prefixes) is expected
    assert marked_as_advertising(str(sent), prefixes) is marked_as_advertising(subject, prefixes) is expected


@given(st.text(max_size=60) | st.from_regex(r"=\?[a-z0-9-]{0,9}\?[bqBQ]\?[!-~]{0,20}\?=", fullmatch=True))
def test_no_subject_makes_the_lint_fail_and_none_carries_a_second_header(subject: str) -> None:
    assert marked_as_advertising(subject, ("广告", "AD")) in {True, False}
    assert not marked_as_advertising("广告\r\nBcc: x@example.com", ("广告",))


@pytest.mark.obligation("SMS-02")
@pytest.mark.parametrize(
    "ending", ["", "拒收请回复R。", "拒收请回复R ", "退订回T", "拒收请回复r", "拒收请回复Ｒ", "拒收请回复 R", "拒收请回复R退订"]
)
def test_a_commercial_sms_ends_with_the_vendors_exact_sentence(ending: str, catalogue: Catalogue) -> None:
    text = SMS.text.removesuffix("拒收请回复R")

    assert ("OPT_OUT_MISSING", "text", "拒收请回复R") in codes(replace(SMS, text=text + ending), catalogue)
    assert codes(replace(SMS, text=text + "退订回T"), catalogue, opt_out="退订回T") == set()


@pytest.mark.obligation("SMS-05")
def test_an_sms_begins_with_the_registered_signature(catalogue: Catalogue) -> None:
    for text in ("新品到店。拒收请回复R", " 【示例生活】新品。拒收请回复R", "【示例美妆】新品。拒收请回复R"):
        assert ("SIGNATURE_MISSING", "text", "【示例生活】") in codes(replace(SMS, text=text), catalogue)
    assert codes(replace(ORDER, text="您的订单已发货。"), catalogue) == {("SIGNATURE_MISSING", "text", "【示例生活】")}


@pytest.mark.obligation("SMS-04", "SMS-05")
def test_a_sender_serves_its_own_channel_brand_and_class_and_no_other(catalogue: Catalogue) -> None:
    living, beauty = catalogue.controller.brands

    def by(sender: Sender | None, brand: object = living) -> set[str]:
        found = objections(SMS, sender, brand, catalogue.controller, catalogue.wording)  # type: ignore[arg-type]
        return {objection.code.value for objection in found}

    assert by(catalogue.senders["living_sms"]) == set()
    assert "SENDER_UNFIT" in by(catalogue.senders["living_sms_service"])
    assert "SENDER_UNFIT" in by(catalogue.senders["living_email"])
    assert "SENDER_UNFIT" in by(catalogue.senders["living_sms"], beauty)
    assert "SENDER_UNFIT" in by(catalogue.senders["living_sms"], None)
    assert "SENDER_UNKNOWN" in by(None)


@pytest.mark.obligation("SMS-08")
@pytest.mark.parametrize("variable", ["${name}", "{1}", "{{name}}", "{name}", "#code#", "${ name }", "${}"])
def test_a_vendor_that_forbids_variables_gets_none_in_a_commercial_text(variable: str, catalogue: Catalogue) -> None:
    words = replace(SMS, text=SMS.text.replace("会员", variable))

    assert {code for code, _, _ in codes(words, catalogue)} == {"VARIABLES_FORBIDDEN"}
    assert codes(words, catalogue, variables=True) == set()
    assert {code for code, _, _ in codes(replace(SMS, variables=("name",)), catalogue)} == {"VARIABLES_FORBIDDEN"}
    assert codes(replace(ORDER, text=ORDER.text + "${name}"), catalogue, variables=False) == set()


@pytest.mark.obligation("WX-05")
@pytest.mark.parametrize("message_class", [MessageClass.COMMERCIAL, MessageClass.SERVICE])
def test_a_retailer_has_no_long_term_subscription(message_class: MessageClass, catalogue: Catalogue) -> None:
    words = replace(WECHAT, message_class=message_class, long_term=True)
    assert codes(words, catalogue) == {("LONG_TERM_FORBIDDEN", "kind", "")}


@pytest.mark.obligation("WX-06")
@pytest.mark.parametrize(
    "text", ["订阅即送 10 积分", "订阅本消息有礼", "送你红包，订 阅 就领", "subscribe to get a gift", "现在订阅，立减20元"]
)
def test_nobody_is_rewarded_for_subscribing(text: str, catalogue: Catalogue) -> None:
    found = codes(replace(WECHAT, text=f"{text}。点开卡片可退订"), catalogue)

    assert "REWARD_FOR_SUBSCRIBING" in {code for code, _, _ in found}


def test_refusing_is_no_reward_and_two_sentences_are_two_things(catalogue: Catalogue) -> None:
    for text in ("新品到店，积分可用，取消订阅请点开卡片可退订", "您订阅的新品到了。积分可用，点开卡片可退订"):
        assert codes(replace(WECHAT, text=text), catalogue) == set()


@pytest.mark.parametrize("html", ["<![x[ <p>", "新品<![foo[ bar ]]>"])
def test_html_of_which_nobody_can_tell_what_it_shows_is_refused(html: str, catalogue: Catalogue) -> None:
    assert ("HTML_UNREADABLE", "html", "") in codes(replace(MAIL, html=html), catalogue)


@given(
    text=st.text(max_size=80),
    html=st.text(alphabet="<>!-/[]{}$ab=\"'&;最佳 styleimg", max_size=60),
    message_class=st.sampled_from(MessageClass),
)
def test_no_words_make_the_lint_fail(text: str, html: str, message_class: MessageClass, catalogue: Catalogue) -> None:
    words = Words(message_class=message_class, channel="email", text=text, subject=text, html=html)
    sender = catalogue.senders["living_email"]
    found = objections(words, sender, catalogue.controller.brands[0], catalogue.controller, catalogue.wording)
    assert len(set(found)) == len(found)


@pytest.mark.obligation("ADV-01")
def test_a_pop_up_closes_at_one_click_without_a_countdown_and_for_good() -> None:
    good = {"closable": True, "closeClicks": 1, "countdown": 0, "reshowAfterClose": False, "title": "新品"}
    assert banner_objections(good) == ()
    for key, wrong in (
        ("closable", [False, None, 1, "true"]),
        ("closeClicks", [0, 2, True, "1"]),
        ("countdown", [1, 5, False]),
        ("reshowAfterClose", [True, 0, None]),
    ):
        for value in wrong:
            assert [found.word for found in banner_objections({**good, key: value})] == [key]
        assert [found.word for found in banner_objections({k: v for k, v in good.items() if k != key})] == [key]
    assert len(banner_objections({})) == 4


def test_every_objection_rests_on_an_article_and_is_explained_in_both_languages() -> None:
    for code in ObjectionCode:
        found = objection(code, "text")
        assert found.article and found.explanation.zh and found.explanation.en
