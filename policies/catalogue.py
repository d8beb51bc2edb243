"""Loads the policy folder, strictly, into one frozen Catalogue with its digest; or says all that is wrong with it.

Nothing here reads the clock, the environment or the network: the same bytes are the same policy, everywhere and always.
Which notice is in force at a moment is the catalogue's to say (`Catalogue.notice_in_force`), not the loader's.
"""

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType

from policies import clock
from policies.loading import checks, faults, marketing, matters, parties, wording
from policies.loading.consent import consent_rules
from policies.loading.files import digest, document, snapshot
from policies.loading.notices import notices
from policies.loading.problems import Findings, PolicyProblem, PolicyUnreadable, Problem
from policies.loading.scopes import with_scopes
from policies.terms import Catalogue

__all__ = ["SHIPPED", "PolicyProblem", "PolicyUnreadable", "Problem", "assemble", "load", "parse"]

SHIPPED = Path(__file__).parent
"""The folder that comes with Menshen: the complete policy of an invented retailer, for trying out and to start one's
own from.
"""

FILES = (
    "controller.toml",
    "fields.toml",
    "recipients.toml",
    "purposes.toml",
    "channels.toml",
    "roles.toml",
    "consent.toml",
    "tags.toml",
    "marketing.toml",
    "wording.toml",
)


def load(folder: Path) -> Catalogue:
    """The policy in `folder`. Raises PolicyProblem with every fault, PolicyUnreadable when the disk gave no answer."""
    return parse(snapshot(folder))


def parse(files: Mapping[str, bytes]) -> Catalogue:
    """The policy in these files, by their names. Raises PolicyProblem with every fault that they have."""
    return _parsed(tuple(sorted(files.items())))


@lru_cache(maxsize=4)
def _parsed(named: tuple[tuple[str, bytes], ...]) -> Catalogue:
    """The same bytes are the same policy, so they are read once: a command asks for it several times, a test run thousands of times."""
    files, findings = dict(named), Findings()
    _strangers(files, findings)
    catalogue = assemble(files, findings)
    checks.weigh(catalogue, findings)
    problems = findings.all()
    if problems:
        raise PolicyProblem(problems)
    return catalogue


def _strangers(files: Mapping[str, bytes], findings: Findings) -> None:
    """A file with a misspelt name would be a rule that nobody applies."""
    for name in files:
        if "/" not in name and name not in FILES:
            findings.add(name, "", faults.FILE_UNKNOWN, known=", ".join(FILES))


def assemble(files: Mapping[str, bytes], findings: Findings) -> Catalogue:
    """The catalogue as far as it could be read, with stand-ins elsewhere; never let out when there are findings."""
    pages = {name: document(name, files, findings) for name in FILES}
    published = notices(files, findings)
    categories, fields = matters.categories(pages["fields.toml"]), matters.fields(pages["fields.toml"])
    purposes = with_scopes(matters.with_children(matters.purposes(pages["purposes.toml"]), fields, categories), published)
    catalogue = Catalogue(
        controller=parties.controller(pages["controller.toml"]),
        categories=MappingProxyType(categories),
        fields=MappingProxyType(fields),
        bulk=MappingProxyType(matters.bulk(pages["fields.toml"])),
        export_rows=matters.export_rows(pages["fields.toml"]),
        recipients=MappingProxyType(parties.recipients(pages["recipients.toml"])),
        purposes=MappingProxyType(purposes),
        channels=MappingProxyType(matters.channels(pages["channels.toml"])),
        roles=MappingProxyType(parties.roles(pages["roles.toml"])),
        notices=MappingProxyType(published),
        consent=consent_rules(pages["consent.toml"]),
        tags=MappingProxyType(matters.tags(pages["tags.toml"])),
        marketing=marketing.marketing_rules(pages["marketing.toml"]),
        wording=wording.wording(pages["wording.toml"]),
        topics=MappingProxyType(marketing.topics(pages["marketing.toml"])),
        senders=MappingProxyType(marketing.senders(pages["marketing.toml"])),
        self_purpose=next((purpose.key for purpose in purposes.values() if purpose.self_service), ""),
        holidays_known_until=clock.known_until(),
        digest=digest(files),
    )
    for page in pages.values():
        page.close()
    return catalogue
