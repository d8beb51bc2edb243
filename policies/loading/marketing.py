"""marketing.toml: topics, registered senders, and how long what is given out holds."""

from datetime import timedelta

from policies.loading.reading import Section
from policies.marketing import MarketingRules, MessageClass, Sender, Topic, Vendor


def marketing_rules(section: Section) -> MarketingRules:
    """How long a decision (MK-01), a link (EM-04), an opt-in and an archive (ADV-03) hold."""
    return MarketingRules(
        decision_life=timedelta(minutes=section.whole("decision_minutes", 1, 5)),
        link_life=timedelta(days=section.whole("link_days", 30, 3650)),
        opt_in_life=timedelta(hours=section.whole("opt_in_hours", 1, 168)),
        letters_a_day=section.whole("letters_a_day", 1, 10),
        archive_months=section.whole("archive_months", 36, 120),
    )


def topics(section: Section) -> dict[str, Topic]:
    """What members subscribe to."""
    return {key: _topic(key, table) for key, table in section.sections("topics")}


def _topic(key: str, section: Section) -> Topic:
    value = Topic(
        key=key,
        title=section.title("title"),
        description=section.title("description"),
        monthly=section.whole("monthly", 1, 100),
        months=section.whole("months", 1, 120),
    )
    section.close()
    return value


def senders(section: Section) -> dict[str, Sender]:
    """In whose name messages go."""
    return {key: _sender(key, table) for key, table in section.sections("senders")}


def _sender(key: str, section: Section) -> Sender:
    value = Sender(
        key=key,
        channel=section.text("channel"),
        brand=section.text("brand"),
        vendor=section.one_of("vendor", Vendor),
        classes=frozenset(MessageClass(name) for name in section.texts_among("classes", [kind.value for kind in MessageClass])),
        identity=section.text("identity"),
        address=section.text("address"),
        opt_out=section.text("opt_out", blank=True),
        variables=section.flag("variables"),
    )
    section.close()
    return value
