"""What a screen may ask a member, and why it may not ask more."""

import hashlib
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

import strawberry

from policies import naming, rules, terms
from schema.arguments import MemberOrMe
from schema.context import Info
from schema.enums import CaptureChannel, Initiator, NotAskedReason
from schema.fields import field
from schema.outcomes import MemberNotFound, Refusal, refusal
from schema.rules import FieldRule, Recipient, Title
from schema.scalars import PurposeKey
from service.consent import asks, model


@strawberry.type(description="The question in one language (问句), to be shown word for word.")
class Words:
    """One language of `terms.Scope.words`."""

    language: str = strawberry.field(description="The language, such as `zh-CN` (语言). 中文 counts.")
    text: str = strawberry.field(description="The words (问句全文).")
    digest: str = strawberry.field(description="SHA-256 of the words in UTF-8, in hex: send it as `wordsDigest` (摘要).")


@strawberry.type(description="One question to put to the member (征求同意的问题), as it was published.")
class ConsentQuestion:
    """From `asks.Question`."""

    purpose: PurposeKey = strawberry.field(description="The purpose that it asks for (处理目的).")
    title: naming.Title = strawberry.field(graphql_type=Title, description="Its name (名称).")
    version: int = strawberry.field(description="The version of the purpose (目的版本) that a yes would cover.")
    words: list[Words] = strawberry.field(description="The question in every language that it exists in (问句).")
    separate: bool = strawberry.field(
        description="Whether it must stand alone on its screen: separate consent (单独同意, PIPL 23, 29, 39)."
    )
    necessity: naming.Title | None = strawberry.field(
        graphql_type=Title | None,
        description="Why the data is necessary (必要性, PIPL 30); null where the law asks for no reason.",
    )
    impact: naming.Title | None = strawberry.field(
        graphql_type=Title | None, description="What it means for the member (对个人权益的影响, PIPL 30)."
    )
    logic: naming.Title | None = strawberry.field(
        graphql_type=Title | None, description="How an automated decision comes about (自动化决策的机制, PIPL 24)."
    )
    notice_version: str = strawberry.field(description="The notice to show with it (告知版本): send it as `noticeVersion`.")
    months: int = strawberry.field(description="How many months a yes holds (有效期); 0: until it is taken back.")
    ends_at: datetime | None = strawberry.field(description="When a yes given now would end (到期时间); null: it does not.")
    fields: Sequence[rules.FieldRule] = strawberry.field(graphql_type=list[FieldRule], description="The data (个人信息).")
    recipients: Sequence[terms.Recipient] = strawberry.field(
        graphql_type=list[Recipient], description="Who else receives it (接收方)."
    )


@strawberry.type(description="A purpose that is not asked for now (暂不征求), and why.")
class NotAsked:
    """Read from `asks.NotAsked`."""

    purpose: str = strawberry.field(description="The purpose as it was named (所涉目的).")
    reason: asks.NotNow = strawberry.field(graphql_type=NotAskedReason, description="Why (原因).")
    until: datetime | None = strawberry.field(
        description="From when on it may be asked (可再次征求的时间); null: not by waiting."
    )


@strawberry.type(description="What this screen may ask (可征求的同意). Each question is on record as put to the member now.")
class ConsentQuestions:
    """From `asks.Questions`."""

    questions: list[ConsentQuestion] = strawberry.field(description="What to ask, in the order that was named (应征求的问题).")
    not_now: Sequence[asks.NotAsked] = strawberry.field(
        graphql_type=list[NotAsked], description="What is not to be asked now (暂不征求的目的)."
    )


ConsentsToAskResult = Annotated[
    ConsentQuestions | MemberNotFound,
    strawberry.union("ConsentsToAskResult", description="The questions for the screen (征求结果), or no such member."),
]


@strawberry.type
class AskingMutation:
    """Asking. It is a mutation because every question counts."""

    @field(
        "What may this screen ask the member (征求同意)? The questions are on record as put: after one not answered, a refusal or a "
        "withdrawal there is a pause, unless the member began (NC-11).",
        shows=ConsentsToAskResult | None,
    )
    async def consents_to_ask(
        self,
        info: Info,
        purposes: Annotated[list[PurposeKey], strawberry.argument(description="The purposes that the screen is for (处理目的).")],
        channel: Annotated[CaptureChannel, strawberry.argument(description="Where the member is asked (渠道).")],
        initiator: Annotated[Initiator, strawberry.argument(description="Who began (发起方).")],
        member_id: MemberOrMe = None,
    ) -> ConsentQuestions | Refusal | None:
        """`ops.consents_to_ask`."""
        outcome = await info.context.ops.consents_to_ask(
            info.context.call,
            member_id=member_id,
            purposes=purposes,
            channel=model.CaptureChannel[channel.name],
            initiator=asks.Initiator[initiator.name],
        )
        if not isinstance(outcome, asks.Questions):
            return refusal(outcome)
        questions = [_question(question, info.context.catalogue) for question in outcome.questions]
        return ConsentQuestions(questions=questions, not_now=outcome.not_now)


def words_of(texts: dict[str, str]) -> list[Words]:
    """A question in its languages, each with its digest."""
    return [Words(language=key, text=text, digest=hashlib.sha256(text.encode()).hexdigest()) for key, text in texts.items()]


def _question(question: asks.Question, catalogue: terms.Catalogue) -> ConsentQuestion:
    purpose, scope = question.purpose, question.scope
    published = rules.purpose_rules(purpose, catalogue)
    return ConsentQuestion(
        purpose=PurposeKey(purpose.key),
        title=purpose.title,
        version=scope.version,
        words=words_of(dict(scope.words)),
        separate=purpose.separate_consent,
        necessity=purpose.necessity,
        impact=purpose.impact,
        logic=purpose.logic,
        notice_version=question.notice_version,
        months=scope.months,
        ends_at=question.ends_at,
        fields=published.fields,
        recipients=published.recipients,
    )
