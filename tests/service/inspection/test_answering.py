"""Who has seen the phone number of this member since May, and is that all: one command, one file, checked by a stranger without us."""

import json
import zipfile
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from menshen_verifier.__main__ import main
from menshen_verifier.answer import Checked, check_answer, parse_answer
from menshen_verifier.errors import Malformed
from menshen_verifier.policy import Policy, parse_policy
from service.app import Parts
from service.errors import BadInput, Forbidden
from tests.api.front_end import entries
from tests.factories import a_call, a_member
from tests.service.inspection.records import OFFICER, erased, read, signed

SINCE = datetime(2026, 11, 10, tzinfo=UTC)
NOW = 1_800_000_000


@dataclass(frozen=True)
class Case:
    """The file, the policy that came another way, and the member."""

    file: Path
    policy: Policy
    text: str
    member: str
    running: Parts


@pytest.fixture
async def case(running: Parts, clock: Any, tmp_path: Path) -> AsyncIterator[Case]:
    """Somebody is read before May begins (here: on 5 November), in two months since, and by a purpose that shows no phone."""
    clock.now = datetime(2026, 11, 5, tzinfo=UTC)
    member, other = await a_member(running), await a_member(running)
    await read(running, member)
    clock.now = datetime(2026, 11, 20, tzinfo=UTC)
    await read(running, member)
    await read(running, other)
    await running.operations.member(a_call("analyst"), member_id=member, purpose="analytics", fields=("gender",))
    clock.now = datetime(2026, 12, 2, tzinfo=UTC)
    await read(running, member)
    keys = await signed(running)
    clock.advance(seconds=1)
    file = tmp_path / "answer.zip"
    await running.operations.who_saw(OFFICER, member_id=member, field="phone", since=SINCE, until=None, output=file)
    text = "".join(f"log {key.vkey}\n" for key in keys) + "quorum none\n"
    yield Case(file, parse_policy(text.encode()), text, member, running)


def checked(case: Case, file: Path | None = None) -> Checked:
    return check_answer(file or case.file, case.policy, now=NOW)


def rewritten(case: Case, to: Path, change: Callable[[str, bytes], bytes | None]) -> Path:
    """The file with something else in it, as a dishonest clerk would hand it out."""
    with zipfile.ZipFile(case.file) as old, zipfile.ZipFile(to, "w") as new:
        for one in old.infolist():
            content = change(one.filename, old.read(one))
            if content is not None:
                new.writestr(one.filename, content)
    return to


def said(change: Callable[[dict[str, Any]], object]) -> Callable[[str, bytes], bytes]:
    def changed(name: str, content: bytes) -> bytes:
        if name != "answer.json":
            return content
        answer = json.loads(content)
        change(answer)
        return json.dumps(answer).encode()

    return changed


async def test_a_stranger_finds_the_answer_complete(case: Case) -> None:
    found = checked(case)
    assert found.complete
    assert [(entry["ts"][:10], entry["op"]) for _, entry in found.rows] == [("2026-11-20", "member"), ("2026-12-02", "member")]
    logged = [entry["act"]["id"] for _, entry in found.rows]
    assert logged == ["customer_service_agent-1"] * 2


