"""The words of letters, 中文 first and English second. They promote nothing, and nobody outside this file can put another word into one."""

from html import escape

from service.senders.model import Letter, Unfit, Words
from service.subscriptions.model import LetterKind

Both = tuple[str, str]

_CONFIRM_SUBJECT = "请确认您的订阅 / Please confirm your subscription"
_LEAVE_SUBJECT = "请确认退订 / Please confirm that you unsubscribe"
_PRESS: Both = ("请打开下面的链接，并按页面上的按钮：", "Please open this link and press the button on its page:")


def words(letter: Letter) -> Words:
    """What the mail says, in both languages. Raises Unfit for a link that is not https, or a confirmation of nothing."""
    if not letter.link.startswith("https://"):
        raise Unfit("LINK_NOT_HTTPS")
    confirms = letter.kind is LetterKind.CONFIRM
    before = _asked(letter) if confirms else _typed(letter)
    after = _ignored(letter) if confirms else _left(letter)
    texts = [[before[side], _PRESS[side], letter.link, after[side]] for side in (0, 1)]
    return Words(
        subject=_CONFIRM_SUBJECT if confirms else _LEAVE_SUBJECT,
        text="\n\n".join((*texts[0], "", *texts[1], "", *_signed(letter))) + "\n",
        html=_html(texts, letter),
    )


def _asked(letter: Letter) -> Both:
    topic, brand, told = letter.topic, letter.brand, letter.promise
    if topic is None or brand is None or told is None:
        raise Unfit("TEXT_UNFIT")
    return (
        f"有人用本邮箱订阅了{brand.zh}的“{topic.zh}”：每月至多 {told.monthly} 条，为期 {told.months} 个月，可随时退订。",
        f"Somebody subscribed this address to “{topic.en}” of {brand.en}: at most {told.monthly} a month, for {told.months} months.",
    )


def _ignored(letter: Letter) -> Both:
    return (
        f"链接在 {letter.hours} 小时内有效。如果不是您本人订阅，请忽略本邮件：不确认，就不会向您发送任何营销信息。",
        f"The link works for {letter.hours} hours. If it was not you, ignore this mail: without your confirmation nothing is sent.",
    )


def _typed(_: Letter) -> Both:
    return (
        "有人在我们的退订页面填写了本邮箱，要求不再接收营销邮件。",
        "Somebody typed this address on our unsubscribe page, so that it gets no more marketing mail.",
    )


def _left(_: Letter) -> Both:
    return (
        "按下按钮即刻退订，无需登录。如果不是您本人，请忽略本邮件：什么都不会改变。",
        "One press unsubscribes it at once, without a login. If it was not you, ignore this mail: nothing changes.",
    )


def _signed(letter: Letter) -> tuple[str, str]:
    """Who writes, and how to reach them (EMAIL 14)."""
    who = letter.controller
    return f"{who.legal_name.zh} / {who.legal_name.en}", f"{who.contact_email} · {who.contact_phone}"


def _html(texts: list[list[str]], letter: Letter) -> str:
    """Text and one link: nothing is fetched, so nobody learns when it was read."""
    link = escape(letter.link, quote=True)
    parts = []
    for language, (before, press, _, after) in zip(("zh-CN", "en"), texts, strict=True):
        lines = (f"<p>{escape(line)}</p>" for line in (before, press))
        parts.append(f'<div lang="{language}">{"".join(lines)}<p><a href="{link}">{link}</a></p><p>{escape(after)}</p></div>')
    signed = "<br>".join(escape(line) for line in _signed(letter))
    return f'<!doctype html><html lang="zh-CN"><body>{"<hr>".join(parts)}<hr><p>{signed}</p></body></html>'
