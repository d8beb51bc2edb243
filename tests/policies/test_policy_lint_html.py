"""HTML that a marketer writes against the lint: words that a style tears apart, slots that nobody sees, tags that never end."""

import time
from dataclasses import replace

import pytest

from policies.lint import Words
from policies.marketing import MessageClass
from policies.terms import Catalogue
from tests.policies.test_policy_lint import FOOTER, MAIL, codes

ORDER = Words(message_class=MessageClass.SERVICE, channel="email", subject="订单", text="您的订单已发货。")
TORN = [
    "优{}惠券".format(" " * 30),
    "优{}惠券".format("\n" * 30),
    '优<span style="display:none">一二三四五六七八九</span>惠券',
    '优<i style="DISPLAY : /* */ none">一二三四五六七八九</i>惠券',
    '优<i style="font-size:0px">一二三四五六七八九</i>惠券',
    '优<b style="visibility:hidden"><u>一二三四</u>五六七八九</b>惠券',
    "优<i hidden>一二三四五六七八九</i>惠券",
]


@pytest.mark.obligation("MK-06")
@pytest.mark.parametrize("html", TORN)
def test_no_style_tears_a_word_apart(html: str, catalogue: Catalogue) -> None:
    found = codes(replace(ORDER, html=f"<p>{html}</p>"), catalogue)
    assert ("PROMOTION_IN_SERVICE", "html", "优惠券") in found


def test_what_is_merely_pale_or_small_is_read_as_it_stands(catalogue: Catalogue) -> None:
    html = '<p>订<i style="opacity:0.5;font-size:0.8em">单</i>已发货</p>'
    assert codes(replace(ORDER, html=html), catalogue) == set()


@pytest.mark.obligation("MK-03")
@pytest.mark.parametrize("hiding", ['style="display:none"', "hidden"])
def test_what_only_hidden_words_say_has_not_been_said(hiding: str, catalogue: Catalogue) -> None:
    found = codes(replace(MAIL, html=f"<p>新品</p><p {hiding}>{FOOTER}</p>"), catalogue)
    assert {word for code, place, word in found if (code, place) == ("SLOT_MISSING", "html")} == {"sender", "contact", "opt_out"}


ENDLESS = {
    "tags": "<a " * 33_000,
    "comments": "<!--" * 25_000,
    "elements": "<b>x" * 25_000,
    "one tag": "<a" + " b=" * 33_000,
}


@pytest.mark.parametrize("html", ENDLESS.values(), ids=ENDLESS)
def test_no_template_stops_the_service(html: str, catalogue: Catalogue) -> None:
    started = time.process_time()
    assert ("HTML_UNREADABLE", "html", "") in codes(replace(ORDER, html=html), catalogue)
    assert time.process_time() - started < 5
