"""The text that members see: complete, in Chinese, and never changed once it is published."""

import hashlib
import re
import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest

from policies.catalogue import PolicyProblem, load
from policies.lists import shared_data
from policies.loading.notices import ELEMENTS
from policies.naming import Title
from policies.terms import Catalogue

FIRST = "notices/2026-10"
CHILD = "notices/2026-10-child"


def told(folder: Path) -> set[tuple[str, str, str]]:
    """File, key and code of every problem."""
    try:
        load(folder)
    except PolicyProblem as wrong:
        return {(p.file, p.key, p.code) for p in wrong.problems}
    return set()


def publish(folder: Path, version: str) -> None:
    """Write the present SHA-256 of every file of a version into published.toml, as an officer would."""
    published = folder / "notices/published.toml"
    kept = re.sub(rf'\["{version}"\][^\[]*', "", published.read_text("utf-8"))
    pins = [
        f'"{path.name}" = "{hashlib.sha256(path.read_bytes()).hexdigest()}"' for path in (folder / "notices" / version).iterdir()
    ]
    published.write_text("\n".join([kept, f'["{version}"]', *pins, ""]), "utf-8")


def edit(folder: Path, name: str, old: str, new: str) -> None:
    """Change a file and publish it so: then only what it says can be wrong."""
    path = folder / FIRST / name
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new), "utf-8")
    publish(folder, "2026-10")


def second(folder: Path, version: str, head: str, like: str = FIRST) -> None:
    """A further version with the same texts."""
    shutil.copytree(folder / like, folder / "notices" / version)
    (folder / "notices" / version / "notice.toml").write_text(head, "utf-8")
    publish(folder, version)


def forget(folder: Path, version: str) -> None:
    """As if a version had never been."""
    shutil.rmtree(folder / "notices" / version)
    published = folder / "notices/published.toml"
    published.write_text(re.sub(rf'\["{version}"\][^\[]*', "", published.read_text("utf-8")), "utf-8")


def test_the_helper_publishes_what_the_shipped_policy_has(folder: Path) -> None:
    publish(folder, "2026-10")

    assert told(folder) == set()


@pytest.mark.parametrize("name", ["zh-CN.md", "en.md", "notice.toml"])
def test_one_byte_more_in_a_published_notice_stops_everything(folder: Path, name: str) -> None:
    with (folder / FIRST / name).open("ab") as page:
        page.write(b"\n")

    assert told(folder) == {(f"{FIRST}/{name}", "sha256", "NOTICE_CHANGED")}


def test_a_notice_that_nobody_published_is_refused_with_the_digest_to_publish_it(folder: Path) -> None:
    shutil.copytree(folder / FIRST, folder / "notices/2027-01")
    with pytest.raises(PolicyProblem) as raised:
        load(folder)

    assert {p.code for p in raised.value.problems} == {"NOTICE_UNPINNED"}
    english = next(p for p in raised.value.problems if p.file == "notices/2027-01/en.md")
    assert hashlib.sha256((folder / FIRST / "en.md").read_bytes()).hexdigest() in english.en


@pytest.mark.parametrize("element", ELEMENTS["GENERAL"])
def test_a_notice_without_an_element_that_the_law_demands_is_refused_by_its_name(folder: Path, element: str) -> None:
    edit(folder, "zh-CN.md", f"{{#{element}}}", "{#something_else}")
    edit(folder, "en.md", f"{{#{element}}}", "{#something_else}")

    assert (f"{FIRST}/zh-CN.md", element, "NOTICE_ELEMENT") in told(folder)


def test_a_heading_without_words_below_it_is_no_element(folder: Path) -> None:
    text = (folder / FIRST / "zh-CN.md").read_text("utf-8")
    expiry = text[text.index("{#expiry}") + len("{#expiry}") : text.index("## 八")]
    edit(folder, "zh-CN.md", expiry, "\n\n")

    assert told(folder) == {(f"{FIRST}/zh-CN.md", "expiry", "NOTICE_ELEMENT")}


def test_a_section_twice_could_be_read_in_two_ways(folder: Path) -> None:
    edit(folder, "zh-CN.md", "## 六、保存期限 {#retention}", "## 六、保存期限 {#categories}")

    assert (f"{FIRST}/zh-CN.md", "categories", "DUPLICATE") in told(folder)


def test_simplified_chinese_is_never_left_out(folder: Path) -> None:
    (folder / FIRST / "zh-CN.md").unlink()
    publish(folder, "2026-10")

    assert (FIRST, "zh-CN", "NOTICE_NO_CHINESE") in told(folder)


def test_a_translation_says_what_the_chinese_text_says_and_no_less(folder: Path) -> None:
    edit(folder, "en.md", " {#baby_care}", "")

    assert told(folder) == {(f"{FIRST}/en.md", "sections", "NOTICE_LANGUAGES")}


