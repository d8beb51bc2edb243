"""What a file is, by its bytes: its digest, and the encoding of a text, decided on the whole file, strictly, or not at all.

Never by line and never by likelihood: a guess that is right for most rows would turn the others' names into somebody else's.
"""

import codecs
import hashlib
from dataclasses import dataclass
from pathlib import Path

from service.intake.model import FileProblem

_CHUNK = 1 << 20
_MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
_UNMARKED = ("utf-8", "gb18030")
_NOT_TEXT = (b"\xd0\xcf\x11\xe0", b"<")
_ZIP = b"PK\x03\x04"


@dataclass(frozen=True, slots=True)
class Stamp:
    """How a file looked when it was examined: enough to notice that it has been written to since."""

    size: int
    changed_at: int


@dataclass(frozen=True, slots=True)
class Examined:
    """`encoding` is a Python codec, or '' for a workbook. `digest` is the SHA-256 of the bytes."""

    digest: bytes
    encoding: str
    stamp: Stamp


def examine(path: Path) -> Examined:
    """Read the whole file once. Raises FileProblem when it is empty, unreadable, of an unknown encoding or no table at all."""
    stamp = stamp_of(path)
    try:
        with path.open("rb") as file:
            start = file.read(8)
            file.seek(0)
            if start.startswith(_ZIP):
                return Examined(hashlib.file_digest(file, "sha256").digest(), "", stamp)
            _refuse_other_formats(start)
            digest, encoding = _decide(file, start)
            return Examined(digest, encoding, stamp)
    except OSError as problem:
        raise unreadable(problem) from None


def stamp_of(path: Path) -> Stamp:
    """The file's stamp now. Raises FileProblem when there is no such file, it is not a file, or it is empty."""
    try:
        found = path.stat()
    except OSError as problem:
        raise unreadable(problem) from None
    if not path.is_file():
        raise FileProblem("FILE_UNREADABLE", "这不是一个文件。", "This is not a file.")
    if not found.st_size:
        raise FileProblem("FILE_EMPTY", "文件是空的。", "The file is empty.")
    return Stamp(found.st_size, found.st_mtime_ns)


def unreadable(problem: OSError) -> FileProblem:
    """What the operating system said, as ours."""
    return FileProblem("FILE_UNREADABLE", f"无法读取文件：{problem.strerror}。", f"The file cannot be read: {problem.strerror}.")


def _refuse_other_formats(start: bytes) -> None:
    """Old Excel files and the HTML tables that some shops name `.xls` begin in a way of their own."""
    if start.removeprefix(codecs.BOM_UTF8).lstrip().startswith(_NOT_TEXT):
        raise FileProblem(
            "FILE_FORMAT",
            "只支持 CSV 与 XLSX；旧版 .xls、加密的工作簿和网页表格请先另存为 .xlsx 或 CSV。",
            "Only CSV and XLSX are known; save an old .xls, an encrypted workbook or a web page as .xlsx or CSV first.",
        )


class _Reading:
    """One encoding on trial over a file that arrives in pieces."""

    def __init__(self, encoding: str) -> None:
        self.encoding = encoding
        self.holds = True
        self.nul = False
        self._decoder = codecs.getincrementaldecoder(encoding)("strict")

    def feed(self, chunk: bytes, *, final: bool = False) -> None:
        """Try the next piece. Once it fails it has failed for good."""
        if self.holds:
            try:
                self.nul |= "\0" in self._decoder.decode(chunk, final)
            except UnicodeDecodeError:
                self.holds = False


def _decide(file: "codecs._ReadableStream", start: bytes) -> tuple[bytes, str]:
    marked = tuple(encoding for mark, encoding in _MARKS if start.startswith(mark))
    trials = [_Reading(encoding) for encoding in marked or _UNMARKED]
    digest = hashlib.sha256()
    while chunk := file.read(_CHUNK):
        digest.update(chunk)
        for trial in trials:
            trial.feed(chunk)
    for trial in trials:
        trial.feed(b"", final=True)
    winner = next((trial for trial in trials if trial.holds), None)
    if winner is None:
        raise FileProblem(
            "ENCODING_UNKNOWN",
            "编码无法识别：整个文件既不是 UTF-8，也不是 GB18030，也不是带标记的 UTF-16。",
            "The encoding is unknown: the file as a whole is neither UTF-8 nor GB18030 nor UTF-16 with its mark.",
        )
    if winner.nul:
        raise FileProblem(
            "FILE_NUL",
            "文件中含有 NUL 字节：文件已损坏，或是没有标记的 UTF-16。",
            "There are NUL bytes in the file: it is damaged, or it is UTF-16 without its mark.",
        )
    return digest.digest(), winner.encoding
