"""The schema: one line a feature. It is built once a process, here, and knows no settings; those are the endpoint's."""

import strawberry
from graphql import GraphQLError, GraphQLObjectType
from strawberry.schema.config import StrawberryConfig
from strawberry.types import ExecutionContext

from schema.alarms import AlarmMutation, AlarmQuery
from schema.approvals import ApprovalMutation, ApprovalQuery
from schema.audit import AuditMutation, AuditQuery
from schema.campaigns import CampaignMutation, CampaignQuery
from schema.consent import ConsentMutation, ConsentQuery
from schema.consent_asking import AskingMutation
from schema.consent_review import ConsentReviewQuery
from schema.context import Context, Info
from schema.disclosure import DisclosureMutation, DisclosureQuery
from schema.engine.direct import call_directly
from schema.errors import record_errors
from schema.inbound import InboundMutation, InboundQuery
from schema.members import MemberMutation
from schema.minors import MinorsMutation, MinorsQuery
from schema.notices import NoticeMutation, NoticeQuery
from schema.oversight import OversightMutation, OversightQuery
from schema.personalisation import PersonalisationMutation, PersonalisationQuery
from schema.propagation import PropagationMutation, PropagationQuery
from schema.receipts import ReceiptQuery
from schema.rules import RulesQuery
from schema.scalars import SCALARS
from schema.senders import SendersMutation, SendersQuery
from schema.sending import SendingMutation, SendingQuery
from schema.subscriptions import SubscriptionMutation, SubscriptionQuery


@strawberry.type(description="Reading (查询). Whoever reads somebody else's data names a purpose; every read leaves a record.")
class Query(
    AuditQuery,
    DisclosureQuery,
    ConsentQuery,
    ConsentReviewQuery,
    PersonalisationQuery,
    RulesQuery,
    ReceiptQuery,
    PropagationQuery,
    MinorsQuery,
    NoticeQuery,
    InboundQuery,
    SubscriptionQuery,
    CampaignQuery,
    SendingQuery,
    SendersQuery,
    ApprovalQuery,
    AlarmQuery,
    OversightQuery,
):
    """Everything that can be asked."""


@strawberry.type(description="Changing (变更). Each field is a unit of its own: one that fails takes nothing of the others back.")
class Mutation(
    AuditMutation,
    MemberMutation,
    AskingMutation,
    ConsentMutation,
    DisclosureMutation,
    PersonalisationMutation,
    PropagationMutation,
    MinorsMutation,
    NoticeMutation,
    InboundMutation,
    SubscriptionMutation,
    CampaignMutation,
    SendingMutation,
    SendersMutation,
    ApprovalMutation,
    AlarmMutation,
    OversightMutation,
):
    """Everything that can be done."""


class Schema(strawberry.Schema):
    """Strawberry's schema, silenced: its own log would take every message, and a message may quote a personal value."""

    def process_errors(self, errors: list[GraphQLError], execution_context: ExecutionContext | None = None) -> None:
        """Record types and places only."""
        context = execution_context.context if execution_context else None
        record_errors(errors, context.request_id if isinstance(context, Context) else "")


schema = Schema(
    query=Query,
    mutation=Mutation,
    config=StrawberryConfig(info_class=Info, scalar_map=dict(SCALARS)),
)
served = schema._schema  # noqa: SLF001 - graphql-core's schema, which strawberry keeps to itself
"""The schema as graphql-core executes it."""

call_directly(
    *(type_ for type_ in served.type_map.values() if isinstance(type_, GraphQLObjectType) and not type_.name.startswith("__"))
)
