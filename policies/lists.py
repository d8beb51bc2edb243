"""The two lists that anybody may read (双清单, NDR 21(2)): what is collected, one row a field; who receives it, one row a recipient.

Generated from the catalogue that decides, like the processing rules (`rules.py`). No row holds personal data.
"""

from dataclasses import dataclass

from policies.naming import Title
from policies.terms import Basis, Catalogue, Field, Purpose, Recipient, RecipientRole, Sensitivity


@dataclass(frozen=True, slots=True)
class CollectedData:
    """One row of the list of what is collected (收集个人信息清单). `purposes` and `bases` are those that use the field."""

    key: str
    title: Title
    category: Title
    sensitivity: Sensitivity
    necessary: bool
    purposes: tuple[Purpose, ...]
    bases: tuple[Basis, ...]
    retention_months: int


@dataclass(frozen=True, slots=True)
class SharedFor:
    """For what one recipient receives data: the purpose, how, and which categories and fields of data."""

    purpose: Purpose
    categories: tuple[Title, ...]
    fields: tuple[Field, ...]


@dataclass(frozen=True, slots=True)
class SharedData:
    """One row of the list of those who receive data (向他人提供个人信息清单, PIPL 23): who, and for what."""

    recipient: Recipient
    purposes: tuple[SharedFor, ...]


def collected_data(catalogue: Catalogue) -> tuple[CollectedData, ...]:
    """One row for every field of the catalogue: nothing else can be stored of a member."""
    return tuple(_collected(field, catalogue) for field in catalogue.fields.values())


def shared_data(catalogue: Catalogue) -> tuple[SharedData, ...]:
    """One row for every recipient, those that no purpose names (any more) included. Not for who oversees: nothing is shared with them for a
    purpose, and an inspection that comes may have to be kept secret (PIPL 18).
    """
    shared = (recipient for recipient in catalogue.recipients.values() if recipient.role is not RecipientRole.OVERSIGHT)
    return tuple(_shared(recipient, catalogue) for recipient in shared)


def _collected(field: Field, catalogue: Catalogue) -> CollectedData:
    used = tuple(purpose for purpose in catalogue.purposes.values() if field.key in purpose.fields)
    return CollectedData(
        key=field.key,
        title=field.title,
        category=catalogue.categories[field.category].title,
        sensitivity=field.sensitivity,
        necessary=field.necessary,
        purposes=used,
        bases=tuple(dict.fromkeys(purpose.basis for purpose in used)),
        retention_months=field.retention_months,
    )


def _shared(recipient: Recipient, catalogue: Catalogue) -> SharedData:
    named = (purpose for purpose in catalogue.purposes.values() if recipient.key in purpose.recipients)
    return SharedData(recipient, tuple(_shared_for(purpose, catalogue) for purpose in named))


def _shared_for(purpose: Purpose, catalogue: Catalogue) -> SharedFor:
    fields = tuple(catalogue.fields[key] for key in purpose.fields)
    categories = dict.fromkeys(field.category for field in fields)
    return SharedFor(purpose, tuple(catalogue.categories[key].title for key in categories), fields)
