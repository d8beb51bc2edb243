"""The words of the constitution, as frozen values: what `catalogue.py` loads and `decide.py` weighs.

Names are the law's: PIPL 13 (bases), 28 (sensitive), 29 (separate consent), 31 (guardian). Nothing here reads a file.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum

from policies.bulk import BULK_COUNTS, EXPORT_ROWS, BulkClass
from policies.consent import ConsentRules
from policies.marketing import MarketingRules, Sender, Topic
from policies.naming import Title
from policies.wording import Wording

TAGS = "tags"
"""The field that holds a member's tags, words of the closed vocabulary."""


class Basis(StrEnum):
    """The seven bases of PIPL 13(1). There is no other: 'legitimate interest' does not exist in this law."""

    CONSENT = "CONSENT"
    CONTRACT = "CONTRACT"
    LEGAL_DUTY = "LEGAL_DUTY"
    EMERGENCY = "EMERGENCY"
    NEWS = "NEWS"
    PUBLIC_INFORMATION = "PUBLIC_INFORMATION"
    OTHER_LAW = "OTHER_LAW"


class PurposeClass(StrEnum):
    """SERVICE is what the member asked for; COMMERCIAL is what the retailer wants, and stands on consent alone (LB-04)."""

    SERVICE = "SERVICE"
    COMMERCIAL = "COMMERCIAL"


class Sensitivity(StrEnum):
    """GENERAL or SENSITIVE in the sense of PIPL 28 and GB/T 45574-2025."""

    GENERAL = "GENERAL"
    SENSITIVE = "SENSITIVE"


class Shape(StrEnum):
    """How a permitted field leaves: whole, or masked."""

    PLAIN = "plain"
    MASKED = "masked"


class ValueType(StrEnum):
    """What a field's value is, before sealing and after opening."""

    TEXT = "text"
    DATE = "date"
    TEXTS = "texts"
    INTEGER = "integer"


class LookupKind(StrEnum):
    """NONE: no blind index. IDENTITY: one member per value. CONTACT: several members may share the value."""

    NONE = "none"
    IDENTITY = "identity"
    CONTACT = "contact"


class RecipientRole(StrEnum):
    """What somebody is who receives data from the controller (PIPL 20, 21, 23, 38): only ENTRUSTED acts on instructions alone.
    OVERSIGHT gets records for no purpose of the controller's: an authority (PIPL 63), or who audits (PIPL 54, 64).
    """

    ENTRUSTED = "ENTRUSTED"
    JOINT = "JOINT"
    OTHER_PROCESSOR = "OTHER_PROCESSOR"
    OVERSEAS = "OVERSEAS"
    OVERSIGHT = "OVERSIGHT"


class MemberStatus(StrEnum):
    """What may be done with a member at all."""

    ACTIVE = "ACTIVE"
    GUARDIAN_PENDING = "GUARDIAN_PENDING"
    RESTRICTED = "RESTRICTED"
    ERASED = "ERASED"


class ConsentState(StrEnum):
    """The derived state of one purpose for one member (ISO/IEC TS 27560 as DPV names it). Only GIVEN and RENEWED permit."""

    NEVER_ASKED = "NEVER_ASKED"
    REQUESTED = "REQUESTED"
    DEFERRED = "DEFERRED"
    REFUSED = "REFUSED"
    GIVEN = "GIVEN"
    RENEWED = "RENEWED"
    WITHDRAWN = "WITHDRAWN"
    REVOKED = "REVOKED"
    EXPIRED = "EXPIRED"
    INVALIDATED = "INVALIDATED"
    UNKNOWN = "UNKNOWN"


PERMITTING = frozenset({ConsentState.GIVEN, ConsentState.RENEWED})
"""The states in which a consent stands, as long as its time has not run out. No other permits anything."""


