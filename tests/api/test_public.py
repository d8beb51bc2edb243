"""What anybody may read without a token: the rules and the notices."""

import hashlib
from collections.abc import Callable
from typing import Any

import httpx2
import pytest

from policies.terms import Catalogue
from service.app import Parts
from tests.conftest import StillClock

Ask = Callable[..., Any]


class TestWithoutToken:
    """What anybody may read."""

    @pytest.mark.obligation("LB-06")
    async def test_the_rules_are_public_and_are_those_that_decide(self, ask: Ask, catalogue: Catalogue) -> None:
        answer = await ask("""{ processingRules { digest controller { legalName { zh en } contactEmail responsiblePerson storageLocation { zh } }
          purposes { key basis purposeClass title { zh en } method { zh } categories { zh } retentionMonths consentMonths separateConsent
            automatedDecision channel noticeSection recipients { name { zh } role contact region }
            fields { key shape sensitivity retentionMonths category title { zh } } } } }""")
        rules = answer["data"]["processingRules"]
        assert rules["digest"] == catalogue.digest
        assert rules["controller"]["legalName"]["zh"] == catalogue.controller.legal_name.zh
        assert [purpose["key"] for purpose in rules["purposes"]] == list(catalogue.purposes)
        for told, meant in zip(rules["purposes"], catalogue.purposes.values(), strict=True):
            assert told["basis"] == meant.basis.value
            assert {field["key"]: field["shape"].lower() for field in told["fields"]} == {
                k: s.value for k, s in meant.fields.items()
            }
            assert told["method"]["zh"]
            assert told["categories"] or not meant.fields
            assert len(told["recipients"]) == len(meant.recipients)

    async def test_the_notice_in_force_can_be_read_and_checked(self, ask: Ask, running: Parts, clock: StillClock) -> None:
        answer = await ask("{ notice { version language languages effectiveAt text digest sections } }")
        notice = answer["data"]["notice"]
        meant = running.catalogue.notice_in_force(clock())
        assert meant is not None
        assert (notice["version"], notice["language"]) == (meant.version, "zh-CN")
        assert hashlib.sha256(notice["text"].encode()).hexdigest() == notice["digest"] == meant.digests["zh-CN"]
        assert notice["effectiveAt"].endswith("Z")

    @pytest.mark.parametrize("arguments", ['(version: "1999-01")', '(language: "tlh")', '(version: "../../etc/passwd")'])
    async def test_a_notice_that_is_not_there_is_null(self, ask: Ask, arguments: str) -> None:
        assert await ask(f"{{ notice{arguments} {{ text }} }}") == {"data": {"notice": None}}

    async def test_null_arguments_are_those_left_out(self, ask: Ask) -> None:
        query = "query ($v: String, $l: String) { notice(version: $v, language: $l) { language } }"
        assert (await ask(query, variables={"v": None, "l": None}))["data"]["notice"] == {"language": "zh-CN"}


@pytest.mark.parametrize("path", ["/backup", "/v1/sys/backup", "/api/export", "/hooks"])
async def test_there_is_no_address_that_answers_with_nothing_as_if_it_were_something(
    client: httpx2.AsyncClient, path: str
) -> None:
    """Databunker answers 200 to a backup that holds nothing; what does not exist here says so."""
    for method in ("GET", "POST"):
        answer = await client.request(method, path)
        assert answer.status_code in {404, 405}
