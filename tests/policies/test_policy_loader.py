"""Every way in which a policy folder can be wrong, tried on a copy of the shipped one: file, key and code must be told.

`CASES` breaks one thing at a time. A last test holds the list against `policies/loading/faults.py`: a fault that nobody provokes here is a rule
that nobody knows to work.
"""

import hashlib
import shutil
from dataclasses import FrozenInstanceError, dataclass
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.catalogue import FILES, SHIPPED, PolicyProblem, PolicyUnreadable, Problem, load, parse
from policies.loading import faults, files
from policies.loading.problems import Fault
from policies.terms import Catalogue


@dataclass(frozen=True)
class Case:
    """Replace `old` by `new` in `file` (the first time it stands there) and expect one problem at `key` of `where`."""

    file: str
    old: str
    new: str
    key: str
    code: str
    where: str = ""


def purpose(key: str, old: str, new: str, at: str, code: str) -> Case:
    """A change inside one purpose's table; `at` is the key in it."""
    return Case("purposes.toml", f"[purposes.{key}]|{old}", new, f"purposes.{key}.{at}", code)


def field(key: str, old: str, new: str, at: str, code: str) -> Case:
    """A change inside one field's table."""
    return Case("fields.toml", f"[fields.{key}]|{old}", new, f"fields.{key}{at and '.'}{at}", code)


SMS, TIER, NOTICE = "marketing_sms", "fields.tier", "notices/2026-10/"

