"""One row of a file as a candidate for membership, or everything that is wrong with it. No database, no clock, no key."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from policies.clock import day_in_shanghai
from policies.terms import Catalogue, ConsentState, LookupKind, MemberStatus
from service.intake import cells
from service.intake.layout import PHONE, Layout
from service.intake.mapping import FileMapping, Role
from service.intake.model import Candidate, Code, Flag, Provenance, RawRow, Reject
from service.intake.proof import Claim, ending, worth
from service.intake.rules import CellProblem, findable
from service.members.commands import band_at, default_appid, status_in, to_be_looked_at
from service.vault.vault import Value

_NUMBER = Role.MEMBER_NUMBER.value
_WHERE = frozenset({Role.SOURCE.value, Role.COLLECTED_ON.value, Role.EVIDENCE_URI.value})


class RowReader:
    """Reads the rows of one file. `now` is the moment of the import: what lies after it has not happened."""

    def __init__(
        self, layout: Layout, mapping: FileMapping, catalogue: Catalogue, *, provenance: Provenance, now: datetime
    ) -> None:
        self._unnamed = layout.unnamed
        self._mapping = mapping
        self._catalogue = catalogue
        self._provenance = provenance
        self._now = now
        self._today = day_in_shanghai(now)
        self._cells = cells.compiled(layout.columns, mapping, catalogue, now)
        self._labels = {column.meaning.key: column.label for column in layout.columns}
        found_by = (
            field for key, field in catalogue.fields.items() if key in self._labels and field.lookup is not LookupKind.NONE
        )
        # The phone first: it decides who a row is.
        self._found_by = [(f.key, f.normaliser, f.lookup) for f in sorted(found_by, key=lambda field: field.key != PHONE)]
        self._says_where = any(cell.key in _WHERE for cell in self._cells.about)
        self._appid = default_appid(catalogue)

    def read(self, number: int, row: RawRow) -> Candidate | tuple[Reject, ...]:
        """The candidate, or every reason why there is none. `number` counts the file's rows from 0."""
        if row.damage is not None:
            return (Reject(row.place, "", row.damage),)
        rejects: list[Reject] = []
        blank = self._mapping.blank
        sealed = cells.told(self._cells.sealed, row, blank, rejects)
        plain = cells.told(self._cells.plain, row, blank, rejects)
        answers = cells.told(self._cells.answers, row, blank, rejects)
        about = cells.told(self._cells.about, row, blank, rejects)
        lookups = self._lookups(row, sealed, rejects)
        if PHONE not in sealed or self._unnamed:
            rejects += self._missing(row, sealed, rejects)
        if rejects:
            return tuple(rejects)
        birthday = sealed.get(self._catalogue.consent.age_field)
        status = status_in(band_at(birthday, self._catalogue, self._today))
        minor = to_be_looked_at(birthday, self._catalogue, self._today)
        provenance = self._provenance_of(about) if self._says_where else self._provenance
        flags = self._flags(answers, about, provenance, status) if answers else ()
        return Candidate(number, row.line, about.get(_NUMBER), sealed, plain, status, lookups, flags, provenance, minor=minor)

    def _missing(self, row: RawRow, values: Mapping[str, Value], rejects: list[Reject]) -> list[Reject]:
        """No phone; or a value where no header says what it is."""
        stray = [index for index in self._unnamed if row.cells[index].strip()]
        found = [Reject(row.place, f"#{index + 1}", Code.CELL_WITHOUT_HEADER) for index in stray]
        if PHONE not in values and all(reject.column != self._labels[PHONE] for reject in rejects):
            found.append(Reject(row.place, self._labels[PHONE], Code.PHONE_MISSING))
        return found

    def _lookups(self, row: RawRow, values: Mapping[str, Any], rejects: list[Reject]) -> tuple[tuple[str, str, LookupKind], ...]:
        """The spellings by which the member will be found."""
        found = []
        for key, normaliser, kind in self._found_by:
            value = values.get(key)
            if value is not None:
                try:
                    found.append((key, findable(normaliser, value, self._appid), kind))
                except CellProblem as problem:
                    rejects.append(Reject(row.place, self._labels[key], problem.code))
        return tuple(found)

    def _provenance_of(self, about: Mapping[str, Any]) -> Provenance:
        """The row's own word on where it comes from, before the file's."""
        given = self._provenance
        return Provenance(
            source=about.get(Role.SOURCE.value, given.source),
            collected_on=about.get(Role.COLLECTED_ON.value, given.collected_on),
            evidence_uri=about.get(Role.EVIDENCE_URI.value, given.evidence_uri),
        )

    def _flags(
        self, answers: Mapping[str, bool], about: Mapping[str, Any], provenance: Provenance, status: MemberStatus
    ) -> tuple[Flag, ...]:
        at, notice = about.get(Role.CONSENT_TIME.value), about.get(Role.NOTICE_VERSION.value, "")
        claim = Claim(at, notice, self._mapping.gesture, provenance)
        found = []
        for key, granted in answers.items():
            purpose = self._catalogue.purposes[key]
            state = worth(self._catalogue, purpose, claim, granted=granted, status=status, now=self._now)
            found.append(Flag(key, state, at, notice, ending(purpose, claim) if state is ConsentState.GIVEN else None))
        return tuple(found)
