"""The search for canaries finds what is planted: otherwise its silence would prove nothing."""

import base64
import contextlib
import json
import sqlite3
import urllib.parse
from collections.abc import Callable
from pathlib import Path

import httpx2
import psycopg
import pytest
from sqlalchemy import URL

from tests.plugins.canary import ENCODINGS, KINDS, Canaries, search_errors, search_folder, search_postgresql
from tests.plugins.postgres import Server

pytest_plugins = ["pytester"]

REPOSITORY = Path(__file__).parents[2]
DISGUISES: dict[str, Callable[[bytes], bytes]] = {
    "as it is": lambda raw: raw,
    "hex": lambda raw: raw.hex().encode(),
    "capital hex": lambda raw: raw.hex().upper().encode(),
    "base64": base64.b64encode,
    "base64, one byte later": lambda raw: base64.b64encode(b"x" + raw + b"y"),
    "base64, two bytes later": lambda raw: base64.urlsafe_b64encode(b"xx" + raw + b"y"),
    "a Python literal": lambda raw: repr(raw).encode(),
}


@pytest.fixture
def canaries() -> Canaries:
    return Canaries()


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("disguise", DISGUISES)
def test_every_kind_is_found_in_every_encoding_and_disguise(canaries: Canaries, encoding: str, disguise: str) -> None:
    for kind in KINDS:
        planted = DISGUISES[disguise](canaries.value(kind).encode(encoding))
        assert named(kind, canaries.kinds_in(b"\x00before" + planted + b"after"))


@pytest.mark.parametrize("escape", [json.dumps, urllib.parse.quote, ascii])
def test_every_kind_is_found_when_json_a_url_or_python_has_escaped_it(canaries: Canaries, escape: Callable[[str], str]) -> None:
    for kind in KINDS:
        assert named(kind, canaries.kinds_in(escape(canaries.value(kind)).encode()))


def test_a_value_without_its_first_characters_is_still_found(canaries: Canaries) -> None:
    for kind in KINDS:
        rest = canaries.value(kind).removeprefix("+86").removeprefix("上海市")
        assert named(kind, canaries.kinds_in(rest.encode()))


def named(kind: str, found: set[str]) -> bool:
    return len(found) == 1 and kind in found.pop().split("/")


def test_what_holds_no_canary_is_let_through(canaries: Canaries) -> None:
    for kind in KINDS:
        canaries.value(kind)
    innocent = '{"ts":"2026-11-22T02:00:00.199618Z","id":"01996180-0000-7000-8000-199618abcdef","zh":"同意"}'
    assert canaries.kinds_in(innocent.encode()) == set()
    canaries.look("nowhere", innocent.encode())
    assert canaries.found == []


def test_masked_values_are_let_through(canaries: Canaries) -> None:
    phone, name, mail = canaries.value("phone"), canaries.value("name"), canaries.value("email")
    masked = f"{phone[:6]}****{phone[-4:]} {name[0]}** {mail[0]}***@example.com"
    assert canaries.kinds_in(masked.encode()) == set()


def test_a_finding_names_the_kind_and_the_place_and_not_the_value(canaries: Canaries) -> None:
    value = canaries.value("email")
    with pytest.raises(pytest.fail.Exception) as failure:
        canaries.look("a queue", value.encode())
    assert "email" in str(failure.value)
    assert "a queue" in str(failure.value)
    assert value not in str(failure.value)
    assert canaries.found == [str(failure.value)]


def test_a_watched_text_without_a_marker_is_found(canaries: Canaries) -> None:
    canaries.watch("remark", "左撇子")
    assert canaries.kinds_in("备注：左撇子".encode("gb18030")) == {"remark"}


def test_no_two_values_of_a_run_are_alike(canaries: Canaries) -> None:
    made = [canaries.value(kind) for kind in KINDS for _ in range(500)]
    assert len(set(made)) == len(made)


def test_a_value_in_an_sqlite_row_is_found_while_it_is_only_in_the_write_ahead_log(canaries: Canaries, tmp_path: Path) -> None:
    connection = sqlite3.connect(tmp_path / "some.db")
    connection.executescript("PRAGMA journal_mode = WAL; CREATE TABLE t (v TEXT); PRAGMA wal_checkpoint(TRUNCATE)")
    connection.execute("INSERT INTO t VALUES (?)", [canaries.value("name")])
    connection.commit()
    assert canaries.kinds_in((tmp_path / "some.db").read_bytes()) == set()
    with pytest.raises(pytest.fail.Exception, match="name"):
        search_folder(tmp_path, canaries)
    connection.close()


