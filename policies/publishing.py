"""Publishing a notice: everything is checked first, then the files' digests are pinned, and from then on nothing of it may change.

Pure: it says which files are to be written and what they will mean; `service/cli/publishing.py` writes them.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

from policies import duties
from policies.catalogue import assemble, parse
from policies.changes import ScopeChange, changes, scope_changes
from policies.loading import faults
from policies.loading.files import document
from policies.loading.notices import PUBLISHED
from policies.loading.problems import Fault, Findings, PolicyProblem
from policies.loading.scopes import FILE, written
from policies.terms import Catalogue, Change, Notice


@dataclass(frozen=True, slots=True)
class Publication:
    """What is, or would be, published: the notice, what it changes against the one it supersedes, and the policy's digest.

    `files` are those still to be written, in this order: the one that publishes comes last. Of a first notice everything is new, and
    neither `sections` nor `purposes` repeat it. `behind` are purposes, by the newest notice of the other kind, that it does not tell of as
    they are now: who is shown that one cannot say yes to them yet.
    """

    notice: Notice
    sections: tuple[Change, ...]
    purposes: tuple[ScopeChange, ...]
    digest: str
    files: Mapping[str, bytes]
    behind: Mapping[str, tuple[str, ...]]


def publication(files: Mapping[str, bytes], version: str, *, persons: int = 0) -> Publication:
    """What publishing a drafted version would do. Raises PolicyProblem with everything that stands in its way. `persons` is how many there
    are data of: from a million on a notice names who is in charge and how they are reached (PIPL 52).
    """
    if version in _published(files):
        raise _problem(f"notices/{version}", faults.NOTICE_TWICE)
    folder = f"notices/{version}/"
    if not any(name.startswith(folder) for name in files):
        raise _problem(f"notices/{version}", faults.NOTICE_UNDRAFTED)
    scopes = {folder + FILE: written(assemble(files, Findings())).encode()}
    pins = {**{name: content for name, content in files.items() if name.startswith(folder)}, **scopes}
    new = {**scopes, PUBLISHED: files[PUBLISHED].rstrip() + b"\n\n" + _pins(version, pins)}
    found = parse({**files, **new})
    if persons >= duties.MILLION.persons:
        _hold_to_officer(found, version)
    return _told(found, version, new)


def review(files: Mapping[str, bytes], version: str) -> Publication:
    """The same for a version that is published (nothing is to be written), or that could be. Raises PolicyProblem."""
    return _told(parse(files), version, {}) if version in _published(files) else publication(files, version)


def _published(files: Mapping[str, bytes]) -> Mapping[str, object]:
    findings = Findings()
    table = document(PUBLISHED, files, findings).table
    if findings.all():
        raise PolicyProblem(findings.all())
    return table


def _pins(version: str, files: Mapping[str, bytes]) -> bytes:
    folder = f"notices/{version}/"
    digests = {name.removeprefix(folder): hashlib.sha256(content).hexdigest() for name, content in sorted(files.items())}
    return "\n".join([f'["{version}"]', *(f'"{name}" = "{digest}"' for name, digest in digests.items()), ""]).encode()


def _told(catalogue: Catalogue, version: str, files: Mapping[str, bytes]) -> Publication:
    notice = catalogue.notices[version]
    before = catalogue.notices.get(notice.supersedes or "")
    behind = _behind(catalogue, notice)
    if before is None:
        return Publication(notice, (), (), catalogue.digest, files, behind)
    purposes = tuple(change for change in scope_changes(before.scopes, notice.scopes) if change.changed)
    return Publication(notice, changes(before, notice), purposes, catalogue.digest, files, behind)


def _behind(catalogue: Catalogue, notice: Notice) -> dict[str, tuple[str, ...]]:
    others = [other for other in catalogue.notices.values() if other.kind != notice.kind]
    newest = max(others, key=lambda other: other.effective_at, default=None)
    if newest is None:
        return {}
    late = [key for key, scope in notice.scopes.items() if key not in newest.scopes or newest.scopes[key].version < scope.version]
    return {newest.version: tuple(late)} if late else {}


def _hold_to_officer(catalogue: Catalogue, version: str) -> None:
    """Every language's text names the person in charge, as controller.toml does, and a way to reach them. Raises PolicyProblem."""
    who = catalogue.controller
    contacts = (who.contact_email, who.contact_phone)
    findings = Findings()
    for language, text in sorted(catalogue.notices[version].texts.items()):
        if not duties.shows_officer(text.decode(), responsible=who.responsible_person, contacts=contacts):
            findings.add(f"notices/{version}", language, faults.OFFICER_CONTACT_MISSING)
    if findings.all():
        raise PolicyProblem(findings.all())


def _problem(where: str, fault: Fault) -> PolicyProblem:
    findings = Findings()
    findings.add(where, "", fault)
    return PolicyProblem(findings.all())
