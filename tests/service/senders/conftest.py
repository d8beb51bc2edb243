"""What the tests of senders share: a wire, and adapters to vendors on loopback."""

from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any

import pytest

from policies.marketing import Vendor
from policies.terms import Catalogue
from service.hazmat.mail_signing import MailKey
from service.senders.adapter import Adapter
from service.senders.aliyun import AliyunAccount
from service.senders.dialler import Dialling
from service.senders.dkim import Domain
from service.senders.opening import outlets
from service.senders.settings import Account, Mailing
from service.senders.smtp import MailServer
from service.senders.tencent import TencentAccount
from service.senders.wechat import WechatApp
from service.senders.wire import Wire
from service.values import Chance, Clock
from tests.service.senders.keys import ed25519_pem, nobody_trusted
from tests.service.senders.vendors import APP_ID, KEY_ID, SECRET

MAILBOX = "unsubscribe@mail.retail.example.com"
SENDERS: Mapping[Vendor, str] = {
    Vendor.SMTP: "living_email",
    Vendor.ALIYUN: "living_sms",
    Vendor.TENCENT: "beauty_sms",
    Vendor.WECHAT: "living_wechat",
    Vendor.DIALLER: "living_phone",
}
"""One sender of the shipped policy for each vendor that there is."""


def account(vendor: Vendor, url: str, **mail: Any) -> Account:
    """An account with this vendor, reached there. For mail: `port`, `key` (PEM), `trust`, `tls`."""
    if vendor is Vendor.ALIYUN:
        return AliyunAccount(url=url, key_id=KEY_ID, secret=SECRET)
    if vendor is Vendor.TENCENT:
        return TencentAccount(url=url, key_id=KEY_ID, app_id=APP_ID, region="ap-guangzhou", secret=SECRET)
    if vendor is Vendor.WECHAT:
        return WechatApp(url=url, page="pages/preferences/index", secret=SECRET)
    if vendor is Vendor.DIALLER:
        return Dialling(url=url, secret=SECRET.encode())
    server = MailServer(
        host="127.0.0.1", port=mail.get("port", 1), tls=mail.get("tls", False), trust=mail.get("trust") or nobody_trusted()
    )
    key = MailKey(mail.get("key") or ed25519_pem())
    return Mailing(server, Domain("mail.retail.example.com", "s1", key), MAILBOX)


@pytest.fixture
async def wire() -> AsyncIterator[Wire]:
    async with Wire(seconds=2.0) as made:
        yield made


@pytest.fixture
def adapter(catalogue: Catalogue, wire: Wire, clock: Clock, chance: Chance) -> Callable[..., Adapter]:
    """`adapter(Vendor.ALIYUN, url)`: the adapter that the service would open for that account."""

    def make(vendor: Vendor, url: str = "http://127.0.0.1:9", **mail: Any) -> Adapter:
        accounts = {SENDERS[vendor]: account(vendor, url, **mail)}
        return outlets(accounts, catalogue, wire=wire, clock=clock, chance=chance)[SENDERS[vendor]].adapter

    return make
