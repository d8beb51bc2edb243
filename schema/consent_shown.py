"""One consent as it is read: where it stands, of which version, in which words it was asked, how the answer was proven."""

from datetime import datetime

import strawberry

from policies import naming, terms
from schema.consent_asking import Words, words_of
from schema.enums import ConsentState, Progress
from schema.rules import Title
from schema.scalars import PurposeKey
from service.consent import views
from service.propagation.model import Progress as Told


@strawberry.type(description="How an answer was proven, in short (同意证据摘要); the ledger has all of it.")
class ConsentEvidence:
    """Read from `views.Shown`."""

    language: str = strawberry.field(description="The language in which the notice was shown (展示语言).")
    presented_at: str = strawberry.field(description="When it was shown (展示时间).")
    expression: str = strawberry.field(description="How the member answered (表示方式).")
    channel: str = strawberry.field(description="Where (渠道).")
    screen: str = strawberry.field(description="The screen or template (界面标识).")
    role: str = strawberry.field(description="Who answered: self, guardian, assisted or system (答复人身份).")


@strawberry.type(description="One consent of a member (会员的同意), as it stands at the moment that was asked for.")
class MemberConsent:
    """From `views.ConsentView`."""

    purpose: PurposeKey = strawberry.field(description="The purpose (处理目的).")
    title: naming.Title = strawberry.field(graphql_type=Title, description="Its name (名称).")
    state: terms.ConsentState = strawberry.field(graphql_type=ConsentState, description="The state (状态).")
    since: datetime | None = strawberry.field(description="Since when (起始时间); null where it was never asked.")
    expires_at: datetime | None = strawberry.field(description="When it runs out (到期时间); null: it does not.")
    event_id: strawberry.ID | None = strawberry.field(description="The ledger's event that brought it about (对应的同意记录).")
    notice_version: str | None = strawberry.field(description="The version of the notice that was shown (告知版本).")
    words: list[Words] = strawberry.field(
        description="The question as it was put (征求同意时的问句); empty where none was shown."
    )
    evidence: views.Shown | None = strawberry.field(
        graphql_type=ConsentEvidence | None, description="How the answer was proven (证据摘要); null where nothing was answered."
    )
    version: int | None = strawberry.field(description="The version of the purpose that was answered (已答复的目的版本).")
    current_version: int = strawberry.field(description="The version of the purpose now (现行目的版本).")
    stale: bool = strawberry.field(
        description="Whether the consent stands and does not cover all of the purpose as it is now (须重新取得同意)."
    )
    by_guardian: bool = strawberry.field(description="Whether a guardian answered (监护人作出).")
    propagation: Told | None = strawberry.field(
        graphql_type=Progress | None,
        description="How far the recipients have been told that it has ended (转达进度); null where nobody need be told.",
    )


def shown(view: views.ConsentView, catalogue: terms.Catalogue) -> MemberConsent:
    """A consent as the contract shows it."""
    return MemberConsent(
        purpose=PurposeKey(view.purpose),
        title=catalogue.purposes[view.purpose].title,
        state=view.state,
        since=view.since,
        expires_at=view.expires_at,
        event_id=None if view.event_id is None else strawberry.ID(view.event_id),
        notice_version=view.notice_version,
        words=words_of(dict(view.words)),
        evidence=view.shown,
        version=view.scope,
        current_version=view.current,
        stale=view.stale,
        by_guardian=view.by_guardian,
        propagation=view.propagation,
    )
