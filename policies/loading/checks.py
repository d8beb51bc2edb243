"""The rules that no single file can show: each takes the whole catalogue and notes where it breaks the law or itself.

A rule that builds on a key which has a problem already stays silent about it; the first problem says enough.
"""

from policies import guideline
from policies.loading import faults, field_rules, purpose_rules
from policies.loading.marketing_rules import weigh_marketing
from policies.loading.notices import PUBLISHED
from policies.loading.problems import Findings
from policies.loading.scopes import weigh_scopes
from policies.terms import TAGS, Basis, Catalogue, RecipientRole, ValueType

_PURPOSES = "purposes.toml"
_CHANNELS = "channels.toml"
_CONTROLLER = "controller.toml"
_CONSENT = "consent.toml"


def weigh(catalogue: Catalogue, findings: Findings) -> None:
    """Every rule over every part of the catalogue."""
    for field in catalogue.fields.values():
        for field_rule in field_rules.RULES:
            field_rule(field, catalogue, findings)
    for purpose in catalogue.purposes.values():
        for purpose_rule in purpose_rules.RULES:
            purpose_rule(purpose, catalogue, findings)
    weigh_scopes(catalogue, findings)
    weigh_marketing(catalogue, findings)
    for rule in _RULES:
        rule(catalogue, findings)


def _self_service(catalogue: Catalogue, findings: Findings) -> None:
    marked = [purpose for purpose in catalogue.purposes.values() if purpose.self_service]
    if len(marked) != 1 and not findings.spoiled(
        _PURPOSES, "purposes", *(f"purposes.{k}.self_service" for k in catalogue.purposes)
    ):
        names = ", ".join(purpose.key for purpose in marked) or "0"
        findings.add(_PURPOSES, "purposes", faults.SELF_SERVICE_COUNT, found=names)
    for purpose in marked:
        if purpose.basis is Basis.CONSENT and not findings.spoiled(_PURPOSES, f"purposes.{purpose.key}.basis"):
            findings.add(_PURPOSES, f"purposes.{purpose.key}.basis", faults.SELF_SERVICE_BASIS)


def _personalisation(catalogue: Catalogue, findings: Findings) -> None:
    """PIPL 24(2): one switch, which stands for one purpose."""
    marked = [purpose for purpose in catalogue.purposes.values() if purpose.personalisation]
    fit = [purpose for purpose in marked if purpose.basis is Basis.CONSENT and purpose.automated_decision]
    if (len(marked) != 1 or not fit) and not findings.spoiled(_PURPOSES, "purposes"):
        names = ", ".join(purpose.key for purpose in marked) or "0"
        findings.add(_PURPOSES, "purposes", faults.PERSONALISATION_PURPOSE, found=names)


def _caps(catalogue: Catalogue, findings: Findings) -> None:
    """Promise 8: no policy may allow more than three in seven days. All channels count together, so each states the whole."""
    for channel in catalogue.channels.values():
        key = f"channels.{channel.key}"
        too_loose = channel.cap_messages > 3 or channel.cap_days < 7
        if too_loose and not findings.spoiled(_CHANNELS, f"{key}.cap_messages", f"{key}.cap_days"):
            findings.add(_CHANNELS, f"{key}.cap_messages", faults.CAP_TOO_LOOSE)


_AGES = (
    (14, "guardian = true", "个保法第31条 PIPL 31", lambda band: band.guardian),
    (18, "automated_marketing = false", "未成年人网络保护条例第24条 MIN 24", lambda band: not band.automated_marketing),
    (18, "staff_approval = true", "未成年人网络保护条例第36条 MIN 36", lambda band: band.staff_approval),
)


def _ages(catalogue: Catalogue, findings: Findings) -> None:
    """A policy may protect more ages than the law, and none less."""
    if findings.spoiled(_CONSENT, "age_bands"):
        return
    rules = catalogue.consent
    field = catalogue.fields.get(rules.age_field)
    told = findings.spoiled(_CONSENT, "age_field") or findings.spoiled("fields.toml")
    if (field is None or field.value_type is not ValueType.DATE) and not told:
        findings.add(_CONSENT, "age_field", faults.AGE_FIELD)
    for until, rule, article, holds in _AGES:
        if not all((band := rules.band_of(age)) and holds(band) for age in range(until)):
            findings.add(_CONSENT, "age_bands", faults.BAND_MISSING, until=until, rule=rule, article=article)


def _children(catalogue: Catalogue, findings: Findings) -> None:
    """SM-06: where a guardian must answer for a child, a notice tells guardians what is done with a child's data."""
    if any(notice.kind == "CHILD" for notice in catalogue.notices.values()):
        return
    ages = [band.until for band in catalogue.consent.bands if band.guardian]
    if ages and not findings.spoiled(PUBLISHED) and not findings.spoiled(_CONSENT):
        findings.add(PUBLISHED, "", faults.NOTICE_NO_CHILD, until=max(ages))


