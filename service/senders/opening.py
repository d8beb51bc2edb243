"""Accounts become adapters: one for each registered sender that has an account."""

from collections.abc import Mapping

from policies.marketing import Sender as RegisteredSender
from policies.terms import Catalogue
from service.senders.adapter import Adapter
from service.senders.aliyun import AliyunAccount, AliyunSms
from service.senders.dialler import Dialler, Dialling
from service.senders.sending import Outlet
from service.senders.settings import Account, Mailing
from service.senders.smtp import SmtpMail
from service.senders.tencent import TencentAccount, TencentSms
from service.senders.wechat import WechatMessages
from service.senders.wire import Wire
from service.values import Chance, Clock


def outlets(
    accounts: Mapping[str, Account], catalogue: Catalogue, *, wire: Wire, clock: Clock, chance: Chance
) -> dict[str, Outlet]:
    """The outlets by sender."""
    return {
        key: Outlet(
            _adapter(account, catalogue.senders[key], catalogue, wire=wire, clock=clock, chance=chance),
            account.mailbox if isinstance(account, Mailing) else "",
        )
        for key, account in accounts.items()
    }


def _adapter(
    account: Account, sender: RegisteredSender, catalogue: Catalogue, *, wire: Wire, clock: Clock, chance: Chance
) -> Adapter:
    life = catalogue.marketing.decision_life
    if isinstance(account, Mailing):
        return SmtpMail(sender, clock=clock, life=life, server=account.server, domain=account.domain)
    if isinstance(account, AliyunAccount):
        return AliyunSms(sender, clock=clock, life=life, account=account, wire=wire, chance=chance)
    if isinstance(account, TencentAccount):
        return TencentSms(sender, clock=clock, life=life, account=account, wire=wire)
    if isinstance(account, Dialling):
        channel = catalogue.channels[sender.channel]
        return Dialler(sender, clock=clock, life=life, dialling=account, channel=channel, wire=wire)
    return WechatMessages(sender, clock=clock, life=life, app=account, wire=wire)
