"""Every rule of the house, applied to every file it is for; and for every rule, a violation that it catches."""

from collections.abc import Iterable
from pathlib import Path

import pytest

from policies.terms import Catalogue
from tests.architecture import rules, text_rules
from tests.architecture.rules import Rule, Source

PRODUCT = ("policies", "schema", "service")
EVERYTHING = (*PRODUCT, "migrations", "tests", "bench", "tools")

FOR_ALL: list[Rule] = [rules.functions_are_short, rules.files_are_short, rules.nothing_is_left_for_later]
FOR_THE_PRODUCT: list[Rule] = [
    rules.one_place_commits,
    rules.permits_are_made_in_one_place,
    rules.no_context_holds_a_session,
    rules.nothing_prints,
    rules.the_public_is_documented,
    rules.the_product_does_not_know_the_tests,
]
FOR_TESTS: list[Rule] = [rules.no_own_code_is_mocked, rules.every_test_can_fail]


def sources(*places: str) -> list[Source]:
    """The Python files below these places."""
    files = [Source(path, text_rules.read(path)) for path in text_rules.tracked() if path.suffix == ".py"]
    return [source for source in files if source.within(*places)]


def broken(rule: Rule, files: Iterable[Source]) -> list[str]:
    return [f"{source.path}:{problem}" for source in files for problem in rule(source)]


def assert_none(problems: list[str]) -> None:
    """Fails with all of them, one a line."""
    assert not problems, "\n" + "\n".join(problems)


@pytest.mark.parametrize("rule", FOR_ALL, ids=lambda rule: rule.__name__)
def test_all_our_code_keeps_the_rule(rule: Rule) -> None:
    assert_none(broken(rule, sources(*EVERYTHING)))


@pytest.mark.parametrize("rule", FOR_THE_PRODUCT, ids=lambda rule: rule.__name__)
def test_the_product_keeps_the_rule(rule: Rule) -> None:
    assert_none(broken(rule, sources(*PRODUCT)))


@pytest.mark.parametrize("rule", FOR_TESTS, ids=lambda rule: rule.__name__)
def test_the_tests_keep_the_rule(rule: Rule) -> None:
    assert_none(broken(rule, sources("tests")))


def test_sql_is_written_only_in_stores_and_in_db() -> None:
    assert_none(broken(rules.sql_stays_in_its_rooms, sources("policies", "schema", "service")))


def test_no_code_outside_policies_names_a_purpose(catalogue: Catalogue) -> None:
    rule = rules.purposes_are_named_in_the_catalogue_only(frozenset(catalogue.purposes))
    assert_none(broken(rule, sources("schema", "service")))


def test_no_file_names_a_package_registry_or_a_path_of_one_machine() -> None:
    found = []
    for path in text_rules.tracked():
        text = text_rules.read(path)
        problems = [*text_rules.names_no_registry(text), *text_rules.names_no_machine(text)]
        found += [f"{path}:{problem}" for problem in problems]
    assert_none(found)


def test_no_page_script_or_style_that_we_ship_fetches_anything_from_elsewhere() -> None:
    shipped = [
        path
        for path in text_rules.tracked()
        if path.suffix in {".html", ".js", ".css", ".svg", ".j2"} and path.parts[0] in PRODUCT
    ]
    found = [
        f"{path}:{problem}" for path in shipped for problem in text_rules.fetches_nothing_from_elsewhere(text_rules.read(path))
    ]
    assert_none(found)


# --- and each rule has teeth -----------------------------------------------------------------------------------------------------

