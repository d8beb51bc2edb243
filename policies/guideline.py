"""WeChat's 用户隐私保护指引 (WX-01): what a mini-program tells WeChat that it collects must be what members can send through it.

WeChat cannot see the policy and the policy cannot see WeChat's console; so what was filled in there is written down beside the appid,
and a field that is sent and not declared, or declared and not sent, stops the release.
"""

from dataclasses import dataclass

from policies.naming import Title
from policies.terms import Catalogue, Field, Purpose

_SENDING = frozenset({"member.join", "member.update"})


@dataclass(frozen=True, slots=True)
class Declaration:
    """One row to fill in in the console: what is collected, of which kind, and for what."""

    field: str
    title: Title
    category: Title
    purposes: tuple[Purpose, ...]


def sent(catalogue: Catalogue) -> dict[str, tuple[Purpose, ...]]:
    """Each field that a mini-program may send, with the purposes that it is sent for. What the shop itself keeps is not sent."""
    clients = {role.key for role in catalogue.roles.values() if role.kind != "staff" and role.may & _SENDING}
    found: dict[str, tuple[Purpose, ...]] = {}
    for purpose in catalogue.purposes.values():
        if clients.intersection(purpose.roles):
            for key in purpose.fields:
                found[key] = (*found.get(key, ()), purpose)
    return {key: found[key] for key, field in catalogue.fields.items() if key in found and not field.shop_record}


def declarations(catalogue: Catalogue) -> tuple[Declaration, ...]:
    """What each mini-program's guideline must declare, in the order of fields.toml."""
    return tuple(_declaration(catalogue.fields[key], purposes, catalogue) for key, purposes in sent(catalogue).items())


def _declaration(field: Field, purposes: tuple[Purpose, ...], catalogue: Catalogue) -> Declaration:
    return Declaration(field.key, field.title, catalogue.categories[field.category].title, purposes)
