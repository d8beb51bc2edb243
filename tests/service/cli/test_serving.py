"""`menshen serve` and `menshen health` as an operator has them: processes of their own, a signal, an exit code, a line of words."""

import json
import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import httpx2
import pytest
from psycopg import sql
from sqlalchemy import make_url

from service.db.engine import connect
from tests.api.front_end import ENTRIES
from tests.journeys.servers import environment, menshen, serving
from tests.journeys.test_kill import bearer, joining, token
from tests.journeys.test_withdraw import JOIN
from tests.plugins.postgres import Server


def health(settings, url, **more):
    done = menshen({**settings, "MENSHEN_PORT": str(urlsplit(url).port), **more}, "health")
    assert "Traceback" not in done.stderr
    return done.returncode, done.stdout.strip()


def test_a_ready_server_is_healthy_whatever_proxy_the_environment_names(database_url, tmp_path):
    settings = environment(tmp_path / "home", database_url)
    with serving(settings) as (_, url):
        assert health(settings, url) == (0, "ok")
        assert health(settings, url, http_proxy="http://127.0.0.1:1", no_proxy="") == (0, "ok")


@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0"])
def test_where_nothing_listens_it_says_so_in_both_languages(sqlite_url, tmp_path, host):
    settings = environment(tmp_path / "home", sqlite_url, MENSHEN_HOST=host)
    with somebody_else(b"") as port:
        pass
    code, said = health(settings, f"http://127.0.0.1:{port}")
    assert code == 1
    assert said == f"未就绪 not ready: 端口 {port} 无应答 nothing answers on port {port}"


NONSENSE = [b"", b"220 mail.example.com ESMTP\r\n", b"HTTP/1.1 503 no\r\n\r\n[]", b'HTTP/1.1 500 no\r\n\r\n{"parts": 7}']


@pytest.mark.parametrize("answer", NONSENSE)
def test_somebody_else_on_that_port_is_no_healthy_server(sqlite_url, tmp_path, answer):
    settings = environment(tmp_path / "home", sqlite_url)
    with somebody_else(answer) as port:
        code, said = health(settings, f"http://127.0.0.1:{port}")
    assert code == 1
    assert said.startswith("未就绪 not ready: ")


def test_a_server_whose_database_went_away_is_not_ready_says_which_part_and_recovers(postgres, postgresql_url, tmp_path):
    settings = environment(tmp_path / "home", postgresql_url)
    with serving(settings) as (server, url):
        with away(postgres, postgresql_url):
            code, said = health(settings, url)
            assert code == 1
            assert said.startswith("未就绪 not ready: database unavailable")
        assert server.poll() is None
        assert healthy_again(settings, url)


async def test_sigterm_ends_it_in_order_with_the_log_s_last_words(database_url, tmp_path):
    settings = environment(tmp_path / "home", database_url)
    tokens = {role: token(settings, role) for role in ("mini_program", "order_service")}
    with serving(settings) as (server, url):
        await join_and_read(url, tokens)
        server.send_signal(signal.SIGTERM)
        assert server.wait(timeout=30) == 0
    said = [entry["typ"] for entry in await entries(database_url)]
    assert said[-2:] == ["stop", "stop"], "one for the numbers of changes, one for those of reads"
    verdict = menshen(settings, "audit", "verify", "--json")
    assert json.loads(verdict.stdout)["verdict"] == "OK"


def test_on_a_port_that_is_taken_it_does_not_pretend_to_serve(sqlite_url, tmp_path):
    with somebody_else(b"") as port:
        done = menshen(environment(tmp_path / "home", sqlite_url, MENSHEN_PORT=str(port)), "serve")
    assert done.returncode == 2
    assert f"127.0.0.1:{port} cannot be listened on" in done.stderr
    assert "Traceback" not in done.stderr


async def join_and_read(url, tokens):
    async with httpx2.AsyncClient(base_url=url) as client:
        made = await client.post("/graphql", json={"query": JOIN, "variables": joining()}, headers=bearer(tokens["mini_program"]))
        member_id = made.json()["data"]["joinMember"]["memberId"]
        read = f'{{ member(id: "{member_id}", purpose: "order_fulfilment") {{ phone }} }}'
        found = await client.post("/graphql", json={"query": read}, headers=bearer(tokens["order_service"]))
        assert found.json()["data"]["member"]["phone"]


async def entries(database_url):
    database = connect(database_url)
    await database.start()
    try:
        return [json.loads(raw) for (raw,) in await database.read.rows(ENTRIES)]
    finally:
        await database.close()


def healthy_again(settings, url) -> bool:
    """Each question is a process of its own, which is wait enough."""
    return any(health(settings, url) == (0, "ok") for _ in range(20))


@contextmanager
def away(postgres: Server, url: str) -> Iterator[None]:
    """The database lets nobody in, and whoever was in is put out."""
    name = sql.Identifier(make_url(url).database or "")
    with postgres.connect(postgres.url) as administrator:
        administrator.execute(sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS false").format(name))
        try:
            administrator.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [make_url(url).database]
            )
            yield
        finally:
            administrator.execute(sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS true").format(name))


@contextmanager
def somebody_else(answer: bytes) -> Iterator[int]:
    """A port of loopback where somebody answers this to everybody; the port is free afterwards."""

    def serve(listener: socket.socket) -> None:
        while True:
            try:
                caller = listener.accept()[0]
            except OSError:
                return
            with caller:
                caller.recv(4096)
                caller.sendall(answer)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve, args=[listener])
        thread.start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)
    thread.join()
