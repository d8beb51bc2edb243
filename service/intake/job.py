"""All that is known of an import before its rows are read: the file, its header, the mapping, where the rows come from."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TypeVar

from policies.clock import day_in_shanghai
from policies.terms import Basis, Catalogue
from service.errors import BadInput
from service.intake import layout, mapping, rules
from service.intake.batch import NUMBER
from service.intake.layout import Layout
from service.intake.mapping import FileMapping, Role
from service.intake.model import REASONS, Provenance
from service.intake.reading import Table, open_table
from service.intake.rows import RowReader
from service.intake.rules import CellProblem, tidy

T = TypeVar("T")
FORMAT = b"menshen/import/v1"
_LONGEST = 500


@dataclass(frozen=True, slots=True)
class Job:
    """One file, understood and ready to be read. `now` is the moment of the import: what lies after it has not happened."""

    table: Table
    layout: Layout
    mapping: FileMapping
    catalogue: Catalogue
    provenance: Provenance
    now: datetime

    def reader(self) -> RowReader:
        """Judges rows as of the job's moment."""
        return RowReader(self.layout, self.mapping, self.catalogue, provenance=self.provenance, now=self.now)

    def identity(self) -> bytes:
        """What makes this import this one: the file's bytes, the mapping's, and where the rows are said to come from.

        Whoever runs the same again carries it on. A file with one byte changed is another import, and whoever came in with the
        first is a duplicate in the second.
        """
        said = self.provenance
        words = [said.source, said.collected_on.isoformat() if said.collected_on else "", said.evidence_uri]
        parts = (FORMAT, self.table.examined.digest, self.mapping.digest, json.dumps(words).encode())
        return b"\0".join(parts)

    def purposes(self) -> list[str]:
        """For what the rows are stored: the declared purposes that use a column's field, and may do so.

        Those on another basis than consent, and the ones for which the file says what members answered. A member's own look at
        everything is a right (PIPL 44, 45), and no reason to collect.
        """
        meanings = [column.meaning for column in self.layout.columns]
        fields = {meaning.key for meaning in meanings if meaning.role is Role.FIELD}
        asked = {meaning.key for meaning in meanings if meaning.role is Role.CONSENT}
        declared = self.catalogue.purposes.items()
        fit = {key for key, purpose in declared if purpose.basis is not Basis.CONSENT and fields & purpose.fields.keys()}
        return sorted(fit - {self.catalogue.self_purpose} | asked)

    def labels(self) -> dict[str, str]:
        """The headers of this file by field, and that of the member number."""
        found = {column.meaning.key: column.label for column in self.layout.columns}
        numbers = (column.label for column in self.layout.columns if column.meaning.role is Role.MEMBER_NUMBER)
        return found | {NUMBER: next(numbers, "")}


def understand(
    path: Path,
    catalogue: Catalogue,
    *,
    now: datetime,
    mapped_by: Path = mapping.SHIPPED,
    provenance: Provenance | None = None,
    ignore_unmapped: bool = False,
) -> Job:
    """Read the mapping, find the header and make the rules for the rows. Raises FileProblem; nothing is loaded yet."""
    found = mapping.load(mapped_by, catalogue)
    table = open_table(path, partial(layout.score, found))
    header = layout.understand(found, table.header.cells, ignore_unmapped=ignore_unmapped)
    return Job(table, header, found, catalogue, provenance or Provenance(), now)


def said(source: str, collected_on: str, evidence_uri: str, *, now: datetime) -> Provenance:
    """Where the file comes from, as the command line says it. Raises BadInput naming the option, never its value."""
    text = rules.unsealed_text(_LONGEST)
    return Provenance(
        source=option("--source", text, source) if source else "",
        collected_on=option("--collected-on", rules.day(day_in_shanghai(now)), collected_on) if collected_on else None,
        evidence_uri=option("--evidence-uri", text, evidence_uri) if evidence_uri else "",
    )


def option(name: str, rule: Callable[[str], T], text: str) -> T:
    """The value of an option of the command line, by the rule for a cell. Raises BadInput naming the option, never its value."""
    try:
        if found := tidy(text):
            return rule(found)
        raise BadInput(f"{name}: it is blank", code="OPTION_INVALID")
    except CellProblem as problem:
        raise BadInput(f"{name}: {REASONS[problem.code].en}", code="OPTION_INVALID") from None
