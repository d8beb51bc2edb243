"""The words of marketing, as frozen values: what `marketing.toml` says of topics and senders, and why a message may not go out."""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from policies.naming import Title


class MessageClass(StrEnum):
    """What a message is (MK-06). COMMERCIAL introduces goods, services or offers; SERVICE is what the member asked for; BREACH tells of an
    incident (PIPL 57), and nothing may hold it up.
    """

    COMMERCIAL = "COMMERCIAL"
    SERVICE = "SERVICE"
    BREACH = "BREACH"


class SendReason(StrEnum):
    """Why a message may not be sent, in the order in which the rules are weighed (MK-01). Part of the public contract."""

    SUPPRESSED = "SUPPRESSED"
    ERASED = "ERASED"
    PROCESSING_RESTRICTED = "PROCESSING_RESTRICTED"
    GUARDIAN_CONSENT_REQUIRED = "GUARDIAN_CONSENT_REQUIRED"
    MINOR_ADM_MARKETING_FORBIDDEN = "MINOR_ADM_MARKETING_FORBIDDEN"
    CONSENT_REQUIRED = "CONSENT_REQUIRED"
    SEPARATE_CONSENT_REQUIRED = "SEPARATE_CONSENT_REQUIRED"
    CONSENT_WITHDRAWN = "CONSENT_WITHDRAWN"
    CONSENT_EXPIRED = "CONSENT_EXPIRED"
    NOTICE_STALE = "NOTICE_STALE"
    NOT_SUBSCRIBED = "NOT_SUBSCRIBED"
    ADDRESS_MISSING = "ADDRESS_MISSING"
    ADDRESS_UNREACHABLE = "ADDRESS_UNREACHABLE"
    QUOTA_EXHAUSTED = "QUOTA_EXHAUSTED"
    PERSONALISATION_OFF = "PERSONALISATION_OFF"
    OUTSIDE_AUDIENCE = "OUTSIDE_AUDIENCE"
    TEMPLATE_NONCOMPLIANT = "TEMPLATE_NONCOMPLIANT"
    CAMPAIGN_NOT_APPROVED = "CAMPAIGN_NOT_APPROVED"
    CAMPAIGN_NOT_RUNNING = "CAMPAIGN_NOT_RUNNING"
    ALREADY_SENT = "ALREADY_SENT"
    QUIET_HOURS = "QUIET_HOURS"
    FREQUENCY_CAP = "FREQUENCY_CAP"
    PROMISED_FREQUENCY = "PROMISED_FREQUENCY"


class Vendor(StrEnum):
    """Whose protocol a sender speaks (service/senders)."""

    SMTP = "smtp"
    ALIYUN = "aliyun"
    TENCENT = "tencent"
    WECHAT = "wechat"
    DIALLER = "dialler"


@dataclass(frozen=True, slots=True)
class Topic:
    """What a member subscribes to. `monthly` is how often at most they are told so when they do (SMS-01, MK-08); `months` for how long."""

    key: str
    title: Title
    description: Title
    monthly: int
    months: int


@dataclass(frozen=True, slots=True)
class Sender:
    """A registered sender (SMS-05): who appears to have written, over which vendor, and what that vendor asks for.

    `identity` is what members see (a signature 【…】, a display name), `address` the code, mailbox or appid it comes from. `opt_out` is the
    vendor's exact sentence at the end of a commercial text (SMS-02), "" where the channel has another way. `variables`: whether the vendor
    lets commercial texts have any (SMS-08).
    """

    key: str
    channel: str
    brand: str
    vendor: Vendor
    classes: frozenset[MessageClass]
    identity: str
    address: str
    opt_out: str
    variables: bool


@dataclass(frozen=True, slots=True)
class MarketingRules:
    """marketing.toml: how long what is given out holds, and how often a day one address is asked to confirm something."""

    decision_life: timedelta
    link_life: timedelta
    opt_in_life: timedelta
    letters_a_day: int
    archive_months: int
