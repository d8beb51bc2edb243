"""What a front end knows: the queries of the product page, how evidence looks; and, for the tests, what the log says afterwards."""

import json
from datetime import timedelta
from typing import Any

from sqlalchemy import select

from service.app import Parts
from service.db.statement import Prepared
from service.db.tables import audit_entry

SHIP = """query Ship($id: ID!) { member(id: $id, purpose: "order_fulfilment") {
  id name phone email birthday withheld { field reason purpose remedy { operation notice } } masked } }"""
ENTRIES = Prepared(select(audit_entry.c.entry).order_by(audit_entry.c.idx))


async def entries(running: Parts, operation: str = "") -> list[dict[str, Any]]:
    """What the audit log says of an operation, or of all of them."""
    rows = await running.database.read.rows(ENTRIES)
    found = [json.loads(raw) for (raw,) in rows]
    return [entry for entry in found if entry.get("op") and operation in {"", entry["op"]}]


def evidence_of(running: Parts, **more: Any) -> dict[str, Any]:
    """The evidence of a front end that did it right."""
    now = running.clock()
    notice = running.catalogue.notice_in_force(now)
    assert notice is not None
    right = {
        "noticeVersion": notice.version,
        "language": "zh-CN",
        "presentedAt": (now - timedelta(seconds=30)).isoformat(),
        "expression": "TAP_UNTICKED_BOX",
        "box": "UNTICKED",
        "screen": "mini/join",
        "channel": "MINI_PROGRAM",
    }
    return right | more
