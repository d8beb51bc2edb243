"""Verify a pack for a compliance audit (docs/formats/audit-pack.md) with its public key, without this service and without a network.

In this order: the manifest is signed; the archive has exactly its files, each with its bytes; each figure comes out of the data again.
Nothing of a file is believed before the manifest's signature, and no more of it is read than the manifest says that it has.

How this can hurt: who has the signing key can sign figures over invented rows. Against that stands the log: `data/log.csv` names the leaf
hash of every entry, and those are proven by checkpoints that others have cosigned.
"""

import csv
import io
import json
import re
import struct
import sys
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from typing import IO, Any

from menshen_verifier.errors import Forged, Malformed
from menshen_verifier.figures import Definition, Tally, Value, is_value, parse_definition
from menshen_verifier.note import Key, parse_key, parse_note, signers

LABEL = "menshen/audit-pack/v1"
MANIFEST, FIGURES = "manifest.note", "figures.json"
MOST_MANIFEST = 1 << 20
MOST_FIGURES = 16 << 20
_CHUNK = 1 << 16
_NAME = re.compile(r"[A-Za-z0-9_]+(?:/[a-z0-9_]+)?\.(?:csv|json|md)")
_DIGEST = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class File:
    """One file as the manifest says it is. `rows` are those below the first line; 0 where it is no table."""

    name: str
    size: int
    sha256: str
    rows: int


@dataclass(frozen=True, slots=True)
class Manifest:
    """What was signed: of whom, over which time, as of when, and every file. `content` is all of it."""

    content: Mapping[str, Any]
    files: tuple[File, ...]


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that does not fit: MISSING, UNEXPECTED or ALTERED with a file's name; FIGURE with a figure's key, what is stated and what
    the rows come to.
    """

    code: str
    name: str
    stated: Value | None = None
    found: Value | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """What was found. Without problems every figure is what its rows come to, and every byte is what was signed."""

    manifest: Manifest
    figures: int
    problems: tuple[Problem, ...]


def verify_pack(path: Path, key: Key) -> Report:
    """Verify a pack. Raises Malformed where it is none, Forged where this key has not signed its manifest."""
    with _malformed(), zipfile.ZipFile(path) as archive:
        # Others unpack into as much memory as they like, and fail in ways of their own.
        if any(info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED) for info in archive.infolist()):
            raise Malformed("audit-pack/v1: packed in a way that no pack is")
        manifest = _manifest(archive, key)
        named = {file.name for file in manifest.files} | {MANIFEST}
        held = Counter(info.filename for info in archive.infolist())
        problems = [Problem("UNEXPECTED", name) for name in sorted(set(held) - named)]
        problems += [Problem("MISSING", name) for name in sorted(named - set(held))]
        problems += [Problem("UNEXPECTED", name) for name, count in sorted(held.items()) if count > 1]
        present = [file for file in manifest.files if file.name in held]
        figures = _figures(archive, present)
        return Report(manifest, len(figures), (*problems, *_held_to(archive, present, figures)))


def parse_manifest(text: str) -> Manifest:
    """The text of a manifest's note. Raises Malformed."""
    label, _, rest = text.partition("\n")
    if label != LABEL or not rest.endswith("\n"):
        raise Malformed("audit-pack/v1: another label")
    with _malformed():
        content = json.loads(rest)
        files = tuple(File(*(one[part] for part in ("name", "bytes", "sha256", "rows"))) for one in content["files"])
    whole = all(_is_file(file) for file in files) and len({file.name for file in files}) == len(files)
    if not whole or rest != json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":")) + "\n":
        raise Malformed("audit-pack/v1: not a manifest in its one form")
    return Manifest(content, files)


def main(arguments: Sequence[str] | None = None, *, as_json: bool = False) -> int:
    """`python -m menshen_verifier.pack FILE VKEY`: 0 when all fits, 1 when something does not, 2 when it is no pack of this key."""
    try:
        path, vkey = sys.argv[1:] if arguments is None else arguments
        report = verify_pack(Path(path), parse_key(vkey))
    except (ValueError, OSError, Malformed, Forged) as problem:
        sys.stderr.write(f"{type(problem).__name__}: {problem}\n")
        return 2
    sys.stdout.write(told(report) + "\n" if as_json else "".join(f"{line}\n" for line in lines(report)))
    return 1 if report.problems else 0


def told(report: Report) -> str:
    """The report as one object: how many figures, and what does not fit. A name may be of whoever altered the pack, and no text: half
    of a character is written as JSON escapes it.
    """
    found = {"figures": report.figures, "problems": [asdict(one) for one in report.problems]}
    return json.dumps(found, ensure_ascii=False, indent=2).encode(errors="backslashreplace").decode()


def lines(report: Report) -> Iterator[str]:
    """The report in words."""
    content = report.manifest.content
    yield f"{content.get('controller')} {content.get('from')} – {content.get('to')}"
    for problem in report.problems:
        told = "" if problem.code != "FIGURE" else f": 所载 stated {problem.stated}, 重算 recomputed {problem.found}"
        yield f"✘ {problem.code} {_shown(problem.name)}{told}"
    if not report.problems:
        count = len(report.manifest.files)
        yield f"✔ 已重算 {report.figures} 项数字，{count} 个文件均与签名一致 · all figures recomputed, all files as they were signed"


