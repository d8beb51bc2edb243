"""`menshen policy publish` and `diff`: a notice is checked whole, pinned for good, and said to change what it changes."""

import json
import shutil
import tomllib
from pathlib import Path

import pytest
from typer.testing import CliRunner

from policies.catalogue import load
from policies.loading import files
from policies.loading.notices import ELEMENTS
from policies.loading.problems import PolicyProblem
from service.cli.policy import policy
from tests.policy_folder import draft, drop_key, edit, publish, set_key

run = CliRunner().invoke
AT = "2026-12-01T00:00:00+08:00"
NEW = "notices/2026-12"


def told(folder: Path, command: str = "publish", version: str = "2026-12", code: int = 0) -> dict[str, object]:
    """What the command says to machines."""
    result = run(policy, [command, version, str(folder), "--json"])
    assert result.exit_code == code, result.output
    return json.loads(result.output)


def problems(folder: Path, version: str = "2026-12") -> set[tuple[str, str, str]]:
    """Why a version is not published; and nothing was written."""
    before = files.snapshot(folder)
    said = told(folder, version=version, code=1)
    assert files.snapshot(folder) == before
    return {(p["file"], p["key"], p["code"]) for p in said["problems"]}  # type: ignore[attr-defined,index]


@pytest.mark.obligation("NC-01")
def test_a_draft_that_does_not_say_what_happens_at_expiry_is_refused_naming_it(folder: Path) -> None:
    draft(folder, "2026-12", effective_at=AT)
    for name in ("zh-CN.md", "en.md"):
        path = folder / NEW / name
        text = path.read_text("utf-8")
        start = text.index("## 七、" if name == "zh-CN.md" else "## 7.")
        end = text.index("## 八、" if name == "zh-CN.md" else "## 8.")
        path.write_text(text[:start] + text[end:], "utf-8")

    assert problems(folder) == {(f"{NEW}/zh-CN.md", "expiry", "NOTICE_ELEMENT"), (f"{NEW}/en.md", "expiry", "NOTICE_ELEMENT")}
    shown = run(policy, ["publish", "2026-12", str(folder)])
    assert shown.exit_code == 1 and "{#expiry}" in shown.output


@pytest.mark.obligation("NC-01")
@pytest.mark.parametrize(("kind", "element"), [(kind, element) for kind in ELEMENTS for element in ELEMENTS[kind]])
def test_no_kind_of_notice_is_published_without_one_of_its_elements(folder: Path, kind: str, element: str) -> None:
    draft(folder, "2026-12", effective_at=AT, kind=kind)
    for name in ("zh-CN.md", "en.md"):
        edit(folder, f"{NEW}/{name}", f"{{#{element}}}", "{#something_else}")

    assert (f"{NEW}/zh-CN.md", element, "NOTICE_ELEMENT") in problems(folder)


@pytest.mark.obligation("NC-03")
def test_a_draft_without_simplified_chinese_is_refused(folder: Path) -> None:
    draft(folder, "2026-12", effective_at=AT)
    (folder / NEW / "zh-CN.md").unlink()

    assert (NEW, "zh-CN", "NOTICE_NO_CHINESE") in problems(folder)


def test_what_is_published_is_pinned_and_loads(folder: Path) -> None:
    draft(folder, "2026-12", effective_at=AT)
    before = (folder / "notices/published.toml").read_text("utf-8")
    said = told(folder)
    after = (folder / "notices/published.toml").read_text("utf-8")
    catalogue = load(folder)

    assert after.startswith(before)
    assert set(tomllib.loads(after)["2026-12"]) == {"notice.toml", "scopes.toml", "zh-CN.md", "en.md"}
    assert said["published"] is True and said["digest"] == catalogue.digest
    assert said["sha256"] == dict(catalogue.notices["2026-12"].digests)
    assert catalogue.notices["2026-12"].scopes == catalogue.notices["2026-10"].scopes
    assert [path.name for path in (folder / "notices").rglob(".*")] == []