@pytest.mark.obligation("LB-01")
def test_a_purpose_that_the_notice_does_not_speak_of_is_refused(folder: Path) -> None:
    for name in ("zh-CN.md", "en.md"):
        edit(folder, name, " {#marketing_phone}", "")

    assert told(folder) == {("purposes.toml", "purposes.marketing_phone.notice_section", "SECTION_UNKNOWN")}


def test_a_file_that_is_no_language_does_not_belong_there(folder: Path) -> None:
    (folder / FIRST / "draft.txt").write_text("later")
    publish(folder, "2026-10")

    assert told(folder) == {(f"{FIRST}/draft.txt", "", "FILE_UNKNOWN")}


def test_a_notice_in_another_encoding_is_refused(folder: Path) -> None:
    path = folder / FIRST / "zh-CN.md"
    path.write_bytes(path.read_text("utf-8").encode("gb18030"))
    publish(folder, "2026-10")

    assert (f"{FIRST}/zh-CN.md", "", "NOT_UTF8") in told(folder)


def test_without_a_general_notice_nothing_may_be_asked(folder: Path) -> None:
    forget(folder, "2026-10")

    assert told(folder) == {("notices/published.toml", "", "NOTICE_NONE")}


@pytest.mark.obligation("SM-06")
def test_where_children_may_be_members_only_the_general_notice_is_not_enough(folder: Path) -> None:
    forget(folder, "2026-10-child")

    assert told(folder) == {("notices/published.toml", "", "NOTICE_NO_CHILD")}


@pytest.mark.obligation("SM-06")
@pytest.mark.parametrize("element", ELEMENTS["CHILD"])
def test_childrens_rules_without_an_element_that_the_law_demands_are_refused_by_its_name(folder: Path, element: str) -> None:
    for name in ("zh-CN.md", "en.md"):
        path = folder / CHILD / name
        path.write_text(path.read_text("utf-8").replace(f"{{#{element}}}", "{#something_else}"), "utf-8")
    publish(folder, "2026-10-child")

    assert (f"{CHILD}/zh-CN.md", element, "NOTICE_ELEMENT") in told(folder)


HEAD = 'kind = "{kind}"\neffective_at = {at}\nsupersedes = "{old}"\n'


def test_the_newest_notice_of_its_kind_that_has_begun_is_in_force(folder: Path) -> None:
    second(folder, "2027-01", HEAD.format(kind="GENERAL", at="2027-01-01T00:00:00+08:00", old="2026-10"))
    head = HEAD.format(kind="CHILD", at="2027-01-01T00:00:00+08:00", old="2026-10-child")
    second(folder, "2027-01-child", head, like=CHILD)
    catalogue = load(folder)

    def in_force(*moment: int, kind: str = "GENERAL") -> str | None:
        notice = catalogue.notice_in_force(datetime(*moment, tzinfo=UTC), kind)
        return notice.version if notice else None

    assert in_force(2026, 9, 30, 15, 59, 59) is None
    assert in_force(2026, 9, 30, 16) == "2026-10"
    assert in_force(2026, 12, 31, 15, 59, 59) == "2026-10"
    assert in_force(2026, 12, 31, 16) == "2027-01"
    assert in_force(2026, 12, 31, kind="CHILD") == "2026-10-child"
    assert in_force(2027, 6, 1, kind="CHILD") == "2027-01-child"


@pytest.mark.parametrize(
    "head",
    [
        HEAD.format(kind="GENERAL", at="2027-01-01T00:00:00+08:00", old="2026-09"),
        HEAD.format(kind="GENERAL", at="2026-09-01T00:00:00+08:00", old="2026-10"),
        HEAD.format(kind="CHILD", at="2027-01-01T00:00:00+08:00", old="2026-10"),
        HEAD.format(kind="GENERAL", at="2027-01-01T00:00:00+08:00", old="2027-01"),
    ],
    ids=["nothing known", "a later one", "one of another kind", "itself"],
)
def test_a_notice_supersedes_an_earlier_one_of_its_kind_and_nothing_else(folder: Path, head: str) -> None:
    second(folder, "2027-01", head, like=CHILD if "CHILD" in head else FIRST)

    assert told(folder) == {("notices/2027-01/notice.toml", "supersedes", "NOTICE_SUPERSEDES")}


@pytest.mark.obligation("NC-09")
def test_a_version_of_a_purpose_means_one_thing_in_every_notice(folder: Path) -> None:
    second(folder, "2027-01", HEAD.format(kind="GENERAL", at="2027-01-01T00:00:00+08:00", old="2026-10"))
    scopes = folder / "notices/2027-01/scopes.toml"
    scopes.write_text(scopes.read_text("utf-8").replace('fields = ["phone"]', 'fields = ["phone", "name"]', 1), "utf-8")
    publish(folder, "2027-01")

    assert told(folder) == {("notices/2027-01/scopes.toml", "marketing_sms", "SCOPE_AMBIGUOUS")}


