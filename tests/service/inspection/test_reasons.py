"""A member reads why something was refused in words: every code that the record can hold has some, and none is shown raw."""

import ast
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from policies.marketing import SendReason
from policies.terms import Reason
from schema import outcomes
from schema.errors import WORDS
from service.app import Parts
from service.inspection import reasons, wording
from service.inspection.reasons import OTHERWISE, REASONS
from tests.architecture.text_rules import REPOSITORY
from tests.factories import a_member
from tests.service.inspection.test_own import own

_CODE = re.compile(r"[A-Z][A-Z0-9_]*[A-Z0-9]|[0-9]{5}")


def documented() -> set[str]:
    """Every code in the first column of docs/errors.md."""
    rows = [
        line.split("|")[1] for line in (REPOSITORY / "docs/errors.md").read_text("utf-8").splitlines() if line.startswith("|")
    ]
    return {code for row in rows for code in re.findall(r"`([^`…]+)`", row) if _CODE.fullmatch(code)}


def written() -> set[str]:
    """Every code that stands in the service's code where something is refused or denied."""
    return {code for path in sorted((REPOSITORY / "service").rglob("*.py")) for code in _refusals(path)}


def _refusals(path: Path) -> set[str]:
    nodes = list(ast.walk(ast.parse(path.read_text("utf-8"))))
    calls = [node for node in nodes if isinstance(node, ast.Call)]
    named = [call for call in calls if _name(call.func) in {"Refused", "deny"}]
    given = [argument for call in named for argument in call.args[:1]]
    given += [word.value for call in calls for word in call.keywords if word.arg == "code" and _name(call.func) == "BadInput"]
    given += [node.value for node in nodes if isinstance(node, ast.Assign) and [_name(one) for one in node.targets] == ["code"]]
    return {node.value for one in given for node in ast.walk(one) if isinstance(node, ast.Constant) and _is_code(node.value)}


def _name(function: ast.expr) -> str:
    return function.attr if isinstance(function, ast.Attribute) else function.id if isinstance(function, ast.Name) else ""


def _is_code(found: object) -> bool:
    return isinstance(found, str) and _CODE.fullmatch(found) is not None


CODES = documented() | written() | {*Reason, *SendReason} | WORDS.keys() | outcomes._WORDS.keys()


def test_every_code_has_words_and_none_has_two() -> None:
    assert len(CODES) > 200 and {"CONSENT_WITHDRAWN", "QUIET_HOURS", "JOB_SETTLED", "43101"} <= CODES
    assert sorted(CODES - REASONS.keys()) == []
    assert sum(len(codes.split()) for codes in reasons._SAID.values()) == len(REASONS), "no code stands in two sentences"
    assert sorted(REASONS.keys() - CODES) == [], "nothing is explained that nobody says"


@pytest.mark.parametrize("code", sorted(CODES | {"", "OF_A_LATER_RELEASE"}))
def test_no_sentence_shows_a_code_and_chinese_stands_first(code: str, catalogue: Any) -> None:
    entry = {"ts": "2026-11-22T02:00:00.000000Z", "typ": "access", "dec": "deny", "rsn": code, "act": {"k": "system"}}
    said = wording.sentence(entry, catalogue, ())
    assert not re.search(r"[A-Z]{2,}_|\(\)|（）", said.zh + said.en)
    assert re.search(r"未获准许：[\u4e00-\u9fff]", said.zh) and re.search(r"refused: [a-z]", said.en)
    known = REASONS.get(code, OTHERWISE)
    assert known.zh in said.zh and known.en in said.en


@pytest.mark.obligation("AL-04")
async def test_a_member_reads_why_something_was_refused(running: Parts, ask: Callable[..., Any]) -> None:
    member = await a_member(running)
    query = 'mutation { withdrawConsent(purpose: "order_fulfilment", channel: WEB) { __typename } }'
    await ask(query, role="member", member_id=member)
    said = [item.said for item in (await own(running, member)).items if item.said and item.entry.get("dec") == "deny"]
    assert [(one.zh.partition("未获准许：")[2], one.en.partition("refused: ")[2]) for one in said] == [
        ("没有可记录或可撤回的决定。", "there was nothing to record or to take back.")
    ]
