"""Notices are read and kept by anybody, for ever, and the lists of what is done with data are generated from what is done."""

import hashlib
import re
from base64 import b64decode
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import httpx2
import pytest

from policies.terms import Catalogue
from service.app import Parts
from service.config import Config
from service.members import store
from service.web.notice_page import page
from tests.conftest import StillClock
from tests.factories import a_member
from tests.plugins import canary
from tests.policy_folder import FIRST, add_table, draft, edit, publish, set_key, shipped

Ask = Callable[..., Any]
HTML = {"accept": "text/html,*/*;q=0.8"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The shipped policy, with a second and a third version of the notice and a further recipient."""
    folder = shipped(tmp_path)
    for version, old, day in (("2026-12", "2026-10", "2026-12-01"), ("2027-01", "2026-12", "2027-01-01")):
        draft(folder, version, effective_at=f"{day}T00:00:00+08:00", supersedes=old)
        edit(folder, f"notices/{version}/zh-CN.md", "版本 ", f"（{version}）版本 ")
        publish(folder, version, effective_at="")
    name = {"zh": "示例质检有限公司", "en": "Example Inspection Co., Ltd."}
    given = {
        "role": "ENTRUSTED",
        "contact": "privacy@inspect.example.com",
        "contract": "DPA-2026-09",
        "region": "CN",
        "known_by": "",
    }
    add_table(folder, "recipients.toml", "recipients.example_inspection", name=name, **given)
    set_key(folder, "purposes.toml", "purposes.order_fulfilment.recipients", ["example_courier", "example_inspection"])
    return folder


@pytest.fixture
def config(database_url: str, tmp_path: Path, folder: Path) -> Config:
    """An instance with this policy."""
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    return Config(home=home, database_url=database_url, policies=folder)


@pytest.mark.obligation("NC-03")
async def test_while_the_third_version_is_in_force_the_firsts_permalink_gives_the_identical_bytes(
    running: Parts, ask: Ask, client: httpx2.AsyncClient, clock: StillClock, folder: Path
) -> None:
    asked = "query ($v: String) { notice(version: $v) { version permalink digest } }"
    first = (await ask(asked))["data"]["notice"]
    clock.advance(days=50)
    assert (await ask(asked))["data"]["notice"]["version"] == "2027-01"

    told = (await ask(asked, variables={"v": "2026-10"}))["data"]["notice"]
    path = told["permalink"].removeprefix(running.config.public)
    answer = await client.get(path)
    assert (first["version"], told["permalink"]) == ("2026-10", first["permalink"])
    assert answer.content == (folder / "notices/2026-10/zh-CN.md").read_bytes()
    assert hashlib.sha256(answer.content).hexdigest() == told["digest"] == first["digest"]


@pytest.mark.obligation("NC-03")
async def test_the_bytes_come_with_what_it_takes_to_keep_and_to_check_them(client: httpx2.AsyncClient) -> None:
    answer = await client.get("/notices/2026-10/zh-CN.md")
    digest = hashlib.sha256(answer.content).digest()
    headers = answer.headers

    assert headers["content-type"] == "text/markdown; charset=utf-8"
    assert headers["cache-control"] == "public, max-age=31536000, immutable"
    assert headers["etag"] == f'"{digest.hex()}"'
    assert b64decode(headers["repr-digest"].removeprefix("sha-256=:").removesuffix(":")) == digest
    assert headers["content-disposition"] == 'attachment; filename="2026-10.zh-CN.md"'
    assert headers["content-language"] == "zh-CN"
    again = await client.get("/notices/2026-10/zh-CN.md", headers={"if-none-match": headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


async def test_whoever_does_not_ask_for_a_page_gets_the_bytes_under_the_pages_address_too(client: httpx2.AsyncClient) -> None:
    exact, plain = await client.get("/notices/2026-10/en.md"), await client.get("/notices/2026-10/en")
    readable = await client.get("/notices/2026-10/en", headers=HTML)

    assert plain.content == exact.content != readable.content
    assert plain.headers["vary"] == readable.headers["vary"] == "accept"


class Reader(HTMLParser):
    """What a page is made of."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


def read(text: str) -> Reader:
    reader = Reader()
    reader.feed(text)
    return reader


@pytest.mark.obligation("NC-03")
@pytest.mark.parametrize("version", ["2026-10", "2026-10-child"])
async def test_the_page_to_read_has_every_section_and_nothing_from_elsewhere(
    client: httpx2.AsyncClient, catalogue: Catalogue, version: str
) -> None:
    answer = await client.get(f"/notices/{version}/zh-CN", headers=HTML)
    shown = read(answer.text)
    notice = catalogue.notices[version]

    assert {attrs["id"] for _, attrs in shown.tags if "id" in attrs} == notice.sections
    assert "{#" not in answer.text and "| --- |" not in shown.text
    assert notice.digests["zh-CN"] in shown.text
    assert not {tag for tag, _ in shown.tags} & {"script", "img", "iframe", "link", "form"}
    addresses = [value or "" for _, attrs in shown.tags for key, value in attrs.items() if key in {"href", "src", "style"}]
    assert [address for address in addresses if ":" in address or address.startswith("//")] == []
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy and "unsafe" not in policy
    style = re.search(r"<style>(.*?)</style>", answer.text, re.DOTALL)
    assert style is not None
    assert b64decode(policy.split("'sha256-")[1].split("'")[0]) == hashlib.sha256(style[1].encode()).digest()


def test_a_notice_cannot_put_anything_but_text_into_its_page(catalogue: Catalogue) -> None:
    notice = catalogue.notices["2026-10"]
    hostile = (
        "# t {#a}\n<script>x()</script>\n\n<b onclick=x>b</b> ![p](http://e.example/p.png) [l](javascript:x) <javascript:x>\n"
    )
    told = read(page(type(notice)(**{**fields(notice), "texts": {"zh-CN": hostile.encode()}}), "zh-CN"))

    assert not {tag for tag, _ in told.tags} & {"script", "b", "img"}
    assert all("javascript" not in (value or "") for _, attrs in told.tags for value in attrs.values())


def fields(notice: Any) -> dict[str, Any]:
    return {name: getattr(notice, name) for name in notice.__dataclass_fields__}


async def test_the_index_lists_every_version_and_marks_what_is_in_force(client: httpx2.AsyncClient, clock: StillClock) -> None:
    def rows(text: str) -> dict[str, bool]:
        return {
            version: "In force" in row
            for row in text.split("<li>")[1:]
            for version in re.findall(r"notices/([^/]+)/zh-CN\"", row)
        }

    before = await client.get("/notices")
    clock.advance(days=10)
    after = await client.get("/notices")
    assert rows(before.text) == {"2027-01": False, "2026-12": False, "2026-10": True, FIRST["CHILD"]: True}
    assert rows(after.text) == {"2027-01": False, "2026-12": True, "2026-10": False, FIRST["CHILD"]: True}
    for _, attrs in read(before.text).tags:
        if attrs.get("href"):
            assert (await client.get("/" + str(attrs["href"]), headers=HTML)).status_code == 200


@pytest.mark.parametrize("path", ["2026-10/tlh", "2026-10/tlh.md", "1999-01/zh-CN.md", "2026-10/notice.toml", "%2e%2e/zh-CN.md"])
async def test_what_was_never_published_is_not_there(client: httpx2.AsyncClient, path: str) -> None:
    assert (await client.get(f"/notices/{path}")).status_code == 404


@pytest.mark.obligation("NC-02")
async def test_a_recipient_that_is_registered_is_in_the_public_list(ask: Ask) -> None:
    answer = await ask("""{ sharedDataList { recipient { name { zh } role contact region contract }
      purposes { purpose { key title { zh } method { zh } } categories { zh } fields { key } } } }""")
    rows = answer["data"]["sharedDataList"]
    (row,) = [row for row in rows if row["recipient"]["name"]["zh"] == "示例质检有限公司"]

    assert row["recipient"]["contact"] == "privacy@inspect.example.com"
    assert (row["recipient"]["role"], row["recipient"]["contract"], row["recipient"]["region"]) == (
        "ENTRUSTED",
        "DPA-2026-09",
        "CN",
    )
    (shared,) = row["purposes"]
    assert shared["purpose"] == {
        "key": "order_fulfilment",
        "title": {"zh": "订单履行与配送"},
        "method": {"zh": "生成运单，委托快递企业配送，处理退换货"},
    }
    assert [category["zh"] for category in shared["categories"]] == ["身份资料", "联系方式", "地址与地区"]
    assert len(rows) == 7 and all(row["purposes"] for row in rows)


@pytest.mark.obligation("NC-02")
async def test_every_field_that_is_kept_of_anybody_is_in_the_public_list(running: Parts, ask: Ask) -> None:
    profile = {
        "phone": canary.value("phone"),
        "name": canary.value("name"),
        "birthday": "1990-07-14",
        "baby_birthday": "2026-01-02",
    }
    member_id = await a_member(
        running, {key: value for key, value in profile.items() if key != "baby_birthday"}, yes=["birthday_gift"]
    )
    answer = await ask("""{ collectedDataList { key title { zh } category { zh } sensitivity necessary bases retentionMonths
      purposes { key basis } } }""")
    rows = {row["key"]: row for row in answer["data"]["collectedDataList"]}
    row = await store.row(running.database.read, member_id)
    assert row is not None and row.wrapped is not None
    kept = {*running.vault.names(running.vault.member_keys(member_id, row.generation, row.wrapped), row.sealed), *row.plain}

    assert {"phone", "birthday", "joined_on"} <= kept <= rows.keys() == running.catalogue.fields.keys()
    for key, told in rows.items():
        meant = running.catalogue.fields[key]
        using = [purpose for purpose in running.catalogue.purposes.values() if key in purpose.fields]
        assert (told["title"]["zh"], told["retentionMonths"]) == (meant.title.zh, meant.retention_months)
        assert told["category"]["zh"] == running.catalogue.categories[meant.category].title.zh
        assert [purpose["key"] for purpose in told["purposes"]] == [purpose.key for purpose in using]
        assert set(told["bases"]) == {purpose.basis.value for purpose in using}


@pytest.mark.obligation("AD-04")
async def test_the_rules_say_how_every_automated_decision_comes_about(ask: Ask, catalogue: Catalogue) -> None:
    answer = await ask(
        """{ processingRules { purposes { key version automatedDecision logic { zh en } necessity { zh } impact { zh } } } }"""
    )
    told = {purpose["key"]: purpose for purpose in answer["data"]["processingRules"]["purposes"]}

    assert {key for key, purpose in told.items() if purpose["automatedDecision"]} == {
        "personalised_recommendation",
        "skin_profile",
        "baby_care",
    }
    for key, meant in catalogue.purposes.items():
        assert told[key]["version"] == meant.version
        assert told[key]["logic"] == ({"zh": meant.logic.zh, "en": meant.logic.en} if meant.logic else None)
        assert told[key]["necessity"] == ({"zh": meant.necessity.zh} if meant.necessity else None)
        assert told[key]["impact"] == ({"zh": meant.impact.zh} if meant.impact else None)
        assert told[key]["logic"] or not meant.automated_decision
