"""The house rules that a parser can check, each a function from one source file to what is wrong with it.

A rule yields `line: what is wrong`; an empty answer is a clean file. `tests/architecture/test_rules.py` applies every rule to every file it
is for, and shows for each rule that it catches its violation.
"""

import ast
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

MAX_FUNCTION_LINES = 50
MAX_FILE_LINES = 400

Definition = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Source:
    """One Python file: its path from the repository's root, its text, its tree."""

    path: Path
    text: str

    @property
    def tree(self) -> ast.Module:
        """Parsed anew at each call: rules may not share state."""
        return ast.parse(self.text, str(self.path))

    def within(self, *places: str) -> bool:
        """True for a file that is one of `places` or below one of them."""
        return any(self.path == Path(place) or Path(place) in self.path.parents for place in places)


Rule = Callable[[Source], Iterator[str]]


def functions_are_short(source: Source) -> Iterator[str]:
    """Never more than 50 lines; 4 to 12 is the habit. A migration is a list of what was done, and may be long."""
    if source.within("migrations"):
        return
    for node in ast.walk(source.tree):
        if isinstance(node, Definition):
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            if lines > MAX_FUNCTION_LINES:
                yield f"{node.lineno}: {node.name} has {lines} lines"


def files_are_short(source: Source) -> Iterator[str]:
    """Never more than 400 lines, migrations excepted."""
    lines = source.text.count("\n")
    if lines > MAX_FILE_LINES and not source.within("migrations"):
        yield f"1: {lines} lines"


def one_place_commits(source: Source) -> Iterator[str]:
    """One unit, one transaction, one commit: only the door, the log and the connections end a transaction."""
    if source.within("service/unit.py", "service/db", "service/audit"):
        return
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Attribute) and node.attr in {"commit", "rollback"}:
            yield f"{node.lineno}: .{node.attr} outside the door"
        if isinstance(node, ast.Constant) and str(node.value).strip(" ;").lower() in {"commit", "rollback"}:
            yield f"{node.lineno}: {node.value!r} outside the door"


def permits_are_made_in_one_place(source: Source) -> Iterator[str]:
    """A permit that somebody else made, or changed, would open what nobody decided."""
    if source.within("policies/decide.py"):
        return
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Call):
            name, first = _called(node), ast.unparse(node.args[0]) if node.args else ""
            if name == "Permit" or (name in {"replace", "__replace__"} and "permit" in first.lower()):
                yield f"{node.lineno}: a permit is made outside policies/decide.py"
        if isinstance(node, ast.ImportFrom) and any(alias.name == "Permit" and alias.asname for alias in node.names):
            yield f"{node.lineno}: Permit under another name cannot be watched"


def purposes_are_named_in_the_catalogue_only(purposes: frozenset[str]) -> Rule:
    """Code that knows a purpose by name decides something that the policy does not say.

    A key of one word (`audit`) is also an ordinary word: it counts where it is compared with, looked up in or given as a purpose.
    """

    def rule(source: Source) -> Iterator[str]:
        for node in ast.walk(source.tree):
            if isinstance(node, ast.Constant) and node.value in purposes and "_" in str(node.value):
                yield f"{node.lineno}: names the purpose {node.value!r}"
            if isinstance(node, ast.Compare | ast.Subscript | ast.keyword | ast.Match) and "purpose" in ast.unparse(node).lower():
                yield from (
                    f"{getattr(node, 'lineno', 0)}: decides by the purpose {word!r}"
                    for word in _words(node) & purposes
                    if "_" not in word
                )

    return rule


def no_context_holds_a_session(source: Source) -> Iterator[str]:
    """Top-level query fields run at the same time; a connection that they share breaks, or mixes what they read."""
    shared = {"Session", "Transaction", "Connection", "OwnConnection", "AsyncConnection", "Reader", "Unit"}
    for owner in ast.walk(source.tree):
        if isinstance(owner, ast.ClassDef) and "Context" in owner.name:
            for node in ast.walk(owner):
                if isinstance(node, ast.AnnAssign) and _names(node.annotation) & shared:
                    yield f"{node.lineno}: {owner.name} holds {ast.unparse(node.annotation)}"


def nothing_prints(source: Source) -> Iterator[str]:
    """A bare print has no reader but a developer's terminal, and ends up in a log. The CLI speaks through its console."""
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func) in {
            "print",
            "pprint",
            "pprint.pprint",
            "rich.print",
            "sys.stdout.write",
        }:
            yield f"{node.lineno}: {ast.unparse(node.func)}"


def the_public_is_documented(source: Source) -> Iterator[str]:
    """Every module, class and function without an underscore says in words what its signature does not."""
    yield from _undocumented(source.tree, source.tree.body, "the module")


