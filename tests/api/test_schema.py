"""The contract itself: printed, explained, and unable to say what the law does not know."""

import re
from collections.abc import Iterator
from enum import Enum

import pytest
from graphql import (
    GraphQLArgument,
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLObjectType,
    build_schema,
    get_introspection_query,
    graphql_sync,
    is_introspection_type,
    is_non_null_type,
    is_specified_scalar_type,
)
from graphql.pyutils import Undefined

from policies import terms
from policies.terms import Catalogue
from schema import audit, enums, outcomes, print_schema, receipts
from schema.engine.documents import PUBLIC
from schema.engine.selection import MEMBER_FIELDS
from schema.root import schema
from service.consent import asks, contacts
from service.consent import model as consent
from service.inspection import model as inspection
from service.members import model as members
from service.members.tags.model import Source
from service.receipts import model as proof
from service.subscriptions import model as subscriptions
from service.subscriptions import reports
from service.suppression import model as suppression

GRAPHQL = schema._schema
TYPES = [type_ for type_ in GRAPHQL.type_map.values() if not is_introspection_type(type_) and not is_specified_scalar_type(type_)]
INTROSPECTED = graphql_sync(GRAPHQL, get_introspection_query()).data


def parts() -> Iterator[tuple[str, GraphQLField | GraphQLInputField | GraphQLArgument]]:
    """Every field, input field and argument, by its coordinate."""
    for type_ in TYPES:
        if isinstance(type_, GraphQLObjectType | GraphQLInterfaceType | GraphQLInputObjectType):
            for name, found in type_.fields.items():
                yield f"{type_.name}.{name}", found
                for argument, given in getattr(found, "args", {}).items():
                    yield f"{type_.name}.{name}({argument}:)", given


def test_the_printed_contract_is_the_one_that_is_served() -> None:
    assert print_schema.FILE.read_text("utf-8") == print_schema.text(), "run `python -m schema.print_schema`"


def test_the_printed_contract_is_sorted_and_builds() -> None:
    text = print_schema.text()
    names = re.findall(r"^(?:type|enum|input|union|scalar|interface) (\w+)", text, re.MULTILINE)
    assert names == sorted(names)
    assert build_schema(text).query_type is not None


def test_everything_is_explained_with_the_legal_term() -> None:
    described = [(type_.name, type_.description) for type_ in TYPES]
    described += [(place, part.description) for place, part in parts()]
    described += [
        (f"{type_.name}.{name}", value.description)
        for type_ in TYPES
        if isinstance(type_, GraphQLEnumType)
        for name, value in type_.values.items()
    ]
    without = [place for place, words in described if not words or not re.search("[A-Za-z]{3}", words)]
    assert without == []
    no_term = [place for place, words in described if not re.search("[\u4e00-\u9fff]", words or "")]
    assert [place for place in no_term if place[0].isupper() and "." in place] == []


ENUMS: list[tuple[type[Enum], type[Enum]]] = [
    (enums.WithheldReason, terms.Reason),
    (enums.ConsentState, terms.ConsentState),
    (enums.Expression, consent.Expression),
    (enums.BoxState, consent.BoxState),
    (enums.CaptureChannel, consent.CaptureChannel),
    (enums.Initiator, asks.Initiator),
    (enums.NotAskedReason, asks.NotNow),
    (enums.ContactMethod, contacts.ContactMethod),
    (enums.MemberStatus, terms.MemberStatus),
    (enums.TagSource, Source),
    (enums.LegalBasis, terms.Basis),
    (enums.PurposeClass, terms.PurposeClass),
    (enums.Sensitivity, terms.Sensitivity),
    (enums.Shape, terms.Shape),
    (enums.RecipientRole, terms.RecipientRole),
    (enums.SubscriptionState, subscriptions.SubscriptionState),
    (enums.SuppressionState, suppression.SuppressionState),
    (enums.SuppressionCause, suppression.Cause),
    (enums.DialogAnswer, reports.DialogAnswer),
    (enums.PrivacyEvent, reports.PrivacyEvent),
    (receipts.EvidencePart, proof.Part),
    (audit.AuditStatus, inspection.Status),
    (receipts.EvidenceHolding, proof.Holding),
]


