"""The processing rules as anybody may read them (公开处理规则, PIPL 7, LB-06): generated from the catalogue that
decides, so that what is published and what is done cannot drift apart.
"""

from dataclasses import dataclass

from policies.identity_number import holds_identity_number
from policies.naming import Title
from policies.terms import Basis, Catalogue, Controller, Field, Purpose, PurposeClass, Recipient, Sensitivity, Shape

__all__ = ["FieldRule", "ProcessingRules", "PurposeRules", "holds_identity_number", "processing_rules", "purpose_rules"]


@dataclass(frozen=True, slots=True)
class FieldRule:
    """One field that a purpose uses, and how it leaves."""

    key: str
    title: Title
    category: str
    sensitivity: Sensitivity
    shape: Shape
    retention_months: int


@dataclass(frozen=True, slots=True)
class PurposeRules:
    """One purpose: on which basis, what of, how, how long and who else (PIPL 17, 23). `categories` are titles.

    `necessity` and `impact` are told of sensitive data (PIPL 30), `logic` of automated decisions (PIPL 24).
    """

    key: str
    version: int
    title: Title
    basis: Basis
    purpose_class: PurposeClass
    categories: tuple[Title, ...]
    fields: tuple[FieldRule, ...]
    method: Title
    retention_months: int
    consent_months: int
    separate_consent: bool
    automated_decision: bool
    channel: str | None
    recipients: tuple[Recipient, ...]
    notice_section: str
    necessity: Title | None
    impact: Title | None
    logic: Title | None


@dataclass(frozen=True, slots=True)
class ProcessingRules:
    """All of them, with who is responsible and the digest of the policy that they were read from."""

    controller: Controller
    purposes: tuple[PurposeRules, ...]
    digest: str


def processing_rules(catalogue: Catalogue) -> ProcessingRules:
    """The whole registry, for anybody and without a token. It holds no personal data."""
    purposes = tuple(purpose_rules(purpose, catalogue) for purpose in catalogue.purposes.values())
    return ProcessingRules(catalogue.controller, purposes, catalogue.digest)


def purpose_rules(purpose: Purpose, catalogue: Catalogue) -> PurposeRules:
    """One purpose, as it is published."""
    fields = [(catalogue.fields[key], shape) for key, shape in purpose.fields.items()]
    categories = dict.fromkeys(field.category for field, _ in fields)
    return PurposeRules(
        key=purpose.key,
        version=purpose.version,
        title=purpose.title,
        basis=purpose.basis,
        purpose_class=purpose.purpose_class,
        categories=tuple(catalogue.categories[key].title for key in categories),
        fields=tuple(_field(field, shape) for field, shape in fields),
        method=purpose.method,
        retention_months=purpose.retention_months,
        consent_months=purpose.consent_months,
        separate_consent=purpose.separate_consent,
        automated_decision=purpose.automated_decision,
        channel=purpose.channel,
        recipients=tuple(catalogue.recipients[key] for key in purpose.recipients),
        notice_section=purpose.notice_section,
        necessity=purpose.necessity,
        impact=purpose.impact,
        logic=purpose.logic,
    )


def _field(field: Field, shape: Shape) -> FieldRule:
    return FieldRule(field.key, field.title, field.category, field.sensitivity, shape, field.retention_months)
