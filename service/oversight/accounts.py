"""Who may do what, and does (PIPL 51(4)): every grant with its last use, for a person to review each quarter.

Who exists is the issuer's to say. Known here are the accounts that the log has named and the roles that their tokens showed; what a role
may stands in the policy. So a grant that was never used is seen as the role's, under no account.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from hashlib import sha256

from policies.terms import Catalogue
from service.oversight.acts import OPERATIONS
from service.oversight.model import Account, Grant, Grants
from service.oversight.tracing.store import Use
from service.oversight.tracing.trace import OPERATION, PURPOSE, ROLE
from service.values import ActorKind, utc_text


def grants(accounts: Iterable[Account], uses: Mapping[Use, datetime], catalogue: Catalogue) -> tuple[Grant, ...]:
    """Every grant: account by account, role by role, then each role of staff or services that no account has shown."""
    shown = {(use.account, use.role): at for use, at in uses.items() if use.what == ROLE}
    found: list[Grant] = []
    for account in sorted(account.account for account in accounts):
        for role in sorted(role for name, role in shown if name == account):
            found += _of_role(account, role, uses, catalogue)
    held = {role for _, role in shown}
    for key, declared in sorted(catalogue.roles.items()):
        if key not in held and declared.kind != ActorKind.MEMBER.value:
            found += _of_role("", key, uses, catalogue)
    return tuple(found)


def body_of(quarter: str, listed: Iterable[Grant], accounts: Iterable[Account]) -> str:
    """All that the reviewer sees, as it is kept."""
    lines = [[grant.account, grant.role, grant.what.value, grant.name, _text(grant.last_use), grant.known] for grant in listed]
    known = [[one.account, _text(one.first_seen), _text(one.last_seen), _text(one.disabled_at)] for one in accounts]
    return json.dumps({"accounts": known, "grants": lines, "quarter": quarter}, ensure_ascii=False, separators=(",", ":"))


def digest_of(quarter: str, listed: Iterable[Grant], accounts: Iterable[Account]) -> str:
    """Over who may do what, and who is closed: SHA-256, in hex. When something was last used is not in it, for that changes by the minute,
    and nobody could ever sign what they saw.
    """
    lines = [[grant.account, grant.role, grant.what.value, grant.name, grant.known] for grant in listed]
    known = [[one.account, one.disabled_at is not None] for one in accounts]
    return sha256(json.dumps([quarter, known, lines], ensure_ascii=False, separators=(",", ":")).encode()).hexdigest()


def matrix_digest(catalogue: Catalogue) -> str:
    """Over what every role may: acts, and the purposes that name it."""
    matrix = {key: [sorted(role.may), sorted(_purposes(key, catalogue))] for key, role in sorted(catalogue.roles.items())}
    return sha256(json.dumps(matrix, separators=(",", ":")).encode()).hexdigest()


def _of_role(account: str, role: str, uses: Mapping[Use, datetime], catalogue: Catalogue) -> Iterator[Grant]:
    """The role itself, its acts, its purposes. A role that the policy does not have gives nothing any more, and is shown as that."""
    declared = catalogue.roles.get(role)
    yield Grant(account, role, Grants.ROLE, role, uses.get(Use(account, role, ROLE, role)), declared is not None)
    if declared is None:
        return
    for act in sorted(declared.may):
        moments = [uses.get(Use(account, role, OPERATION, operation)) for operation in OPERATIONS.get(act, ())]
        yield Grant(account, role, Grants.ACT, act, max((at for at in moments if at), default=None))
    for purpose in sorted(_purposes(role, catalogue)):
        yield Grant(account, role, Grants.PURPOSE, purpose, uses.get(Use(account, role, PURPOSE, purpose)))


def _purposes(role: str, catalogue: Catalogue) -> list[str]:
    return [key for key, purpose in catalogue.purposes.items() if role in purpose.roles]


def _text(moment: datetime | None) -> str:
    return utc_text(moment) if moment else ""
