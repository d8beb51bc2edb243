"""The policy folder as bytes: read once, digested, and parsed from the very bytes that were digested.

The digest of the policy in force stands in every consent event and audit entry, so it must be computable by a stranger.
It is the lower-case hexadecimal SHA-256 of

    "menshen/policy/v1" 0x0A
    then for each policy file, sorted by the bytes of its name:
        the length of the name in bytes   4 bytes, big-endian
        the name                          UTF-8, relative to the folder, parts joined with "/"
        the length of the content         8 bytes, big-endian
        the content                       as it lies on the disk

Policy files are the `*.toml` of the folder itself and every file below `notices/`. Names that begin with a dot are no
policy: editors and Kubernetes leave such things about. Nothing else is read, so code and documents may lie in the same
folder.
"""

import hashlib
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path

from policies.loading import faults
from policies.loading.problems import Findings, PolicyUnreadable, Problem
from policies.loading.reading import Section

_LABEL = b"menshen/policy/v1\n"
_BOM = b"\xef\xbb\xbf"
_LINE = re.compile(r"at line (\d+)")


def snapshot(folder: Path) -> dict[str, bytes]:
    """Every policy file by its name. Raises PolicyUnreadable when the folder or a file in it cannot be read."""
    try:
        found = [path for path in folder.iterdir() if path.suffix == ".toml"]
        found += [path for path in (folder / "notices").rglob("*") if path.is_file()]
        names = {path.relative_to(folder): path for path in found}
        return {name.as_posix(): path.read_bytes() for name, path in names.items() if not _hidden(name)}
    except OSError as error:
        reason = error.strerror or type(error).__name__
        en, zh = faults.UNREADABLE.en.format(error=reason), faults.UNREADABLE.zh.format(error=reason)
        where = str(error.filename or folder)
        raise PolicyUnreadable([Problem(where, "", faults.UNREADABLE.code, en, zh)]) from error


def _hidden(name: Path) -> bool:
    return any(part.startswith(".") for part in name.parts)


def digest(files: Mapping[str, bytes]) -> str:
    """The digest of the policy, as the module's text defines it."""
    total = hashlib.sha256(_LABEL)
    for name, content in sorted((name.encode(), content) for name, content in files.items()):
        total.update(len(name).to_bytes(4, "big") + name + len(content).to_bytes(8, "big") + content)
    return total.hexdigest()


def text_of(file: str, raw: bytes, findings: Findings) -> str | None:
    """The bytes as text, or None after a problem. A byte order mark is refused: not every tool keeps it."""
    if not raw.startswith(_BOM):
        try:
            return raw.decode("utf-8")
        except UnicodeDecodeError as error:
            findings.lose(file, "", faults.NOT_UTF8, byte=error.start)
            return None
    findings.lose(file, "", faults.NOT_UTF8, byte=0)
    return None


def document(file: str, files: Mapping[str, bytes], findings: Findings) -> Section:
    """The whole of one TOML file; a stand-in, after one problem, where it is missing or cannot be parsed."""
    lost = Section(file, "", {}, Findings())
    if file not in files:
        findings.lose(file, "", faults.FILE_MISSING)
        return lost
    text = text_of(file, files[file], findings)
    if text is None:
        return lost
    try:
        return Section(file, "", tomllib.loads(text), findings)
    except tomllib.TOMLDecodeError as error:
        findings.lose(file, _key_at(text, str(error)), faults.NOT_TOML, error=error)
        return lost


def _key_at(text: str, message: str) -> str:
    """The key on the line that the parser stumbled over: a duplicate is found by its name sooner than by its line.

    A message without a line is about the end of the document.
    """
    found = _LINE.search(message)
    lines = text.splitlines() or [""]
    line = lines[int(found[1]) - 1] if found and int(found[1]) <= len(lines) else lines[-1]
    return line.split("=")[0].strip()