@pytest.mark.parametrize(("shown", "meant"), ENUMS, ids=lambda enum: enum.__name__)
def test_the_contract_and_the_service_speak_of_the_same_things(shown: type[Enum], meant: type[Enum]) -> None:
    served = GRAPHQL.type_map[shown.__name__]
    assert isinstance(served, GraphQLEnumType)
    assert {name: value.value for name, value in served.values.items()} == {item.name: item.value for item in meant}
    assert [served.coerce_output_value(item) for item in meant] == [item.name for item in meant]


def test_every_expected_outcome_has_a_type_and_words() -> None:
    refusals = {
        name for name, type_ in vars(outcomes).items() if isinstance(type_, type) and issubclass(type_, outcomes.Refusal)
    } - {"Refusal"}
    assert refusals == {model.__name__ for model in outcomes._TYPES}
    served = {type_.name for type_ in GRAPHQL.get_possible_types(GRAPHQL.type_map["Refusal"])}  # type: ignore[arg-type]
    assert served == refusals
    for code in (
        "PRETICKED",
        "NOT_CONSENT_BASED",
        "DUPLICATE_DECISION",
        "EVIDENCE_INCOMPLETE",
        "NO_DECISION",
        "MEMBER_ACT_REQUIRED",
    ):
        assert outcomes.refusal(consent.ConsentRejected(code)).message != outcomes._OTHERWISE[0]
    assert outcomes.refusal(members.MemberNotFound()).code == "MEMBER_NOT_FOUND"


def test_the_typed_fields_are_fields_of_the_catalogue(catalogue: Catalogue) -> None:
    assert set(MEMBER_FIELDS.values()) <= catalogue.fields.keys()
    member = GRAPHQL.type_map["Member"]
    assert isinstance(member, GraphQLObjectType)
    assert set(MEMBER_FIELDS) == member.fields.keys() - {"id", "withheld", "masked", "attribute"}
    for name in MEMBER_FIELDS:
        assert not is_non_null_type(member.fields[name].type), f"{name}: a withheld field would null its parent"


# Read somebody's data, so a purpose must be named; and what reads nobody's, or the caller's own, or is owed to those who oversee.
PERSONAL = {
    "failedSends",
    "sendRecord",
    "sendEvidence",
    "member",
    "memberByContact",
    "members",
    "evidence",
    "memberEvidence",
    "propagations",
    "staleConsents",
    "suppressions",
}
OTHERS = {
    "ward",
    "guardianLinks",
    "guardianRequests",
    "minorsAuditPack",
    "complianceAlerts",
    "me",
    "consents",
    "contacts",
    "consentOverview",
    "consentHistory",
    "consentReceipt",
    "myPersonalisation",
    "myTags",
    "processingRules",
    "notice",
    "pendingNotices",
    "untoldCount",
    "noticeExemptions",
    "membersToInform",
    "collectedDataList",
    "sharedDataList",
    "subscriptions",
    "subscriptionTopics",
    "inboundReplies",
    "campaign",
    "campaigns",
    "campaignArchive",
    "messageTemplate",
    "audienceEstimate",
    "alarms",
    "approvals",
    "auditEntries",
    "incidentScope",
    "myAccessLog",
    "processingRegister",
    "registerDiff",
    "controlEvidence",
    "accessReview",
    "duties",
    "complianceAuditPack",
}


def test_every_field_that_reads_somebody_names_a_purpose() -> None:
    assert GRAPHQL.query_type is not None
    for name in PERSONAL:
        purpose = GRAPHQL.query_type.fields[name].args["purpose"]
        assert str(purpose.type) == "PurposeKey!"
        assert purpose.default_value is Undefined
    assert GRAPHQL.query_type.fields.keys() - PERSONAL == OTHERS