def test_a_value_that_was_deleted_from_sqlite_but_left_on_its_page_is_found(canaries: Canaries, tmp_path: Path) -> None:
    connection = sqlite3.connect(tmp_path / "some.db")
    connection.executescript("PRAGMA secure_delete = OFF; CREATE TABLE t (v TEXT)")
    connection.execute("INSERT INTO t VALUES (?)", [canaries.value("openid")])
    connection.execute("DELETE FROM t")
    connection.commit()
    connection.close()
    with pytest.raises(pytest.fail.Exception, match="openid"):
        search_folder(tmp_path, canaries)


@pytest.mark.parametrize("column", ["text", "bytea", "jsonb"])
def test_a_value_in_a_postgresql_row_is_found(
    canaries: Canaries, postgres: Server, postgresql_template: URL, column: str
) -> None:
    assert postgresql_template.database is not None
    url = postgres.make(postgresql_template.database)
    value = canaries.value("address")
    with postgres.connect(url) as connection:
        search_postgresql(connection, canaries)
        connection.execute(f"CREATE TABLE t (v {column})")  # type: ignore[call-overload]
        connection.execute(
            "INSERT INTO t VALUES (%s)", [{"text": value, "bytea": value.encode(), "jsonb": json.dumps(value)}[column]]
        )
        with pytest.raises(pytest.fail.Exception, match="address"):
            search_postgresql(connection, canaries)
    postgres.drop(url)


def test_a_value_that_was_only_asked_for_shows_in_the_servers_log(canaries: Canaries, postgres: Server) -> None:
    url = postgres.make()
    postgres.written()
    with postgres.connect(url) as connection:
        connection.execute("SELECT %s::text", [canaries.value("phone")])
        with pytest.raises(psycopg.errors.DivisionByZero):
            connection.execute("SELECT 1 / %s::int", [0])
    written = postgres.written()
    postgres.drop(url)
    if not written:
        pytest.skip("the server named by MENSHEN_TEST_DATABASE_URL keeps its log to itself")
    assert canaries.kinds_in(written) == {"phone"}


@pytest.mark.parametrize(
    ("status", "body", "found"),
    [
        (200, '{"data": {"member": {"name": "NAME"}}}', []),
        (200, '{"data": null, "errors": [{"message": "no member is called NAME"}]}', ["name"]),
        (400, '{"error": {"detail": "NAME"}}', ["name"]),
        (500, "NAME", ["name"]),
    ],
)
async def test_a_value_in_an_error_answer_is_found_and_one_in_the_data_is_not(
    canaries: Canaries, status: int, body: str, found: list[str]
) -> None:
    response = httpx2.Response(
        status, headers={"content-type": "application/json"}, text=body.replace("NAME", canaries.value("name"))
    )
    with contextlib.suppress(pytest.fail.Exception):
        await search_errors(response, canaries)
    assert [kind for kind in found if kind not in "".join(canaries.found)] == []
    assert len(canaries.found) == len(found)


def test_a_test_that_logs_or_prints_a_value_fails(pytester: pytest.Pytester, capsys: pytest.CaptureFixture[str]) -> None:
    pytester.makeini(f"[pytest]\npythonpath = {REPOSITORY}")
    pytester.makeconftest('pytest_plugins = ["tests.plugins.canary"]')
    pytester.makepyfile(
        """
        import logging
        from tests.plugins import canary
        def test_logs(): logging.getLogger("some.library").warning("dialled %s", canary.value("phone"))
        def test_prints(): print(canary.value("name"))
        def test_does_neither(): logging.getLogger("x").warning("dialled 138****5678")
        """
    )
    result = pytester.runpytest_subprocess("-p", "no:cacheprovider")
    result.assert_outcomes(passed=3, errors=2)
    result.stdout.fnmatch_lines(["in the clear: phone, in a test's log and output", "in the clear: name/address/note, in*"])
    capsys.readouterr()  # what the inner run showed of its own canary is no leak of this one