def sql_stays_in_its_rooms(source: Source) -> Iterator[str]:
    """Rows stay in store.py; frozen values leave it."""
    if source.within("service/db") or source.path.name == "store.py":
        return
    for line, module in _imports(source.tree):
        if module.split(".")[0] in {"sqlalchemy", "asyncpg", "psycopg", "aiosqlite", "sqlite3", "alembic"}:
            yield f"{line}: imports {module}"


def the_product_does_not_know_the_tests(source: Source) -> Iterator[str]:
    """A branch for tests is a branch that production runs untested."""
    for line, module in _imports(source.tree):
        if module.split(".")[0] in {"tests", "pytest", "hypothesis", "unittest"}:
            yield f"{line}: imports {module}"
    for number, text in enumerate(source.text.splitlines(), 1):
        if "PYTEST_" in text or "pragma: no" + " cover" in text:
            yield f"{number}: a branch for tests"


def no_own_code_is_mocked(source: Source) -> Iterator[str]:
    """What is patched is not what ships. A fake stands outside: a KMS that fails, a disk that is full."""
    for line, module in _imports(source.tree):
        if module.startswith("unittest.mock"):
            yield f"{line}: imports {module}"
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func) in {"monkeypatch.setattr", "monkeypatch.setitem"}:
            yield f"{node.lineno}: {ast.unparse(node.func)}"


def every_test_can_fail(source: Source) -> Iterator[str]:
    """A test that asserts nothing, itself or through a function beside it, proves that nothing exploded, and no more."""
    functions = [node for node in ast.walk(source.tree) if isinstance(node, Definition)]
    helpers = [node for node in functions if not node.name.startswith("test_")]
    asserting: set[str] = set()
    while more := {node.name for node in helpers if node.name not in asserting and _asserts(node, asserting)}:
        asserting |= more
    for node in functions:
        if node.name.startswith("test_") and not _asserts(node, asserting):
            yield f"{node.lineno}: {node.name} asserts nothing"


def nothing_is_left_for_later(source: Source) -> Iterator[str]:
    """What is not finished is not here; what is skipped says why at run time."""
    words = ("TO" + "DO", "FIX" + "ME", "XX" + "X", "HA" + "CK")
    marks = re.compile(rf"\b({'|'.join(words)})\b|pytest\.mark\.(skip|x" + r"fail)\b|\braise Not" + r"ImplementedError\b")
    for number, line in enumerate(source.text.splitlines(), 1):
        if found := marks.search(line):
            yield f"{number}: {found[0]}"


def _asserts(function: Definition, helpers: set[str]) -> bool:
    """Whether a statement in it can fail: an assert about something, an error that must come, a helper that has one of these.

    Words prove nothing: not those of a docstring, and not those of a name that is never called.
    """
    return any(_can_fail(node, helpers) for node in ast.walk(function) if node is not function)


def _can_fail(node: ast.AST, helpers: set[str]) -> bool:
    if isinstance(node, ast.Assert):
        return not isinstance(node.test, ast.Constant)
    if not isinstance(node, ast.Call):
        return False
    name = _called(node)
    return (
        ast.unparse(node.func) in {"pytest.raises", "pytest.fail"} or name.startswith("assert_") or name in _ASSERTING | helpers
    )


_ASSERTING = frozenset({"fnmatch_lines"})
"""Calls of others that fail a test: pytester's, when a run of pytest has not said what it should."""


def _called(node: ast.Call) -> str:
    return node.func.attr if isinstance(node.func, ast.Attribute) else ast.unparse(node.func)


def _words(node: ast.AST) -> set[str]:
    return {inner.value for inner in ast.walk(node) if isinstance(inner, ast.Constant) and isinstance(inner.value, str)}


def _names(annotation: ast.expr) -> set[str]:
    """Every name in an annotation, also in one that is written as text."""
    return set(re.findall(r"\w+", ast.unparse(annotation)))


def _imports(tree: ast.Module) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        if isinstance(node, ast.ImportFrom) and node.level == 0:
            yield node.lineno, node.module or ""


def _undocumented(owner: ast.Module | ast.ClassDef | Definition, body: list[ast.stmt], name: str) -> Iterator[str]:
    if len((ast.get_docstring(owner) or "").split()) < 2 and not _described(owner):
        yield f"{getattr(owner, 'lineno', 1)}: {name} has no docstring"
    for node in body:
        if isinstance(node, ast.ClassDef | Definition) and not node.name.startswith("_"):
            yield from _undocumented(node, node.body if isinstance(node, ast.ClassDef) else [], node.name)


def _described(owner: ast.Module | ast.ClassDef | Definition) -> bool:
    """A GraphQL field's words stand in its decorator, because clients read them."""
    decorators = [node for node in getattr(owner, "decorator_list", []) if isinstance(node, ast.Call)]
    return any(len(text.split()) > 1 for node in decorators for text in _words(node))
