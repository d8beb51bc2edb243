"""The pages behind the links in messages: 中文 first, English second, nothing fetched, no script, one thing to press.

They are the same for everybody, so they are made once, and tell whoever found a link nothing of whose it is.
"""

from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from html import escape

from starlette.responses import Response

from policies.terms import Controller

_STYLE = """
:root { color-scheme: light dark }
body { font: 18px/1.7 system-ui, "PingFang SC", "Microsoft YaHei", sans-serif; max-width: 32rem; margin: 8vh auto; padding: 0 1.2rem }
h1 { font-size: 1.5rem; font-weight: 600; margin: 0 0 .2em } h1 span, p span { display: block; font-size: .85em; opacity: .75 }
button { font: inherit; font-weight: 600; width: 100%; min-height: 3.2rem; margin: 1.2rem 0; border: 2px solid; border-radius: .5rem;
  background: #a3271f; color: #fff; cursor: pointer } button span { display: block; font-size: .8em; font-weight: 400 }
button:focus-visible, input:focus-visible { outline: 3px solid #d98b2b; outline-offset: 2px }
label { display: block } input { font: inherit; width: 100%; box-sizing: border-box; padding: .6rem; margin-top: .3rem }
footer { margin-top: 2.5rem; font-size: .85rem; opacity: .8; border-top: 1px solid; padding-top: .8rem }
"""
HEADERS: Mapping[str, str] = {
    "cache-control": "no-store",
    "content-security-policy": (
        f"default-src 'none'; style-src 'sha256-{b64encode(sha256(_STYLE.encode()).digest()).decode()}'; form-action 'self'; "
        "base-uri 'none'; frame-ancestors 'none'"
    ),
    "referrer-policy": "no-referrer",
    "x-robots-tag": "noindex, nofollow",
}

LEAVE_FIELD, LEAVE_VALUE = "List-Unsubscribe", "One-Click"
"""What a one-click POST says (RFC 8058, 3.1)."""

PRESSED = "page"
"""The field by which a press of the page's button is told from a mail system's POST."""

ADDRESS = "address"


@dataclass(frozen=True, slots=True)
class Pages:
    """Every page, ready to be sent."""

    ask: bytes
    left: bytes
    lost: bytes
    typed: bytes
    confirm: bytes
    confirmed: bytes
    unconfirmed: bytes


def pages(controller: Controller) -> Pages:
    """The pages of one controller, whose name and contact stand on each of them (EMAIL 14)."""

    def page(zh: str, en: str, body: str) -> bytes:
        return _document(controller, zh, en, body)

    said = f'<input type="hidden" name="{LEAVE_FIELD}" value="{LEAVE_VALUE}"><input type="hidden" name="{PRESSED}" value="1">'
    return Pages(
        ask=page(
            "不再接收营销信息", "Receive no more marketing messages", _form("", said, "确认退订", "Unsubscribe") + _words(_ONCE)
        ),
        left=page("已退订", "You are unsubscribed", _words(_LEFT)),
        lost=page("链接已失效", "This link no longer works", _words(_LOST) + _form("/u", _INPUT, "提交", "Send")),
        typed=page("已收到", "Received", _words(_TYPED)),
        confirm=page("确认订阅", "Confirm your subscription", _words(_ASKED) + _form("", "", "确认订阅", "Confirm")),
        confirmed=page("订阅已确认", "Your subscription is confirmed", _words(_CONFIRMED)),
        unconfirmed=page("链接已失效", "This link no longer works", _words(_UNCONFIRMED)),
    )


def answer(page: bytes, status: int = 200) -> Response:
    """A page as a response that nobody keeps and no address of which is passed on."""
    return Response(page, status, {**HEADERS, "content-type": "text/html; charset=utf-8"})


_ONCE = (
    "按一次即生效，无需登录。全部品牌均不再向您发送此渠道的营销信息；订单等服务通知不受影响。",
    "One press, no login. No brand of ours will send you marketing over this channel; notices about your orders go on.",
)
_LEFT = (
    "即时生效，此渠道不会再向您发送营销信息。今后如需接收，可在会员中心重新订阅。",
    "It is in effect now: you will get no more marketing over this channel. You can subscribe again in your account at any time.",
)
_LOST = (
    "您仍可退订：请填写接收邮件的地址，我们核实后停止发送。也可直接联系我们，见页末。",
    "You can still unsubscribe: type the address that receives our mail, and we stop once it is confirmed. Or contact us, see below.",
)
_TYPED = (
    "如果该地址在我们的名单中，我们会与其确认后停止发送。",
    "If this address is on our list, we confirm it with its owner and then stop.",
)
_ASKED = (
    "确认后，您将按订阅时说明的类型、频次和期限收到信息，可随时退订。如果不是您本人订阅，请关闭本页，不会发送任何信息。",
    "You receive what you were told of, as often and as long as told, and can leave at any time. Not you? Close this page.",
)
_CONFIRMED = ("可随时在任一信息中或会员中心退订。", "You can unsubscribe in any message or in your account, at any time.")
_UNCONFIRMED = (
    "未发生任何变化。如需订阅，请在会员中心重新操作。",
    "Nothing was changed. To subscribe, please ask for it again in your account.",
)
_INPUT = (
    f'<label>电子邮箱 <span lang="en">E-mail address</span>'
    f'<input type="email" name="{ADDRESS}" required maxlength="254" autocomplete="email"></label>'
)


def _words(both: tuple[str, str]) -> str:
    return f'<p>{both[0]}<span lang="en">{both[1]}</span></p>\n'


def _form(action: str, fields: str, zh: str, en: str) -> str:
    where = f' action="{action}"' if action else ""
    return f'<form method="post"{where}>{fields}<button type="submit">{zh}<span lang="en">{en}</span></button></form>\n'


def _document(controller: Controller, zh: str, en: str, body: str) -> bytes:
    name, mail, phone = controller.legal_name, escape(controller.contact_email), escape(controller.contact_phone)
    return f"""<!doctype html>
<html lang="zh-CN">
<head>
<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><meta name="referrer" content="no-referrer">
<title>{zh} {en}</title><style>{_STYLE}</style>
</head>
<body>
<main>
<h1>{zh}<span lang="en">{en}</span></h1>
{body}</main>
<footer>{escape(name.zh)} <span lang="en">{escape(name.en)}</span><br><a href="mailto:{mail}">{mail}</a> · {phone}</footer>
</body>
</html>
""".encode()
