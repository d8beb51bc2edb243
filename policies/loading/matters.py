"""What: the personal fields, the purposes that may use them and the channels that reach a member, each read from its
own file.

What refers to another file is weighed afterwards, when all of them are known (`checks.py`).
"""

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

from policies import mask
from policies.bulk import BULK_COUNTS, EXPORT_ROWS, BulkClass
from policies.loading import faults
from policies.loading.reading import Section
from policies.terms import (
    Basis,
    Category,
    Channel,
    Field,
    LookupKind,
    Purpose,
    PurposeClass,
    Sensitivity,
    Shape,
    Tag,
    ValueType,
)

NORMALISERS = ("phone", "email", "wechat_id", "exact")
OPT_IN = ("single", "double")
NO_CHANNEL = "none"
MONTHS = 360
"""The longest that anything can be kept: 30 years, the longest term of accounting law. 'For ever' cannot be written."""

_HOUR = r"([01]\d|2[0-3]):[0-5]\d"


def categories(section: Section) -> dict[str, Category]:
    """[categories] of fields.toml."""
    return {key: _category(key, table) for key, table in section.sections("categories")}


def _category(key: str, section: Section) -> Category:
    value = Category(
        key,
        section.title("title"),
        section.flag("sensitive"),
        section.flag("of_children"),
        section.one_of("bulk", BulkClass),
    )
    section.close()
    return value


def bulk(section: Section) -> dict[BulkClass, int]:
    """[bulk] of fields.toml: of how many members in a day reading is an alarm. Never of more than the law says (LB-07)."""
    counts = section.section("bulk")
    found = {kind: counts.whole(kind.value, 1, most) for kind, most in BULK_COUNTS.items()}
    counts.close()
    return found


def export_rows(section: Section) -> int:
    """[exports] of fields.toml: how many rows about members may leave at once without another person's approval (LB-07)."""
    exports = section.section("exports")
    found = exports.whole("rows", 1, EXPORT_ROWS)
    exports.close()
    return found


def fields(section: Section) -> dict[str, Field]:
    """[fields] of fields.toml: every personal field there is."""
    return {key: _field(key, table) for key, table in section.sections("fields")}


def _field(key: str, section: Section) -> Field:
    value = Field(
        key=key,
        title=section.title("title"),
        category=section.text("category"),
        sensitivity=section.one_of("sensitivity", Sensitivity),
        value_type=section.one_of("value_type", ValueType),
        sealed=section.flag("sealed"),
        mask=section.among("mask", mask.FORMS),
        lookup=section.one_of("lookup", LookupKind),
        normaliser=section.among("normaliser", NORMALISERS),
        retention_months=section.whole("retention_months", 0, MONTHS),
        max_length=section.whole("max_length", 1, 4000),
        necessary=section.flag("necessary"),
        shop_record=section.flag("shop_record"),
    )
    section.close()
    return value


def purposes(section: Section) -> dict[str, Purpose]:
    """purposes.toml: what data may be used for."""
    return {key: _purpose(key, table) for key, table in section.sections("purposes")}


def _purpose(key: str, section: Section) -> Purpose:
    channel = section.text("channel")
    value = Purpose(
        key=key,
        title=section.title("title"),
        basis=section.one_of("basis", Basis, faults.BASIS_UNKNOWN),
        purpose_class=section.one_of("class", PurposeClass),
        fields=_shapes(section.section("fields")),
        roles=frozenset(_some(section, "roles")),
        channel=None if channel == NO_CHANNEL else channel,
        method=section.title("method"),
        separate_consent=section.flag("separate_consent"),
        automated_decision=section.flag("automated_decision"),
        recipients=section.texts("recipients"),
        retention_months=section.whole("retention_months", 0, MONTHS),
        notice_section=section.text("notice_section"),
        pia=section.text("pia", blank=True),
        self_service=section.flag("self_service"),
        consent_months=section.whole("consent_months", 0, MONTHS),
        version=section.whole("version", 1, 10_000),
        necessity=section.title_if_any("necessity"),
        impact=section.title_if_any("impact"),
        logic=section.title_if_any("logic"),
        personalisation=section.flag("personalisation", otherwise=False),
    )
    section.close()
    return value


def with_children(
    purposes: Mapping[str, Purpose], fields: Mapping[str, Field], categories: Mapping[str, Category]
) -> dict[str, Purpose]:
    """The purposes, those marked that have a field which tells of a child."""
    told = {key for key, field in fields.items() if (kind := categories.get(field.category)) and kind.of_children}
    return {key: replace(purpose, of_children=not told.isdisjoint(purpose.fields)) for key, purpose in purposes.items()}


def _shapes(section: Section) -> Mapping[str, Shape]:
    return MappingProxyType({key: section.one_of(key, Shape) for key in section.table})


def _some(section: Section, key: str) -> tuple[str, ...]:
    """A list that may not be empty."""
    found = section.texts(key)
    if not found and not section.findings.spoiled(section.file, section.at(key)):
        section.fault(key, faults.BLANK)
    return found


def tags(section: Section) -> dict[str, Tag]:
    """tags.toml: the closed vocabulary (算法推荐规定第10条); a word that is not here cannot be put on a member."""
    return {key: _tag(key, table) for key, table in section.sections("tags")}


def _tag(key: str, section: Section) -> Tag:
    value = Tag(key, section.title("title"), section.title("meaning"), section.text("category"))
    section.close()
    return value


def channels(section: Section) -> dict[str, Channel]:
    """channels.toml: the ways of reaching a member, and their marketing limits."""
    return {key: _channel(key, table) for key, table in section.sections("channels")}


def _channel(key: str, section: Section) -> Channel:
    value = Channel(
        key=key,
        title=section.title("title"),
        cap_messages=section.whole("cap_messages", 0, 100),
        cap_days=section.whole("cap_days", 1, 365),
        quiet_from=section.text("quiet_from", _HOUR),
        quiet_until=section.text("quiet_until", _HOUR),
        opt_out_words=section.texts("opt_out_words"),
        opt_in=section.among("opt_in", OPT_IN),
        sender_rule=section.title("sender_rule"),
        address=section.text("address"),
    )
    section.close()
    return value
