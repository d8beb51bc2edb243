"""What a member is made of, and what may come of joining or updating one."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

from policies.identity_number import holds_identity_number
from policies.terms import TAGS, Catalogue, LookupKind, MemberStatus, Sensitivity, ValueType
from policies.text import holds_contact, holds_unseen
from service.errors import BadInput
from service.values import MemberId
from service.vault.vault import Value

OLDEST = date(1900, 1, 1)
MOST_TEXTS = 100
MOST_POINTS = 2**31 - 1
"""What GraphQL's Int can hold: a value that can be stored and never read would be worse than a refusal."""


class Lookup(NamedTuple):
    """What a member is found by through one field, and what a suppression of that address is known by."""

    field: str
    digest: bytes
    kind: LookupKind
    mark: bytes


@dataclass(frozen=True, slots=True)
class Joined:
    """A new member; `status` is GUARDIAN_PENDING for one under 14 (PIPL 31).

    `again`: the idempotency key had been used before.
    """

    member_id: MemberId
    status: MemberStatus
    again: bool = False


@dataclass(frozen=True, slots=True)
class Updated:
    """What an update changed, by field key."""

    member_id: MemberId
    fields: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FieldNotInPurpose:
    """The purpose does not cover these fields, so nothing was stored (LB-02)."""

    purpose: str
    fields: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ContactTaken:
    """Another member holds this identity (`field` says which; the value is not repeated). Nothing was stored."""

    field: str


@dataclass(frozen=True, slots=True)
class MemberNotFound:
    """No such member that this caller may know of: absent, erased and not permitted look alike (SE-05)."""


@dataclass(frozen=True, slots=True)
class FieldRejected:
    """A value breaks its field's rule; the rule is named, the value is not. Nothing was stored."""

    field: str
    rule: str


def sensitive(catalogue: Catalogue, fields: Iterable[str]) -> bool:
    """Whether one of these fields is sensitive (PIPL 28)."""
    return any(catalogue.fields[key].sensitivity is Sensitivity.SENSITIVE for key in fields if key in catalogue.fields)


def parse_value(catalogue: Catalogue, field: str, raw: object) -> Value:
    """The typed value of one field. Raises BadInput naming the field and the rule, never the value."""
    spec = catalogue.fields.get(field)
    if spec is None:
        raise BadInput("unknown field", code="FIELD_UNKNOWN")
    value = _typed(spec.value_type, field, raw)
    texts = value if isinstance(value, tuple) else (str(value),)
    if any(len(text) > spec.max_length for text in texts) or len(texts) > MOST_TEXTS:
        raise BadInput(f"{field}: longer than {spec.max_length} characters")
    if any(holds_unseen(text) for text in texts):
        raise BadInput("CONTROL_CHARACTER")
    if spec.lookup is LookupKind.NONE and any(holds_identity_number(text) for text in texts):
        # Where people type what they like, an identity number slips in (RD-07).
        raise BadInput("IDENTITY_NUMBER")
    if not spec.sealed and any(holds_contact(text) for text in texts):
        raise BadInput("CONTACT_UNSEALED")
    return worded(tag_words(catalogue), texts) if field == TAGS else value


def tag_words(catalogue: Catalogue) -> dict[str, str]:
    """Every spelling of the closed vocabulary (AD-06), each tag by its key and by its name in both languages; to its key."""
    return {word: tag.key for tag in catalogue.tags.values() for word in (tag.key, tag.title.zh, tag.title.en)}


def worded(words: Mapping[str, str], texts: Iterable[str]) -> tuple[str, ...]:
    """Tags as their keys, none twice. Raises BadInput (TAG_UNKNOWN) for any other word, whatever it may say of somebody."""
    found = dict.fromkeys(words.get(text.strip(), "") for text in texts)
    if "" in found:
        raise BadInput("TAG_UNKNOWN")
    return tuple(found)


def _typed(value_type: ValueType, field: str, raw: object) -> Value:
    if value_type is ValueType.DATE and isinstance(raw, date):
        return raw
    if value_type is ValueType.DATE and isinstance(raw, str):
        try:
            return date.fromisoformat(raw)
        except ValueError:
            raise BadInput(f"{field}: not a date (YYYY-MM-DD)") from None
    if value_type is ValueType.INTEGER and isinstance(raw, int) and not isinstance(raw, bool):
        if not 0 <= raw <= MOST_POINTS:
            raise BadInput(f"{field}: between 0 and {MOST_POINTS}")
        return raw
    if value_type is ValueType.TEXTS and isinstance(raw, list | tuple) and all(isinstance(item, str) for item in raw):
        return tuple(raw)
    if value_type is ValueType.TEXT and isinstance(raw, str) and raw.strip():
        return raw.strip()
    raise BadInput(f"{field}: expected {value_type.value}")


@dataclass(frozen=True, slots=True)
class Row:
    """One member as the database has it: nothing opened. `plain` holds the unsealed columns, `wrapped` is None once shredded.

    `minor`: in an age band of the policy when last written, so the birthday has to be looked at; None: nobody has noted it, so it has to
    be looked at, too. `guarded`: a verified guardian has answered for them and is still there (PIPL 31). `presumed`: taken for a child by
    somebody who had reason to, whatever birthday was told. `sensitive`: holds a sensitive field, or is a child (PIPL 28).
    `personalisation`: the member's switch, None while it was never touched.
    """

    member_id: MemberId
    status: MemberStatus
    generation: int
    sealed: bytes
    wrapped: bytes | None
    plain: Mapping[str, Value]
    version: int
    minor: bool | None = False
    sensitive: bool = False
    personalisation: bool | None = None
    guarded: bool = False
    presumed: bool = False

    @property
    def child(self) -> bool:
        """Whether they were taken for a child when last written."""
        return self.guarded or self.presumed or self.status is MemberStatus.GUARDIAN_PENDING