@pytest.mark.obligation("NC-03")
def test_a_published_version_is_never_published_again(folder: Path) -> None:
    edit(folder, "notices/2026-10/zh-CN.md", "400-000-0000", "400-000-0001")

    assert problems(folder, "2026-10") == {("notices/2026-10", "", "NOTICE_TWICE")}


def test_a_version_that_nobody_drafted_is_not_published(folder: Path) -> None:
    assert problems(folder, "2027-05") == {("notices/2027-05", "", "NOTICE_UNDRAFTED")}


@pytest.mark.obligation("NC-09")
def test_what_became_wider_is_said_to_need_a_new_consent_and_what_did_not_is_not(folder: Path) -> None:
    draft(folder, "2026-12", effective_at=AT)
    set_key(folder, "purposes.toml", "purposes.birthday_gift.version", 2)
    set_key(folder, "purposes.toml", "purposes.birthday_gift.fields.region", "plain")
    drop_key(folder, "purposes.toml", "purposes.analytics.fields.points")
    set_key(folder, "purposes.toml", "purposes.marketing_sms.retention_months", 11)
    shown = run(policy, ["diff", "2026-12", str(folder)])
    said = told(folder)

    assert said["purposes"] == [
        {"purpose": "birthday_gift", "from": 1, "to": 2, "needs_consent": True, "beyond": ["fields"]},
        {"purpose": "marketing_sms", "from": 1, "to": 1, "needs_consent": False, "beyond": []},
        {"purpose": "analytics", "from": 1, "to": 1, "needs_consent": False, "beyond": []},
    ]
    assert "birthday_gift v1 → v2 扩大，须重新征得同意" in shown.output
    assert "analytics v1 → v1 未扩大，原同意继续有效" in shown.output


@pytest.mark.obligation("NC-09")
@pytest.mark.parametrize(
    ("key", "value", "beyond"),
    [
        ("fields.region", "plain", "fields"),
        ("recipients", ["example_courier"], "recipients"),
        ("retention_months", 13, "retention_months"),
        ("method", "另一种方式", "method"),
    ],
)
def test_a_purpose_that_became_wider_under_its_old_number_is_not_published(
    folder: Path, key: str, value: object, beyond: str
) -> None:
    draft(folder, "2026-12", effective_at=AT)
    if key == "method":
        edit(folder, "purposes.toml", "在生日当月向会员账户发放礼券；发送信息另须相应渠道的同意", str(value))
    else:
        set_key(folder, "purposes.toml", f"purposes.birthday_gift.{key}", value)
    set_key(folder, "purposes.toml", "purposes.birthday_gift.pia", "PIA-2026-11")
    result = run(policy, ["publish", "2026-12", str(folder), "--json"])

    assert result.exit_code == 1
    codes = {p["code"] for p in json.loads(result.output)["problems"]}
    assert codes & {"SCOPE_AMBIGUOUS", "SCOPE_CHANGED"} and beyond in result.output
    set_key(folder, "purposes.toml", "purposes.birthday_gift.version", 2)
    assert told(folder)["purposes"][0]["beyond"] == [beyond]  # type: ignore[index]


@pytest.mark.obligation("NC-09")
def test_a_wider_purpose_without_a_published_notice_stops_the_service(folder: Path) -> None:
    set_key(folder, "purposes.toml", "purposes.birthday_gift.fields.region", "plain")
    set_key(folder, "purposes.toml", "purposes.birthday_gift.version", 2)
    result = run(policy, ["check", str(folder), "--json"])

    assert [(p["key"], p["code"]) for p in json.loads(result.output)["problems"]] == [
        ("purposes.birthday_gift.version", "SCOPE_UNPUBLISHED")
    ]


@pytest.mark.obligation("NC-10")
def test_the_sections_that_changed_are_shown_before_and_after_publication_alike(folder: Path) -> None:
    draft(folder, "2026-12", effective_at=AT)
    edit(folder, f"{NEW}/zh-CN.md", "- 电话：400-000-0000", "- 电话：400-000-0001")
    before = files.snapshot(folder)
    ahead = told(folder, "diff")
    assert files.snapshot(folder) == before

    published, after = told(folder), told(folder, "diff")
    assert ahead["sections"] == published["sections"] == after["sections"] == [{"section": "contact", "gone": False}]
    assert (ahead["published"], published["published"], after["published"]) == (False, True, True)


