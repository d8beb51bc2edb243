"""The mapping file: which header means which field, and which words a shop uses for yes, no and 女 (docs/import.md).

Read as strictly as the policy itself, with the policy's own reader: a misspelt key would be a column that nobody checks.
"""

import hashlib
import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from policies.loading import faults
from policies.loading.files import document
from policies.loading.problems import Fault, Findings
from policies.loading.reading import Section
from policies.terms import Basis, Catalogue
from service.consent.model import Expression
from service.intake.encoding import unreadable
from service.intake.model import FileProblem

SHIPPED = Path(__file__).parent / "mappings" / "chinese-shop.toml"
"""Fits what Chinese shop systems usually export."""

_TAKEN = Fault("HEADER_TAKEN", "Another column has this header: {name}.", "另一列已使用表头 {name}。")
_PURPOSE = Fault("PURPOSE_UNKNOWN", "No purpose of this name stands on consent.", "没有以同意为基础的同名处理目的。")
_VARIES = re.compile(r"[\s*\ufeff]+")
_SCREEN = r"[A-Za-z0-9_./:-]{1,128}"
_LANGUAGE = r"[a-z]{2}(-[A-Z]{2})?"


class Role(StrEnum):
    """What a column says: a field's value, an answer about a purpose, or something about the row itself."""

    FIELD = "field"
    CONSENT = "consent"
    IGNORED = "ignored"
    MEMBER_NUMBER = "member_number"
    CONSENT_TIME = "consent_time"
    NOTICE_VERSION = "notice_version"
    SOURCE = "source"
    COLLECTED_ON = "collected_on"
    EVIDENCE_URI = "evidence_uri"


_ABOUT_THE_ROW = [role for role in Role if role not in {Role.FIELD, Role.CONSENT, Role.IGNORED}]


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a column means. `key` is the field or the purpose; `words` turns the shop's words into ours (None: any word will do),
    and a word that means nothing at all into ''."""

    role: Role
    key: str = ""
    words: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Gesture:
    """How, where and in which language members said yes, where the system that wrote the file can prove it (NC-05, NC-17)."""

    expression: Expression
    screen: str
    language: str


@dataclass(frozen=True, slots=True)
class FileMapping:
    """A whole mapping file. Headers and words are kept `folded`, blanks in every case; `digest` is the SHA-256 of the file."""

    meanings: Mapping[str, Meaning]
    blank: frozenset[str]
    answers: Mapping[str, bool]
    gesture: Gesture | None
    digest: bytes

    def spellings(self, key: str) -> tuple[str, ...]:
        """The headers under which a field or purpose is known."""
        return tuple(header for header, meaning in self.meanings.items() if meaning.key == key)


def folded(text: str) -> str:
    """A header or word without what varies from export to export: width, case, spaces, and the star of a mandatory column."""
    return _VARIES.sub("", unicodedata.normalize("NFKC", text)).casefold()


def load(path: Path, catalogue: Catalogue) -> FileMapping:
    """Read a mapping file. Raises FileProblem (MAPPING_INVALID) with all that is wrong, by key and reason."""
    try:
        raw = path.read_bytes()
    except OSError as problem:
        raise unreadable(problem) from None
    findings = Findings()
    page = document(path.name, {path.name: raw}, findings)
    mapping = _read(page, catalogue, hashlib.sha256(raw).digest())
    problems = findings.all()
    if problems:
        raise FileProblem(
            "MAPPING_INVALID",
            "映射文件有误：" + "".join(f"\n  {found.file}: {found.key}: {found.zh}" for found in problems),
            "The mapping file is not valid:" + "".join(f"\n  {found.file}: {found.key}: {found.en}" for found in problems),
        )
    return mapping


def _read(page: Section, catalogue: Catalogue, digest: bytes) -> FileMapping:
    headers = _Headers()
    answers = {folded(word): granted for key, granted in (("yes", True), ("no", False)) for word in page.texts(key)}
    headers.add(page, "ignore", Meaning(Role.IGNORED))
    for key, section in page.sections("fields"):
        headers.add(section, "headers", _field(key, section, catalogue))
    for key, section in _optional(page, "consents"):
        headers.add(section, "headers", _consent(key, section, catalogue))
    about = page.section("columns")
    for role in _ABOUT_THE_ROW:
        if role.value in about.table:
            headers.add(about, role.value, Meaning(role))
    about.close()
    blank = {form for word in page.texts("blank") for form in (word, word.lower(), word.upper(), word.capitalize())}
    gesture = _gesture(page)
    page.close()
    return FileMapping(headers.found, frozenset(blank | {""}), answers, gesture, digest)


class _Headers:
    """Gathers the spellings, each of which may mean one thing only."""

    def __init__(self) -> None:
        self.found: dict[str, Meaning] = {}

    def add(self, section: Section, key: str, meaning: Meaning) -> None:
        """Read the list of spellings at `key`."""
        for header in section.texts(key):
            if self.found.setdefault(folded(header), meaning) is not meaning:
                section.fault(key, _TAKEN, name=header)
        if meaning.role in {Role.FIELD, Role.CONSENT}:
            section.close()


def _field(key: str, section: Section, catalogue: Catalogue) -> Meaning:
    if key not in catalogue.fields:
        section.fault("", faults.FIELD_UNKNOWN)
    if "words" not in section.table:
        return Meaning(Role.FIELD, key)
    listed = section.section("words")
    words = {folded(word): "" if ours == "blank" else ours for ours in listed.table for word in listed.texts(ours)}
    return Meaning(Role.FIELD, key, words)


def _consent(key: str, section: Section, catalogue: Catalogue) -> Meaning:
    purpose = catalogue.purposes.get(key)
    if purpose is None or purpose.basis is not Basis.CONSENT:
        section.fault("", _PURPOSE)
    return Meaning(Role.CONSENT, key)


def _gesture(page: Section) -> Gesture | None:
    if "gesture" not in page.table:
        return None
    section = page.section("gesture")
    found = Gesture(
        section.one_of("expression", Expression), section.text("screen", _SCREEN), section.text("language", _LANGUAGE)
    )
    section.close()
    return found


def _optional(page: Section, key: str) -> Iterator[tuple[str, Section]]:
    """The named tables of a table that may be missing."""
    return page.sections(key) if key in page.table else iter(())
