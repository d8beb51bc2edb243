"""What stands beside GraphQL: probes, counts, the first page, GraphiQL. In production only the probes and the counts."""

import hashlib
import json
import re
from base64 import b64encode
from collections.abc import AsyncIterator
from dataclasses import replace
from gzip import decompress
from pathlib import Path

import httpx2
import pytest
from prometheus_client.registry import CollectorRegistry
from starlette.applications import Starlette
from starlette.routing import Route
from structlog.testing import capture_logs

from schema.http import graphiql
from service.addresses import build
from service.app import Parts
from service.config import Mode
from service.web.problem import Wall, handlers
from service.web.public import routes
from tests.journeys.servers import environment, menshen
from tests.plugins import canary

STATIC = Path(graphiql.__file__).with_name("static")


@pytest.fixture
async def production(running: Parts, tmp_path: Path) -> AsyncIterator[httpx2.AsyncClient]:
    """A client of the same parts as production would serve them: another issuer, and no pages."""
    from tests.service.identity.issuers import jwks

    keys = tmp_path / "jwks.json"
    keys.write_bytes(jwks())
    config = running.config.model_copy(update={"mode": Mode.PRODUCTION, "issuer": "https://id.example.cn", "jwks_file": keys})
    transport = httpx2.ASGITransport(app=build(replace(running, config=config)), raise_app_exceptions=True)
    async with httpx2.AsyncClient(transport=transport, base_url="http://menshen.test") as client:
        yield client


async def test_a_healthy_instance_says_so(client: httpx2.AsyncClient) -> None:
    live, ready = await client.get("/livez"), await client.get("/readyz")
    assert (live.status_code, live.json()) == (200, {"status": "ok"})
    assert ready.status_code == 200
    assert set(ready.json()["parts"].values()) == {"ok"}


async def hang() -> str:
    import asyncio

    await asyncio.sleep(60)
    return "ok"


async def fail() -> str:
    raise RuntimeError(canary.value("phone"))


async def well() -> str:
    return "ok"


async def broken() -> str:
    return "broken"


@pytest.mark.parametrize(("check", "told"), [(fail, "unavailable"), (broken, "broken"), (hang, "unavailable")])
async def test_an_instance_without_one_of_its_parts_is_not_ready_and_lives_on(check: object, told: str) -> None:
    app = Starlette(routes=routes(checks={"well": well, "ill": check}, registry=CollectorRegistry()))  # type: ignore[dict-item]
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app=app), base_url="http://menshen.test") as client:
        ready = await client.get("/readyz")
        live = await client.get("/livez")
    assert (ready.status_code, ready.json()) == (503, {"status": "unavailable", "parts": {"well": "ok", "ill": told}})
    assert live.status_code == 200


async def test_the_counts_are_in_the_form_that_prometheus_reads(client: httpx2.AsyncClient) -> None:
    await client.post("/graphql", json={"query": "{ __typename }"})
    answer = await client.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain")
    assert 'menshen_graphql_answers_total{status="200"} 1.0' in answer.text


@pytest.mark.parametrize("path", ["/nothing", "/graphql/", "/graphql/x", "/../etc/passwd", "/%2e%2e/secret", "/console"])
async def test_an_address_that_is_not_there_is_json_with_a_code(client: httpx2.AsyncClient, path: str) -> None:
    answer = await client.get(path)
    (error,) = answer.json()["errors"]
    assert (answer.status_code, error["extensions"]["code"]) == (404, "NOT_FOUND")
    assert error["extensions"]["requestId"] == answer.headers["x-request-id"]
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-content-type-options"] == "nosniff"


async def test_a_method_that_is_not_taken_is_json_with_a_code(client: httpx2.AsyncClient) -> None:
    answer = await client.post("/livez")
    assert (answer.status_code, answer.json()["errors"][0]["extensions"]["code"]) == (405, "METHOD_NOT_ALLOWED")
    assert "GET" in answer.headers["allow"]