@pytest.mark.parametrize("at", ["2027-01-01T00:00:00", "2027-01-01", '"2027-01-01"'])
def test_a_notice_begins_at_a_moment_and_not_at_a_local_time(folder: Path, at: str) -> None:
    second(folder, "2027-01", HEAD.format(kind="GENERAL", at=at, old="2026-10"))

    assert ("notices/2027-01/notice.toml", "effective_at", "WRONG_TYPE") in told(folder)


@pytest.mark.obligation("LB-06")
@pytest.mark.parametrize("language", ["zh-CN", "en"])
def test_the_shipped_notice_says_of_every_purpose_what_the_policy_does(catalogue: Catalogue, language: str) -> None:
    notice = catalogue.notices["2026-10"]
    text = notice.texts[language].decode()
    chinese = language == "zh-CN"
    for purpose in catalogue.purposes.values():
        _, _, rest = text.partition(f"{{#{purpose.notice_section}}}")
        section = rest.partition("\n#")[0]
        spoken = [catalogue.fields[key].title for key in purpose.fields] + [purpose.method]
        spoken += [catalogue.recipients[key].name for key in purpose.recipients]
        assert [title for title in spoken if (title.zh if chinese else title.en) not in section] == []
        for months in {purpose.retention_months, purpose.consent_months} - {0}:
            assert (f"{months} 个月" if chinese else f"{months} months") in section


@pytest.mark.obligation("LB-06")
def test_the_shipped_notice_lists_every_field_and_recipient_and_who_is_responsible(catalogue: Catalogue) -> None:
    text = catalogue.notices["2026-10"].texts["zh-CN"].decode()
    controller = catalogue.controller
    months = {
        key: f"| {field.title.zh} | {catalogue.categories[field.category].title.zh} |" for key, field in catalogue.fields.items()
    }

    assert [
        key
        for key, row in months.items()
        if not re.search(re.escape(row) + rf".*\| {catalogue.fields[key].retention_months} 个月 \|", text)
    ] == []
    assert [row.recipient.key for row in shared_data(catalogue) if f"| {row.recipient.name.zh} |" not in text] == []
    for who in (controller.legal_name.zh, controller.address.zh, controller.contact_email, controller.contact_phone):
        assert who in text
    assert controller.responsible_person.split(" · ")[0] in text


@pytest.mark.obligation("SM-06")
@pytest.mark.parametrize("language", ["zh-CN", "en"])
def test_the_shipped_childrens_rules_say_of_every_purpose_what_the_policy_does(catalogue: Catalogue, language: str) -> None:
    notice = catalogue.notices["2026-10-child"]
    chinese = language == "zh-CN"

    def name(title: Title) -> str:
        return title.zh if chinese else title.en

    rows = {row.split(" | ")[0].removeprefix("| "): row for row in notice.parts[language]["purposes"].splitlines()}
    automated = {key for key, purpose in catalogue.purposes.items() if purpose.automated_decision} - {"baby_care"}
    for key, purpose in catalogue.purposes.items():
        assert (name(purpose.title) in rows) is (key not in automated)
        if key in automated:
            assert name(purpose.title) in notice.parts[language]["purposes"]
            continue
        row = rows[name(purpose.title)]
        spoken = [catalogue.fields[field].title for field in purpose.fields] + [purpose.method]
        spoken += [catalogue.recipients[recipient].name for recipient in purpose.recipients]
        assert [title for title in spoken if name(title) not in row] == []
        for months in {purpose.retention_months, purpose.consent_months} - {0}:
            assert (f"{months} 个月" if chinese else f"{months} months") in row


@pytest.mark.obligation("SM-06")
@pytest.mark.parametrize("language", ["zh-CN", "en"])
def test_the_shipped_childrens_rules_list_every_field_and_recipient_and_who_is_in_charge(
    catalogue: Catalogue, language: str
) -> None:
    parts = catalogue.notices["2026-10-child"].parts[language]
    chinese = language == "zh-CN"
    controller = catalogue.controller

    def name(title: Title) -> str:
        return title.zh if chinese else title.en

    for field in catalogue.fields.values():
        row = next(row for row in parts["categories"].splitlines() if row.startswith(f"| {name(field.title)} |"))
        assert name(catalogue.categories[field.category].title) in row
        assert row.endswith(f"| {field.retention_months} {'个月' if chinese else 'months'} |")
    shared = [row.recipient for row in shared_data(catalogue)]
    assert [r.key for r in shared if f"| {name(r.name)} |" not in parts["recipients"]] == []
    assert controller.responsible_person.split(" · ")[0 if chinese else 1] in parts["officer"]
    assert name(controller.legal_name) in parts["controller"] and controller.contact_phone in parts["contact"]
    assert name(controller.storage_location).lower() in parts["storage"].lower()
