"""Marketing: who may be written to, what was reviewed, what was decided and what became of it."""

from sqlalchemy import Column, Index, Integer, LargeBinary, SmallInteger, Table, Text

from service.db.tables.base import metadata
from service.db.types import Moment, key_text

# --- who said no ----------------------------------------------------------------------------------------------------------------

# `mark` is the keyed hash of an address (service/vault/address.py): no member is named, so that it outlives erasure, merging and a new
# import (RD-06). `state` is SUPPRESSED or LIFTED; what was is in suppression_event.
suppression = Table(
    "suppression",
    metadata,
    Column("channel", key_text(20), primary_key=True),
    Column("mark", LargeBinary, primary_key=True),
    Column("state", key_text(12), nullable=False),
    Column("reason", key_text(40), nullable=False),
    Column("since", Moment, nullable=False),
    info={"kind": "lookup"},
)

suppression_event = Table(
    "suppression_event",
    metadata,
    Column("channel", key_text(20), primary_key=True),
    Column("mark", LargeBinary, primary_key=True),
    Column("event_id", key_text(36), primary_key=True),
    Column("state", key_text(12), nullable=False),
    Column("reason", key_text(40), nullable=False),
    Column("way", key_text(40), nullable=False),
    Column("recorded_at", Moment, nullable=False),
    info={"kind": "record"},
)

# A question that was put to an address over a channel where it is put once and never again, whoever holds it by now (SMS31 18).
address_asked = Table(
    "address_asked",
    metadata,
    Column("channel", key_text(20), primary_key=True),
    Column("mark", LargeBinary, primary_key=True),
    Column("asked_at", Moment, nullable=False),
    info={"kind": "lookup"},
)

# --- subscriptions --------------------------------------------------------------------------------------------------------------

# `state` is PENDING (double opt-in), SUBSCRIBED or UNSUBSCRIBED. `brand` is '' where a channel-wide no was recorded.
subscription_event = Table(
    "subscription_event",
    metadata,
    Column("member_id", key_text(36), primary_key=True),
    Column("event_id", key_text(36), primary_key=True),
    Column("channel", key_text(20), nullable=False),
    Column("topic", key_text(40), nullable=False),
    Column("brand", key_text(40), nullable=False),
    Column("state", key_text(16), nullable=False),
    Column("way", key_text(40), nullable=False),
    Column("recorded_at", Moment, nullable=False),
    Column("record", Text, nullable=False),
    Column("previous_hash", LargeBinary, nullable=False),
    Column("hash", LargeBinary, nullable=False),
    info={"kind": "ledger"},
)

# Derived from subscription_event in the same transaction. `monthly` is how often at most the member was told that they would be written
# to: what holds is what was promised then, whatever the policy says since (MK-08).
subscription = Table(
    "subscription",
    metadata,
    Column("member_id", key_text(36), primary_key=True),
    Column("channel", key_text(20), primary_key=True),
    Column("topic", key_text(40), primary_key=True),
    Column("brand", key_text(40), primary_key=True),
    Column("state", key_text(16), nullable=False),
    Column("since", Moment, nullable=False),
    Column("event_id", key_text(36), nullable=False),
    Column("expires_at", Moment),
    Column("monthly", Integer),
    Column("hash", LargeBinary, nullable=False),
    Index(None, "channel", "topic", "brand", "state", "member_id"),
    info={"kind": "member"},
)

# WeChat's one-time acceptances: each is one message (WX-04). `balance` is what is left after the event.
quota_event = Table(
    "quota_event",
    metadata,
    Column("member_id", key_text(36), primary_key=True),
    Column("event_id", key_text(36), primary_key=True),
    Column("template", key_text(80), nullable=False),
    Column("change", Integer, nullable=False),
    Column("balance", Integer, nullable=False),
    Column("reason", key_text(40), nullable=False),
    Column("reference", key_text(80), nullable=False),
    Column("recorded_at", Moment, nullable=False),
    info={"kind": "ledger"},
)

quota = Table(
    "quota",
    metadata,
    Column("member_id", key_text(36), primary_key=True),
    Column("template", key_text(80), primary_key=True),
    Column("balance", Integer, nullable=False),
    Column("updated_at", Moment, nullable=False),
    info={"kind": "member"},
)

# A mail that asks an address to confirm something, `place` the how manieth of its Shanghai day: so a day has room for a few and no more,
# whoever asks at once. `sealed` is the link with the address of somebody who typed it, until the mail is handed over; a member's own is
# never here. `handed_at`: it is being handed over, and nobody does so again.
letter = Table(
    "letter",
    metadata,
    Column("mark", LargeBinary, primary_key=True),
    Column("day", key_text(10), primary_key=True),
    Column("place", SmallInteger, primary_key=True),
    Column("letter_id", key_text(36), nullable=False),
    Column("kind", key_text(12), nullable=False),
    Column("asked_at", Moment, nullable=False),
    Column("handed_at", Moment),
    Column("sealed", LargeBinary),
    Index(None, "letter_id"),
    info={"kind": "lookup"},
)

# --- campaigns ------------------------------------------------------------------------------------------------------------------