LONG_FUNCTION = "def f():\n" + "    x = 1\n" * 50
VIOLATIONS: list[tuple[Rule, str, str]] = [
    (rules.functions_are_short, "service/a.py", LONG_FUNCTION),
    (rules.functions_are_short, "tests/a.py", "async " + LONG_FUNCTION),
    (rules.files_are_short, "service/a.py", "x = 1\n" * 401),
    (rules.one_place_commits, "service/members/commands.py", "async def f(t):\n    await t.commit()"),
    (rules.one_place_commits, "schema/a.py", "session.rollback()"),
    (rules.one_place_commits, "service/members/store.py", "end = transaction.commit\nend()"),
    (rules.one_place_commits, "service/consent/store.py", "connection.execute('COMMIT;')"),
    (rules.permits_are_made_in_one_place, "service/disclosure/commands.py", "p = Permit('m', 'p', {})"),
    (rules.permits_are_made_in_one_place, "schema/a.py", "p = decide.Permit('m', 'p', {})"),
    (rules.permits_are_made_in_one_place, "service/a.py", "p = dataclasses.replace(permit, shapes=all_of_them)"),
    (rules.permits_are_made_in_one_place, "service/a.py", "from policies.decide import Permit as P"),
    (rules.no_context_holds_a_session, "schema/context.py", "class Context:\n    session: Session"),
    (rules.no_context_holds_a_session, "schema/context.py", "class Context:\n    reader: 'Reader | None' = None"),
    (rules.no_context_holds_a_session, "schema/a.py", "class MyContext(Base):\n    c: psycopg.AsyncConnection"),
    (rules.nothing_prints, "service/a.py", "print('phone')"),
    (rules.the_public_is_documented, "service/a.py", "x = 1"),
    (rules.the_public_is_documented, "service/a.py", '"""."""'),
    (rules.the_public_is_documented, "service/a.py", '"""What it is."""\ndef f(): ...'),
    (
        rules.the_public_is_documented,
        "service/a.py",
        '"""What it is."""\nclass A:\n    """What it is."""\n    async def f(self): ...',
    ),
    (rules.sql_stays_in_its_rooms, "service/members/queries.py", "from sqlalchemy import select"),
    (rules.sql_stays_in_its_rooms, "service/members/model.py", "def f():\n    import sqlite3"),
    (rules.the_product_does_not_know_the_tests, "service/a.py", "import pytest"),
    (rules.the_product_does_not_know_the_tests, "service/a.py", "if 'PYTEST_CURRENT_TEST' in os.environ: ..."),
    (rules.no_own_code_is_mocked, "tests/a.py", "from unittest.mock import patch"),
    (rules.no_own_code_is_mocked, "tests/a.py", "def f(monkeypatch):\n    monkeypatch.setattr(vault, 'open', nothing)"),
    (rules.every_test_can_fail, "tests/a.py", "async def test_that_it_works(client):\n    await client.get('/')"),
    (rules.every_test_can_fail, "tests/a.py", 'def test_a():\n    """We assert that nothing raises(."""\n    f()'),
    (rules.every_test_can_fail, "tests/a.py", "def test_that_it_can_assert():\n    assertion = f()"),
    (rules.every_test_can_fail, "tests/a.py", "def test_a():\n    assert True"),
    (rules.every_test_can_fail, "tests/a.py", "def help(): f()\ndef test_a(): help()"),
    (rules.nothing_is_left_for_later, "service/a.py", "x = 1  # TO" + "DO: the other way round"),
    (rules.nothing_is_left_for_later, "tests/a.py", "@pytest.mark.x" + "fail\ndef test_a(): assert f()"),
    (
        rules.purposes_are_named_in_the_catalogue_only(frozenset({"birthday_gift", "audit"})),
        "service/a.py",
        "if purpose == 'birthday_gift': ...",
    ),
]
VIOLATIONS += [
    (rules.purposes_are_named_in_the_catalogue_only(frozenset({"audit"})), "service/a.py", text)
    for text in (
        "x = purpose.key == 'audit'",
        "catalogue.purposes['audit']",
        "Draft(purpose='audit')",
        "x = ask.purpose in {'audit'}",
    )
]
INNOCENT: list[tuple[Rule, str, str]] = [
    (rules.one_place_commits, "service/unit.py", "async def f(t):\n    await t.commit()"),
    (rules.permits_are_made_in_one_place, "policies/decide.py", "p = Permit('m', 'p', {})"),
    (rules.permits_are_made_in_one_place, "service/a.py", "def f(permit: Permit) -> Permit: return permit"),
    (rules.no_context_holds_a_session, "schema/context.py", "class Context:\n    units: Units\n    actor: Actor"),
    (rules.nothing_prints, "service/cli/a.py", "Console(stderr=True).print('done')"),
    (rules.the_public_is_documented, "service/a.py", '"""What it is."""\ndef _f(): ...'),
    (rules.the_public_is_documented, "schema/a.py", '"""What it is."""\n@field(description="What it is.")\ndef f(self): ...'),
    (rules.sql_stays_in_its_rooms, "service/members/store.py", "from sqlalchemy import select"),
    (rules.every_test_can_fail, "tests/a.py", "def same(a, b): assert a == b\ndef test_a(): same(1, 2)"),
    (rules.every_test_can_fail, "tests/a.py", "def test_a():\n    with pytest.raises(ValueError):\n        f()"),
    (rules.every_test_can_fail, "tests/a.py", "def a(x): assert x\ndef b(x): a(x)\nclass TestA:\n    def test_a(self): b(1)"),
    (rules.every_test_can_fail, "tests/a.py", "def test_a():\n    helpers.assert_same(1, 2)"),
    (
        rules.purposes_are_named_in_the_catalogue_only(frozenset({"birthday_gift", "audit"})),
        "service/a.py",
        "x = 'a birthday_gift'",
    ),
    (
        rules.purposes_are_named_in_the_catalogue_only(frozenset({"audit"})),
        "service/a.py",
        "Draft(typ='audit')\nx = typ == 'audit'",
    ),
]


