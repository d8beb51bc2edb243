"""A policy folder of a test's own: the shipped one, edited key by key and published anew, as an officer would.

folder = shipped(tmp_path)
set_key(folder, "purposes.toml", "purposes.birthday_gift.fields.region", "plain")
set_key(folder, "purposes.toml", "purposes.birthday_gift.version", 2)
publish(folder, "2026-12", effective_at="2026-12-01T00:00:00+08:00")
catalogue = load(folder)                      # or Config(policies=folder, …)
"""

import hashlib
import json
import re
import shutil
from pathlib import Path

from policies.catalogue import SHIPPED, assemble
from policies.loading import files
from policies.loading.problems import Findings
from policies.loading.scopes import written

FIRST = {"GENERAL": "2026-10", "CHILD": "2026-10-child"}
"""The versions that ship."""


def shipped(into: Path) -> Path:
    """A copy of the shipped policy in a new folder `policy`."""
    copy = into / "policy"
    for name in files.snapshot(SHIPPED):
        (copy / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(SHIPPED / name, copy / name)
    return copy


def set_key(folder: Path, file: str, key: str, value: object) -> None:
    """Set one key, by its dotted name (`purposes.baby_care.version`); its table must be there, the key need not."""
    table, _, name = key.rpartition(".")
    start, end, lines = _table(folder / file, table)
    line = f"{name} = {_toml(value)}"
    found = _line(lines, start, end, name)
    lines[slice(found, found + 1) if found is not None else slice(start, start)] = [line]
    _write(folder / file, lines)


def drop_key(folder: Path, file: str, key: str) -> None:
    """Take one key out, by its dotted name."""
    table, _, name = key.rpartition(".")
    start, end, lines = _table(folder / file, table)
    found = _line(lines, start, end, name)
    assert found is not None, f"{file} has no {key}"
    del lines[found]
    _write(folder / file, lines)


def add_table(folder: Path, file: str, table: str, **keys: object) -> None:
    """A further table at the end of a file: `add_table(folder, "recipients.toml", "recipients.example_bank", role="JOINT", …)`."""
    path = folder / file
    rows = [f"[{table}]", *(f"{name} = {_toml(value)}" for name, value in keys.items())]
    path.write_text("\n".join([path.read_text("utf-8").rstrip(), "", *rows, ""]), "utf-8")


def edit(folder: Path, file: str, old: str, new: str) -> None:
    """Change a text that is there."""
    path = folder / file
    text = path.read_text("utf-8")
    assert old in text, f"{file} does not have: {old}"
    path.write_text(text.replace(old, new), "utf-8")


def draft(
    folder: Path,
    version: str,
    *,
    effective_at: str,
    supersedes: str | None = None,
    kind: str = "GENERAL",
    like: str | None = None,
) -> None:
    """A notice that is not published yet, with the texts of the one that it supersedes (by default the shipped one)."""
    old = FIRST[kind] if supersedes is None else supersedes
    new = folder / "notices" / version
    new.mkdir()
    for path in (folder / "notices" / (like or old or FIRST[kind])).glob("*.md"):
        shutil.copyfile(path, new / path.name)
    head = [f'kind = "{kind}"', f"effective_at = {effective_at}", f'supersedes = "{old}"', ""]
    (new / "notice.toml").write_text("\n".join(head), "utf-8")


def publish(
    folder: Path,
    version: str,
    *,
    effective_at: str,
    supersedes: str | None = None,
    kind: str = "GENERAL",
    like: str | None = None,
) -> None:
    """`draft`, unless there is one, and then publish it with the scopes of the purposes as they are now."""
    if not (folder / "notices" / version).exists():
        draft(folder, version, effective_at=effective_at, supersedes=supersedes, kind=kind, like=like)
    present = assemble(files.snapshot(folder), Findings())
    (folder / "notices" / version / "scopes.toml").write_text(written(present), "utf-8")
    pin(folder, version)


def pin(folder: Path, version: str) -> None:
    """Write the present SHA-256 of every file of a version into published.toml, over what stood there."""
    published = folder / "notices/published.toml"
    kept = re.sub(rf'\["{version}"\][^\[]*', "", published.read_text("utf-8")).rstrip()
    paths = sorted((folder / "notices" / version).iterdir())
    pins = [f'"{path.name}" = "{hashlib.sha256(path.read_bytes()).hexdigest()}"' for path in paths]
    published.write_text("\n".join([kept, "", f'["{version}"]', *pins, ""]), "utf-8")


def _table(path: Path, table: str) -> tuple[int, int, list[str]]:
    """From which line to which a table goes, and all lines. The table "" is what stands before the first header."""
    lines = path.read_text("utf-8").splitlines()
    start = lines.index(f"[{table}]") + 1 if table else 0
    end = next((i for i in range(start, len(lines)) if lines[i].startswith("[")), len(lines))
    return start, end, lines


def _line(lines: list[str], start: int, end: int, name: str) -> int | None:
    return next((i for i in range(start, end) if re.match(rf"{re.escape(name)}\s*=", lines[i])), None)


def _write(path: Path, lines: list[str]) -> None:
    path.write_text("\n".join([*lines, ""]), "utf-8")


def _toml(value: object) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{name} = {_toml(each)}" for name, each in value.items()) + " }"
    return json.dumps(value, ensure_ascii=False)
