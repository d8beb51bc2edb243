"""What a recipient is sent, and how it is signed (docs/formats/recipient-webhook.md: Standard Webhooks)."""

from base64 import b64encode
from collections.abc import Mapping
from datetime import datetime

import orjson

from service.hazmat.mac import hmac_sha256
from service.values import utc_text
from service.work.model import Job

EVENT = "consent.withdrawn"


def body(job: Job, subject: Mapping[str, object]) -> bytes:
    """The news as JSON: which consent has ended when, and the one value by which the recipient knows the member."""
    said = {"event": EVENT, "id": job.job_id, "purpose": job.purpose, "recipient": job.recipient, "at": utc_text(job.created_at)}
    return orjson.dumps({**said, "subject": subject}, option=orjson.OPT_SORT_KEYS)


def headers(secret: bytes, webhook_id: str, content: bytes, now: datetime) -> dict[str, str]:
    """The three headers of Standard Webhooks: the id stays over all tries, the moment is that of this one."""
    moment = str(int(now.timestamp()))
    signed = b".".join((webhook_id.encode(), moment.encode(), content))
    signature = "v1," + b64encode(hmac_sha256(secret, signed)).decode()
    return {"webhook-id": webhook_id, "webhook-timestamp": moment, "webhook-signature": signature}
