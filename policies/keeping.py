"""What may be kept of a member, and who must hear that it may not (PIPL 47(1)(3), 21): pure functions over the catalogue.

A field lives by a basis. Once the last one is gone, so must be the field; whoever received it under a consent is told when that ends.
"""

from collections.abc import Mapping

from policies.terms import Basis, Catalogue, ConsentState, Purpose, Recipient

ENDED = frozenset({ConsentState.WITHDRAWN, ConsentState.REVOKED, ConsentState.INVALIDATED, ConsentState.EXPIRED})
"""A yes that was there and is no more."""


def consent_only(purpose: Purpose, catalogue: Catalogue) -> frozenset[str]:
    """The purpose's fields that only consents keep here: any of them goes with the last consent that has it."""
    return _ever(purpose) - _kept_anyway(catalogue)


def unfounded(purpose: Purpose, catalogue: Catalogue, standing: Mapping[str, int]) -> frozenset[str]:
    """The purpose's fields that no live basis has any more. `standing`: each purpose whose consent stands at this moment, with the
    version that was consented to.
    """
    covered = frozenset[str]()
    for key, version in standing.items():
        if key in catalogue.purposes:
            covered |= _consented(catalogue.purposes[key], version)
    return consent_only(purpose, catalogue) - covered


def told_of_the_end(purpose: Purpose, catalogue: Catalogue) -> tuple[Recipient, ...]:
    """The recipients, of every version, that know the member by a field which they received for this purpose."""
    named = set(purpose.recipients).union(*(scope.recipients for scope in purpose.scopes.values()))
    known = (catalogue.recipients[key] for key in sorted(named) if key in catalogue.recipients)
    return tuple(recipient for recipient in known if recipient.known_by in _ever(purpose))


def _kept_anyway(catalogue: Catalogue) -> frozenset[str]:
    """What a purpose on another basis than consent keeps. One that needs nothing a day longer keeps nothing."""
    lasting = (
        p for p in catalogue.purposes.values() if p.basis is not Basis.CONSENT and p.retention_months and not p.self_service
    )
    return frozenset(key for purpose in lasting for key in purpose.fields)


def _ever(purpose: Purpose) -> frozenset[str]:
    return frozenset(purpose.fields).union(*(scope.fields for scope in purpose.scopes.values()))


def _consented(purpose: Purpose, version: int) -> frozenset[str]:
    """A version that nobody remembers covers the purpose as it is: what is deleted in doubt does not come back."""
    return purpose.scopes[version].fields if version in purpose.scopes else frozenset(purpose.fields)
