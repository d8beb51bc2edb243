"""What members have been asked, pinned with each notice: `notices/<version>/scopes.toml`, written by `menshen policy publish`.

One table a consent-based purpose: its version, what a yes covers, and the very words of the question. So the policy may go on changing,
and what somebody said yes to stays as it was (NC-09). A purpose that has become more than its newest published scope stops the service.
"""

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

from policies.loading import faults
from policies.loading.files import document
from policies.loading.problems import Findings
from policies.loading.reading import Section
from policies.naming import Title
from policies.scopes import LANGUAGES, scope_of, widened
from policies.terms import Basis, Catalogue, Notice, Purpose, Scope

FILE = "scopes.toml"
_PURPOSES = "purposes.toml"


def scopes(version: str, files: Mapping[str, bytes], findings: Findings) -> Mapping[str, Scope]:
    """What one notice told of, by purpose."""
    page = document(f"notices/{version}/{FILE}", files, findings)
    return MappingProxyType({key: _scope(page.section(key)) for key in page.table})


def _scope(section: Section) -> Scope:
    words = section.section("words")
    value = Scope(
        version=section.whole("version", 1, 10_000),
        fields=frozenset(section.texts("fields")),
        method=section.title("method"),
        recipients=frozenset(section.texts("recipients")),
        retention_months=section.whole("retention_months", 0, 360),
        months=section.whole("months", 0, 360),
        words=MappingProxyType({language: words.text(language) for language in LANGUAGES}),
    )
    words.close()
    section.close()
    return value


def with_scopes(purposes: Mapping[str, Purpose], notices: Mapping[str, Notice]) -> dict[str, Purpose]:
    """The purposes, each with every scope that members have been asked about. A version that was told of again, as less, is that less:
    some have agreed to no more.
    """
    found: dict[str, dict[int, Scope]] = {key: {} for key in purposes}
    for notice in sorted(notices.values(), key=lambda notice: notice.effective_at):
        for key, scope in notice.scopes.items():
            found.get(key, {})[scope.version] = scope
    return {key: replace(purpose, scopes=MappingProxyType(found[key])) for key, purpose in purposes.items()}


def weigh_scopes(catalogue: Catalogue, findings: Findings) -> None:
    """Every consent-based purpose was published as it is, and no version ever meant two things."""
    for purpose in catalogue.purposes.values():
        if purpose.basis is Basis.CONSENT:
            _published(purpose, catalogue, findings)
    told: dict[tuple[str, int], Scope] = {}
    for notice in sorted(catalogue.notices.values(), key=lambda notice: notice.effective_at):
        for key, scope in notice.scopes.items():
            before = told.get((key, scope.version), scope)
            told[key, scope.version] = scope
            beyond = widened(before, scope)
            if beyond:
                where = f"notices/{notice.version}/{FILE}"
                findings.add(where, key, faults.SCOPE_AMBIGUOUS, version=scope.version, beyond=", ".join(beyond))


def _published(purpose: Purpose, catalogue: Catalogue, findings: Findings) -> None:
    where = f"purposes.{purpose.key}.version"
    if findings.touched(_PURPOSES, f"purposes.{purpose.key}") or findings.spoiled("notices/published.toml"):
        return
    if not catalogue.notices:
        return
    told = purpose.scopes.get(purpose.version)
    if told is None:
        findings.add(_PURPOSES, where, faults.SCOPE_UNPUBLISHED, version=purpose.version)
    elif beyond := widened(told, scope_of(purpose, catalogue)):
        findings.add(_PURPOSES, where, faults.SCOPE_CHANGED, version=purpose.version, beyond=", ".join(beyond))
    elif purpose.of_children and not _told_to_guardians(purpose, catalogue):
        findings.add(_PURPOSES, where, faults.SCOPE_NOT_FOR_GUARDIANS, version=purpose.version)


def _told_to_guardians(purpose: Purpose, catalogue: Catalogue) -> bool:
    """SM-06: whoever consents to it does so as a guardian, who is shown the rules for guardians. That there are none is told elsewhere."""
    rules = [notice.scopes.get(purpose.key) for notice in catalogue.notices.values() if notice.kind == "CHILD"]
    return not rules or any(scope is not None and scope.version == purpose.version for scope in rules)


def written(catalogue: Catalogue) -> str:
    """The file as it is published: the scope of every consent-based purpose, now."""
    tables = (
        _table(key, scope_of(purpose, catalogue)) for key, purpose in catalogue.purposes.items() if purpose.basis is Basis.CONSENT
    )
    return _HEAD + "\n".join(tables)


_HEAD = """# 由 menshen policy publish 写成：发布时每一项同意的范围与问句。发布后不得改动。
# Written by `menshen policy publish`: what each consent covered when the notice was published, and the words of the question.

"""


def _table(key: str, scope: Scope) -> str:
    lines = [
        f"[{key}]",
        f"version = {scope.version}",
        f"fields = {_list(sorted(scope.fields))}",
        f"method = {_title(scope.method)}",
        f"recipients = {_list(sorted(scope.recipients))}",
        f"retention_months = {scope.retention_months}",
        f"months = {scope.months}",
        f"[{key}.words]",
        *(f"{language} = {_text(words)}" for language, words in scope.words.items()),
    ]
    return "\n".join(lines) + "\n"


def _list(texts: list[str]) -> str:
    return "[" + ", ".join(map(_text, texts)) + "]"


def _title(title: Title) -> str:
    return f"{{ zh = {_text(title.zh)}, en = {_text(title.en)} }}"


def _text(text: str) -> str:
    """A basic string of TOML: quotes, backslashes and control characters escaped."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\t", "\\t").replace("\r", "\\r")
    return f'"{escaped}"'
