"""What recipients are sent, byte for byte, and the vector of Standard Webhooks for its signature (docs/formats/recipient-webhook.md)."""

from base64 import b64decode
from datetime import UTC, datetime

from service.propagation import message
from service.work.model import Job


def test_the_signature_is_that_of_the_standards_own_example():
    secret = b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    moment = datetime.fromtimestamp(1614265330, UTC)
    assert message.headers(secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", b'{"test": 2432232314}', moment) == {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }


def test_the_body_is_the_one_that_the_format_shows():
    moment = datetime(2026, 11, 22, 2, 0, tzinfo=UTC)
    job = Job(
        member_id="019a0000-0000-7000-8000-000000000001",
        job_id="019a0000-0000-7000-8000-00000000000a",
        kind="tell_recipient",
        purpose="marketing_sms",
        recipient="example_sms_gateway",
        event_id="019a0000-0000-7000-8000-00000000000b",
        due_at=moment,
        created_at=moment,
    )
    assert message.body(job, {"phone": "+8613800000000"}) == (
        b'{"at":"2026-11-22T02:00:00.000000Z","event":"consent.withdrawn","id":"019a0000-0000-7000-8000-00000000000a",'
        b'"purpose":"marketing_sms","recipient":"example_sms_gateway","subject":{"phone":"+8613800000000"}}'
    )