# A template never changes: an edit is another version. `body` is JSON (service/campaigns/model.py).
template = Table(
    "template",
    metadata,
    Column("template_id", key_text(36), primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("body", Text, nullable=False),
    Column("digest", LargeBinary, nullable=False),
    Column("author", key_text(80), nullable=False),
    Column("created_at", Moment, nullable=False),
    info={"kind": "record"},
)

# `state` is DRAFT, SUBMITTED, RETURNED, APPROVED or ENDED. `digest` is over all that was to be approved, `approved_digest` over what was:
# where they differ nothing may be sent (MK-01, promise 9).
campaign = Table(
    "campaign",
    metadata,
    Column("campaign_id", key_text(36), primary_key=True),
    Column("version", Integer, nullable=False),
    Column("state", key_text(12), nullable=False),
    Column("content", Text, nullable=False),
    Column("digest", LargeBinary, nullable=False),
    Column("approved_digest", LargeBinary),
    Column("author", key_text(80), nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("updated_at", Moment, nullable=False),
    Column("ends_at", Moment, nullable=False),
    Index(None, "state", "campaign_id"),
    info={"kind": "reference"},
)

# The review and the archive in one: every step of a campaign with the whole of what stood then (ADV-03). `version` is the campaign's own
# after the step: by it the steps have an order, whatever the clocks say.
campaign_event = Table(
    "campaign_event",
    metadata,
    Column("campaign_id", key_text(36), primary_key=True),
    Column("event_id", key_text(36), primary_key=True),
    Column("version", Integer, nullable=False),
    Column("step", key_text(12), nullable=False),
    Column("actor", key_text(80), nullable=False),
    Column("comment", Text, nullable=False),
    Column("content", Text, nullable=False),
    Column("digest", LargeBinary, nullable=False),
    Column("recorded_at", Moment, nullable=False),
    info={"kind": "record"},
)

# --- sending --------------------------------------------------------------------------------------------------------------------

# One decision for one member, allowed or not, with what it rests on (MK-09). `batch` is the decision call that it came of; the audit
# log's entry of the call carries the digest over all its decisions.
send_decision = Table(
    "send_decision",
    metadata,
    Column("member_id", key_text(36), primary_key=True),
    Column("send_id", key_text(36), primary_key=True),
    Column("batch", key_text(36), nullable=False),
    Column("campaign_id", key_text(36), nullable=False),
    Column("channel", key_text(20), nullable=False),
    Column("allowed", SmallInteger, nullable=False),
    Column("reasons", Text, nullable=False),
    Column("evidence", Text, nullable=False),
    Column("decided_at", Moment, nullable=False),
    Column("expires_at", Moment),
    Index(None, "send_id"),
    Index(None, "batch", "member_id"),
    Index(None, "campaign_id", "allowed", "member_id"),
    info={"kind": "ledger"},
)

# What became of an allowed one: DISPATCHED, SENT, FAILED, BOUNCED, COMPLAINED, CANCELLED, UNKNOWN. The last one counts.
send_outcome = Table(
    "send_outcome",
    metadata,
    Column("member_id", key_text(36), primary_key=True),
    Column("outcome_id", key_text(36), primary_key=True),
    Column("send_id", key_text(36), nullable=False),
    Column("outcome", key_text(16), nullable=False),
    Column("code", key_text(60), nullable=False),
    Column("reference", key_text(120), nullable=False),
    Column("recorded_at", Moment, nullable=False),
    Index(None, "member_id", "send_id"),
    Index(None, "outcome", "recorded_at"),
    info={"kind": "ledger"},
)

# What was handed to a vendor (SMS-06): when, by which registered code, to which number (its mark), which words in which version. What came
# of it is in send_outcome. One more for each time that it was handed over.
send_record = Table(
    "send_record",
    metadata,
    Column("member_id", key_text(36), primary_key=True),
    Column("record_id", key_text(36), primary_key=True),
    Column("send_id", key_text(36), nullable=False),
    Column("sender", key_text(40), nullable=False),
    Column("code", key_text(254), nullable=False),
    Column("address_mark", LargeBinary, nullable=False),
    Column("content_digest", LargeBinary, nullable=False),
    Column("template_id", key_text(36), nullable=False),
    Column("template_version", Integer, nullable=False),
    Column("handed_at", Moment, nullable=False),
    Index(None, "member_id", "send_id"),
    info={"kind": "ledger"},
)

# The messages that count towards a cap, newest last, as one small value per member: the row whose lock every reservation takes, so that
# two senders never both take the last slot. Derived from the two ledgers above.
send_window = Table(
    "send_window",
    metadata,
    Column("member_id", key_text(36), primary_key=True),
    Column("slots", Text, nullable=False),
    Column("updated_at", Moment, nullable=False),
    info={"kind": "member"},
)

# --- what came in ---------------------------------------------------------------------------------------------------------------

# A reply, an event or a report from outside, once: `digest` is over what makes it the same one when it is delivered again. `state` is
# HANDLED, FOR_STAFF or DONE; `sealed` is the text for staff, under the member's own key, NULL where nobody is known or needs it.
inbound = Table(
    "inbound",
    metadata,
    Column("source", key_text(40), primary_key=True),
    Column("digest", LargeBinary, primary_key=True),
    Column("inbound_id", key_text(36), nullable=False),
    Column("kind", key_text(40), nullable=False),
    Column("member_id", key_text(36), nullable=False),
    Column("state", key_text(12), nullable=False),
    Column("outcome", key_text(40), nullable=False),
    Column("sealed", LargeBinary),
    Column("received_at", Moment, nullable=False),
    Column("handled_by", key_text(80), nullable=False),
    Column("handled_at", Moment),
    Index(None, "inbound_id"),
    Index(None, "state", "inbound_id"),
    Index(None, "member_id"),
    info={"kind": "lookup"},
)
