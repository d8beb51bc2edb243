"""The harness itself: the matrix counts only what was proven, skips are told, and a value left in a database fails its test."""

from itertools import groupby
from pathlib import Path

import pytest

from tests.plugins import obligations, order
from tests.plugins.databases import text
from tests.plugins.postgres import Server

pytest_plugins = ["pytester"]

REPOSITORY = Path(__file__).parents[2]


def begin(pytester: pytest.Pytester, *plugins: str) -> pytest.Pytester:
    """An empty suite that uses these plugins of ours."""
    pytester.makeini(
        f"[pytest]\npythonpath = {REPOSITORY}\nasyncio_mode = auto\nasyncio_default_fixture_loop_scope = function\nmarkers =\n    obligation: x\n    last: x"
    )
    pytester.makeconftest(f"pytest_plugins = {[f'tests.plugins.{name}' for name in plugins]}")
    return pytester


@pytest.fixture
def suite(pytester: pytest.Pytester) -> pytest.Pytester:
    return begin(pytester, "obligations", "skipped")


def test_the_list_names_158_obligations_each_once_and_with_a_title() -> None:
    lines = [line for line in obligations.LIST.read_text("utf-8").splitlines() if line]
    known = obligations.titles()
    assert len(lines) == len(known) == 158
    assert all(number[:2].isupper() and number[-2:].isdigit() and len(title) > 5 for number, title in known.items())


def test_the_matrix_counts_an_obligation_as_proven_only_when_all_its_tests_passed(suite: pytest.Pytester) -> None:
    suite.makepyfile(
        """
        import pytest
        @pytest.mark.obligation("LB-01", "LB-02")
        def test_passes(): assert True
        @pytest.mark.obligation("LB-02")
        def test_fails(): assert False
        @pytest.mark.obligation("LB-03")
        @pytest.mark.parametrize("database", ["sqlite", "postgresql"])
        def test_runs_on_one_database_only(database):
            if database == "postgresql": pytest.skip("no server")
        @pytest.mark.obligation("LB-04")
        def test_skipped(): pytest.skip("no reason")
        @pytest.fixture
        def breaks():
            yield
            raise RuntimeError
        @pytest.mark.obligation("LB-06")
        def test_breaks_afterwards(breaks): assert True
        @pytest.mark.obligation("LB-08")
        @pytest.mark.parametrize("database", ["sqlite", "postgresql"])
        def test_passes_on_both(database): assert True
        """
    )
    suite.runpytest_inprocess("-p", "no:cacheprovider", "--matrix", "matrix.md")
    page = (suite.path / "matrix.md").read_text("utf-8")
    states = {row.split("|")[1].strip(): row.split("|")[4].strip() for row in page.splitlines() if row.startswith("| LB-")}
    proven = {"LB-01": "passed", "LB-08": "passed"}
    unproven = {"LB-02": "failed", "LB-03": "skipped", "LB-04": "skipped", "LB-05": "—", "LB-06": "failed", "LB-07": "—"}
    assert states == proven | unproven | {"LB-09": "—"}
    assert "2 of 158 proven" in page


def test_a_test_that_is_deselected_proves_nothing(suite: pytest.Pytester) -> None:
    suite.makepyfile('import pytest\n@pytest.mark.obligation("LB-01")\ndef test_a(): pass\ndef test_b(): pass')
    suite.runpytest_inprocess("-p", "no:cacheprovider", "--matrix", "matrix.md", "-k", "test_b")
    assert "0 of 158 proven" in (suite.path / "matrix.md").read_text("utf-8")


@pytest.mark.parametrize("mark", ['"LB-99"', '"lb-01"', ""])
def test_a_mark_with_a_number_that_no_obligation_has_stops_the_run(suite: pytest.Pytester, mark: str) -> None:
    suite.makepyfile(f"import pytest\n@pytest.mark.obligation({mark})\ndef test_a(): pass")
    result = suite.runpytest_inprocess("-p", "no:cacheprovider")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*no obligation is numbered*"])


def test_a_run_ends_with_what_was_skipped_and_why_and_then_with_its_count(suite: pytest.Pytester) -> None:
    suite.makepyfile("import pytest\ndef test_a(): pytest.skip('the machine has no HSM')\ndef test_b(): pass")
    lines = [line for line in suite.runpytest_inprocess("-p", "no:cacheprovider", "-q").outlines if line]
    assert "the machine has no HSM (1)" in lines
    assert lines[lines.index("the machine has no HSM (1)") + 1].endswith("::test_a")
    assert lines[-1].startswith("1 passed, 1 skipped in ")


def test_a_test_that_leaves_a_value_in_its_database_fails_on_both(
    pytester: pytest.Pytester, postgres: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MENSHEN_TEST_DATABASE_URL", text(postgres.url))
    suite = begin(pytester, "canary", "databases")
    suite.makepyfile(
        """
        from sqlalchemy import create_engine, pool, text
        from tests.plugins import canary
        def write(url, value):
            engine = create_engine(url, poolclass=pool.NullPool)
            with engine.begin() as connection:
                connection.execute(text("INSERT INTO audit_pending VALUES ('1', 'w', 1, :v, '2026-11-22 02:00:00Z')"), {"v": value})
        def test_leaves_a_name(database_url): write(database_url, canary.value("name").encode())
        def test_leaves_a_sealed_name(database_url): write(database_url, b"sealed" + canary.value("name")[0].encode())
        """
    )
    result = suite.runpytest_subprocess("-p", "no:cacheprovider")
    result.assert_outcomes(passed=4, errors=2)
    result.stdout.fnmatch_lines(["in the clear: name/address/note, in an SQLite file"])
    result.stdout.fnmatch_lines(["in the clear: name/address/note, in a PostgreSQL table"])
    result.stdout.no_fnmatch_line("*犇骉猋*")


@pytest.mark.parametrize("shares", [1, 2, 3, 5])
def test_each_share_of_a_run_begins_with_its_part_of_the_long_tests(shares: int) -> None:
    items = [(number, number // 4 if 40 <= number < 60 else None) for number in range(100)]
    made = order.dealt(items, lambda item: item[1], shares)
    assert sorted(made) == sorted(items) and len(made) == 100
    starts = [100 * number // shares for number in range(shares)]
    assert all(made[start][1] is not None for start in starts)
    assert [item for item in made if item[1] is None] == [item for item in items if item[1] is None]
    met = [key for key, _ in groupby(item[1] for item in made) if key is not None]
    assert sorted(met) == list(range(10, 15)), "a module's tests stay together"


def test_more_long_tests_than_a_share_has_room_for_are_all_run() -> None:
    items = [(number, 0 if number < 9 else None) for number in range(10)]
    assert sorted(order.dealt(items, lambda item: item[1], 3)) == sorted(items)
