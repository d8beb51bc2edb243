"""The administrator lets the database lie: rows are dropped or altered on their way in, and the database says that all is well."""

import asyncio
from contextlib import suppress

import httpx2
import pytest

from tests.attacks.house import House
from tests.journeys.storm import READ

LIE = "CREATE FUNCTION lie() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {body} END $$"
ON = "CREATE TRIGGER a_lie BEFORE {what} ON {table} FOR EACH ROW EXECUTE FUNCTION lie()"
DROP = "RETURN NULL;"
ALTER = "NEW.entry := set_byte(NEW.entry, 10, get_byte(NEW.entry, 10) # 1); RETURN NEW;"
KILL = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND datname = current_database()"
TELL_TILE = "NEW.root := sha256(NEW.hashes); RETURN NEW;"


def lie(house: House, table: str, body: str, what: str = "INSERT") -> None:
    house.sql(LIE.format(body=body))
    house.sql(ON.format(what=what, table=table))
    house.sql(f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER a_lie")


@pytest.mark.obligation("AL-02")
@pytest.mark.parametrize(
    ("table", "body", "told"),
    [
        ("audit_entry", DROP, "is missing"),
        ("audit_entry", ALTER, "was altered"),
        ("audit_tile", DROP, "is missing or was altered"),
        ("audit_tile", TELL_TILE, "is missing or was altered"),
    ],
    ids=["entries dropped", "entries altered", "tiles dropped", "tiles altered"],
)
async def test_what_a_trigger_did_to_rows_is_found_by_reading_them_again_within_a_second(
    house: House, table: str, body: str, told: str
):
    await house.open()
    await house.live(240)
    lie(house, table, body)
    if table == "audit_tile":
        with suppress(AssertionError):  # some of these may be refused already
            await house.live(300)
    else:
        assert await house.read() in {"ok", "AUDIT_LOG_BROKEN"}
    await house.refuses()
    assert told in house.said() and "Traceback" not in house.said()


async def test_a_head_that_does_not_move_lets_nothing_be_answered(house: House):
    await house.open()
    await house.live(10)
    lie(house, "audit_head", DROP, what="UPDATE")
    assert await house.read() == "AUDIT_LOG_BROKEN"


@pytest.mark.obligation("AL-02")
async def test_a_change_whose_waiting_entry_is_dropped_is_in_the_log_before_it_is_answered(house: House):
    """Between a change's commit and the tree its entry is one row. Who drops it gains nothing from an instance that lives."""
    await house.open()
    await house.live(10)
    lie(house, "audit_pending", DROP)
    answer = await _joined(house)
    entries = house.sql("SELECT count(*) FROM audit_entry WHERE typ = 'change' AND dec = 'allow'")[0][0]
    assert entries == 2 if not answer.get("errors") else entries == 1, answer
    assert house.sql("SELECT count(*) FROM member")[0][0] <= 2
    assert await house.read() == "ok"


async def _joined(house: House) -> dict:
    from tests.journeys.storm import EVIDENCE
    from tests.journeys.test_withdraw import JOIN
    from tests.plugins import canary

    given = {
        "fields": {"phone": canary.value("phone")},
        "decisions": [{"purpose": "marketing_sms", "granted": True}],
        "evidence": EVIDENCE,
    }
    return await house.ask(house.instances[0][1], "mini_program", {"query": JOIN, "variables": given})


@pytest.mark.obligation("AL-02")
@pytest.mark.parametrize("when", ["before the commit", "in the commit"])
async def test_a_backend_killed_in_the_append_loses_no_entry_and_writes_none_twice(house: House, when: str):
    """Nobody can say whether a commit that was cut off took place: it is looked for, and never assumed."""
    await house.open()
    await house.live(20)
    house.sql("CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(1); RETURN NULL; END $$")
    if when == "in the commit":
        house.sql(
            "CREATE CONSTRAINT TRIGGER slowly AFTER INSERT ON audit_entry DEFERRABLE INITIALLY DEFERRED "
            "FOR EACH ROW EXECUTE FUNCTION slow()"
        )
    else:
        house.sql("CREATE TRIGGER slowly AFTER INSERT ON audit_entry FOR EACH STATEMENT EXECUTE FUNCTION slow()")
    request = "00000000000000000000000000abcdef"
    reading = asyncio.create_task(_read(house, request))
    killed: list = []
    for _ in range(500):
        killed = killed or house.sql(KILL)
        if killed:
            break
        await asyncio.sleep(0.02)
    house.sql("DROP TRIGGER slowly ON audit_entry")
    assert killed, "nobody was in the append"
    answer = await reading
    entries = house.sql("SELECT count(*) FROM audit_entry WHERE req = %s", request)[0][0]
    assert entries == 1 if "errors" not in answer else entries <= 1, answer
    assert await house.read() == "ok"
    await house.settled()


async def _read(house: House, request: str) -> dict:
    async with httpx2.AsyncClient(timeout=20) as client:
        headers = {**house.token("order_service"), "x-request-id": request}
        answer = await client.post(f"{house.instances[0][1]}/graphql", json={"query": READ % house.members[0]}, headers=headers)
    found: dict = answer.json()
    return found
