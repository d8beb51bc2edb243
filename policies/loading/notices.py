"""The text that members see (告知), by version and language; what was published once can never change.

    notices/published.toml           for each version, the SHA-256 of each of its files, written when it is published
    notices/2026-10/notice.toml      kind, effective_at, supersedes
    notices/2026-10/scopes.toml      what each consent covers, and the question (scopes.py)
    notices/2026-10/zh-CN.md         the text; a heading ends in {#name}, and that is the section's name
    notices/2026-10/en.md            a translation with the same sections

A consent rests on the words that were shown, so a file whose bytes are not the published ones stops the service (NC-01,
NC-03, NC-08). Whoever changes both the text and `published.toml` changes the digest of the policy too, and no longer
fits the hash in any consent event.
"""

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from types import MappingProxyType

from policies import changes
from policies.loading import faults
from policies.loading.files import document, text_of
from policies.loading.problems import Findings
from policies.loading.reading import Section
from policies.loading.scopes import FILE, scopes
from policies.terms import Change, Notice

_COMMON = (
    "controller",
    "contact",
    "purposes",
    "methods",
    "categories",
    "retention",
    "expiry",
    "rights",
    "exercise",
    "withdrawal",
    "refusal",
    "recipients",
    "sensitive",
    "automated_decisions",
    "storage",
    "changes",
    "complaints",
)
ELEMENTS: Mapping[str, tuple[str, ...]] = {
    "GENERAL": (*_COMMON, "minors"),
    "CHILD": (*_COMMON, "officer", "guardian", "security"),
}
"""What a notice of each kind must say, each in a section of this name: PIPL 17, 23, 24, 30, 31 and NDR 21; and to guardians what the
rules on children's information (儿童个人信息网络保护规定) 8 to 10 add: who is in charge, how a guardian is verified and answers, how the
data is protected; where it is kept, what refusing means and how to complain are common to both.
"""

KINDS = tuple(ELEMENTS)
_LAWS = {
    "GENERAL": ("PIPL 17, NDR 21", "个保法第17条、网数条例第21条"),
    "CHILD": ("PIPL 31, rules on children's information 8 to 10", "个保法第31条、儿童个人信息网络保护规定第8至10条"),
}
PUBLISHED = "notices/published.toml"
_VERSION = re.compile(r"[0-9]{4}-[0-9]{2}[a-z0-9-]{0,30}")
_LANGUAGE = re.compile(r"([a-z]{2,3}(?:-[A-Z][A-Za-z]{1,3})?)\.md")
_DIGEST = r"[0-9a-f]{64}"


def notices(files: Mapping[str, bytes], findings: Findings) -> dict[str, Notice]:
    """Every published notice, by version. What is not pinned, not as pinned or incomplete becomes a problem."""
    pinned = _pinned(files, findings)
    _compare(pinned, files, findings)
    versions = sorted({name.split("/")[1] for name in pinned if _VERSION.fullmatch(name.split("/")[1])})
    found = {version: _notice(version, files, findings) for version in versions}
    _succession(found, findings)
    found = {version: replace(notice, changes=_changes(notice, found)) for version, notice in found.items()}
    if not any(notice.kind == "GENERAL" for notice in found.values()) and not findings.spoiled(PUBLISHED):
        findings.add(PUBLISHED, "", faults.NOTICE_NONE)
    return found


def _pinned(files: Mapping[str, bytes], findings: Findings) -> dict[str, str]:
    """File name -> SHA-256, as published.toml has it."""
    published = document(PUBLISHED, files, findings)
    pinned: dict[str, str] = {}
    for version in published.table:
        section = published.section(version)
        if not _VERSION.fullmatch(version):
            published.fault(version, faults.FORM, form=_VERSION.pattern)
        for name in section.table:
            pinned[f"notices/{version}/{name}"] = section.text(name, _DIGEST)
    return pinned


def _compare(pinned: Mapping[str, str], files: Mapping[str, bytes], findings: Findings) -> None:
    """The files on the disk are those that were published, every one and no other."""
    if findings.spoiled(PUBLISHED):
        return
    for name in pinned.keys() - files.keys():
        findings.lose(name, "", faults.FILE_MISSING)
    for name, content in files.items():
        if not name.startswith("notices/") or name == PUBLISHED:
            continue
        digest = hashlib.sha256(content).hexdigest()
        if name not in pinned:
            findings.add(name, "sha256", faults.NOTICE_UNPINNED, digest=digest)
        elif pinned[name] != digest and re.fullmatch(_DIGEST, pinned[name]):
            findings.add(name, "sha256", faults.NOTICE_CHANGED, digest=digest)


