"""Receipts for members, and the evidence behind what was done for those who must prove it (PIPL 9, 69)."""

from collections.abc import Mapping
from datetime import datetime
from enum import Enum
from typing import Annotated, Any

import strawberry
from strawberry import enum_value as value

from schema.arguments import MemberRef, Purpose, PurposeUnlessMe
from schema.consent import ConsentEvent, event_of
from schema.context import Info
from schema.fields import field
from schema.scalars import FieldKey, PurposeKey
from service.receipts import model

BROKEN = "EVIDENCE_BROKEN"
_FIRST = 10


@strawberry.enum(description="A link of the chain that proves a processing (证据链环节): purpose, notice, consent, action.")
class EvidencePart(Enum):
    """Names of `model.Part`."""

    ENTRY = value("ENTRY", description="The entry's bytes have the hash under which they were logged. 审计条目未被改动。")
    SUBJECT = value("SUBJECT", description="The entry is about the member whose consent is shown. 条目所涉会员与同意人一致。")
    EVENT = value("EVENT", description="The consent event is there and hashes to what it says. 同意记录存在且未被改动。")
    CHAIN = value("CHAIN", description="No event before it is missing or altered. 之前的同意记录连续完整。")
    LOGGED = value("LOGGED", description="The log holds the event's hash since it happened. 审计日志自始记有该同意记录的哈希。")
    DECISION = value("DECISION", description="At that moment the consent allowed what was done. 当时的同意涵盖该处理。")
    NOTICE = value("NOTICE", description="The notice has exactly the bytes that were shown. 告知文本与展示时一致。")
    WORDS = value("WORDS", description="The question has exactly the words that were shown. 问句与展示时一致。")
    RECEIPT = value("RECEIPT", description="The receipt can be made and its signature holds. 回执可出具且签名有效。")


@strawberry.enum(description="Whether a link holds (环节状态).")
class EvidenceHolding(Enum):
    """Names of `model.Holding`."""

    HOLDS = value("HOLDS", description="It is there and holds. 成立。")
    BROKEN = value("BROKEN", description="It is there and does not hold. 不成立。")
    MISSING = value("MISSING", description="It is not there. 缺失。")
    NOT_NEEDED = value("NOT_NEEDED", description="The processing does not rest on it. 无需此环节。")


@strawberry.type(description="One link of the chain (证据链环节).")
class EvidenceFinding:
    """From `model.Finding`."""

    part: model.Part = strawberry.field(graphql_type=EvidencePart, description="The link (环节).")
    holding: model.Holding = strawberry.field(graphql_type=EvidenceHolding, description="Whether it holds (状态).")
    code: str | None = strawberry.field(description="Why it does not; null where it does (原因代码).")


@strawberry.type(description="A receipt (同意回执) for one consent event: whoever has it can prove it without this service.")
class ConsentReceipt:
    """From `model.Receipt`."""

    receipt_id: strawberry.ID = strawberry.field(description="The receipt's id, which follows from the event (回执编号).")
    event_id: strawberry.ID = strawberry.field(description="The event, which is the record's id (记录编号).")
    text_zh: str = strawberry.field(description="What it says, in Chinese (中文正文).")
    text_en: str = strawberry.field(description="What it says, in English (英文正文).")
    json_ld: str = strawberry.field(
        description="ISO/IEC TS 27560 in JSON-LD with the W3C's DPV terms, as it is signed (机器可读正文)."
    )
    jws: str = strawberry.field(
        description="The same, signed: compact JWS, EdDSA; keys at /.well-known/menshen/jwks.json (带签名的回执)."
    )


@strawberry.type(description="An entry of the audit log (审计条目): who did what, when, why, on which basis.")
class EvidenceEntry:
    """From the entry's own bytes."""

    id: strawberry.ID = strawberry.field(description="The entry's id (条目编号).")
    index: int = strawberry.field(description="Its place in the log (序号).")
    leaf_hash: str = strawberry.field(description="Its leaf hash in the log's tree, in hex (叶哈希).")
    at: datetime = strawberry.field(description="When (时间).")
    kind: str = strawberry.field(description="What kind of entry (条目类型), such as `access`.")
    operation: str | None = strawberry.field(description="The operation (操作).")
    actor_kind: str = strawberry.field(description="Who: staff, service, member or system (操作者类别).")
    actor: str | None = strawberry.field(description="The account, or a member's pseudonym (操作者).")
    roles: list[str] = strawberry.field(description="The roles (角色).")
    purpose: PurposeKey | None = strawberry.field(description="The purpose (处理目的).")
    basis: str | None = strawberry.field(description="The legal basis (合法性基础, PIPL 13).")
    fields: list[FieldKey] = strawberry.field(description="The fields that left or were changed (所涉字段).")
    withheld: list[FieldKey] = strawberry.field(description="The fields that were withheld (不予提供的字段).")
    decision: str = strawberry.field(description="allow or deny (决定).")
    reason: str | None = strawberry.field(description="Why it was refused (拒绝原因).")
    policy_digest: str = strawberry.field(description="SHA-256 of the policy that decided (当时政策的摘要).")


@strawberry.type(description="The notice and the question as they were put to the member (展示的告知与问句).")
class EvidenceNotice:
    """From `model.Shown`."""

    version: str = strawberry.field(description="The version (告知版本).")
    language: str = strawberry.field(description="The language that was shown (语言).")
    permalink: str = strawberry.field(description="Where these bytes are served for ever (永久地址).")
    sha256: str = strawberry.field(description="SHA-256 of the bytes, worked out anew, in hex (文本摘要).")
    text: str = strawberry.field(description="The exact bytes, as UTF-8 (告知全文).")
    words: str = strawberry.field(description="The question, word for word (问句原文).")
    words_sha256: str = strawberry.field(description="SHA-256 of the question, worked out anew, in hex (问句摘要).")


