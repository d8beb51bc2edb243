"""What anybody may read without a token: processing rules and notices (PIPL 7, 17; LB-06). No argument here names a person."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

import strawberry

from policies import lists, naming, rules, terms
from schema.context import Info
from schema.enums import LegalBasis, PurposeClass, RecipientRole, Sensitivity, Shape
from schema.fields import field
from schema.scalars import FieldKey, PurposeKey
from service.notices.model import GENERAL, permalink

LANGUAGE = "zh-CN"


@strawberry.type(description="A name in both languages (名称); the Chinese one is the legal text.")
class Title:
    """Read from `naming.Title`."""

    zh: str = strawberry.field(description="Chinese (中文).")
    en: str = strawberry.field(description="English (英文).")


@strawberry.type(description="Who is responsible (个人信息处理者).")
class Controller:
    """Read from `terms.Controller`."""

    id: strawberry.ID = strawberry.field(description="The controller's id (编号).")
    legal_name: naming.Title = strawberry.field(graphql_type=Title, description="Legal name (名称).")
    address: naming.Title = strawberry.field(graphql_type=Title, description="Address (地址).")
    contact_email: str = strawberry.field(description="E-mail address for requests (联系邮箱).")
    contact_phone: str = strawberry.field(description="Phone number for requests (联系电话).")
    responsible_person: str = strawberry.field(description="The person in charge of personal information (个人信息保护负责人).")
    storage_location: naming.Title = strawberry.field(graphql_type=Title, description="Where the data is kept (存储地点).")


@strawberry.type(description="Who receives the data (接收方, PIPL 23).")
class Recipient:
    """Read from `terms.Recipient`."""

    name: naming.Title = strawberry.field(graphql_type=Title, description="Name (名称).")
    role: terms.RecipientRole = strawberry.field(graphql_type=RecipientRole, description="What it is (身份).")
    contact: str = strawberry.field(description="How to reach it (联系方式).")
    region: str = strawberry.field(description="Where it is (所在地区).")
    contract: str = strawberry.field(description="The contract's reference (合同编号, PIPL 21).")


@strawberry.type(description="One field that a purpose uses (处理的个人信息).")
class FieldRule:
    """Read from `rules.FieldRule`."""

    key: FieldKey = strawberry.field(description="The field's key (字段).")
    title: naming.Title = strawberry.field(graphql_type=Title, description="Its name (名称).")
    category: str = strawberry.field(description="Its category (种类).")
    sensitivity: terms.Sensitivity = strawberry.field(graphql_type=Sensitivity, description="How sensitive it is (敏感程度).")
    shape: terms.Shape = strawberry.field(graphql_type=Shape, description="How it leaves for this purpose (呈现方式).")
    retention_months: int = strawberry.field(description="How long it is kept after the relation ends, in months (保存期限).")


@strawberry.type(description="One declared purpose (处理目的): on which basis, what of, how, how long, and who else.")
class PurposeRules:
    """Read from `rules.PurposeRules`."""

    key: PurposeKey = strawberry.field(description="The purpose's key (目的).")
    title: naming.Title = strawberry.field(graphql_type=Title, description="Its name (名称).")
    basis: terms.Basis = strawberry.field(graphql_type=LegalBasis, description="Its legal basis (法律依据).")
    purpose_class: terms.PurposeClass = strawberry.field(graphql_type=PurposeClass, description="Whose wish it serves (类别).")
    categories: Sequence[naming.Title] = strawberry.field(
        graphql_type=list[Title], description="The categories of information (个人信息种类)."
    )
    fields: Sequence[rules.FieldRule] = strawberry.field(
        graphql_type=list[FieldRule], description="The fields that it uses (个人信息字段)."
    )
    method: naming.Title = strawberry.field(graphql_type=Title, description="How the data is processed (处理方式).")
    retention_months: int = strawberry.field(
        description="How long it needs the data after the relation ends, in months (保存期限)."
    )
    consent_months: int = strawberry.field(
        description="How long a consent holds, in months; 0: until it is withdrawn (同意有效期)."
    )
    separate_consent: bool = strawberry.field(description="Whether it needs a separate consent (是否需要单独同意).")
    automated_decision: bool = strawberry.field(description="Whether it decides automatically (是否自动化决策, PIPL 24).")
    channel: str | None = strawberry.field(
        description="The marketing channel that it sends over (营销渠道); null where it sends nothing."
    )
    recipients: Sequence[terms.Recipient] = strawberry.field(
        graphql_type=list[Recipient], description="Who else receives the data (接收方)."
    )
    notice_section: str = strawberry.field(description="The section of the notice that speaks of it (告知章节).")
    version: int = strawberry.field(description="Counts what was added to it (版本); each addition needed a new consent.")
    necessity: naming.Title | None = strawberry.field(
        graphql_type=Title | None, description="Why the data is necessary (必要性, PIPL 30); null where nothing demands it."
    )
    impact: naming.Title | None = strawberry.field(
        graphql_type=Title | None, description="What it means for the member (对个人权益的影响, PIPL 30); null as above."
    )
    logic: naming.Title | None = strawberry.field(
        graphql_type=Title | None,
        description="How the automated decision comes about (自动化决策的基本原理和主要机制, PIPL 24); null where there is none.",
    )


@strawberry.type(description="A purpose, in short (处理目的).")
class PurposeTitle:
    """Read from `terms.Purpose`."""

    key: PurposeKey = strawberry.field(description="The purpose's key (目的).")
    title: naming.Title = strawberry.field(graphql_type=Title, description="Its name (名称).")
    basis: terms.Basis = strawberry.field(graphql_type=LegalBasis, description="Its legal basis (法律依据).")
    method: naming.Title = strawberry.field(graphql_type=Title, description="How the data is processed (处理方式).")


@strawberry.type(description="One row of the list of what is collected (收集个人信息清单, NDR 21): one field.")
class CollectedData:
    """Read from `lists.CollectedData`."""

    key: FieldKey = strawberry.field(description="The field's key (字段).")
    title: naming.Title = strawberry.field(graphql_type=Title, description="Its name (名称).")
    category: naming.Title = strawberry.field(graphql_type=Title, description="The category of information (个人信息种类).")
    sensitivity: terms.Sensitivity = strawberry.field(graphql_type=Sensitivity, description="How sensitive it is (敏感程度).")
    necessary: bool = strawberry.field(description="Whether nobody can join without it (是否必需).")
    purposes: Sequence[terms.Purpose] = strawberry.field(
        graphql_type=list[PurposeTitle], description="The purposes that use it (处理目的)."
    )
    bases: Sequence[terms.Basis] = strawberry.field(graphql_type=list[LegalBasis], description="Their legal bases (法律依据).")
    retention_months: int = strawberry.field(description="How long it is kept after the relation ends, in months (保存期限).")


@strawberry.type(description="One field, by name (个人信息字段).")
class FieldTitle:
    """Read from `terms.Field`."""

    key: FieldKey = strawberry.field(description="The field's key (字段).")
    title: naming.Title = strawberry.field(graphql_type=Title, description="Its name (名称).")


@strawberry.type(description="For what a recipient receives data (提供个人信息的目的).")
class SharedFor:
    """Read from `lists.SharedFor`."""

    purpose: terms.Purpose = strawberry.field(
        graphql_type=PurposeTitle, description="The purpose and its method (处理目的和方式)."
    )
    categories: Sequence[naming.Title] = strawberry.field(
        graphql_type=list[Title], description="The categories of information (个人信息种类)."
    )
    fields: Sequence[terms.Field] = strawberry.field(graphql_type=list[FieldTitle], description="The fields (个人信息字段).")


@strawberry.type(
    description="One row of the list of those who receive data (向他人提供个人信息清单, NDR 21, PIPL 23): one recipient."
)
class SharedData:
    """Read from `lists.SharedData`."""

    recipient: terms.Recipient = strawberry.field(
        graphql_type=Recipient, description="Who receives it, and under which contract (接收方)."
    )
    purposes: Sequence[lists.SharedFor] = strawberry.field(
        graphql_type=list[SharedFor], description="For what (目的); empty where nothing is given to it at present."
    )


@strawberry.type(
    description="The processing rules (个人信息处理规则), generated from the policy that decides, so that both are one."
)
class ProcessingRules:
    """Read from `rules.ProcessingRules`."""

    controller: terms.Controller = strawberry.field(graphql_type=Controller, description="Who is responsible (个人信息处理者).")
    purposes: Sequence[rules.PurposeRules] = strawberry.field(
        graphql_type=list[PurposeRules], description="Every declared purpose (全部处理目的)."
    )
    digest: str = strawberry.field(description="SHA-256 of the policy in force, in hex (政策摘要).")


@strawberry.type(description="What a notice changed in one section (告知的变更, PIPL 17(2)).")
class NoticeChange:
    """From `terms.Change`."""

    section: str | None = strawberry.field(description="The section (章节); null for what stands before the first one.")
    text: str | None = strawberry.field(description="Its new text (变更后的内容); null where the section is gone.")


@strawberry.type(description="One published version of the notice (告知), in one language. Published versions never change.")
class Notice:
    """From `terms.Notice`."""

    version: str = strawberry.field(description="The version (版本).")
    kind: str = strawberry.field(description="What kind of notice it is (种类).")
    language: str = strawberry.field(description="The language of the text (语言).")
    languages: list[str] = strawberry.field(description="Every language in which it exists (全部语言).")
    effective_at: datetime = strawberry.field(description="From when it is in force (生效时间).")
    supersedes: str | None = strawberry.field(description="The version before it (所取代的版本).")
    sections: list[str] = strawberry.field(description="The sections that purposes refer to (章节).")
    digest: str = strawberry.field(description="SHA-256 of the text's exact bytes, in hex (文本摘要).")
    text: str = strawberry.field(description="The text (全文).")
    permalink: str = strawberry.field(description="Where these very bytes stay for ever (永久链接).")
    changes: list[NoticeChange] = strawberry.field(
        description="What is new against the version that it supersedes (变更内容); empty for a first one."
    )


@strawberry.type
class RulesQuery:
    """Public, and nobody's data."""

    @field("The processing rules (公开处理规则). No token is needed.", shows=ProcessingRules)
    def processing_rules(self, info: Info) -> rules.ProcessingRules:
        """`rules.processing_rules`."""
        return rules.processing_rules(info.context.catalogue)

    @field(
        "What is collected, one row a field (收集个人信息清单). No token is needed.",
        shows=list[CollectedData],
    )
    def collected_data_list(self, info: Info) -> Sequence[lists.CollectedData]:
        """`lists.collected_data`."""
        return lists.collected_data(info.context.catalogue)

    @field(
        "Who receives data, one row a recipient (向他人提供个人信息清单). No token is needed.",
        shows=list[SharedData],
    )
    def shared_data_list(self, info: Info) -> Sequence[lists.SharedData]:
        """`lists.shared_data`."""
        return lists.shared_data(info.context.catalogue)

    @field("A version of the notice (告知); without one, the version in force. No token is needed.")
    def notice(
        self,
        info: Info,
        version: Annotated[str | None, strawberry.argument(description="The version (版本).")] = None,
        language: Annotated[str | None, strawberry.argument(description="The language (语言).")] = LANGUAGE,
        kind: Annotated[
            str | None,
            strawberry.argument(description="GENERAL, or CHILD for a child's guardian (种类), where no version is named."),
        ] = GENERAL,
    ) -> Notice | None:
        """null where there is no such version, or none in that language."""
        context, catalogue = info.context, info.context.catalogue
        current = catalogue.notice_in_force(context.now, kind or GENERAL)
        found = current if version is None else catalogue.notices.get(version)
        return _notice(found, language or LANGUAGE, context.public_url) if found is not None else None


def changes_in(found: Sequence[terms.Change], language: str) -> list[NoticeChange]:
    """What changed, in one language; where a section does not exist in it, in Chinese."""
    return [
        NoticeChange(section=change.section or None, text=change.texts.get(language, change.texts.get(LANGUAGE)))
        for change in found
    ]


def _notice(found: terms.Notice, language: str, public_url: str) -> Notice | None:
    if language not in found.texts:
        return None
    return Notice(
        version=found.version,
        kind=found.kind,
        language=language,
        languages=sorted(found.texts),
        effective_at=found.effective_at,
        supersedes=found.supersedes,
        sections=sorted(found.sections),
        digest=found.digests[language],
        text=found.texts[language].decode(),
        permalink=permalink(public_url, found.version, language),
        changes=changes_in(found.changes, language),
    )
