"""What recipients are sent, byte for byte (docs/formats/recipient-webhook.md): vectors made with hmac and json alone, and the standard's own."""

import hmac
from base64 import b64decode, b64encode
from datetime import UTC, datetime

import pytest

from service.propagation import message
from service.work.model import Job
from tests.vectors.reading import Case, cases, whole


@pytest.mark.parametrize("case", cases("recipient-webhook"))
def test_a_telling_is_signed_as_the_standard_says(case: Case) -> None:
    """Databunker: its webhook is not signed."""
    secret = b64decode(case["secret"].removeprefix("whsec_"))
    headers, content = case["headers"], case["body"].encode()
    assert message.headers(secret, headers["webhook-id"], content, datetime.fromtimestamp(case["at_try"], UTC)) == headers
    signed = b".".join([headers["webhook-id"].encode(), headers["webhook-timestamp"].encode(), content])
    assert headers["webhook-signature"] == "v1," + b64encode(hmac.digest(secret, signed, "sha256")).decode()


@pytest.mark.parametrize("case", [case for case in cases("recipient-webhook") if "job" in case.values[0]])
def test_a_telling_says_what_has_ended_for_whom_and_no_more(case: Case) -> None:
    """Databunker: its webhook carries the person's data in plain text."""
    said = case["job"]
    ended = datetime.fromisoformat(said["ended"])
    job = Job(
        member_id="019a0000-0000-7000-8000-000000000001",
        job_id=said["id"],
        kind="tell_recipient",
        purpose=said["purpose"],
        recipient=said["recipient"],
        event_id="019a0000-0000-7000-8000-00000000000b",
        due_at=ended,
        created_at=ended,
    )
    assert message.body(job, case["subject"]).decode() == case["body"]
    assert case["headers"]["webhook-id"] == said["id"]


def test_the_standards_own_example_is_among_the_vectors() -> None:
    standard, *_ = whole("recipient-webhook")["vectors"]
    assert standard["headers"] == {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }
