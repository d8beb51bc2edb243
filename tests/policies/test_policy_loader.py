"""Every way in which a policy folder can be wrong, tried on a copy of the shipped one: file, key and code must be told.

`cases.CASES` breaks one thing at a time. A last test holds the list against `policies/loading/faults.py`: a fault that nobody provokes here is a rule
that nobody knows to work.
"""

import hashlib
import shutil
from dataclasses import FrozenInstanceError
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.catalogue import FILES, SHIPPED, PolicyProblem, PolicyUnreadable, Problem, load, parse
from policies.loading import faults, files
from policies.loading.problems import Fault
from policies.terms import Catalogue
from tests.policies.cases import CASES, Case, purpose


def problems(folder: Path) -> tuple[Problem, ...]:
    """What the loader says about a folder; nothing when it takes it."""
    return said(files.snapshot(folder))


def said(content: dict[str, bytes]) -> tuple[Problem, ...]:
    """The same about files that lie nowhere."""
    try:
        parse(content)
    except PolicyProblem as wrong:
        return wrong.problems
    return ()


def change(folder: Path, case: Case) -> None:
    """`old` may begin with a heading and a bar: then it is looked for below that heading only."""
    path = folder / case.file
    heading, _, old = case.old.rpartition("|")
    before, found, after = path.read_text("utf-8").partition(heading) if heading else ("", "", path.read_text("utf-8"))
    assert old in after, "the case no longer fits the shipped file"
    path.write_text(before + found + after.replace(old, case.new, 1), "utf-8")


def test_the_shipped_policy_has_no_problem(folder: Path) -> None:
    assert problems(folder) == ()
    assert load(folder).digest == load(SHIPPED).digest


@pytest.mark.obligation("LB-01", "LB-04", "SM-01")
@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_a_broken_policy_is_refused_by_file_key_and_code(folder: Path, case: Case) -> None:
    change(folder, case)
    found = problems(folder)

    assert (case.where or case.file, case.key, case.code) in {(p.file, p.key, p.code) for p in found}
    assert all(p.en and p.zh and p.reason == f"{p.en} {p.zh}" for p in found)


@pytest.mark.obligation("LB-01")
def test_legitimate_interest_is_refused_with_the_seven_that_there_are(folder: Path) -> None:
    change(folder, CASES["the basis that this law does not have"])
    (problem,) = problems(folder)

    assert problem.code == "BASIS_NOT_ALLOWED"
    assert "CONSENT, CONTRACT, LEGAL_DUTY, EMERGENCY, NEWS, PUBLIC_INFORMATION, OTHER_LAW" in problem.en
    assert "没有“正当利益”" in problem.zh


@pytest.mark.obligation("LB-04")
@pytest.mark.parametrize("basis", ["CONTRACT", "LEGAL_DUTY", "EMERGENCY", "NEWS", "PUBLIC_INFORMATION", "OTHER_LAW"])
def test_a_commercial_purpose_stands_on_no_other_basis_than_consent(folder: Path, basis: str) -> None:
    change(folder, purpose("birthday_gift", '"CONSENT"', f'"{basis}"', "basis", ""))

    assert ("purposes.birthday_gift.basis", "BASIS_NOT_ALLOWED") in {(p.key, p.code) for p in problems(folder)}


@pytest.mark.obligation("SM-01")
def test_a_new_field_is_not_taken_without_a_class(folder: Path) -> None:
    with (folder / "fields.toml").open("a", encoding="utf-8") as page:
        page.write('\n[fields.health_note]\ntitle = { zh = "健康备注", en = "Health note" }\n')
    found = {(p.key, p.code) for p in problems(folder)}

    assert {("fields.health_note.sensitivity", "KEY_MISSING"), ("fields.health_note.category", "KEY_MISSING")} <= found


@pytest.mark.obligation("SM-01", "LB-02")
def test_sensitive_data_needs_no_separate_consent_only_where_the_basis_is_not_consent(folder: Path) -> None:
    change(
        folder,
        Case("purposes.toml", '[purposes.account_service.fields]|name = "plain"', 'name = "plain"\nskin_type = "plain"', "", ""),
    )

    assert {(p.key, p.code) for p in problems(folder)} == {("purposes.account_service.pia", "PIA_MISSING")}


def test_all_problems_are_told_at_once(folder: Path) -> None:
    names = [
        "the basis that this law does not have",
        "no retention",
        "an unknown mask",
        "too many messages",
        "an appid that is none",
    ]
    names += ["an action that does not exist", "a duplicated table", "a notice whose words were changed"]
    for name in names:
        if name != "an action that does not exist":
            change(folder, CASES[name])
    found = {(p.file, p.key, p.code) for p in problems(folder)}

    assert {(CASES[n].file, CASES[n].key, CASES[n].code) for n in names if n != "an action that does not exist"} == found


def test_one_slip_is_told_once_and_not_echoed_by_other_rules(folder: Path) -> None:
    really_several = {
        "a second purpose of the members' own",  # two of them, and one that another role may state
        "members who would need consent to see themselves",  # and their sensitive data lacks separate consent
        "a purpose with a name that no column holds",  # and nothing in it
        "a version that is none",  # so that no version is published
        "no method",  # but a key that does not exist
        "no responsible person",  # but a key that does not exist
        "sensitive data of which nobody says why",  # but a key that does not exist
        "an automated decision of which nobody says how",  # but a key that does not exist
        "two bands that end together",  # one problem for each of them
        "a field kept though its purpose is gone",  # and another one taken in its place, of which nobody was told
        "what a channel must say that does not exist",  # and the one that the line was for
        "no promotion at all to look for",  # but a key that does not exist
        "exports of which nobody says how many rows are many",  # but a key that does not exist
        "a gift of which one thing need not be said",  # but a key that does not exist
    }
    counted = {}
    for name, case in CASES.items():
        before = (folder / case.file).read_bytes()
        change(folder, case)
        counted[name] = len(problems(folder))
        (folder / case.file).write_bytes(before)

    assert {name for name, count in counted.items() if count != 1} == really_several


def test_without_a_purpose_for_members_to_see_themselves_there_is_no_policy(folder: Path) -> None:
    change(folder, purpose("self_access", "self_service = true", "self_service = false", "", ""))

    assert ("purposes", "SELF_SERVICE_COUNT") in {(p.key, p.code) for p in problems(folder)}


def test_two_purposes_for_members_to_see_themselves_are_one_too_many(folder: Path) -> None:
    change(folder, CASES["a second purpose of the members' own"])
    (found,) = [p for p in problems(folder) if p.code == "SELF_SERVICE_COUNT"]

    assert "self_access, legal_duty" in found.en


@pytest.mark.obligation("LB-02")
def test_a_field_that_only_the_member_would_ever_read_may_not_be_collected(folder: Path) -> None:
    for key, old in (("skin_profile", 'skin_type = "plain"'), ("legal_duty", 'skin_type = "masked"')):
        change(
            folder,
            Case("purposes.toml", f"[purposes.{key}.fields]|{old}", 'phone = "plain"' if key == "skin_profile" else "", "", ""),
        )

    assert ("fields.toml", "fields.skin_type", "FIELD_UNUSED") in {(p.file, p.key, p.code) for p in problems(folder)}


@pytest.mark.parametrize("name", [*FILES, "notices/published.toml", "notices/2026-10/notice.toml", "notices/2026-10/zh-CN.md"])
def test_a_missing_file_is_named_and_nothing_is_said_about_what_builds_on_it(folder: Path, name: str) -> None:
    (folder / name).unlink()
    found = problems(folder)

    assert (name, "", "FILE_MISSING") in {(p.file, p.key, p.code) for p in found}
    assert {p.code for p in found} <= {"FILE_MISSING", "NOTICE_NO_CHINESE"}


def test_a_file_with_a_name_that_nobody_reads_is_refused(folder: Path) -> None:
    shutil.copyfile(folder / "roles.toml", folder / "role.toml")

    assert [(p.file, p.code) for p in problems(folder)] == [("role.toml", "FILE_UNKNOWN")]


@pytest.mark.parametrize(("raw", "byte"), [(b"\xef\xbb\xbf", "0"), (b"# \xb2\xe2\xca\xd4\n", "2"), (b"# \xff\n", "2")])
def test_a_file_that_is_not_plain_utf8_is_refused(folder: Path, raw: bytes, byte: str) -> None:
    path = folder / "roles.toml"
    path.write_bytes(raw + path.read_bytes())
    (found,) = problems(folder)

    assert (found.file, found.code) == ("roles.toml", "NOT_UTF8")
    assert byte in found.en


def test_what_editors_and_kubernetes_leave_about_is_no_policy(folder: Path) -> None:
    (folder / ".roles.toml").write_text("rubbish")
    (folder / "notices/.DS_Store").write_bytes(b"\0")
    (folder / "README.md").write_text("# our policy")

    assert load(folder).digest == load(SHIPPED).digest


def test_a_folder_that_cannot_be_read_is_another_thing_than_a_bad_policy(folder: Path) -> None:
    (folder / "odd.toml").mkdir()

    for place in (folder / "nowhere", folder / "roles.toml", folder):
        with pytest.raises(PolicyUnreadable) as raised:
            load(place)
        assert [p.code for p in raised.value.problems] == ["UNREADABLE"]


def test_the_digest_is_what_its_description_says(folder: Path) -> None:
    names = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    message = b"menshen/policy/v1\n"
    for name in names:
        content = (folder / name).read_bytes()
        message += len(name).to_bytes(4, "big") + name.encode() + len(content).to_bytes(8, "big") + content

    assert "notices/2026-10/zh-CN.md" in names and len(names) == 19
    assert load(folder).digest == hashlib.sha256(message).hexdigest()


def test_a_comment_is_part_of_the_policy_too(folder: Path) -> None:
    with (folder / "roles.toml").open("a", encoding="utf-8") as page:
        page.write("# nothing\n")

    assert problems(folder) == ()
    assert load(folder).digest != load(SHIPPED).digest


@given(st.dictionaries(st.text(min_size=1, max_size=4), st.binary(max_size=6), max_size=4), st.data())
def test_no_two_folders_share_a_digest(content: dict[str, bytes], ahead: st.DataObject) -> None:
    other = ahead.draw(st.dictionaries(st.text(min_size=1, max_size=4), st.binary(max_size=6), max_size=4))

    assert (files.digest(content) == files.digest(other)) == (content == other)


@given(st.dictionaries(st.sampled_from([*FILES, "notices/published.toml", "notices/2026-10/en.md"]), st.binary(max_size=200)))
def test_no_bytes_make_the_loader_do_anything_but_say_what_is_wrong(content: dict[str, bytes]) -> None:
    with pytest.raises(PolicyProblem) as raised:
        parse(content)
    assert raised.value.problems


VALUES = st.sampled_from(
    ["", "''", "[]", "{}", "0", "-1", "1.5", "true", "1979-05-27", "1979-05-27T07:32:00", "[[]]", "{a=1}", "'*'"]
)


@given(st.data())
def test_any_value_in_any_place_is_taken_or_told_by_its_file(ahead: st.DataObject) -> None:
    content = files.snapshot(SHIPPED)
    name = ahead.draw(st.sampled_from(FILES))
    lines = content[name].decode().splitlines()
    spots = [number for number, line in enumerate(lines) if " = " in line and not line.startswith("#")]
    spot = ahead.draw(st.sampled_from(spots))
    lines[spot] = f"{lines[spot].split(' = ')[0]} = {ahead.draw(VALUES)}"
    found = said({**content, name: "\n".join(lines).encode()})

    assert all(p.file in FILES and p.key and p.en and p.zh for p in found)


def test_a_catalogue_cannot_be_changed_once_it_is_loaded(catalogue: Catalogue) -> None:
    for table in (catalogue.fields, catalogue.purposes, catalogue.purposes["audit"].fields, catalogue.notices["2026-10"].texts):
        with pytest.raises(TypeError):
            table["x"] = None  # type: ignore[index]
    with pytest.raises(FrozenInstanceError):
        catalogue.digest = ""  # type: ignore[misc]


def test_every_fault_that_there_is_is_provoked_by_some_test() -> None:
    known = {fault.code for fault in vars(faults).values() if isinstance(fault, Fault)}
    here = {"FILE_MISSING", "FILE_UNKNOWN", "NOT_UTF8", "UNREADABLE", "SELF_SERVICE_COUNT", "FIELD_UNUSED", "SCOPE_AMBIGUOUS"}
    in_test_policy_notices = {"UNPINNED", "NONE", "NO_CHINESE", "NO_CHILD", "ELEMENT", "LANGUAGES", "SUPERSEDES"}
    in_test_policy_publish = {"UNWRITABLE", "NOTICE_TWICE", "NOTICE_UNDRAFTED", "SCOPE_NOT_FOR_GUARDIANS"}
    in_test_duties = {"OFFICER_CONTACT_MISSING"}
    of_notices = {f"NOTICE_{rest}" for rest in in_test_policy_notices}

    assert known == {case.code for case in CASES.values()} | here | of_notices | in_test_policy_publish | in_test_duties
