"""SMS-03: what a reply says. Whoever wants no more is understood; nobody else is, and nothing is ever taken for a yes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.replies import Reply, ReplyKind, reply
from policies.terms import Catalogue

NO_MORE = """
T|t|TD|td|Td|tD|N|n|R|r|QX|qx|退|退订|拒收|取消|不要|STOP|stop|Stop|UNSUBSCRIBE|unsubscribe|Unsubscribe
Ｔ|ＴＤ|ｔｄ|Ｎ|Ｒ|ＳＴＯＰ|Ⓣ
 T | T D |退 订|拒　收|\u200bT|退\u200b订|\ufeff退订|T\u3000
T.|T!|T！|"T"|“退订”|退订。|（退订）|*退订*|——退订——|退订~|退订…|_T_
T😀|🙏退订🙏|退订👍🏽|❤️R|✅ TD ✅
【示例生活】T|T【示例生活】|【示例生活】 退订。|[示例生活]退订|【退订】|退订【示例生活】！
TD1|TD0000|td 10690|ＴＤ１２３|0000|00000
sto\u00adp|ＵＮＳＵＢＳＣＲＩＢＥ
"""
"""Separated by bars. The last line holds what must still be read when a font shows nothing between the letters."""

EVERYTHING = [
    "退订全部",
    "全部退订",
    "退订 全部",
    "【示例生活】退订全部。",
    "退订所有",
    "取消全部",
    "STOP ALL",
    "stop all!",
    "Unsubscribe all",
]

SOMETHING_ELSE = """
取消订单|取消订单 12345|请取消我的预约|退订单|退货|退款|退一下|怎么退订|不想退订|别退订|不要退订|退订了吗|T恤|TDD|NO|Nice|R2D2|停|停水了吗
好|好的|是|Y|YES|同意|订阅|收到|谢谢|1|0|000|000000|T1|stop sending to my friend|unstoppable|T 恤 还有吗|【示例生活】|【】
"""


def split(table: str) -> list[str]:
    """The entries of a table, each as the member typed it."""
    return [entry for line in table.splitlines() for entry in line.split("|") if entry]


@pytest.mark.obligation("SMS-03")
@pytest.mark.parametrize("text", split(NO_MORE))
def test_whoever_asks_for_no_more_is_understood(text: str, catalogue: Catalogue) -> None:
    """Mautic understands `stop` and nothing else."""
    assert reply(text, catalogue.channels["sms"].opt_out_words).kind is ReplyKind.OPT_OUT


def test_the_table_has_forty_variants_and_more() -> None:
    assert len(set(split(NO_MORE))) >= 40


@pytest.mark.parametrize("text", EVERYTHING)
def test_everything_off_is_said_in_one_reply(text: str, catalogue: Catalogue) -> None:
    assert reply(text, catalogue.channels["sms"].opt_out_words).kind is ReplyKind.OPT_OUT_ALL


@pytest.mark.obligation("SMS-03")
@pytest.mark.parametrize("text", split(SOMETHING_ELSE))
def test_what_only_contains_the_word_and_what_says_yes_is_for_a_person_to_read(text: str, catalogue: Catalogue) -> None:
    assert reply(text, catalogue.channels["sms"].opt_out_words) == Reply(ReplyKind.UNKNOWN)


@pytest.mark.obligation("SMS-03")
def test_there_is_no_reply_that_means_yes() -> None:
    assert {kind.value for kind in ReplyKind} == {"OPT_OUT", "OPT_OUT_ALL", "UNKNOWN"}


@pytest.mark.parametrize("word", ["R", "T", "TD", "N", "退", "退订", "拒收", "取消", "stop", "unsubscribe"])
def test_the_words_that_everybody_was_taught_hold_on_every_channel(word: str, catalogue: Catalogue) -> None:
    for channel in catalogue.channels.values():
        assert reply(word, channel.opt_out_words).kind is ReplyKind.OPT_OUT
    assert reply(word, ()).kind is ReplyKind.OPT_OUT


def test_a_channels_own_words_hold_there_alone() -> None:
    assert reply("不要再打", ["不要再打"]) == Reply(ReplyKind.OPT_OUT, "不要再打")
    assert reply("不要再打", ["不要"]) == Reply(ReplyKind.UNKNOWN)


decoration = st.text(alphabet=" 　\t\n.,!?。！？、~…*\"'“”（）()-—_😀🙏👍❤️\u200b\u200d\ufeff\u00ad", max_size=6)


@given(st.sampled_from(["T", "TD", "N", "R", "退订", "拒收", "取消", "STOP", "unsubscribe"]), st.data())
def test_decoration_in_any_place_hides_no_opt_out(word: str, ahead: st.DataObject) -> None:
    pieces = [ahead.draw(decoration)]
    for letter in word:
        pieces += [ahead.draw(st.sampled_from([letter, letter.upper(), letter.lower()])), ahead.draw(decoration)]

    assert reply("".join(pieces), ()).kind is ReplyKind.OPT_OUT


@given(
    st.text(alphabet="好是同意订阅单吗请我的abcxyz123 ", min_size=1, max_size=12), st.sampled_from(["退订", "取消", "T", "拒收"])
)
def test_a_word_among_others_is_no_opt_out(others: str, word: str) -> None:
    if others.strip(" "):
        assert reply(f"我{others}{word}呢", ()).kind is ReplyKind.UNKNOWN


@given(st.text() | st.text(min_size=150, max_size=400))
def test_any_text_whatever_is_answered_and_never_repeated(text: str) -> None:
    found = reply(text, ["退订"])
    assert (found.kind is ReplyKind.UNKNOWN) == (found.word == "")
    assert len(text) <= 200 or found.kind is ReplyKind.UNKNOWN
