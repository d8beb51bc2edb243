"""wording.toml: the words that may not stand in a message and those that must."""

from types import MappingProxyType

from policies.loading import faults
from policies.loading.reading import Section
from policies.wording import Listed, Slot, Wording

GIFT_TERMS = ("kind", "spec", "quantity", "term", "method")
"""Kind, specification, quantity, term and method: what AD 8(2) wants said of a gift."""


def wording(section: Section) -> Wording:
    """Every list that the lint reads. None may be empty: a rule without words would hold for nothing."""
    promotion, gifts = section.section("promotion"), section.section("gifts")
    subscribing, subject = section.section("subscribing"), section.section("subject")
    forbidden = section.section("forbidden")
    value = Wording(
        forbidden=_listed(forbidden, "words"),
        promotion=_listed(promotion, "words"),
        links=_some(promotion, "links"),
        campaign_slots=frozenset(_some(promotion, "slots")),
        gifts=Listed(_some(gifts, "words")),
        gift_terms=_terms(gifts.section("terms")),
        subscribing=_listed(subscribing, "acts"),
        rewards=_some(subscribing, "rewards"),
        slots=_slots(section.section("slots")),
        subject_prefixes=_some(subject, "prefixes"),
    )
    for part in (forbidden, promotion, gifts, subscribing, subject):
        part.close()
    return value


def _listed(section: Section, key: str) -> Listed:
    return Listed(_some(section, key), section.texts("unless"))


def _some(section: Section, key: str) -> tuple[str, ...]:
    found = section.texts(key)
    if not found and key in section.table and not section.findings.spoiled(section.file, section.at(key)):
        section.fault(key, faults.BLANK)
    return found


def _terms(section: Section) -> MappingProxyType[str, tuple[str, ...]]:
    found = {name: _some(section, name) for name in GIFT_TERMS}
    section.close()
    return MappingProxyType(found)


def _slots(section: Section) -> MappingProxyType[str, frozenset[Slot]]:
    """By channel; that every channel has a line, and no other name one, is weighed when all files are known."""
    known = [slot.value for slot in Slot]
    found = {key: frozenset(Slot(name) for name in section.texts_among(key, known)) for key in section.table}
    section.close()
    return MappingProxyType(found)