@pytest.mark.obligation("SM-06")
def test_it_is_said_when_the_childrens_rules_do_not_tell_of_what_became_wider(folder: Path) -> None:
    draft(folder, "2026-12", effective_at=AT)
    set_key(folder, "purposes.toml", "purposes.birthday_gift.version", 2)
    set_key(folder, "purposes.toml", "purposes.birthday_gift.fields.region", "plain")
    shown = run(policy, ["diff", "2026-12", str(folder)])
    assert told(folder)["behind"] == {"2026-10-child": ["birthday_gift"]}
    assert "2026-10-child 尚未说明 birthday_gift" in shown.output

    draft(folder, "2026-12-child", effective_at=AT, kind="CHILD")
    assert told(folder, version="2026-12-child")["behind"] == {}
    assert told(folder, "diff")["behind"] == {}


@pytest.mark.obligation("SM-06")
def test_what_tells_of_a_child_is_told_to_guardians_before_it_may_be_asked_for(folder: Path) -> None:
    """Whoever is shown the general notice alone cannot consent to it, so a general notice alone brings no wider version of it."""
    set_key(folder, "purposes.toml", "purposes.baby_care.version", 2)
    draft(folder, "2026-12", effective_at=AT)
    assert problems(folder) == {("purposes.toml", "purposes.baby_care.version", "SCOPE_NOT_FOR_GUARDIANS")}
    shutil.move(folder / NEW, folder.parent / "later")

    draft(folder, "2026-12-child", effective_at=AT, kind="CHILD")
    told(folder, version="2026-12-child")
    assert codes(folder) == set()
    shutil.move(folder.parent / "later", folder / NEW)
    told(folder)


def test_a_first_version_is_all_new(folder: Path) -> None:
    assert "全部内容均为新内容" in run(policy, ["diff", "2026-10", str(folder)]).output


@pytest.mark.parametrize("command", ["diff", "publish"])
def test_a_folder_that_cannot_be_read_is_another_outcome(tmp_path: Path, command: str) -> None:
    result = run(policy, [command, "2026-12", str(tmp_path / "nowhere")])

    assert result.exit_code == 2 and "UNREADABLE" in result.output


def test_a_folder_that_cannot_be_written_is_told_and_publishes_nothing(folder: Path) -> None:
    draft(folder, "2026-12", effective_at=AT)
    (folder / NEW / "scopes.toml").mkdir()
    pinned = (folder / "notices/published.toml").read_bytes()
    result = run(policy, ["publish", "2026-12", str(folder), "--json"])

    assert result.exit_code == 2
    assert [p["code"] for p in json.loads(result.output)["problems"]] == ["UNWRITABLE"]
    assert (folder / "notices/published.toml").read_bytes() == pinned
    assert [path.name for path in (folder / "notices").rglob(".*")] == []


@pytest.mark.obligation("NC-09", "NC-05")
def test_what_was_told_as_less_does_not_become_more_again_under_the_same_number(folder: Path) -> None:
    """Whoever said yes in between was never told of the tier."""
    drop_key(folder, "purposes.toml", "purposes.birthday_gift.fields.tier")
    publish(folder, "2027-01", effective_at="2027-01-01T00:00:00+08:00")
    assert codes(folder) == set()
    set_key(folder, "purposes.toml", "purposes.birthday_gift.fields.tier", "plain")
    assert codes(folder) == {("purposes.toml", "purposes.birthday_gift.version", "SCOPE_CHANGED")}
    publish(folder, "2027-02", effective_at="2027-02-01T00:00:00+08:00", supersedes="2027-01")
    assert codes(folder) == {("notices/2027-02/scopes.toml", "birthday_gift", "SCOPE_AMBIGUOUS")}


def codes(folder: Path) -> set[tuple[str, str, str]]:
    """Why the policy does not load."""
    try:
        load(folder)
    except PolicyProblem as wrong:
        return {(p.file, p.key, p.code) for p in wrong.problems}
    return set()
