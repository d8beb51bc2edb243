"""What must hold for every purpose: all it names exists, its basis carries it (PIPL 13, 23, 29, 39), it was announced."""

from collections.abc import Callable

from policies.loading import faults
from policies.loading.problems import Fault, Findings
from policies.terms import Basis, Catalogue, Purpose, PurposeClass, RecipientRole, Sensitivity

_PURPOSES = "purposes.toml"
_OTHERS = frozenset({RecipientRole.OTHER_PROCESSOR, RecipientRole.OVERSEAS})


def _references(purpose: Purpose, catalogue: Catalogue, findings: Findings) -> None:
    key = f"purposes.{purpose.key}"
    for name in purpose.fields.keys() - catalogue.fields.keys():
        _unless_lost(findings, "fields.toml", f"{key}.fields.{name}", faults.FIELD_UNKNOWN)
    for name in purpose.roles - catalogue.roles.keys():
        _unless_lost(findings, "roles.toml", f"{key}.roles", faults.ROLE_UNKNOWN, name=name)
    for name in set(purpose.recipients) - catalogue.recipients.keys():
        _unless_lost(findings, "recipients.toml", f"{key}.recipients", faults.RECIPIENT_UNKNOWN, name=name)
    if purpose.channel and purpose.channel not in catalogue.channels:
        _unless_lost(findings, "channels.toml", f"{key}.channel", faults.CHANNEL_UNKNOWN, name=purpose.channel)


def _unless_lost(findings: Findings, file: str, key: str, fault: Fault, **detail: object) -> None:
    """A name that leads nowhere is a problem of purposes.toml, unless the file it leads to was not read at all."""
    if not findings.spoiled(file):
        findings.add(_PURPOSES, key, fault, **detail)


def _basis(purpose: Purpose, _: Catalogue, findings: Findings) -> None:
    """LB-04: what the retailer wants stands on consent alone, and so does whatever leaves over a marketing channel."""
    key = f"purposes.{purpose.key}"
    if findings.spoiled(_PURPOSES, f"{key}.basis", f"{key}.class"):
        return
    if purpose.purpose_class is PurposeClass.COMMERCIAL and purpose.basis is not Basis.CONSENT:
        findings.add(_PURPOSES, f"{key}.basis", faults.COMMERCIAL_BASIS)
    if purpose.channel and purpose.purpose_class is not PurposeClass.COMMERCIAL:
        findings.add(_PURPOSES, f"{key}.class", faults.CHANNEL_CLASS)


def _separate(purpose: Purpose, catalogue: Catalogue, findings: Findings) -> None:
    """PIPL 29, 23, 39: sensitive data, other processors and recipients abroad need a consent of their own."""
    key = f"purposes.{purpose.key}"
    if findings.spoiled(_PURPOSES, f"{key}.basis", f"{key}.separate_consent"):
        return
    consent = purpose.basis is Basis.CONSENT
    if purpose.separate_consent and not consent:
        findings.add(_PURPOSES, f"{key}.separate_consent", faults.SEPARATE_WITHOUT_CONSENT)
    sensitive, others = _sensitive(purpose, catalogue), _other_processors(purpose, catalogue, consent=consent)
    if consent and sensitive and not purpose.separate_consent:
        findings.add(_PURPOSES, f"{key}.separate_consent", faults.SENSITIVE_SEPARATE, names=", ".join(sensitive))
    if others and not purpose.separate_consent:
        findings.add(_PURPOSES, f"{key}.separate_consent", faults.RECIPIENT_SEPARATE, names=", ".join(others))


def _sensitive(purpose: Purpose, catalogue: Catalogue) -> list[str]:
    """The sensitive ones among a purpose's fields."""
    known = (catalogue.fields[key] for key in purpose.fields if key in catalogue.fields)
    return [field.key for field in known if field.sensitivity is Sensitivity.SENSITIVE]


def _other_processors(purpose: Purpose, catalogue: Catalogue, *, consent: bool) -> list[str]:
    """Recipients that need a separate consent: another processor under a consent, somebody abroad under any basis."""
    named = [catalogue.recipients[key] for key in purpose.recipients if key in catalogue.recipients]
    home = catalogue.controller.jurisdiction
    abroad = [r for r in named if r.role is RecipientRole.OVERSEAS or home not in ("", r.region)]
    return [r.key for r in named if r in abroad or (consent and r.role in _OTHERS)]


def _validity(purpose: Purpose, _: Catalogue, findings: Findings) -> None:
    """NC-18: a consent to SMS names its period (SMS31 18); without consent there is no period to name."""
    key = f"purposes.{purpose.key}"
    if findings.spoiled(_PURPOSES, f"{key}.basis", f"{key}.consent_months"):
        return
    if purpose.channel == "sms" and not purpose.consent_months:
        findings.add(_PURPOSES, f"{key}.consent_months", faults.VALIDITY_MISSING)
    if purpose.consent_months and purpose.basis is not Basis.CONSENT:
        findings.add(_PURPOSES, f"{key}.consent_months", faults.VALIDITY_WITHOUT_CONSENT)


def _impact(purpose: Purpose, catalogue: Catalogue, findings: Findings) -> None:
    """PIPL 55: sensitive data, automated decisions, entrusting and providing are assessed before they begin."""
    why = ", ".join([*_sensitive(purpose, catalogue), *["automated_decision"] * purpose.automated_decision, *purpose.recipients])
    if why and not purpose.pia and not findings.spoiled(_PURPOSES, f"purposes.{purpose.key}.pia"):
        findings.add(_PURPOSES, f"purposes.{purpose.key}.pia", faults.PIA_MISSING, why=why)


def _explained(purpose: Purpose, catalogue: Catalogue, findings: Findings) -> None:
    """SM-02, SM-03, AD-04: why sensitive data is needed and what it means, and how a machine decides, is said before anybody is asked."""
    key = f"purposes.{purpose.key}"
    why = [*_sensitive(purpose, catalogue), *["separate_consent"] * purpose.separate_consent]
    if purpose.basis is Basis.CONSENT and why and not (purpose.necessity and purpose.impact):
        findings.add(_PURPOSES, key, faults.NECESSITY_MISSING, why=", ".join(why))
    if purpose.automated_decision and purpose.logic is None:
        findings.add(_PURPOSES, f"{key}.logic", faults.LOGIC_MISSING)


def _members_read_themselves(purpose: Purpose, catalogue: Catalogue, findings: Findings) -> None:
    """A member's token opens that member's own data, under the one purpose that is theirs alone."""
    for name in purpose.roles & catalogue.roles.keys():
        if (catalogue.roles[name].kind == "member") is not purpose.self_service:
            findings.add(_PURPOSES, f"purposes.{purpose.key}.roles", faults.MEMBER_ROLE, name=name)


def _notice_section(purpose: Purpose, catalogue: Catalogue, findings: Findings) -> None:
    """PIPL 17: the newest general notice speaks of every purpose."""
    general = [notice for notice in catalogue.notices.values() if notice.kind == "GENERAL"]
    newest = max(general, key=lambda notice: notice.effective_at, default=None)
    if newest is None or not newest.sections or purpose.notice_section in {"", *newest.sections}:
        return
    where = f"purposes.{purpose.key}.notice_section"
    findings.add(_PURPOSES, where, faults.SECTION_UNKNOWN, version=newest.version, name=purpose.notice_section)


PurposeRule = Callable[[Purpose, Catalogue, Findings], None]
RULES: tuple[PurposeRule, ...] = (
    _references,
    _basis,
    _separate,
    _validity,
    _impact,
    _explained,
    _members_read_themselves,
    _notice_section,
)
