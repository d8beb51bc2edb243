"""consent.toml: how members are asked, how minors are protected, how a withdrawal is passed on."""

from policies.consent import AgeBand, ConsentRules
from policies.loading import faults
from policies.loading.reading import Section

CAPTURES = ("MINI_PROGRAM", "WEB", "STORE", "SMS", "PHONE")
"""Where a member can be asked."""


def consent_rules(section: Section) -> ConsentRules:
    """The whole file."""
    return ConsentRules(
        reask_days=section.whole("reask_days", 1, 3650),
        ask_once=frozenset(_channels(section)),
        age_field=section.text("age_field"),
        bands=_bands(section),
        propagation_alarm_hours=section.whole("propagation_alarm_hours", 1, 720),
        sensitive_threshold=section.whole("sensitive_threshold", 1, 1_000_000_000),
        sensitive_officer=section.text("sensitive_officer", blank=True),
    )


def _channels(section: Section) -> tuple[str, ...]:
    found = section.texts("ask_once")
    if set(found) - set(CAPTURES):
        section.fault("ask_once", faults.UNKNOWN_VALUE, known=", ".join(CAPTURES))
    return found


def _bands(section: Section) -> tuple[AgeBand, ...]:
    """In the order of age: whoever is younger than two limits belongs to the lower one."""
    found = [_band(key, table) for key, table in section.sections("age_bands")]
    for band in found:
        if [other.until for other in found].count(band.until) > 1:
            section.fault(f"age_bands.{band.key}.until", faults.DUPLICATE, name=band.until)
    return tuple(sorted(found, key=lambda band: band.until))


def _band(key: str, section: Section) -> AgeBand:
    value = AgeBand(
        key=key,
        title=section.title("title"),
        until=section.whole("until", 1, 120),
        guardian=section.flag("guardian"),
        automated_marketing=section.flag("automated_marketing"),
        staff_approval=section.flag("staff_approval"),
    )
    section.close()
    return value
