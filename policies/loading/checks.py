"""The rules that no single file can show: each takes the whole catalogue and notes where it breaks the law or itself.

A rule that builds on a key which has a problem already stays silent about it; the first problem says enough.
"""

from policies.loading import faults, field_rules, purpose_rules
from policies.loading.problems import Findings
from policies.terms import Basis, Catalogue

_PURPOSES = "purposes.toml"
_CHANNELS = "channels.toml"


def weigh(catalogue: Catalogue, findings: Findings) -> None:
    """Every rule over every part of the catalogue."""
    for field in catalogue.fields.values():
        for field_rule in field_rules.RULES:
            field_rule(field, catalogue, findings)
    for purpose in catalogue.purposes.values():
        for purpose_rule in purpose_rules.RULES:
            purpose_rule(purpose, catalogue, findings)
    _self_service(catalogue, findings)
    _caps(catalogue, findings)
    _brands(catalogue, findings)


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


def _caps(catalogue: Catalogue, findings: Findings) -> None:
    """Promise 8: no policy may allow more than three in seven days. All channels count together, so each states the whole."""
    for channel in catalogue.channels.values():
        key = f"channels.{channel.key}"
        too_loose = channel.cap_messages > 3 or channel.cap_days < 7
        if too_loose and not findings.spoiled(_CHANNELS, f"{key}.cap_messages", f"{key}.cap_days"):
            findings.add(_CHANNELS, f"{key}.cap_messages", faults.CAP_TOO_LOOSE)


def _brands(catalogue: Catalogue, findings: Findings) -> None:
    """Two brands with one WeChat app would share their openids' namespace."""
    seen: set[str] = set()
    for brand in catalogue.controller.brands:
        if brand.wechat_appid in seen - {""}:
            findings.add("controller.toml", f"brands.{brand.key}.wechat_appid", faults.DUPLICATE, name=brand.wechat_appid)
        seen.add(brand.wechat_appid)