CASES = {
    "the basis that this law does not have": purpose(SMS, '"CONSENT"', '"LEGITIMATE_INTEREST"', "basis", "BASIS_NOT_ALLOWED"),
    "a commercial purpose on a contract": purpose(SMS, '"CONSENT"', '"CONTRACT"', "basis", "BASIS_NOT_ALLOWED"),
    "a basis in small letters": purpose("audit", '"LEGAL_DUTY"', '"legal_duty"', "basis", "BASIS_NOT_ALLOWED"),
    "a marketing channel under the name of service": purpose(SMS, '"COMMERCIAL"', '"SERVICE"', "class", "CHANNEL_CLASS"),
    "a class that does not exist": purpose(SMS, '"COMMERCIAL"', '"MARKETING"', "class", "UNKNOWN_VALUE"),
    "a field that is not catalogued": purpose(SMS, 'phone = "masked"', 'fax = "masked"', "fields.fax", "FIELD_UNKNOWN"),
    "a shape that does not exist": purpose(SMS, 'phone = "masked"', 'phone = "hashed"', "fields.phone", "UNKNOWN_VALUE"),
    "a role that does not exist": purpose(SMS, '["marketer"]', '["growth_hacker"]', "roles", "ROLE_UNKNOWN"),
    "a wildcard for roles": purpose(SMS, '["marketer"]', '["*"]', "roles", "ROLE_UNKNOWN"),
    "nobody who may state it": purpose(SMS, '["marketer"]', "[]", "roles", "BLANK"),
    "a role twice": purpose(SMS, '["marketer"]', '["marketer", "marketer"]', "roles", "DUPLICATE"),
    "a member's token under a purpose of the retailer": purpose(SMS, '["marketer"]', '["member"]', "roles", "MEMBER_ROLE"),
    "staff under the members' own purpose": purpose("self_access", '["member"]', '["analyst"]', "roles", "MEMBER_ROLE"),
    "a channel that does not exist": purpose(SMS, '"sms"', '"fax"', "channel", "CHANNEL_UNKNOWN"),
    "a recipient that nobody describes": purpose("partner_sharing", '"example_coffee"', '"a_friend"', "recipients", "RECIPIENT_UNKNOWN"),
    "sensitive data without separate consent": purpose(
        "skin_profile", "separate_consent = true", "separate_consent = false", "separate_consent", "SEPARATE_CONSENT_REQUIRED"
    ),
    "another processor without separate consent": purpose(
        "partner_sharing", "separate_consent = true", "separate_consent = false", "separate_consent", "SEPARATE_CONSENT_REQUIRED"
    ),
    "separate consent where there is no consent": purpose(
        "audit", "separate_consent = false", "separate_consent = true", "separate_consent", "SEPARATE_WITHOUT_CONSENT"
    ),
    "a consent to SMS without a period": purpose(SMS, "consent_months = 12", "consent_months = 0", "consent_months", "VALIDITY_MISSING"),
    "a period of consent where there is none": purpose(
        "audit", "consent_months = 0", "consent_months = 12", "consent_months", "VALIDITY_WITHOUT_CONSENT"
    ),
    "no impact assessment of sensitive data": purpose("skin_profile", '"PIA-2026-08"', '""', "pia", "PIA_MISSING"),
    "no impact assessment of automated decisions": purpose(
        "personalised_recommendation", '"PIA-2026-07"', '""', "pia", "PIA_MISSING"
    ),
    "no impact assessment of an entrusted party": purpose(SMS, '"PIA-2026-03"', '""', "pia", "PIA_MISSING"),
    "a section that the notice does not have": purpose(
        SMS, 'notice_section = "marketing_sms"', 'notice_section = "adverts"', "notice_section", "SECTION_UNKNOWN"
    ),
    "no retention": purpose(SMS, "retention_months = 12\n", "", "retention_months", "KEY_MISSING"),
    "kept for ever": purpose(SMS, "retention_months = 12", 'retention_months = "forever"', "retention_months", "WRONG_TYPE"),
    "kept for longer than a life": purpose(SMS, "retention_months = 12", "retention_months = 999", "retention_months", "OUT_OF_RANGE"),
    "kept for a negative time": purpose(SMS, "retention_months = 12", "retention_months = -1", "retention_months", "OUT_OF_RANGE"),
    "a yes that is a word": purpose(SMS, "automated_decision = false", 'automated_decision = "no"', "automated_decision", "WRONG_TYPE"),
    "a yes that is a number": purpose(SMS, "automated_decision = false", "automated_decision = 0", "automated_decision", "WRONG_TYPE"),
    "a number that is a yes": purpose(SMS, "retention_months = 12", "retention_months = true", "retention_months", "WRONG_TYPE"),
    "a list that is a word": purpose(SMS, '["marketer"]', '"marketer"', "roles", "WRONG_TYPE"),
    "a list of numbers": purpose(SMS, '["marketer"]', "[1]", "roles", "WRONG_TYPE"),
    "no method": purpose(SMS, "[purposes.marketing_sms.method]", "[purposes.marketing_sms.methods]", "method", "KEY_MISSING"),
    "a title without 中文": purpose(SMS, 'zh = "短信营销", ', "", "title.zh", "KEY_MISSING"),
    "a title that says nothing": purpose(SMS, '"短信营销"', '"  "', "title.zh", "BLANK"),
    "a key that does not exist": purpose(SMS, 'pia = "PIA-2026-03"', 'pia = "x"\nlegal_basis = "CONSENT"', "legal_basis", "KEY_UNKNOWN"),
    "a second purpose of the members' own": purpose(
        "legal_duty", "self_service = false", "self_service = true", "roles", "MEMBER_ROLE"
    ),
    "members who would need consent to see themselves": purpose("self_access", '"LEGAL_DUTY"', '"CONSENT"', "basis", "SELF_SERVICE_BASIS"),
    "a purpose without fields": purpose(SMS, 'phone = "masked"', "", "fields", "BLANK"),
    "a purpose with a name that no column holds": Case(
        "purposes.toml", "[purposes.audit]", '[purposes."Audit 2"]\n[purposes.audit]', "purposes.Audit 2", "KEY_FORM"
    ),
    "a field without sensitivity": field("skin_type", 'sensitivity = "SENSITIVE"\n', "", "sensitivity", "KEY_MISSING"),
    "a field without a category": field("skin_type", 'category = "health"\n', "", "category", "KEY_MISSING"),
    "a field of an unknown category": field("skin_type", '"health"', '"wellness"', "category", "CATEGORY_UNKNOWN"),
    "health data called general": field("skin_type", '"SENSITIVE"', '"GENERAL"', "sensitivity", "CLASSIFICATION"),
    "an unsealed phone number": field("phone", "sealed = true", "sealed = false", "sealed", "SEALED"),
    "a sealed tier, which has a column": field("tier", "sealed = false", "sealed = true", "sealed", "SEALED"),
    "an unknown mask": field("phone", 'mask = "phone"', 'mask = "rot13"', "mask", "UNKNOWN_VALUE"),
    "an unknown normaliser": field("phone", 'normaliser = "phone"', 'normaliser = "trim"', "normaliser", "UNKNOWN_VALUE"),
    "an unknown kind of lookup": field("phone", '"identity"', '"fuzzy"', "lookup", "UNKNOWN_VALUE"),
    "a lookup of a date": field("birthday", 'lookup = "none"', 'lookup = "contact"', "lookup", "LOOKUP"),
    "a field kept longer than anybody needs it": field(
        "gender", "retention_months = 12", "retention_months = 24", "retention_months", "KEPT_TOO_LONG"
    ),
    "a length of nothing": field("phone", "max_length = 20", "max_length = 0", "max_length", "OUT_OF_RANGE"),
    "a field kept though its purpose is gone": Case(
        "purposes.toml", '[purposes.skin_profile.fields]|skin_type', "phone", "fields.skin_type.retention_months", "KEPT_TOO_LONG", "fields.toml"
    ),
    "too many messages": Case("channels.toml", "cap_messages = 3", "cap_messages = 4", "channels.sms.cap_messages", "CAP_TOO_LOOSE"),
    "too short a window": Case("channels.toml", "cap_days = 7", "cap_days = 6", "channels.sms.cap_messages", "CAP_TOO_LOOSE"),
    "an hour that no clock shows": Case("channels.toml", '"21:00"', '"24:00"', "channels.sms.quiet_from", "FORM"),
    "an opt-in that is no opt-in": Case("channels.toml", 'opt_in = "single"', 'opt_in = "implied"', "channels.sms.opt_in", "UNKNOWN_VALUE"),
    "an action that does not exist": Case("roles.toml", '"member.import"', '"member.*"', "roles.import_operator.may", "ACTION_UNKNOWN"),
    "a kind of role that does not exist": Case("roles.toml", 'kind = "staff"', 'kind = "root"', "roles.customer_service_agent.kind", "UNKNOWN_VALUE"),
    "a recipient without a contact": Case("recipients.toml", 'contact = "privacy@courier.example.com"\n', "", "recipients.example_courier.contact", "KEY_MISSING"),
    "a recipient without a contract": Case("recipients.toml", '"DPA-2026-01"', '""', "recipients.example_courier.contract", "BLANK"),
    "a recipient abroad without separate consent": Case(
        "recipients.toml", 'region = "CN"', 'region = "SG"', "purposes.order_fulfilment.separate_consent", "SEPARATE_CONSENT_REQUIRED", "purposes.toml"
    ),
    "an appid that is none": Case("controller.toml", "wx0000000000000a01", "gh_example", "brands.living.wechat_appid", "FORM"),
    "an appid of two brands": Case("controller.toml", "wx0000000000000a02", "wx0000000000000a01", "brands.beauty.wechat_appid", "DUPLICATE"),
    "a contact that is no address": Case("controller.toml", "privacy@retail.example.com", "ask us", "contact_email", "FORM"),
    "no responsible person": Case("controller.toml", "responsible_person =", "dpo =", "responsible_person", "KEY_MISSING"),
    "a brand without anything": Case("controller.toml", "[brands.living]", "[brands.empty]\n[brands.living]", "brands.empty", "BLANK"),
    "a duplicated key": Case("purposes.toml", 'basis = "LEGAL_DUTY"\n', 'basis = "LEGAL_DUTY"\nbasis = "CONSENT"\n', "basis", "NOT_TOML"),
    "a duplicated table": Case("roles.toml", "[roles.auditor]", "[roles.marketer]", "[roles.marketer]", "NOT_TOML"),
    "no TOML at all": Case("channels.toml", "[channels.sms]", "channels:\n  sms:", "channels:", "NOT_TOML"),
    "a notice whose words were changed": Case(NOTICE + "zh-CN.md", "十五个工作日", "三十个工作日", "sha256", "NOTICE_CHANGED"),
    "a notice that begins earlier than it did": Case(NOTICE + "notice.toml", "2026-10-01", "2026-01-01", "sha256", "NOTICE_CHANGED"),
    "a fingerprint that is none": Case("notices/published.toml", '"en.md" = "', '"en.md" = "x', "2026-10.en.md", "FORM"),
    "a version that is none": Case("notices/published.toml", '["2026-10"]', '["latest"]', "latest", "FORM"),
}  # fmt: skip


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

    assert "notices/2026-10/zh-CN.md" in names and len(names) == 10
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
    here = {"FILE_MISSING", "FILE_UNKNOWN", "NOT_UTF8", "UNREADABLE", "SELF_SERVICE_COUNT", "FIELD_UNUSED"}
    in_test_policy_notices = {"UNPINNED", "NONE", "NO_CHINESE", "ELEMENT", "LANGUAGES", "SUPERSEDES"}

    assert known == {case.code for case in CASES.values()} | here | {f"NOTICE_{rest}" for rest in in_test_policy_notices}