class Reason(StrEnum):
    """Why a field is withheld. Part of the public contract; names never change."""

    PURPOSE_UNKNOWN = "PURPOSE_UNKNOWN"
    ROLE_NOT_ALLOWED = "ROLE_NOT_ALLOWED"
    FIELD_NOT_IN_PURPOSE = "FIELD_NOT_IN_PURPOSE"
    CONSENT_REQUIRED = "CONSENT_REQUIRED"
    CONSENT_WITHDRAWN = "CONSENT_WITHDRAWN"
    CONSENT_EXPIRED = "CONSENT_EXPIRED"
    NOTICE_STALE = "NOTICE_STALE"
    SEPARATE_CONSENT_REQUIRED = "SEPARATE_CONSENT_REQUIRED"
    GUARDIAN_CONSENT_REQUIRED = "GUARDIAN_CONSENT_REQUIRED"
    MINOR_ADM_MARKETING_FORBIDDEN = "MINOR_ADM_MARKETING_FORBIDDEN"
    PERSONALISATION_OFF = "PERSONALISATION_OFF"
    APPROVAL_REQUIRED = "APPROVAL_REQUIRED"
    PROCESSING_RESTRICTED = "PROCESSING_RESTRICTED"
    ERASED = "ERASED"


@dataclass(frozen=True, slots=True)
class Category:
    """A kind of personal information (种类, PIPL 17). What falls into a `sensitive` one is sensitive itself (PIPL 28); one that is
    `of_children` tells of a child under 14, whoever's account it is in (PIPL 31). `bulk` says how many members of it in a day are many.
    """

    key: str
    title: Title
    sensitive: bool
    of_children: bool
    bulk: BulkClass = BulkClass.PROPERTY


@dataclass(frozen=True, slots=True)
class Field:
    """One personal field of the catalogue.

    `retention_months` counts from the end of the relation. A `shop_record` is what the shop keeps about the member: the member sees
    it and does not write it.
    """

    key: str
    title: Title
    category: str
    sensitivity: Sensitivity
    value_type: ValueType
    sealed: bool
    mask: str
    lookup: LookupKind
    normaliser: str
    retention_months: int
    max_length: int
    necessary: bool
    shop_record: bool = False


@dataclass(frozen=True, slots=True)
class Scope:
    """What a member says yes to (PIPL 14, 17): one version of a consent-based purpose, as a published notice pinned it.

    `words` is the question as it is put to the member, by language tag; a consent event carries its SHA-256. `months` is how long
    the yes holds.
    """

    version: int
    fields: frozenset[str]
    method: Title
    recipients: frozenset[str]
    retention_months: int
    months: int
    words: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Purpose:
    """One declared purpose. `fields` maps each field it may read or write to the shape it leaves in.

    `self_service` marks the one purpose under which a member reads their own data (PIPL 44, 45). `consent_months` is how long a
    consent holds once given; 0: until it is withdrawn. `version` counts its material changes (NC-09); `scopes` are those that
    members have been asked about, by version. `necessity` and `impact` say why sensitive data is needed and what it means for the
    member (PIPL 30), `logic` how an automated decision comes about (PIPL 24). `personalisation` marks the purpose that the member's
    switch turns on and off. `of_children`: one of its fields tells of a child, so whoever consents does so as the child's guardian.
    """

    key: str
    title: Title
    basis: Basis
    purpose_class: PurposeClass
    fields: Mapping[str, Shape]
    roles: frozenset[str]
    channel: str | None
    method: Title
    separate_consent: bool
    automated_decision: bool
    recipients: tuple[str, ...]
    retention_months: int
    notice_section: str
    pia: str
    self_service: bool
    consent_months: int = 0
    version: int = 1
    necessity: Title | None = None
    impact: Title | None = None
    logic: Title | None = None
    personalisation: bool = False
    of_children: bool = False
    scopes: Mapping[int, Scope] = field(default_factory=dict)

    @property
    def least_scope(self) -> int:
        """The oldest version under which a consent still carries anything: since then the method has not changed.

        Fields and recipients can be told apart from those of before; a method cannot, so a change of method ends what was allowed.
        """
        least = self.version
        while least - 1 in self.scopes and self.scopes[least - 1].method == self.method:
            least -= 1
        return least