def _notice(version: str, files: Mapping[str, bytes], findings: Findings) -> Notice:
    """One version. Its sections are those of the Chinese text, which is the one that counts."""
    kind, effective_at, supersedes = _head(document(f"notices/{version}/notice.toml", files, findings))
    texts = dict(_texts(version, files, findings))
    sections = {language: _sections(version, language, text, kind, findings) for language, text in texts.items()}
    if "zh-CN" not in texts:
        findings.add(f"notices/{version}", "zh-CN", faults.NOTICE_NO_CHINESE)
    chinese = sections.get("zh-CN", frozenset())
    for language in sorted(texts.keys() - {"zh-CN"}):
        differing = ", ".join(sorted(sections[language] ^ chinese))
        if differing and chinese:
            findings.add(f"notices/{version}/{language}.md", "sections", faults.NOTICE_LANGUAGES, names=differing)
    digests = {language: hashlib.sha256(text).hexdigest() for language, text in texts.items()}
    return Notice(
        version=version,
        kind=kind,
        effective_at=effective_at,
        supersedes=supersedes,
        sections=chinese,
        texts=MappingProxyType(texts),
        digests=MappingProxyType(digests),
        scopes=scopes(version, files, findings),
        parts=MappingProxyType({language: MappingProxyType(_parts(text)) for language, text in texts.items()}),
    )


def _parts(raw: bytes) -> dict[str, str]:
    """The sections of a text. Bytes that are no text have been told of already, and their stand-in is let out nowhere."""
    return changes.sections(raw.decode("utf-8", "replace"))


def _changes(notice: Notice, found: Mapping[str, Notice]) -> tuple[Change, ...]:
    """What is new against the version that it supersedes; of a first one nothing, because all of it is."""
    before = found.get(notice.supersedes or "")
    return changes.changes(before, notice) if before is not None else ()


def _head(section: Section) -> tuple[str, datetime, str | None]:
    kind = section.among("kind", KINDS)
    effective_at = section.moment("effective_at")
    supersedes = section.text("supersedes", blank=True)
    section.close()
    return kind, effective_at, supersedes or None


def _texts(version: str, files: Mapping[str, bytes], findings: Findings) -> Iterator[tuple[str, bytes]]:
    """Language -> bytes; and a problem for whatever else lies in the folder."""
    for name in sorted(files):
        if not name.startswith(f"notices/{version}/") or name.endswith(("/notice.toml", f"/{FILE}")):
            continue
        language = _LANGUAGE.fullmatch(name.removeprefix(f"notices/{version}/"))
        if language is None:
            findings.add(name, "", faults.FILE_UNKNOWN, known=f"notice.toml, {FILE}, zh-CN.md, en.md, …")
        else:
            yield language[1], files[name]


def _sections(version: str, language: str, raw: bytes, kind: str, findings: Findings) -> frozenset[str]:
    """The names of a text's sections. Those that the law demands must be there, each with words in it."""
    file = f"notices/{version}/{language}.md"
    text = text_of(file, raw, findings)
    if text is None:
        return frozenset()
    headings = list(changes.HEADING.finditer(text))
    ends = [heading.start() for heading in headings[1:]] + [len(text)]
    bodies = [(heading[1], text[heading.end() : end].strip()) for heading, end in zip(headings, ends, strict=True) if heading[1]]
    names = [name for name, _ in bodies]
    for name in sorted({name for name in names if names.count(name) > 1}):
        findings.add(file, name, faults.DUPLICATE, name=name)
    law, law_zh = _LAWS[kind]
    for name in set(ELEMENTS[kind]) - {name for name, body in bodies if body}:
        findings.add(file, name, faults.NOTICE_ELEMENT, name=name, law=law, law_zh=law_zh)
    return frozenset(names)


def _succession(found: Mapping[str, Notice], findings: Findings) -> None:
    """What a notice supersedes is an earlier one of its kind."""
    for notice in found.values():
        if notice.supersedes is None:
            continue
        older = found.get(notice.supersedes)
        if older is None or older.kind != notice.kind or older.effective_at >= notice.effective_at:
            where = f"notices/{notice.version}/notice.toml"
            findings.add(where, "supersedes", faults.NOTICE_SUPERSEDES, name=notice.supersedes)
