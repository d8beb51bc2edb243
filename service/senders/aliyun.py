"""Text messages over Aliyun: SendSms of 2017-05-25, an RPC request signed with ACS3-HMAC-SHA256.

Aliyun promises no idempotency (`OutId` is only repeated in reports), so a request whose answer was lost is never sent again.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from http import HTTPStatus
from typing import Final
from urllib.parse import urlsplit

import orjson

from policies.marketing import Sender as RegisteredSender
from service.senders.adapter import Adapter, reference, signature_of
from service.senders.model import Delivery, Fate, Message
from service.senders.signing import acs3_headers, query_string
from service.senders.wire import Answer, Wire
from service.values import Chance, Clock

_VERSION: Final = "2017-05-25"
_ACTION: Final = "SendSms"

# Its codes become ours: what a vendor writes into an answer is written nowhere.
_CODES: Final[Mapping[str, tuple[Fate, str]]] = {
    "isv.MOBILE_NUMBER_ILLEGAL": (Fate.BOUNCED, "NUMBER_INVALID"),
    "isv.MOBILE_COUNT_OVER_LIMIT": (Fate.REFUSED, "REQUEST_REFUSED"),
    "isv.BLACK_KEY_CONTROL_LIMIT": (Fate.REFUSED, "NUMBER_BLOCKED"),
    "isv.BUSINESS_LIMIT_CONTROL": (Fate.REFUSED, "VENDOR_FREQUENCY"),
    "isv.DAY_LIMIT_CONTROL": (Fate.NOT_OUT, "VENDOR_QUOTA"),
    "isv.AMOUNT_NOT_ENOUGH": (Fate.NOT_OUT, "VENDOR_ACCOUNT"),
    "isv.OUT_OF_SERVICE": (Fate.NOT_OUT, "VENDOR_ACCOUNT"),
    "isv.SMS_SIGNATURE_ILLEGAL": (Fate.REFUSED, "SIGNATURE_UNKNOWN"),
    "isv.SMS_TEMPLATE_ILLEGAL": (Fate.REFUSED, "TEMPLATE_UNKNOWN"),
    "isv.TEMPLATE_MISSING_PARAMETERS": (Fate.REFUSED, "TEMPLATE_PARAMETERS"),
    "isv.INVALID_PARAMETERS": (Fate.REFUSED, "TEMPLATE_PARAMETERS"),
    "isv.PARAM_LENGTH_LIMIT": (Fate.REFUSED, "TEMPLATE_PARAMETERS"),
    "isp.RAM_PERMISSION_DENY": (Fate.NOT_OUT, "VENDOR_CREDENTIALS"),
    "SignatureDoesNotMatch": (Fate.NOT_OUT, "VENDOR_CREDENTIALS"),
    "InvalidAccessKeyId.NotFound": (Fate.NOT_OUT, "VENDOR_CREDENTIALS"),
    "InvalidTimeStamp.Expired": (Fate.NOT_OUT, "VENDOR_CLOCK"),
    "Throttling": (Fate.NOT_OUT, "THROTTLED"),
    "Throttling.User": (Fate.NOT_OUT, "THROTTLED"),
    "Throttling.Api": (Fate.NOT_OUT, "THROTTLED"),
}


@dataclass(frozen=True, slots=True)
class AliyunAccount:
    """Where Aliyun is reached, and as whom."""

    url: str
    key_id: str
    secret: str = field(repr=False)


class AliyunSms(Adapter):
    """One registered signature and code at Aliyun."""

    def __init__(
        self,
        registered: RegisteredSender,
        *,
        clock: Clock,
        life: timedelta,
        account: AliyunAccount,
        wire: Wire,
        chance: Chance,
    ) -> None:
        super().__init__(registered, clock=clock, life=life)
        self._account = account
        self._wire = wire
        self._chance = chance

    async def hand_over(self, message: Message) -> Delivery:
        """One SendSms for one number."""
        parameters = {
            "PhoneNumbers": message.to.removeprefix("+86").removeprefix("+"),
            "SignName": signature_of(self.registered),
            "TemplateCode": message.vendor_template,
            "OutId": message.send_id,
        }
        if message.words.parameters:
            parameters["TemplateParam"] = orjson.dumps(dict(message.words.parameters)).decode()
        # In the address, number and all, because that is where its documents want it; it is never logged here (service/senders/wire.py).
        query = query_string(parameters)
        answer = await self._wire.post(f"{self._account.url.rstrip('/')}/?{query}", b"", self._headers(query))
        return answer if isinstance(answer, Delivery) else _read(answer)

    def _headers(self, query: str) -> dict[str, str]:
        return acs3_headers(
            host=urlsplit(self._account.url).netloc,
            action=_ACTION,
            version=_VERSION,
            query=query,
            body=b"",
            key_id=self._account.key_id,
            secret=self._account.secret,
            nonce=self._chance(16).hex(),
            now=self.clock(),
        )


def _read(answer: Answer) -> Delivery:
    said = answer.document.get("Code")
    if answer.status == HTTPStatus.OK and said == "OK":
        return Delivery(Fate.SENT, "ACCEPTED", reference(answer.document.get("BizId")))
    found = _CODES.get(said) if isinstance(said, str) else None
    if found is not None:
        return Delivery(*found)
    # A code that nobody here knows is still a no, as long as it is the interface that speaks and not something before it.
    known = bool(said) and answer.status < HTTPStatus.INTERNAL_SERVER_ERROR
    return Delivery(Fate.REFUSED, "VENDOR_REFUSED") if known else Delivery(Fate.UNKNOWN, "ANSWER_UNREADABLE")
