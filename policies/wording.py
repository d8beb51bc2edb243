"""What wording.toml says, as frozen values: the words that may not stand in a message and those that must."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Slot(StrEnum):
    """What a commercial message must say (AD 43(2)). Each is also the name of a variable that Menshen fills: `${sender}`."""

    SENDER = "sender"
    CONTACT = "contact"
    OPT_OUT = "opt_out"


@dataclass(frozen=True, slots=True)
class Listed:
    """Words to look for, and the longer phrases in which they are let be."""

    words: tuple[str, ...]
    unless: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Wording:
    """wording.toml. `links` are parts of addresses, `campaign_slots` parts of variables' names; `gift_terms` are the words of each of the
    five things to be said of a gift (AD 8(2)), by their name; `slots` what each channel's commercial messages must say, by channel.
    """

    forbidden: Listed
    promotion: Listed
    links: tuple[str, ...]
    campaign_slots: frozenset[str]
    gifts: Listed
    gift_terms: Mapping[str, tuple[str, ...]]
    subscribing: Listed
    rewards: tuple[str, ...]
    slots: Mapping[str, frozenset[Slot]]
    subject_prefixes: tuple[str, ...]
