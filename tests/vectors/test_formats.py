"""What is stored or signed is described first: each page has its vectors, all vectors have their page, and every label stands on one."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.architecture.rules import Source
from tests.architecture.text_rules import REPOSITORY, read, tracked

PAGES = sorted(path for path in tracked() if path.match("docs/formats/*.md"))
VECTORS = sorted(path for path in tracked() if path.match("tests/vectors/*.json"))

_NAMED = re.compile(r"`(tests/vectors/[^`]+)`")
_EXAMPLE = re.compile(r"^```\w*\n(.*?)^```", re.DOTALL | re.MULTILINE)
_MADE = re.compile(r"(?<![\w:/.-])(?:p1:)?[A-Za-z0-9_-]{22,}(?![\w/.-])")
_LABEL = re.compile(r"([a-z][a-z0-9-]*(?:/[a-z0-9-]+)*/v[0-9]+)[\0\n]?")
"""A name and a version, and nothing else but the byte that ends them: a message that only begins so is no label."""


def labels(text: str) -> Iterator[str]:
    """Every literal of a module, or literal part of an f-string, that is a label."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Constant) and isinstance(node.value, bytes | str):
            value = node.value if isinstance(node.value, str) else node.value.decode("latin-1")
            if found := _LABEL.fullmatch(value):
                yield found[1]


def product() -> list[Source]:
    files = [Source(path, read(path)) for path in tracked() if path.suffix == ".py"]
    return [source for source in files if source.within("policies", "schema", "service")]


def named_by(page: Path) -> set[Path]:
    return {Path(name) for name in _NAMED.findall(read(page))}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_format_has_a_version_and_vectors(page: Path) -> None:
    assert re.match(r"# .+, version [0-9]+\n", read(page))
    assert re.search(r"\bVectors:\s", read(page))
    assert named_by(page) & set(VECTORS), "it names no vectors"
    assert [name for name in named_by(page) if not (REPOSITORY / name).is_file()] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_the_example_of_a_page_is_one_of_its_vectors(page: Path) -> None:
    """Long enough to be the work of a key or a hash; a text that is shown in hexadecimal digits stands beside them."""
    vectors = "".join(read(name) for name in named_by(page))
    shown = [token for block in _EXAMPLE.findall(read(page)) for token in _MADE.findall(block)]
    strange = [token for token in shown if token not in vectors and not _is_the_writing_of(token, read(page) + vectors)]
    assert strange == []


def _is_the_writing_of(token: str, text: str) -> bool:
    return re.fullmatch(r"(?:[0-9a-f]{2})+", token) is not None and bytes.fromhex(token).decode("latin-1") in text


@pytest.mark.parametrize("vectors", VECTORS, ids=lambda vectors: vectors.stem)
def test_vectors_and_their_page_name_each_other_and_a_test_reads_them(vectors: Path) -> None:
    pages = [page for page in PAGES if vectors in named_by(page)]
    assert pages, "no page names them"
    assert any(str(page) in read(vectors) for page in pages)
    tests = [read(path) for path in tracked() if path.parts[0] == "tests" and path.match("test_*.py")]
    assert any(f'cases("{vectors.stem}"' in text or f'"{vectors.name}"' in text for text in tests)


def test_every_label_in_the_code_stands_on_a_page() -> None:
    pages = "\n".join(read(page) for page in PAGES)
    found = {label: source.path for source in product() for label in labels(source.text)}
    assert found.keys() >= {"menshen/field/v1", "menshen/consent-event/v1", "menshen/audit-address/v1", "audit-sub/v1"}
    unknown = {label: str(path) for label, path in found.items() if not re.search(rf"(?<![\w/-]){label}(?![\w/])", pages)}
    assert unknown == {}


def test_a_label_has_one_meaning() -> None:
    """Two rooms with one label would let the bytes of one pass in the other; no label begins another, or their messages could meet."""
    places = [(label, source.path) for source in product() for label in set(labels(source.text))]
    names = sorted(label for label, _ in places)
    assert len(names) == len(set(names)), places
    assert [(one, two) for one in names for two in names if one != two and two.startswith(one)] == []


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ('X = b"menshen/new/v2"', ["menshen/new/v2"]),
        ('X = "menshen/new-thing/part/v1\\0"', ["menshen/new-thing/part/v1"]),
        ('X = f"menshen/new/v1\\0{y}"', ["menshen/new/v1"]),
        ('X = b"new/v1\\n"', ["new/v1"]),
        ('X = b"menshen/new"', []),
        ('raise Bad("audit-entry/v1: too long")', []),
        ('"""See menshen/new/v1."""', []),
    ],
)
def test_labels_are_found_in_every_form_that_the_code_writes_them(code: str, expected: list[str]) -> None:
    assert list(labels(code)) == expected