@pytest.mark.obligation("SE-08")
async def test_what_fails_outside_graphql_leaves_no_message_either() -> None:
    value = canary.value("email")

    async def explode(_: object) -> None:
        raise RuntimeError(value)

    inner = Starlette(routes=[Route("/", explode)], exception_handlers=handlers(lambda: "id-1"))  # type: ignore[arg-type]
    with capture_logs() as logs:
        transport = httpx2.ASGITransport(app=Wall(inner, make_id=lambda: "id-2"), raise_app_exceptions=True)
        async with httpx2.AsyncClient(transport=transport, base_url="http://menshen.test") as client:
            answer = await client.get("/")
    assert answer.status_code == 500
    assert value not in answer.text + repr(logs)
    assert [line["type"] for line in logs] == ["RuntimeError"]


class TestFirstPage:
    """/ in development mode: 中文 first."""

    async def test_it_leads_to_graphiql_and_names_the_documents(self, client: httpx2.AsyncClient) -> None:
        page = await client.get("/")
        assert page.status_code == 200
        assert page.text.index("会员数据的守门人") < page.text.index("The guardian")
        for place in ("graphiql/", "readyz", "README.zh-CN.md", "docs/errors.md", "schema/schema.graphql"):
            assert place in page.text
        for link in re.findall(r'href="([^"]+)"', page.text):
            assert (await client.get("/" + link)).status_code == 200, link

    async def test_its_policy_allows_its_own_style_and_nothing_else(self, client: httpx2.AsyncClient) -> None:
        page = await client.get("/")
        (style,) = re.findall(r"<style>(.*?)</style>", page.text, re.DOTALL)
        digest = b64encode(hashlib.sha256(style.encode()).digest()).decode()
        assert f"style-src 'sha256-{digest}'" in page.headers["content-security-policy"]
        assert "<script" not in page.text
        assert "http:" not in page.text
        assert "https:" not in page.text


