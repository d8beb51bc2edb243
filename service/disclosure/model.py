"""What a disclosure gives back: values, and a reason for everything that is not among them."""

from collections.abc import Mapping
from dataclasses import dataclass

from policies.terms import Reason
from service.values import MemberId
from service.vault.vault import Value


@dataclass(frozen=True, slots=True)
class Remedy:
    """What would open a withheld field: the purpose to ask for, the notice to show first, the operation that gives the question and the
    one that takes the answer.
    """

    operation: str
    notice: str | None
    purpose: str
    ask: str = "consentsToAsk"


@dataclass(frozen=True, slots=True)
class Withheld:
    """One field that this answer leaves out."""

    field: str
    reason: Reason
    purpose: str
    remedy: Remedy | None


@dataclass(frozen=True, slots=True)
class Profile:
    """One member as far as purpose and consent allow. `values` holds what leaves, masked where the purpose says so;
    a field that was asked for and is neither in `values` nor in `withheld` has no value."""

    member_id: MemberId
    values: Mapping[str, Value]
    masked: frozenset[str]
    withheld: tuple[Withheld, ...]


@dataclass(frozen=True, slots=True)
class Page:
    """One page of members whose rows are permitted. `cursors` runs beside `profiles` when it was asked for, else it is empty."""

    profiles: tuple[Profile, ...]
    cursors: tuple[str, ...]
    start_cursor: str | None
    end_cursor: str | None
    has_next: bool


@dataclass(frozen=True, slots=True)
class Revealed:
    """One whole value, shown for a stated reason; None: the member has none."""

    member_id: MemberId
    field: str
    value: Value | None
