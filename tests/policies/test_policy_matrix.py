"""SE-02: who may see what for which purpose, written out by hand, against what the shipped policy answers for every combination.

Read a line as: for this purpose, these roles see these fields whole (`name`) or masked (`name*`). Whatever no line says is refused. A
change to the policy that this table does not show fails here: somebody has to mean it.
"""

import pytest

from policies.decide import Ask, Permit, Plan, Standing, decide, weigh
from policies.terms import Basis, Catalogue, ConsentState, MemberStatus, PurposeClass, Sensitivity, Shape

IDS = "wechat_openid wechat_unionid wecom_external_id"
IDS_MASKED = "wechat_openid* wechat_unionid* wecom_external_id*"
PROFILE = "birthday gender region address occupation income_band interests skin_type baby_birthday notes"
PROFILE_MASKED = "birthday* gender* region* address* occupation* income_band* interests* skin_type* baby_birthday* notes*"

TABLE = {
    "self_access": (
        "member",
        f"name phone email {IDS} {PROFILE} tier points joined_on tags",
    ),
    "account_service": ("mini_program", f"name phone email {IDS} birthday* tier points joined_on"),
    "order_fulfilment": ("order_service mini_program", "name phone address"),
    "customer_service": ("customer_service_agent", "name* phone* email* address* notes* tier points joined_on"),
    "membership_benefits": ("store_clerk mini_program", "name* phone* tier points joined_on"),
    "birthday_gift": ("mini_program marketer", "birthday tier"),
    "marketing_sms": ("marketer marketing_engine", "phone*"),
    "marketing_email": ("marketer marketing_engine", "email* name*"),
    "marketing_wechat": ("marketer marketing_engine", "wechat_openid*"),
    "marketing_wecom": ("marketer marketing_engine", "wecom_external_id*"),
    "marketing_push": ("marketer marketing_engine", "wechat_openid*"),
    "marketing_phone": ("marketer marketing_engine", "phone* name*"),
    "personalised_recommendation": ("recommender mini_program", "interests gender region tier tags"),
    "analytics": ("analyst", "birthday* gender region occupation income_band tier points joined_on"),
    "skin_profile": ("recommender mini_program", "skin_type"),
    "baby_care": ("recommender mini_program", "baby_birthday"),
    "partner_sharing": ("partner_gateway", "phone tier"),
    "audit": ("compliance_officer", "name* phone*"),
    "legal_duty": (
        "compliance_officer",
        f"name* phone* email* {IDS_MASKED} {PROFILE_MASKED} tags* tier points joined_on",
    ),
}

ACTIONS = {
    "member": "member.update consent.record consent.read tag.delete consent.ask guardian.ask subscription.read subscription.record",
    "mini_program": (
        "member.join member.update consent.record consent.read tag.delete consent.ask guardian.verify minor.presume "
        "subscription.read subscription.record"
    ),
    "order_service": "",
    "recommender": "tag.record minor.presume",
    "partner_gateway": "",
    "customer_service_agent": (
        "member.update member.reveal consent.read subscription.read subscription.assist inbound.read inbound.handle complaint.record "
        "approval.ask"
    ),
    "store_clerk": "consent.ask consent.assist approval.ask",
    "marketer": "campaign.read campaign.write approval.ask",
    "log_mirror": "audit.export",
    "campaign_reviewer": "campaign.read campaign.review",
    "marketing_engine": "campaign.read send.decide send.report",
    "analyst": "approval.ask",
    "import_operator": "member.import",
    "compliance_officer": (
        "member.reveal member.shred consent.read audit.search audit.verify alert.read "
        "consent.review guardian.decide minor.approve minor.audit minor.presume notice.oversee propagation.acknowledge propagation.read "
        "subscription.read campaign.read campaign.review send.read suppression.read inbound.read inbound.handle complaint.record "
        "alarm.handle alarm.read approval.ask approval.decide audit.export audit.prune audit.resolve oversight.read oversight.record"
    ),
    "auditor": "alarm.read audit.export audit.search audit.verify campaign.read oversight.read send.read",
}

BASES = {
    "self_access": Basis.LEGAL_DUTY,
    "audit": Basis.LEGAL_DUTY,
    "legal_duty": Basis.LEGAL_DUTY,
    "account_service": Basis.CONTRACT,
    "order_fulfilment": Basis.CONTRACT,
    "customer_service": Basis.CONTRACT,
    "membership_benefits": Basis.CONTRACT,
}


def written(role: str, purpose: str, field: str) -> str:
    """What the table says: `plain`, `masked` or `refused`."""
    roles, fields = TABLE.get(purpose, ("", ""))
    if role not in roles.split():
        return "refused"
    return "plain" if field in fields.split() else "masked" if f"{field}*" in fields.split() else "refused"


def answered(catalogue: Catalogue, role: str, purpose: str, field: str) -> str:
    """What a member gets told who has consented to everything, so that consent hides no difference."""
    plan = weigh(Ask(purpose, (field,), frozenset({role})), catalogue)
    if not isinstance(plan, Plan):
        return "refused"
    everything = Standing("m", MemberStatus.ACTIVE, ConsentState.GIVEN, by_guardian=True)
    permit = decide(plan, everything, catalogue.notices["2026-10"].effective_at)
    assert isinstance(permit, Permit)
    return permit.shapes[field].value if field in permit.shapes else "refused"