@strawberry.type(
    description="All that proves one processing to have been right (证据链, PIPL 69), and of each link whether it holds."
)
class Evidence:
    """From `model.Evidence`."""

    whole: bool = strawberry.field(description="Whether every link that is needed is there and holds (是否完整).")
    code: str | None = strawberry.field(description="EVIDENCE_BROKEN where it is not whole; `findings` says where (结论代码).")
    findings: list[EvidenceFinding] = strawberry.field(description="Link by link (逐项结果).")
    entry: EvidenceEntry | None = strawberry.field(
        description="The entry; null where its bytes are no entry any more (审计条目)."
    )
    event: ConsentEvent | None = strawberry.field(description="The consent that it rested on (所依据的同意记录).")
    notice: EvidenceNotice | None = strawberry.field(description="What the member was shown (展示内容).")
    receipt: ConsentReceipt | None = strawberry.field(description="The receipt of that consent (同意回执).")
    policy_in_force: bool = strawberry.field(description="Whether the policy that decided is in force now (政策是否仍有效).")


@strawberry.type(description="Evidence about one member, the newest first (会员证据链列表).")
class EvidencePage:
    """From `model.EvidencePage`."""

    items: list[Evidence] = strawberry.field(description="Entry by entry (逐条证据).")
    end: str | None = strawberry.field(description="What to give as `after` for the next page (下一页起点).")
    has_next: bool = strawberry.field(description="Whether there is more (是否还有).")


@strawberry.type
class ReceiptQuery:
    """Receipts and evidence."""

    @field(
        "The receipt of one consent event (同意回执), signed. null for an event that this caller may not know of, or of nobody."
    )
    async def consent_receipt(
        self,
        info: Info,
        event_id: Annotated[strawberry.ID, strawberry.argument(description="The event's id (同意记录编号).")],
        purpose: PurposeUnlessMe = None,
    ) -> ConsentReceipt | None:
        """`ops.consent_receipt`."""
        made = await info.context.ops.consent_receipt(info.context.call, event_id=event_id, purpose=purpose)
        return _receipt(made) if made else None

    @field("What proves that one processing was right (举证, PIPL 69): from the entry of the log to the words that were shown.")
    async def evidence(
        self,
        info: Info,
        entry_id: Annotated[strawberry.ID, strawberry.argument(description="The entry's id in the audit log (审计条目编号).")],
        purpose: Purpose,
    ) -> Evidence | None:
        """`ops.evidence`."""
        found = await info.context.ops.evidence(info.context.call, entry_id=entry_id, purpose=purpose)
        return _evidence(found) if found else None

    @field("The same for all that was done with one member's data (按会员举证), the newest first, three years back.")
    async def member_evidence(
        self,
        info: Info,
        member_id: MemberRef,
        purpose: Purpose,
        first: Annotated[int | None, strawberry.argument(description="How many, from 1 to 20; 10 unless told (条数).")] = None,
        after: Annotated[str | None, strawberry.argument(description="`end` of the page before (起点).")] = None,
    ) -> EvidencePage | None:
        """`ops.member_evidence`."""
        found = await info.context.ops.member_evidence(
            info.context.call, member_id=member_id, purpose=purpose, first=_FIRST if first is None else first, after=after
        )
        if found is None:
            return None
        return EvidencePage(items=[_evidence(one) for one in found.items], end=found.end, has_next=found.has_next)


def _receipt(made: model.Receipt) -> ConsentReceipt:
    return ConsentReceipt(
        receipt_id=strawberry.ID(made.receipt_id),
        event_id=strawberry.ID(made.event_id),
        text_zh=made.text_zh,
        text_en=made.text_en,
        json_ld=made.document,
        jws=made.jws,
    )


def _evidence(found: model.Evidence) -> Evidence:
    return Evidence(
        whole=found.whole,
        code=None if found.whole else BROKEN,
        findings=[EvidenceFinding(part=one.part, holding=one.holding, code=one.code or None) for one in found.findings],
        entry=_entry(found, found.entry) if found.entry else None,
        event=event_of(found.event) if found.event else None,
        notice=notice_of(found.shown) if found.shown else None,
        receipt=_receipt(found.receipt) if found.receipt else None,
        policy_in_force=found.policy_in_force,
    )


def notice_of(shown: model.Shown) -> EvidenceNotice:
    """The notice and the question as they were shown."""
    return EvidenceNotice(
        version=shown.version,
        language=shown.language,
        permalink=shown.permalink,
        sha256=shown.sha256,
        text=shown.text,
        words=shown.words,
        words_sha256=shown.words_sha256,
    )


def _entry(found: model.Evidence, entry: Mapping[str, Any]) -> EvidenceEntry:
    act = entry["act"]
    return EvidenceEntry(
        id=strawberry.ID(entry["id"]),
        index=found.index,
        leaf_hash=found.leaf,
        at=datetime.fromisoformat(entry["ts"]),
        kind=entry["typ"],
        operation=entry.get("op"),
        actor_kind=act["k"],
        actor=act.get("id"),
        roles=act["role"],
        purpose=PurposeKey(entry["pur"]) if "pur" in entry else None,
        basis=entry.get("bas"),
        fields=[FieldKey(key) for key in entry.get("fld", ())],
        withheld=[FieldKey(key) for key in entry.get("wth", ())],
        decision=entry["dec"],
        reason=entry.get("rsn"),
        policy_digest=entry["pol"],
    )
