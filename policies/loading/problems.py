"""What is wrong with a policy folder: every fault by file, key and reason, all of them together.

A privacy officer who has made five slips should need one round to mend them, so a reader that meets a fault writes it
down and goes on with a harmless stand-in. No catalogue is ever made from a stand-in: `catalogue.load` raises when
anything was found.
"""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Fault:
    """One way of being wrong: its stable code, and what to do about it in both languages (templates for `str.format`)."""

    code: str
    en: str
    zh: str


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One fault found: in which file of the folder, at which key (dotted, as TOML writes it), and why it cannot stand."""

    file: str
    key: str
    code: str
    en: str
    zh: str

    @property
    def reason(self) -> str:
        """The reason in both languages."""
        return f"{self.en} {self.zh}"


class PolicyProblem(Exception):
    """The folder holds no policy that may be put in force. `problems` lists all that is wrong."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(f"{p.file}: {p.key}: {p.code}: {p.reason}" for p in self.problems))


class PolicyUnreadable(PolicyProblem):
    """The folder itself, or a file in it, could not be read from disk; whether the policy is good is not known."""


class Findings:
    """Collects problems while a folder is read and weighed."""

    def __init__(self) -> None:
        self._found: dict[Problem, None] = {}
        self._lost: set[str] = set()

    def add(self, file: str, key: str, fault: Fault, **detail: object) -> None:
        """Write one down; `detail` fills the places in the fault's sentences."""
        self._found[Problem(file, key, fault.code, fault.en.format(**detail), fault.zh.format(**detail))] = None

    def lose(self, file: str, key: str, fault: Fault, **detail: object) -> None:
        """Write down that nothing of a file could be used."""
        self.add(file, key, fault, **detail)
        self._lost.add(file)

    def spoiled(self, file: str, *keys: str) -> bool:
        """Is the file lost, or has one of these keys a problem already? Then further rules would only echo it."""
        return file in self._lost or any(p.file == file and p.key in keys for p in self._found)

    def touched(self, file: str, key: str) -> bool:
        """Has anything at this key, or below it, a problem already?"""
        return file in self._lost or any(p.file == file and (p.key + ".").startswith(key + ".") for p in self._found)

    def all(self) -> tuple[Problem, ...]:
        """Everything found, in the order of files and keys."""
        return tuple(sorted(self._found))
