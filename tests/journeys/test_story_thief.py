"""Story: a clerk walks the pages as a thief would, and is stopped; compliance gets a mail, approves somebody else's work, closes the alarm."""

from pathlib import Path
from typing import Any

import pytest

from service.app import Parts
from service.config import Config
from tests.policy_folder import set_key, shipped
from tests.service.alarms.house import alarms_file, bell
from tests.service.senders.post import post
from tests.service.tally.house import members, officer

PAGE = """query P($after: String) { members(purpose: "membership_benefits", first: 2, after: $after) {
  nodes { id tier points } pageInfo { endCursor hasNextPage } } }"""
ASK = 'mutation { askBulkReading(bulk: TRANSACTION, most: 8, reason: "盘点会员卡") { id what decision } }'
ALARMS = "{ alarms { id kind about state count advice } }"
DECIDE = "mutation D($id: ID!) { decideApproval(id: $id, allow: true) { decision decidedBy } }"
ACK = "mutation A($id: ID!) { acknowledgeAlarm(id: $id) { state } }"
CLOSE = 'mutation C($id: ID!) { closeAlarm(id: $id, note: "谈话后停用账号") { state handledBy } }'


@pytest.fixture
def config(database_url: str, tmp_path: Path) -> Config:
    """A shop that is stricter than the law: five members a day are many."""
    home, folder = tmp_path / "home", shipped(tmp_path)
    home.mkdir(mode=0o700)
    set_key(folder, "fields.toml", "bulk.TRANSACTION", 5)
    return Config(home=home, database_url=database_url, policies=folder)


@pytest.mark.obligation("LB-07")
async def test_a_thief_is_stopped_and_somebody_hears_of_it(running: Parts, ask: Any, tmp_path: Path, clock: Any) -> None:
    await members(running, 8)
    seen, answer, after = 0, {}, None
    for _ in range(4):
        answer = await ask(PAGE, role="store_clerk", variables={"after": after})
        if "errors" in answer:
            break
        seen += len(answer["data"]["members"]["nodes"])
        after = answer["data"]["members"]["pageInfo"]["endCursor"]
    assert seen == 4, "the page that would have crossed five was refused whole"
    assert answer["data"] == {"members": None}
    assert answer["errors"][0]["extensions"]["code"] == "APPROVAL_REQUIRED"

    async with post() as mailbox:
        ringing = bell(running, alarms_file(tmp_path, mailbox.port))
        assert await ringing.once() == 1
        mail = mailbox.mail()
        assert "批量读取会员信息" in str(mail["Subject"])
        assert "store_clerk@development TRANSACTION" in mail.get_content()
        (alarm,) = (await ask(ALARMS, role="compliance_officer"))["data"]["alarms"]
        assert (alarm["kind"], alarm["state"]) == ("BULK_READING", "OPEN")
        assert (await ask(ACK, role="compliance_officer", variables={"id": alarm["id"]}))["data"]["acknowledgeAlarm"]
        clock.advance(hours=12)
        assert (await ringing.once(), len(mailbox.mails)) == (0, 1), "whoever sees to it is not told again"
        await ringing.close()

    asked = (await ask(ASK, role="store_clerk"))["data"]["askBulkReading"]
    assert (asked["what"], asked["decision"]) == ("TRANSACTION 8 store_clerk@development", "OPEN")
    own = await ask(DECIDE, role="store_clerk", variables={"id": asked["id"]})
    assert own["errors"][0]["extensions"]["code"] == "FORBIDDEN"
    decided = (await ask(DECIDE, role="compliance_officer", variables={"id": asked["id"]}))["data"]["decideApproval"]
    assert decided == {"decision": "ALLOWED", "decidedBy": "compliance_officer@development"}
    answer = await ask(PAGE, role="store_clerk", variables={"after": after})
    assert len(answer["data"]["members"]["nodes"]) == 2

    closed = (await ask(CLOSE, role="compliance_officer", variables={"id": alarm["id"]}))["data"]["closeAlarm"]
    assert closed == {"state": "CLOSED", "handledBy": "compliance_officer@development"}
    assert (await ask(ALARMS, role="compliance_officer"))["data"]["alarms"] == []
    assert await running.operations.alarms(officer(), live=False, first=10, after=None)