class TestGraphiql:
    """The developers' editor, from our own files."""

    async def test_a_browser_that_opens_the_endpoint_is_led_to_it(self, client: httpx2.AsyncClient) -> None:
        browser = {"accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}
        answer = await client.get("/graphql", headers=browser)
        assert (answer.status_code, answer.headers["location"]) == (303, "graphiql/")
        asked = await client.get("/graphql", params={"query": "{ __typename }"}, headers=browser)
        assert asked.json() == {"data": {"__typename": "Query"}}

    async def test_the_page_and_everything_it_needs_is_ours(self, client: httpx2.AsyncClient) -> None:
        page = await client.get("/graphiql/")
        assert page.headers["content-type"] == "text/html; charset=utf-8"
        needed = re.findall(r'(?:src|href)="([^"]+)"', page.text)
        assert len(needed) == 6
        for name in needed:
            file = await client.get(f"/graphiql/{name}")
            assert file.status_code == 200
            assert file.headers["content-type"].split("/")[0] == "text"
            assert len(file.content) > 50

    async def test_its_policy_lets_no_foreign_or_inline_script_in(self, client: httpx2.AsyncClient) -> None:
        page = await client.get("/graphiql/")
        policy = dict(part.strip().split(" ", 1) for part in page.headers["content-security-policy"].split(";"))
        assert policy["default-src"] == "'none'"
        assert policy["script-src"] == policy["connect-src"] == "'self'"
        assert not re.search(r"<script(?![^>]*src=)|\son\w+=|https?:|//", page.text)

    @pytest.mark.parametrize("encoding", ["gzip", "identity"])
    async def test_files_are_sent_compressed_to_whoever_can_read_them(self, client: httpx2.AsyncClient, encoding: str) -> None:
        answer = await client.get("/graphiql/graphiql.min.js", headers={"accept-encoding": encoding})
        assert answer.headers.get("content-encoding", "identity") == encoding
        assert answer.content == decompress((STATIC / "graphiql.min.js.gz").read_bytes())

    @pytest.mark.parametrize("name", ["manifest.json", "LICENSES.txt", "nothing.js", "..%2Fgraphiql.py", "graphiql.min.js.gz"])
    async def test_nothing_else_is_served(self, client: httpx2.AsyncClient, name: str) -> None:
        assert (await client.get(f"/graphiql/{name}")).status_code == 404

    def test_every_foreign_file_is_what_the_manifest_says(self) -> None:
        manifest = json.loads((STATIC / "manifest.json").read_text("utf-8"))["files"]
        foreign = {path.name.removesuffix(".gz"): decompress(path.read_bytes()) for path in STATIC.glob("*.gz")}
        assert foreign.keys() == manifest.keys()
        for name, raw in foreign.items():
            assert hashlib.sha256(raw).hexdigest() == manifest[name].get("sha256_as_shipped", manifest[name]["sha256"])
            assert manifest[name]["licence"] == "MIT"
            assert manifest[name]["version"] in (STATIC / "LICENSES.txt").read_text("utf-8")

    def test_what_is_shipped_is_small(self) -> None:
        assert sum(path.stat().st_size for path in STATIC.iterdir()) < 1_000_000


class TestProduction:
    """No page, no editor, no first page; and nothing that says what it is made of."""

    @pytest.mark.parametrize("path", ["/", "/graphiql", "/graphiql/", "/graphiql/graphiql.min.js"])
    async def test_there_are_no_pages(self, production: httpx2.AsyncClient, path: str) -> None:
        answer = await production.get(path)
        assert (answer.status_code, answer.json()["errors"][0]["extensions"]["code"]) == (404, "NOT_FOUND")

    async def test_a_browser_is_told_like_anybody_else(self, production: httpx2.AsyncClient) -> None:
        answer = await production.get("/graphql", headers={"accept": "text/html,*/*;q=0.8"})
        assert (answer.status_code, answer.json()["errors"][0]["extensions"]["code"]) == (400, "BAD_REQUEST")

    async def test_the_development_issuers_tokens_are_worth_nothing(self, production: httpx2.AsyncClient, running: Parts) -> None:
        from service.app import issue_token

        token = issue_token(running, role="compliance_officer")
        answer = await production.post("/graphql", json={"query": "{ __typename }"}, headers={"authorization": f"Bearer {token}"})
        assert answer.status_code == 401

    async def test_it_is_ready(self, production: httpx2.AsyncClient) -> None:
        assert (await production.get("/readyz")).status_code == 200


class TestTokenCommand:
    """`menshen token`."""

    @staticmethod
    def run(home: Path, *arguments: str, **settings: str) -> tuple[int, str]:
        done = menshen(environment(home, "", **settings), "token", *arguments)
        return done.returncode, done.stdout + done.stderr

    def test_it_prints_a_token_and_nothing_else(self, tmp_path: Path) -> None:
        status, printed = self.run(tmp_path, "--role", "store_clerk", "--purpose", "order_fulfilment")
        assert status == 0
        assert re.fullmatch(r"[\w-]+\.[\w-]+\.[\w-]+\n", printed)

    @pytest.mark.parametrize(
        ("arguments", "reason"),
        [
            (["--role", "emperor"], "emperor"),
            (["--role", "store_clerk", "--purpose", "fun"], "fun"),
            (["--role", "member"], "--member"),
            (["--role", "store_clerk", "--member", "019a0000-0000-7000-8000-000000000001"], "--member"),
            (["--role", "member", "--role", "store_clerk"], "together"),
        ],
    )
    def test_it_says_what_the_service_would_refuse_without_a_word(
        self, tmp_path: Path, arguments: list[str], reason: str
    ) -> None:
        status, printed = self.run(tmp_path, *arguments)
        assert status == 2
        assert reason in printed

    def test_it_does_not_work_in_production(self, tmp_path: Path) -> None:
        status, _ = self.run(tmp_path, "--role", "store_clerk", MENSHEN_MODE="production")
        assert status == 2
        assert list(tmp_path.iterdir()) == []