def _shown(name: str) -> str:
    """A name may be of whoever altered the pack: none of it may look like a line of ours, or move the cursor."""
    return name if name.isprintable() else ascii(name)


def _manifest(archive: zipfile.ZipFile, key: Key) -> Manifest:
    with archive.open(MANIFEST) as file:
        raw = file.read(MOST_MANIFEST + 1)
    note = parse_note(raw)
    if not signers(note, [key]):
        raise Forged("audit-pack/v1: the manifest is not signed with this key")
    return parse_manifest(note.text)


def _figures(archive: zipfile.ZipFile, files: list[File]) -> list[Any]:
    stated = next((file for file in files if file.name == FIGURES), None)
    if stated is None or stated.size > MOST_FIGURES:
        raise Malformed("audit-pack/v1: no figures")
    with archive.open(FIGURES) as file:
        found = json.loads(file.read(stated.size + 1))["figures"]
    if not isinstance(found, list) or not all(isinstance(one["key"], str) and is_value(one["value"]) for one in found):
        raise Malformed("audit-pack/v1: not figures")
    return found


def _held_to(archive: zipfile.ZipFile, files: list[File], figures: list[Any]) -> Iterator[Problem]:
    """Each file read once: its digest and its figures together."""
    definitions = [(one, parse_definition(one["definition"])) for one in figures]
    tables = {file.name for file in files if file.name.endswith(".csv")}
    yield from (Problem("FIGURE", one["key"], one["value"]) for one, wanted in definitions if wanted.file not in tables)
    for file in files:
        own = [(one, wanted) for one, wanted in definitions if wanted.file == file.name]
        with archive.open(file.name) as raw:
            hashed = _Hashed(raw, file.size)
            try:
                rows, tallies = _counted(hashed, [wanted for _, wanted in own]) if file.name in tables else (0, [])
            except (Malformed, ValueError, csv.Error):
                if hashed.fits(file):
                    raise
                yield Problem("ALTERED", file.name)
                continue
            if not hashed.fits(file) or rows != file.rows:
                yield Problem("ALTERED", file.name)
        for (one, _), tally in zip(own, tallies, strict=True):
            if tally.value != one["value"]:
                yield Problem("FIGURE", one["key"], one["value"], tally.value)


def _counted(hashed: "_Hashed", wanted: list[Definition]) -> tuple[int, list[Tally]]:
    """How many rows there are, and what they come to."""
    table = csv.reader(io.TextIOWrapper(io.BufferedReader(hashed, _CHUNK), "utf-8", newline=""), strict=True)
    columns = next(table, [])
    tallies, rows = [Tally(definition, columns) for definition in wanted], 0
    for row in table:
        rows += 1
        if len(row) != len(columns):
            raise Malformed("audit-pack/v1: a row of another width")
        for tally in tallies:
            tally.add(row)
    return rows, tallies


class _Hashed(io.RawIOBase):
    """A file that is hashed while it is read, and of which no more is read than it should have, and one byte."""

    def __init__(self, raw: IO[bytes], size: int) -> None:
        self._raw = raw
        self._left = size + 1
        self._hash = sha256()
        self._seen = 0

    def readable(self) -> bool:
        """It is."""
        return True

    def close(self) -> None:
        """Nothing: what reads it would close it before it has been held to its digest."""

    def readinto(self, buffer: Any, /) -> int:  # noqa: ANN401 - as the base class has it
        """As every file."""
        found = self._raw.read(min(len(buffer), self._left))
        self._left -= len(found)
        self._seen += len(found)
        self._hash.update(found)
        buffer[: len(found)] = found
        return len(found)

    def fits(self, file: File) -> bool:
        """Whether all of it, to the end, is what the manifest says."""
        while self.read(_CHUNK):
            pass
        return self._seen == file.size and self._hash.hexdigest() == file.sha256


def _is_file(file: File) -> bool:
    named = isinstance(file.name, str) and _NAME.fullmatch(file.name) is not None
    counted = all(type(number) is int and 0 <= number < 1 << 53 for number in (file.size, file.rows))
    return named and counted and isinstance(file.sha256, str) and _DIGEST.fullmatch(file.sha256) is not None


@contextmanager
def _malformed() -> Iterator[None]:
    """Whatever the readers of archives, tables and JSON raise becomes one error."""
    try:
        yield
    except (zipfile.BadZipFile, zipfile.LargeZipFile, zlib.error, struct.error, csv.Error) as problem:
        raise Malformed(f"audit-pack/v1: {type(problem).__name__}") from None
    except (ValueError, TypeError, KeyError, IndexError, EOFError, NotImplementedError, RuntimeError, AttributeError) as problem:
        raise (
            problem if isinstance(problem, Malformed | Forged) else Malformed(f"audit-pack/v1: {type(problem).__name__}")
        ) from None


if __name__ == "__main__":
    sys.exit(main())