async def test_the_command_says_so_in_both_languages_and_with_its_exit_code(
    case: Case, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    policy = tmp_path / "policy.txt"
    policy.write_text(case.text)
    assert main(["answer", str(case.file), "--policy", str(policy)]) == 0
    told = capsys.readouterr().out
    assert "完整 COMPLETE" in told
    assert "未证明" in told
    short = rewritten(case, tmp_path / "short.zip", said(lambda answer: answer["rows"].pop()))
    assert main(["answer", str(short), "--policy", str(policy)]) == 1
    assert "不完整 NOT COMPLETE" in capsys.readouterr().out


@pytest.mark.obligation("AL-05")
async def test_a_row_that_is_kept_quiet_about_is_found(case: Case, tmp_path: Path) -> None:
    found = checked(case, rewritten(case, tmp_path / "f.zip", said(lambda answer: answer["rows"].pop(0))))
    assert not found.complete
    assert len(found.missing) == 1


async def test_an_entry_that_is_taken_out_of_the_log_too_is_found(case: Case, tmp_path: Path) -> None:
    def change(name: str, content: bytes) -> bytes:
        return content.replace(b'"phone"', b'"photo"') if "tile/entries" in name or name.endswith(".jsonl") else content

    found = checked(case, rewritten(case, tmp_path / "f.zip", change))
    assert not found.complete
    assert found.report.verdict.value == "ALTERED"


async def test_a_name_left_out_is_found(case: Case, tmp_path: Path) -> None:
    def forget(answer: dict[str, Any]) -> None:
        del answer["names"]["2026-12"]

    with pytest.raises(Malformed):
        checked(case, rewritten(case, tmp_path / "f.zip", said(forget)))


async def test_a_row_of_somebody_else_is_found(case: Case, tmp_path: Path) -> None:
    def exchange(answer: dict[str, Any]) -> None:
        answer["names"]["2026-11"] = "p1:AAECAwQFBgcICQoLDA0ODw"

    found = checked(case, rewritten(case, tmp_path / "f.zip", said(exchange)))
    assert (found.complete, len(found.surplus)) == (False, 1)


async def test_it_holds_no_value_no_id_and_no_address(case: Case) -> None:
    with zipfile.ZipFile(case.file) as archive:
        whole = b"".join(archive.read(one) for one in archive.infolist())
    assert case.member.encode() not in whole
    assert case.file.stat().st_mode & 0o077 == 0


@pytest.mark.obligation("AL-05")
async def test_making_it_is_an_export_on_the_record_before_it_is_made(case: Case) -> None:
    (entry,) = await entries(case.running, "whoSaw")
    assert (entry["typ"], entry["cnt"], entry["fld"], len(entry["sub"])) == ("export", 2, ["phone"], 1)


@pytest.mark.obligation("AL-05")
async def test_nobody_is_asked_about_who_was_erased_and_nothing_is_written_over(case: Case, tmp_path: Path) -> None:
    given: dict[str, Any] = {"member_id": case.member, "field": "phone", "since": SINCE, "until": None}
    with pytest.raises(BadInput):
        await case.running.operations.who_saw(OFFICER, output=case.file, **given)
    with pytest.raises(BadInput):
        await case.running.operations.who_saw(OFFICER, output=tmp_path / "x", **(given | {"field": "shoe_size"}))
    with pytest.raises(Forbidden):
        await case.running.operations.who_saw(a_call("marketer"), output=tmp_path / "x", **given)
    await erased(case.running, case.member)
    with pytest.raises(BadInput):
        await case.running.operations.who_saw(OFFICER, output=tmp_path / "x", **given)


@pytest.mark.parametrize(
    "raw",
    [b"", b"[]", b"{}", b'{"format":"menshen/audit-answer/v1"}', b"\xff", b'{"format":"x","question":{},"names":{},"rows":[]}'],
)
def test_what_is_no_answer_is_one_error(raw: bytes) -> None:
    with pytest.raises(Malformed):
        parse_answer(raw)


@pytest.mark.parametrize("name", ["../evil", "/etc/evil", "export/../../evil", "a/.hidden", "x" * 70, "export/"])
async def test_a_zip_that_reaches_beyond_its_folder_is_refused(tmp_path: Path, name: str) -> None:
    file = tmp_path / "evil.zip"
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(name, b"x")
    with pytest.raises(Malformed):
        check_answer(file, Policy(()), now=NOW)


async def test_a_zip_that_swells_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "bomb.zip"
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("answer.json", bytes(30_000_000))
    with pytest.raises(Malformed):
        check_answer(file, Policy(()), now=NOW)
    (tmp_path / "none.zip").write_bytes(b"PK nothing")
    with pytest.raises(Malformed):
        check_answer(tmp_path / "none.zip", Policy(()), now=NOW)


async def test_a_question_of_so_many_years_that_its_last_months_have_no_name_is_none(case: Case, tmp_path: Path) -> None:
    """Names of ten years long past, and none for the months in which somebody was read: nothing would be found, and that would be all."""

    def stretch(answer: dict[str, Any]) -> None:
        answer["question"]["since"] = "1990-01-15T00:00:00.000000Z"
        answer["names"] = {f"{1990 + n // 12}-{n % 12 + 1:02}": f"p1:AAECAwQFBgcICQoLDA{n:04}" + "A" for n in range(130)}
        answer["names"] = {month: name[:24] + "w" for month, name in answer["names"].items()}
        answer["rows"] = []

    with pytest.raises(Malformed):
        checked(case, rewritten(case, tmp_path / "f.zip", said(stretch)))


async def test_an_old_log_is_no_answer_about_the_time_since(case: Case, tmp_path: Path) -> None:
    def later(answer: dict[str, Any]) -> None:
        answer["question"]["until"] = "2026-12-31T00:00:00.000000Z"

    found = checked(case, rewritten(case, tmp_path / "f.zip", said(later)))
    assert (found.complete, found.covered, found.report.verdict.value) == (False, False, "OK")


@pytest.mark.parametrize("since", ["0001-01-01T00:00:00.000000Z", "1969-12-31T23:59:59.000000Z"])
async def test_a_time_before_all_time_is_one_error(case: Case, tmp_path: Path, since: str) -> None:
    with pytest.raises(Malformed):
        checked(case, rewritten(case, tmp_path / "f.zip", said(lambda answer: answer["question"].update(since=since))))


@pytest.mark.parametrize("way", [zipfile.ZIP_LZMA, zipfile.ZIP_BZIP2])
async def test_a_zip_that_is_packed_in_another_way_is_refused(tmp_path: Path, way: int) -> None:
    file = tmp_path / "other.zip"
    with zipfile.ZipFile(file, "w", way) as archive:
        archive.writestr("answer.json", b"{}")
    file.write_bytes(file.read_bytes().replace(b"{}", b"{\xff"))
    with pytest.raises(Malformed):
        check_answer(file, Policy(()), now=NOW)


async def test_a_zip_whose_bytes_do_not_unpack_is_one_error(tmp_path: Path) -> None:
    file = tmp_path / "broken.zip"
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("answer.json", b"{}" * 1000)
    raw = bytearray(file.read_bytes())
    raw[41:45] = b"\xff\xff\xff\xff"
    file.write_bytes(raw)
    with pytest.raises(Malformed):
        check_answer(file, Policy(()), now=NOW)


async def test_an_altered_entry_of_another_form_is_found_and_breaks_nothing(case: Case, tmp_path: Path) -> None:
    def change(name: str, content: bytes) -> bytes:
        return content.replace(b'"fld":["', b'"fld":7,"') if "tile/entries" in name else content

    file = rewritten(case, tmp_path / "f.zip", lambda name, content: change(name, content) if ".p" in name else content)
    with pytest.raises(Malformed):
        checked(case, file)
