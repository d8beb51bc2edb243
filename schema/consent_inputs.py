"""What a front end sends to prove an answer, and how it becomes the ledger's words."""

from datetime import datetime

import strawberry

from schema.enums import BoxState, CaptureChannel, ContactMethod, Expression
from schema.scalars import FieldKey, PurposeKey
from service.consent import contacts, model


@strawberry.input(description="One answer to one purpose (逐项决定). There is no 'accept all'.")
class DecisionInput:
    """Becomes a `model.Decision`."""

    purpose: PurposeKey = strawberry.field(description="The purpose that was asked (处理目的).")
    granted: bool | None = strawberry.field(
        description="true: consented (同意); false: refused (拒绝); null: not now (暂不决定)."
    )


@strawberry.input(description="What the member held in their hand (终端).")
class ClientInput:
    """Becomes a `model.Client`."""

    app_id: str | None = strawberry.field(default=None, description="The app's id, such as the mini-program's appid (应用标识).")
    app_version: str | None = strawberry.field(default=None, description="The app's version (应用版本).")
    device_digest: str | None = strawberry.field(
        default=None, description="A digest of the device made by the front end; no identifier (设备摘要)."
    )


@strawberry.input(
    description="What proves an answer (同意证据, PIPL 14, 69): the notice as shown, the screen, the gesture, the moment."
)
class EvidenceInput:
    """Becomes a `model.Evidence`."""

    notice_version: str = strawberry.field(description="The version of the notice (告知) that was shown.")
    language: str = strawberry.field(description="The language in which it was shown, such as `zh-CN` (展示语言).")
    presented_at: datetime = strawberry.field(
        description="When it was shown (展示时间). A yes to a consent that was taken back since is none: show it anew."
    )
    expression: Expression = strawberry.field(description="How the member answered (表示方式).")
    screen: str = strawberry.field(description="The id of the screen or template (界面标识).")
    channel: CaptureChannel = strawberry.field(description="Where the answer was given (渠道).")
    box: BoxState | None = strawberry.field(
        default=BoxState.NONE, description="What the box looked like beforehand (选项框初始状态)."
    )
    client: ClientInput | None = strawberry.field(default=None, description="What the member held in their hand (终端).")
    screen_purpose_count: int | None = strawberry.field(
        default=None, description="How many purposes the screen asked for (同屏征求的目的数); 1 for a separate consent."
    )
    words_digest: str | None = strawberry.field(
        default=None, description="SHA-256, in hex, of the question as it was shown (问句摘要); needed for a separate consent."
    )


@strawberry.input(description="WeChat's answer to a phone code (手机号快速验证结果, getuserphonenumber).")
class WechatPhoneInput:
    """Becomes a `contacts.Exchanged`."""

    appid: str = strawberry.field(description="`watermark.appid` (水印中的小程序): one of this controller's own.")
    timestamp: datetime = strawberry.field(description="`watermark.timestamp` (水印时间): within the last five minutes.")
    code: str = strawberry.field(
        description="The code that was exchanged (动态令牌). It proves one thing once; only a digest is kept."
    )


@strawberry.input(
    description="That a contact was proven to be the member's (联系方式核验结果). Whoever held it before loses it (PIPL 8)."
)
class ContactProofInput:
    """Becomes a `contacts.ContactProof`."""

    field: FieldKey = strawberry.field(description="The field whose new value was proven, such as `phone` (字段).")
    method: ContactMethod = strawberry.field(description="How (核验方式).")
    proven_at: datetime = strawberry.field(description="When (核验时间): within the last half hour.")
    wechat: WechatPhoneInput | None = strawberry.field(
        default=None, description="What WeChat answered (微信返回的水印); needed with `WECHAT_PHONE_CODE`."
    )


def proof_of(given: ContactProofInput | None) -> contacts.ContactProof | None:
    """The service's word for it."""
    if given is None:
        return None
    said = given.wechat
    exchanged = contacts.Exchanged(said.appid, said.timestamp, said.code) if said else None
    return contacts.ContactProof(given.field, contacts.ContactMethod[given.method.name], given.proven_at, exchanged)


def decision_of(given: DecisionInput) -> model.Decision:
    """The ledger's word for one answer."""
    return model.Decision(given.purpose, given.granted)


def evidence_of(given: EvidenceInput | None) -> model.Evidence | None:
    """The ledger's word for the evidence."""
    if given is None:
        return None
    client = given.client or ClientInput()
    return model.Evidence(
        notice_version=given.notice_version,
        language=given.language,
        presented_at=given.presented_at,
        expression=model.Expression[given.expression.name],
        screen=given.screen,
        channel=model.CaptureChannel[given.channel.name],
        box=model.BoxState[given.box.name] if given.box is not None else model.BoxState.NONE,
        client=model.Client(client.app_id or "", client.app_version or "", client.device_digest or ""),
        purposes_on_screen=given.screen_purpose_count,
        words_digest=given.words_digest or "",
    )
