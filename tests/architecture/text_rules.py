"""The house rules for files that are not Python, and for all files alike."""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
_WALK_PAST = {".git", ".venv", ".menshen", "__pycache__", "node_modules", ".hypothesis", "dist"}

# Written in pieces, so that these lines do not break their own rule.
_REGISTRIES = (
    ("py" + "pi", "org"),
    ("python" + "hosted", "org"),
    ("npm" + "js", "(?:org|com)"),
    ("deb", "deb" + "ian", "org"),
    ("security", "deb" + "ian", "org"),
    ("proxy", "go" + "lang", "org"),
    ("npm" + "mirror", "com"),
    ("docker", "io"),
    ("tsing" + "hua", "edu", "cn"),
    ("ali" + "yun", "com/py" + "pi"),
)
_REGISTRY = re.compile("|".join(r"\.".join(parts) for parts in _REGISTRIES), re.IGNORECASE)
_MACHINE_PATH = re.compile(r"(?<![\w.])/(" + "|".join(("wo" + "rk", "fa" + "rm", "opt/py" + "pi", "opt/whe" + "els")) + r")/")
_CDNS = ("unpkg", "jsdelivr", "cdnjs", "googleapis", "gstatic", "esm.sh", "skypack", "bootcdn", "staticfile", "polyfill.io")
_CDN = re.compile(rf"//[\w.-]*(?:\bcdn\.|{'|'.join(map(re.escape, _CDNS))})", re.IGNORECASE)
_FETCHED = re.compile(
    r"""(?:\bsrc|\baction|<link[^>]*\bhref)\s*=\s*["']?(?:https?:)?//|@import\s[^;]*//|url\(\s*["']?(?:https?:)?//""",
    re.IGNORECASE,
)


def tracked() -> list[Path]:
    """Every file of the repository, new ones included, ignored ones not; from the root of the repository."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    try:
        listed = subprocess.run(command, cwd=REPOSITORY, capture_output=True, check=True).stdout.decode().split("\0")
    except (OSError, subprocess.CalledProcessError):
        return sorted(_walk(REPOSITORY))
    return sorted(Path(name) for name in listed if name and (REPOSITORY / name).is_file())


def read(path: Path) -> str:
    """The text of a file; bytes that are no text are shown as they can be, because a path may hide among them."""
    return (REPOSITORY / path).read_bytes().decode("utf-8", "replace")


def names_no_registry(text: str) -> Iterator[str]:
    """Where packages come from is the machine's affair: a mirror, a proxy, a disk."""
    yield from _hits(_REGISTRY, text)


def names_no_machine(text: str) -> Iterator[str]:
    """A path of one machine means nothing on another."""
    yield from _hits(_MACHINE_PATH, text)


def fetches_nothing_from_elsewhere(text: str) -> Iterator[str]:
    """A page that loads a script from elsewhere tells that place who looked, and runs what that place says."""
    yield from _hits(_CDN, text)
    yield from _hits(_FETCHED, text)


def _hits(pattern: re.Pattern[str], text: str) -> Iterator[str]:
    for number, line in enumerate(text.splitlines(), 1):
        if found := pattern.search(line):
            yield f"{number}: {found[0]}"


def _walk(folder: Path) -> Iterator[Path]:
    for path in folder.iterdir():
        if path.is_dir() and path.name not in _WALK_PAST:
            yield from _walk(path)
        elif path.is_file():
            yield path.relative_to(REPOSITORY)