def test_every_mutation_is_nullable() -> None:
    assert GRAPHQL.mutation_type is not None
    assert [name for name, field in GRAPHQL.mutation_type.fields.items() if is_non_null_type(field.type)] == []


def test_no_argument_is_both_needed_and_optional() -> None:
    # A variable that may be null may stand where an argument has a default; if the argument may not be null, that only shows when it
    # is executed, with graphql-core's own message, which quotes the value.
    both = [
        place
        for place, part in parts()
        if is_non_null_type(part.type) and getattr(part, "default_value", Undefined) is not Undefined
    ]
    assert both == []


@pytest.mark.obligation("NC-05")
def test_an_implied_consent_cannot_be_said() -> None:
    assert INTROSPECTED is not None
    found = {type_["name"]: [value["name"] for value in type_["enumValues"] or ()] for type_ in INTROSPECTED["__schema"]["types"]}
    assert sorted(found["Expression"]) == ["BUTTON", "KEYWORD_REPLY", "SIGNATURE", "TAP_UNTICKED_BOX", "VOICE"]
    implied = re.compile("DEFAULT|SILENCE|SILENT|CONTINUED|IMPLIED|IMPLICIT|PRE_?TICKED|BROWSE|SCROLL|ASSUMED|OPT_OUT")
    assert [
        value for name, values in found.items() if not name.startswith("__") for value in values if implied.search(value)
    ] == []
    evidence = GRAPHQL.type_map["EvidenceInput"]
    assert isinstance(evidence, GraphQLInputObjectType)
    assert str(evidence.fields["expression"].type) == "Expression!"


@pytest.mark.obligation("NC-06")
def test_there_is_no_way_to_accept_everything_at_once() -> None:
    at_once = {place for place, _ in parts() if re.search(r"all\b|everything|bundle", place, re.IGNORECASE)}
    taking_back = {"Mutation.withdrawAll", "Mutation.unsubscribeAll"}
    assert {place.partition("(")[0] for place in at_once} == taking_back, "what can be done at once is to take back"
    decision = GRAPHQL.type_map["DecisionInput"]
    assert isinstance(decision, GraphQLInputObjectType)
    assert {name: str(field.type) for name, field in decision.fields.items()} == {"purpose": "PurposeKey!", "granted": "Boolean"}


@pytest.mark.obligation("LB-01")
def test_there_are_seven_legal_bases_and_no_legitimate_interest() -> None:
    basis = GRAPHQL.type_map["LegalBasis"]
    assert isinstance(basis, GraphQLEnumType)
    assert len(basis.values) == 7
    assert not [place for place, _ in parts() if "legitimate" in place.lower()]
    assert "LEGITIMATE" not in print_schema.text().upper()


@pytest.mark.obligation("SE-13")
def test_what_is_asked_before_consent_takes_no_identifier() -> None:
    assert GRAPHQL.query_type is not None
    public = {name: field for name, field in GRAPHQL.query_type.fields.items() if name in PUBLIC}
    assert {name: sorted(field.args) for name, field in public.items()} == {
        "processingRules": [],
        "notice": ["kind", "language", "version"],
        "collectedDataList": [],
        "sharedDataList": [],
        "subscriptionTopics": [],
    }
    assert {*public, "__typename", "__schema", "__type"} == PUBLIC


@pytest.mark.obligation("LB-03")
def test_no_field_of_a_member_is_needed_by_the_contract_to_join() -> None:
    fields = GRAPHQL.type_map["MemberFieldsInput"]
    assert isinstance(fields, GraphQLInputObjectType)
    assert [name for name, field in fields.fields.items() if is_non_null_type(field.type)] == []
    assert set(MEMBER_FIELDS) == fields.fields.keys() - {"attributes"}