@pytest.mark.parametrize(("rule", "path", "text"), VIOLATIONS, ids=lambda value: getattr(value, "__name__", ""))
def test_the_rule_catches_its_violation(rule: Rule, path: str, text: str) -> None:
    assert broken(rule, [Source(Path(path), text)]) != []


@pytest.mark.parametrize(("rule", "path", "text"), INNOCENT, ids=lambda value: getattr(value, "__name__", ""))
def test_the_rule_lets_the_innocent_pass(rule: Rule, path: str, text: str) -> None:
    assert broken(rule, [Source(Path(path), text)]) == []


def test_every_rule_has_a_violation_that_it_catches() -> None:
    tried = {rule.__name__ for rule, _, _ in VIOLATIONS}
    assert {rule.__name__ for rule in (*FOR_ALL, *FOR_THE_PRODUCT, *FOR_TESTS)} <= tried


@pytest.mark.parametrize("host", ["https://files.python" + "hosted.org/x", "registry.npm" + "js.org", "deb.deb" + "ian.org"])
def test_the_name_of_a_registry_is_caught(host: str) -> None:
    assert list(text_rules.names_no_registry(f"# from {host}")) != []


def test_a_path_of_one_machine_is_caught() -> None:
    assert list(text_rules.names_no_machine("read /wo" + "rk/shared/data/members.csv")) != []
    assert list(text_rules.names_no_machine("tests/work/shared, ./work/x, network/work/")) == []


@pytest.mark.parametrize(
    "page",
    [
        '<script src="https://unpkg.com/graphiql"></script>',
        "<script src=//example.com/a.js></script>",
        '<link rel="stylesheet" href="https://example.com/a.css">',
        '@import url("https://example.com/a.css");',
        "background: url(//example.com/a.png)",
        'import("https://cdn.example.com/a.js")',
    ],
)
def test_a_page_that_fetches_from_elsewhere_is_caught(page: str) -> None:
    assert list(text_rules.fetches_nothing_from_elsewhere(page)) != []


def test_a_page_that_only_names_another_place_is_let_through() -> None:
    page = '<svg xmlns="http://www.w3.org/2000/svg"></svg> <a href="https://example.com/law">the law</a> // a comment'
    assert list(text_rules.fetches_nothing_from_elsewhere(page)) == []