def _tags(catalogue: Catalogue, findings: Findings) -> None:
    """AD-06: a tag that says something sensitive needs purposes that may use such data, with their separate consent.

    No word is two tags.
    """
    words: dict[str, str] = {}
    for tag in catalogue.tags.values():
        for word in {tag.key, tag.title.zh, tag.title.en}:
            if words.setdefault(word, tag.key) != tag.key:
                findings.add("tags.toml", f"tags.{tag.key}.title", faults.DUPLICATE, name=word)
        where = f"tags.{tag.key}.category"
        category = catalogue.categories.get(tag.category)
        if category is None:
            if not findings.spoiled("tags.toml", where) and not findings.spoiled("fields.toml"):
                findings.add("tags.toml", where, faults.CATEGORY_UNKNOWN)
        elif category.sensitive and not _used_separately(tag.category, catalogue):
            findings.add("tags.toml", where, faults.TAG_SENSITIVE, name=tag.category)


def _used_separately(category: str, catalogue: Catalogue) -> bool:
    """Whether all that reads tags by consent has a separate one and uses data of this category: a tag cannot be told to some of them only.

    What the law demands (the member's own access, the authorities') reads every field.
    """
    using = [p for p in catalogue.purposes.values() if TAGS in p.fields and p.basis is not Basis.LEGAL_DUTY]
    return bool(using) and all(
        purpose.separate_consent
        and any(catalogue.fields[key].category == category for key in purpose.fields if key in catalogue.fields)
        for purpose in using
    )


def _oversight(catalogue: Catalogue, findings: Findings) -> None:
    """Who oversees is known by no member's field, stands in no purpose, and is not abroad (PIPL 41: no foreign authority without leave)."""
    home = catalogue.controller.jurisdiction
    for recipient in catalogue.recipients.values():
        if recipient.role is not RecipientRole.OVERSIGHT:
            continue
        where = f"recipients.{recipient.key}"
        if recipient.known_by:
            findings.add("recipients.toml", f"{where}.known_by", faults.OVERSIGHT_KNOWN_BY)
        if home not in ("", recipient.region):
            findings.add("recipients.toml", f"{where}.region", faults.OVERSIGHT_ABROAD)
        for purpose in catalogue.purposes.values():
            if recipient.key in purpose.recipients:
                findings.add(_PURPOSES, f"purposes.{purpose.key}.recipients", faults.OVERSIGHT_PURPOSE, name=recipient.key)


def _known_by(catalogue: Catalogue, findings: Findings) -> None:
    for recipient in catalogue.recipients.values():
        if recipient.known_by and recipient.known_by not in catalogue.fields and not findings.spoiled("fields.toml"):
            findings.add("recipients.toml", f"recipients.{recipient.key}.known_by", faults.KNOWN_BY)


def _staff_answers_for_nobody(catalogue: Catalogue, findings: Findings) -> None:
    for role in catalogue.roles.values():
        if role.kind == "staff" and "consent.record" in role.may:
            findings.add("roles.toml", f"roles.{role.key}.may", faults.STAFF_CONSENT)


def _brands(catalogue: Catalogue, findings: Findings) -> None:
    """Two brands with one WeChat app would share their openids' namespace."""
    seen: set[str] = set()
    for brand in catalogue.controller.brands:
        if brand.wechat_appid in seen - {""}:
            findings.add(_CONTROLLER, f"brands.{brand.key}.wechat_appid", faults.DUPLICATE, name=brand.wechat_appid)
        seen.add(brand.wechat_appid)


def _guideline(catalogue: Catalogue, findings: Findings) -> None:
    """WX-01: what a mini-program may send is what its guideline declares, no less and no more."""
    if (
        findings.touched("fields.toml", "fields")
        or findings.touched(_PURPOSES, "purposes")
        or findings.touched("roles.toml", "roles")
    ):
        return
    sent = guideline.sent(catalogue).keys()
    for brand in catalogue.controller.brands:
        key, declared = f"brands.{brand.key}.wechat_declares", set(brand.wechat_declares)
        if findings.spoiled(_CONTROLLER, key, f"brands.{brand.key}"):
            continue
        for name in sorted(sent - declared):
            findings.add(_CONTROLLER, key, faults.GUIDELINE_SILENT, name=name)
        for name in sorted(declared - sent):
            findings.add(_CONTROLLER, key, faults.GUIDELINE_IDLE, name=name)


_RULES = (
    *(_self_service, _personalisation, _caps, _brands, _guideline),
    *(_ages, _children, _tags, _known_by, _oversight, _staff_answers_for_nobody),
)
