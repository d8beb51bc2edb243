"""The reject file: for each row that was not loaded, where, in which column and why, and never what stood there.

It is gathered in a file without a name, which vanishes with the process, and put in its place whole, once all rows have been
seen. So it is either complete or not there, also after a kill; an import that is carried on gathers anew what was refused before.
"""

import csv
import errno
import io
import os
import shutil
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Self

from service.files import whole
from service.intake.model import REASONS, FileProblem, Reject

HEADER = ("行号 line", "列 column", "代码 code", "原因", "reason")
_ANY_WRITE = 0o222
_DANGEROUS = ("=", "+", "-", "@", "\t", "\r", "\n")


class RejectFile:
    """Gathers refusals; `publish` puts them where they belong. `path` None: they are only counted."""

    def __init__(self, path: Path | None) -> None:
        self.path = path
        self._gathered = tempfile.TemporaryFile()  # noqa: SIM115  (closed by `__exit__`)
        self._text = io.TextIOWrapper(self._gathered, "utf-8-sig", newline="")
        self._writer = csv.writer(self._text)
        self._writer.writerow(HEADER)

    def add(self, rejects: Iterable[Reject]) -> None:
        """Note what is wrong with one row."""
        self._writer.writerows(_line(reject) for reject in rejects)

    def publish(self) -> None:
        """Put the file in its place, whole or not at all. Raises FileProblem when that is not possible."""
        if self.path is None:
            return
        self._text.flush()
        self._gathered.seek(0)
        try:
            with whole(self.path) as file:
                shutil.copyfileobj(self._gathered, file)
        except OSError as problem:
            raise unwritable(problem) from None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Forget what was gathered."""
        self._text.close()


def place_for(path: Path, rejects: Path | None) -> Path:
    """Where the reject file will be: as told; else beside the file; where nothing can be written there, in the current folder.

    Raises FileProblem, before anything is loaded, when it cannot be written.
    """
    beside = path.with_name(path.stem + ".rejects.csv")
    for place in (rejects,) if rejects else (beside, Path.cwd() / beside.name):
        problem = _objection(path, place)
        if problem is None:
            return place
    raise unwritable(problem or OSError())


def unwritable(problem: OSError) -> FileProblem:
    """What the operating system said, as ours."""
    reason = problem.strerror or type(problem).__name__
    return FileProblem("REJECTS_UNWRITABLE", f"无法写入拒绝清单：{reason}。", f"The reject file cannot be written: {reason}.")


def _objection(path: Path, place: Path) -> OSError | None:
    """Why the list cannot stand there. It would be a pity to overwrite the file with what is wrong with it."""
    if place.is_dir() or place.resolve() == path.resolve():
        return FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST))
    try:
        if not place.parent.stat().st_mode & _ANY_WRITE:
            # Root could, but the folder says that nobody is meant to.
            return PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        with tempfile.TemporaryFile(dir=place.parent):
            return None
    except OSError as problem:
        return problem


def _line(reject: Reject) -> tuple[str, str, str, str, str]:
    title = REASONS[reject.code]
    zh = f"{title.zh}（首见第 {reject.first} 行）" if reject.first else title.zh
    en = f"{title.en} (First on line {reject.first}.)" if reject.first else title.en
    return reject.line, _harmless(reject.column), reject.code.value, zh, en


def _harmless(text: str) -> str:
    """A header as a spreadsheet may see it: one that begins like a formula must not be run by whoever opens the list."""
    return "'" + text if text.startswith(_DANGEROUS) else text