@dataclass(frozen=True, slots=True)
class Recipient:
    """Somebody outside who receives data for a purpose: who, how to reach them (PIPL 23), under which contract (PIPL 21).

    `known_by` is the field by which they know a member, "" when they need not be told of a withdrawal one by one.
    """

    key: str
    name: Title
    role: RecipientRole
    contact: str
    contract: str
    region: str
    known_by: str = ""


@dataclass(frozen=True, slots=True)
class Channel:
    """One way of reaching a member, with its marketing limits. `address` is the field that holds where."""

    key: str
    title: Title
    cap_messages: int
    cap_days: int
    quiet_from: str
    quiet_until: str
    opt_out_words: tuple[str, ...]
    opt_in: str
    sender_rule: Title
    address: str


@dataclass(frozen=True, slots=True)
class Role:
    """What a role is, and what it may do beyond reading for a purpose. `kind` is staff, service or member. `usual_per_day`: of how many
    members a service usually reads in a day; 0: of no more than the law's counts.
    """

    key: str
    title: Title
    kind: str
    may: frozenset[str]
    usual_per_day: int = 0


@dataclass(frozen=True, slots=True)
class Brand:
    """A brand of the controller, with the WeChat app it runs (the openids' namespace) and the fields that the app's guideline declares."""

    key: str
    title: Title
    wechat_appid: str
    wechat_declares: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Controller:
    """The one legal entity (个人信息处理者) that this deployment serves."""

    id: str
    legal_name: Title
    address: Title
    contact_email: str
    contact_phone: str
    responsible_person: str
    storage_location: Title
    jurisdiction: str
    brands: tuple[Brand, ...]


@dataclass(frozen=True, slots=True)
class Change:
    """What a notice changed against the one before it, in one section (PIPL 17(2)). `texts` is the new section by language tag, empty
    where the section is gone; the section "" is what stands before the first named one.
    """

    section: str
    texts: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Notice:
    """One published version of the text that members see. `texts` and `digests` (SHA-256, hex) are by language tag.

    `scopes` are the consent-based purposes that it told of, by purpose; `changes` what is new against the one it supersedes. `parts`
    are the sections of each text, by language tag and name.
    """

    version: str
    kind: str
    effective_at: datetime
    supersedes: str | None
    sections: frozenset[str]
    texts: Mapping[str, bytes]
    digests: Mapping[str, str]
    scopes: Mapping[str, Scope] = field(default_factory=dict)
    changes: tuple[Change, ...] = ()
    parts: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Tag:
    """One word of the closed vocabulary (AD-06). `category` is one of fields.toml: a sensitive one needs a sensitive purpose."""

    key: str
    title: Title
    meaning: Title
    category: str


@dataclass(frozen=True, slots=True)
class Catalogue:
    """The policy in force, whole. `digest` (SHA-256, hex, over every policy file) is in every consent event and audit entry."""

    controller: Controller
    fields: Mapping[str, Field]
    purposes: Mapping[str, Purpose]
    channels: Mapping[str, Channel]
    roles: Mapping[str, Role]
    notices: Mapping[str, Notice]
    self_purpose: str
    holidays_known_until: date
    digest: str
    consent: ConsentRules
    marketing: MarketingRules
    wording: Wording
    categories: Mapping[str, Category] = field(default_factory=dict)
    bulk: Mapping[BulkClass, int] = field(default_factory=lambda: BULK_COUNTS)
    export_rows: int = EXPORT_ROWS
    recipients: Mapping[str, Recipient] = field(default_factory=dict)
    tags: Mapping[str, Tag] = field(default_factory=dict)
    topics: Mapping[str, Topic] = field(default_factory=dict)
    senders: Mapping[str, Sender] = field(default_factory=dict)

    def notice_in_force(self, now: datetime, kind: str = "GENERAL") -> Notice | None:
        """The newest notice of its kind that is in effect, or None where nothing may be asked yet."""
        live = [n for n in self.notices.values() if n.kind == kind and n.effective_at <= now]
        return max(live, key=lambda n: n.effective_at, default=None)
