"""Text messages over Tencent Cloud: SendSms of 2021-01-11, JSON signed with TC3-HMAC-SHA256.

Tencent promises no idempotency (`SessionContext` is only repeated), so a request whose answer was lost is never sent again.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import urlsplit

import orjson

from policies.marketing import Sender as RegisteredSender
from service.senders.adapter import Adapter, reference, signature_of
from service.senders.model import Delivery, Fate, Message
from service.senders.signing import tc3_headers
from service.senders.wire import Answer, Wire
from service.values import Clock

_VERSION: Final = "2021-01-11"
_ACTION: Final = "SendSms"

# Its codes become ours; the longest beginning counts, so that a family of codes is one line.
_CODES: Final[Mapping[str, tuple[Fate, str]]] = {
    "InvalidParameterValue.IncorrectPhoneNumber": (Fate.BOUNCED, "NUMBER_INVALID"),
    "FailedOperation.PhoneNumberInBlacklist": (Fate.REFUSED, "NUMBER_BLOCKED"),
    "FailedOperation.SignatureIncorrectOrUnapproved": (Fate.REFUSED, "SIGNATURE_UNKNOWN"),
    "FailedOperation.TemplateIncorrectOrUnapproved": (Fate.REFUSED, "TEMPLATE_UNKNOWN"),
    "FailedOperation.TemplateParamSetNotMatchApprovedTemplate": (Fate.REFUSED, "TEMPLATE_PARAMETERS"),
    "InvalidParameterValue.TemplateParameter": (Fate.REFUSED, "TEMPLATE_PARAMETERS"),
    "FailedOperation.InsufficientBalanceInSmsPackage": (Fate.NOT_OUT, "VENDOR_ACCOUNT"),
    "LimitExceeded.PhoneNumber": (Fate.REFUSED, "VENDOR_FREQUENCY"),
    "LimitExceeded.DailyLimit": (Fate.NOT_OUT, "VENDOR_QUOTA"),
    "LimitExceeded.AppMainlandChinaDailyLimit": (Fate.NOT_OUT, "VENDOR_QUOTA"),
    "RequestLimitExceeded": (Fate.NOT_OUT, "THROTTLED"),
    "AuthFailure": (Fate.NOT_OUT, "VENDOR_CREDENTIALS"),
    "UnauthorizedOperation": (Fate.NOT_OUT, "VENDOR_CREDENTIALS"),
    "InternalError": (Fate.UNKNOWN, "VENDOR_BROKEN"),
}


@dataclass(frozen=True, slots=True)
class TencentAccount:
    """Where Tencent Cloud is reached, as whom, and which SMS app of theirs it is."""

    url: str
    key_id: str
    app_id: str
    region: str
    secret: str = field(repr=False)


class TencentSms(Adapter):
    """One registered signature and code at Tencent Cloud."""

    def __init__(
        self, registered: RegisteredSender, *, clock: Clock, life: timedelta, account: TencentAccount, wire: Wire
    ) -> None:
        super().__init__(registered, clock=clock, life=life)
        self._account = account
        self._wire = wire

    async def hand_over(self, message: Message) -> Delivery:
        """One SendSms for one number."""
        body = orjson.dumps(
            {
                "PhoneNumberSet": [message.to],
                "SmsSdkAppId": self._account.app_id,
                "SignName": signature_of(self.registered),
                "TemplateId": message.vendor_template,
                "TemplateParamSet": list(message.words.parameters.values()),
                "SessionContext": message.send_id,
            }
        )
        answer = await self._wire.post(self._account.url, body, self._headers(body))
        return answer if isinstance(answer, Delivery) else _read(answer)

    def _headers(self, body: bytes) -> dict[str, str]:
        account = self._account
        return tc3_headers(
            host=urlsplit(account.url).netloc,
            service="sms",
            action=_ACTION,
            version=_VERSION,
            region=account.region,
            body=body,
            key_id=account.key_id,
            secret=account.secret,
            now=self.clock(),
        )


def _read(answer: Answer) -> Delivery:
    said = answer.document.get("Response")
    if answer.status != HTTPStatus.OK or not isinstance(said, dict):
        return Delivery(Fate.UNKNOWN, "ANSWER_UNREADABLE")
    error = said.get("Error")
    status = error if isinstance(error, dict) else _of_number(said.get("SendStatusSet"))
    code = status.get("Code")
    if code == "Ok":
        return Delivery(Fate.SENT, "ACCEPTED", reference(status.get("SerialNo")))
    return _meant(code)


def _of_number(statuses: object) -> Mapping[str, Any]:
    """The one status of the one number; {} for anything else."""
    one = statuses[0] if isinstance(statuses, list) and len(statuses) == 1 else None
    return one if isinstance(one, dict) else {}


def _meant(code: object) -> Delivery:
    if not isinstance(code, str) or not code:
        return Delivery(Fate.UNKNOWN, "ANSWER_UNREADABLE")
    families = [family for family in _CODES if code.startswith(family)]
    return Delivery(*_CODES[max(families, key=len)]) if families else Delivery(Fate.REFUSED, "VENDOR_REFUSED")