@pytest.mark.obligation("SE-02", "LB-02")
def test_every_role_purpose_and_field_answers_as_the_table_says(catalogue: Catalogue) -> None:
    every = [(r, p, f) for r in catalogue.roles for p in catalogue.purposes for f in catalogue.fields]
    expected = {combination: written(*combination) for combination in every}

    assert len(every) == 15 * 19 * 20
    assert {combination: answered(catalogue, *combination) for combination in every} == expected


@pytest.mark.obligation("SE-02")
def test_the_table_and_the_policy_name_the_same_purposes_and_roles(catalogue: Catalogue) -> None:
    assert set(catalogue.purposes) == set(TABLE)
    assert {key: set(role.may) for key, role in catalogue.roles.items()} == {
        key: set(may.split()) for key, may in ACTIONS.items()
    }


@pytest.mark.obligation("AL-05")
def test_the_auditor_may_state_no_purpose_and_change_nothing(catalogue: Catalogue) -> None:
    assert not any("auditor" in purpose.roles for purpose in catalogue.purposes.values())
    assert {action.split(".")[1] for action in catalogue.roles["auditor"].may} == {"search", "verify", "export", "read"}


@pytest.mark.obligation("SE-02")
def test_whoever_reviews_campaigns_sees_no_member_and_no_one_role_writes_reviews_and_sends(catalogue: Catalogue) -> None:
    assert not any("campaign_reviewer" in purpose.roles for purpose in catalogue.purposes.values())
    for role in catalogue.roles.values():
        assert len(role.may & {"campaign.write", "campaign.review", "send.decide"}) <= 1


def test_the_marketing_engine_sees_less_of_a_member_than_the_marketer_and_nothing_whole(catalogue: Catalogue) -> None:
    seen = {
        role: {
            (key, field, shape) for key, p in catalogue.purposes.items() if role in p.roles for field, shape in p.fields.items()
        }
        for role in ("marketing_engine", "marketer")
    }

    assert seen["marketing_engine"] < seen["marketer"]
    assert {shape for _, _, shape in seen["marketing_engine"]} == {Shape.MASKED}


def test_nobody_but_the_member_and_the_members_own_program_writes_down_a_consent(catalogue: Catalogue) -> None:
    assert {key for key, role in catalogue.roles.items() if "consent.record" in role.may} == {"member", "mini_program"}


@pytest.mark.obligation("LB-01", "LB-04")
def test_each_purpose_stands_on_the_basis_written_here_and_commerce_on_consent_alone(catalogue: Catalogue) -> None:
    assert {key: purpose.basis for key, purpose in catalogue.purposes.items()} == {
        key: BASES.get(key, Basis.CONSENT) for key in catalogue.purposes
    }
    for purpose in catalogue.purposes.values():
        assert (purpose.purpose_class is PurposeClass.COMMERCIAL) == (purpose.basis is Basis.CONSENT)


@pytest.mark.obligation("SM-01")
def test_sensitive_fields_are_marked_and_reached_by_separate_consent_or_by_law(catalogue: Catalogue) -> None:
    sensitive = {key for key, field in catalogue.fields.items() if field.sensitivity is Sensitivity.SENSITIVE}
    by_consent = {key: p for key, p in catalogue.purposes.items() if p.basis is Basis.CONSENT and sensitive & p.fields.keys()}

    assert sensitive == {"skin_type", "baby_birthday"}
    assert set(by_consent) == {"skin_profile", "baby_care"}
    assert all(purpose.separate_consent for purpose in by_consent.values())


@pytest.mark.obligation("SE-03")
def test_staff_who_look_at_contact_details_see_them_masked(catalogue: Catalogue) -> None:
    telling = {"name", "phone", "email", "address", "wechat_openid", "wechat_unionid", "wecom_external_id", "notes"}
    staff = {key for key, role in catalogue.roles.items() if role.kind == "staff"}
    seen = {shape for p in catalogue.purposes.values() if p.roles & staff for key, shape in p.fields.items() if key in telling}

    assert seen == {Shape.MASKED}


def test_the_fields_that_product_and_vault_count_on_are_what_they_should_be(catalogue: Catalogue) -> None:
    lookups = {key: field.lookup.value for key, field in catalogue.fields.items() if field.lookup.value != "none"}

    assert lookups == {
        "phone": "identity",
        "email": "contact",
        "wechat_openid": "identity",
        "wechat_unionid": "identity",
        "wecom_external_id": "identity",
    }
    assert {key for key, field in catalogue.fields.items() if not field.sealed} == {"tier", "points", "joined_on", "tags"}
    assert {key for key, field in catalogue.fields.items() if field.necessary} == {"phone"}
    assert {(channel.cap_messages, channel.cap_days) for channel in catalogue.channels.values()} == {(3, 7)}
    assert {(channel.quiet_from, channel.quiet_until) for channel in catalogue.channels.values()} == {("21:00", "08:00")}
