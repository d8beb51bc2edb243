"""The README's two pages, followed to the letter: what they print is what a newcomer gets, and every command of the tour is there."""

import json
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest

from service.audit.findings import Verdict
from service.config import Config
from tests.journeys.servers import ROOT, environment, menshen, serving
from tests.journeys.shop import Shop
from tests.policy_folder import draft, shipped

PAGES = ("README.md", "README.zh-CN.md")
MEMBERS = 3
A_BROWSER = {"accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}


@dataclass
class Demo:
    """What `make run` printed, and where its server answers."""

    settings: dict[str, str]
    printed: str
    url: str

    def calls(self) -> Iterator[dict[str, Any]]:
        """Paste the printed calls one after another; only the port is this test's own."""
        for line in self.printed.splitlines():
            if line.startswith("curl "):
                yield self.paste(shlex.split(line))

    def receipt(self, folder: Path) -> tuple[str, str]:
        """The files that a member takes away from the call that says yes: the receipt, and the published keys."""
        said_yes = next(shlex.split(line) for line in self.printed.splitlines() if line.startswith("curl "))
        (event, *_) = self._told(said_yes, "{ consentHistory { id } }")["consentHistory"]
        jws = self._told(said_yes, f'{{ consentReceipt(eventId: "{event["id"]}") {{ jws }} }}')["consentReceipt"]["jws"]
        (folder / "receipt.jws").write_text(jws, "utf-8")
        (folder / "jwks.json").write_bytes(httpx2.get(f"{self.url}/.well-known/menshen/jwks.json").content)
        return str(folder / "receipt.jws"), str(folder / "jwks.json")

    def _told(self, like: list[str], query: str) -> dict[str, Any]:
        """The answer to whoever made that call."""
        found: dict[str, Any] = self.paste([*like[:8], json.dumps({"query": query})])["data"]
        return found

    def paste(self, words: list[str]) -> dict[str, Any]:
        assert words[:2] == ["curl", "-s"]
        assert words[3::2] == ["-H", "-H", "-d"]
        path = words[2].removeprefix("http://127.0.0.1:8600")
        headers = dict(header.split(": ", 1) for header in (words[4], words[6]))
        answer = httpx2.post(self.url + path, headers=headers, content=words[8].encode())
        assert answer.status_code == 200
        found: dict[str, Any] = answer.json()
        return found


@pytest.fixture
def demo(database_url: str, tmp_path: Path) -> Iterator[Demo]:
    settings = environment(tmp_path / "home", database_url)
    made = menshen(settings, "demo", "--members", str(MEMBERS), "--no-serve")
    assert made.returncode == 0, made.stderr
    with serving(settings) as (_, url):
        yield Demo(settings, made.stdout, url)


def page(name: str) -> str:
    return (ROOT / name).read_text("utf-8")


def blocks(name: str, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", page(name), re.DOTALL)


def test_the_four_calls_end_in_the_answer_that_both_pages_show(demo, catalogue):
    said_yes, read, took_back, withheld = demo.calls()
    assert said_yes["data"]["recordConsents"]["standings"][0]["state"] in {"GIVEN", "RENEWED"}
    assert read["data"]["member"]["birthday"] and read["data"]["member"]["tier"]
    assert took_back["data"]["withdrawConsent"]["standings"][0]["state"] == "WITHDRAWN"
    counted = re.search(r"(\d+) 条 entries, (\d+) 已签名 signed", demo.printed)
    assert counted is not None and counted[1] == counted[2] != "0"
    assert len(re.findall(r"\beyJ[\w-]+\.[\w-]+\.[\w-]+", demo.printed)) == len(catalogue.roles) + 4, (
        "a token for each role, and one in each call"
    )
    for name in PAGES:
        (shown,) = blocks(name, "json")
        assert as_printed(withheld) == as_printed(json.loads(shown)), name


def as_printed(answer: dict[str, Any]) -> str:
    """With the order of its keys, because a reader compares by eye. An id is somebody's own: it only has to be one."""
    assert re.fullmatch(r"01[0-9a-f]{2}(…|[0-9a-f]{4}-[0-9a-f]{4}-7[0-9a-f-]+)", answer["data"]["member"]["id"])
    return json.dumps(answer | {"data": {"member": answer["data"]["member"] | {"id": "…"}}})


async def test_the_address_of_graphiql_on_both_pages_leads_a_browser_to_it(client):
    for name in PAGES:
        (address,) = re.findall(r"<(http://\S+)>", page(name))
        assert address.startswith(f"http://127.0.0.1:{Config.model_fields['port'].default}/")
        opened = await client.get(httpx2.URL(address).path, headers=A_BROWSER, follow_redirects=True)
        assert opened.status_code == 200
        assert "<title>门神 Menshen · GraphiQL</title>" in opened.text


# Each command has its own tests on both databases: here it is the page that is tested.
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_every_command_of_the_tour_does_what_it_says(demo, tmp_path):
    (member_id,) = {call["data"]["member"]["id"] for call in demo.calls() if "member" in call["data"]}
    receipt, keys = demo.receipt(tmp_path)
    stand_ins = {"members.csv": export(tmp_path), "019a…": member_id, "policies/": str(drafted(tmp_path))}
    stand_ins |= {"receipt.jws": receipt, "jwks.json": keys}
    tour = [line.split("#")[0].split() for line in blocks("README.md", "sh")[1].splitlines()]
    assert len(tour) == 10
    for command, *words in tour:
        assert command == ".venv/bin/menshen"
        done = menshen(demo.settings, *(stand_ins.get(word, word) for word in words))
        assert done.returncode == 0, f"{words}: {done.stdout}{done.stderr}"
        assert done.stdout


# The answer "is that all" is made and checked on both databases in tests/service/inspection.
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_the_question_of_who_has_seen_a_number_is_answered_in_one_file_that_a_stranger_checks(demo, tmp_path):
    (member_id,) = {call["data"]["member"]["id"] for call in demo.calls() if "member" in call["data"]}
    for line in blocks("README.md", "sh")[2].splitlines():
        program, *words = line.split("#")[0].split()
        words, target = (words[: words.index(">")], words[-1]) if ">" in words else (words, None)
        module = {".venv/bin/menshen": "service", ".venv/bin/menshen-verify": "menshen_verifier"}[program]
        command = [sys.executable, "-m", module, *(member_id if word == "019a…" else word for word in words)]
        known = {**demo.settings, "PYTHONPATH": str(ROOT)}
        done = subprocess.run(command, cwd=tmp_path, env=known, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, f"{words}: {done.stdout}{done.stderr}"
        if target:
            (tmp_path / target).write_text(done.stdout, "utf-8")
    assert "OK" in done.stdout


async def test_the_campaign_of_both_pages_goes_from_the_draft_to_the_last_message(shop):
    (english,), (chinese,) = (blocks(name, "graphql") for name in PAGES)
    assert english == chinese
    member = await shop.join()
    known = {"memberId": member, "from": shop.now().isoformat(), "to": (shop.now() + timedelta(days=7)).isoformat()}
    known["evidence"] = await asked_about_texts(shop, member)
    for step in english.strip().split("\n\n"):
        role, promised = re.fullmatch(r"# (\w+) ·.*?(?:→ \w+: (.*))?", step.splitlines()[0]).groups()
        given = {name: known[name] for name in re.findall(r"\$(\w+): ", step)}
        said = leaves(await shop.does(step, role=role, who=member if role == "member" else None, **given))
        assert said, "each selection is of the good outcome alone, so a refusal is an empty answer"
        known |= said
        if promised:
            assert promised == ("true" if said["allowed"] is True else ", ".join(said["reasons"]))
    assert (known["objections"], known["approved"], known["state"]) == ([], True, "SUBSCRIBED")
    assert (known["allowed"], known["token"]) == (False, None)


async def asked_about_texts(shop: Shop, member: str) -> dict[str, Any]:
    """What her screen showed of the question."""
    question = await shop.may_ask(member, "marketing_sms")
    words = {each["language"]: each["digest"] for each in question["words"]}
    return await shop.shown(screenPurposeCount=1, wordsDigest=words["zh-CN"], noticeVersion=question["noticeVersion"])


def leaves(answer: Any) -> dict[str, Any]:
    """Every value of an answer, by its name; of a list, the only one's."""
    if isinstance(answer, list):
        (answer,) = answer
    inner = {
        key: each
        for key, each in answer.items()
        if isinstance(each, dict) or (each and isinstance(each, list) and isinstance(each[0], dict))
    }
    found = {key: each for key, each in answer.items() if key not in inner}
    return found | {key: each for one in inner.values() for key, each in leaves(one).items()}


def test_both_pages_have_the_same_commands_and_every_verdict():
    english, chinese = (blocks(name, "sh") for name in PAGES)
    assert [commands(block) for block in english] == [commands(block) for block in chinese]
    for name in PAGES:
        verdicts = re.search(r"audit verify +# (.*?)[,，]", page(name))
        assert verdicts is not None
        assert verdicts[1].split(" · ") == list(Verdict)


def commands(block: str) -> list[list[str]]:
    """Without what is said of them, and with one name for the file of members."""
    return [line.split("#")[0].replace("会员", "members").split() for line in block.splitlines()]


def drafted(folder: Path) -> Path:
    """The shop's policy with the next notice written, and not published yet."""
    policy = shipped(folder)
    draft(policy, "2026-12", effective_at="2099-01-01T00:00:00+08:00", supersedes="2026-10")
    return policy


def export(folder: Path) -> str:
    """A shop's export of one member."""
    file = folder / "members.csv"
    file.write_text("姓名,手机号\n示例,13800138000\n", "utf-8")
    return str(file)
