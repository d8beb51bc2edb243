"""Whether a consent allowed what was done, weighed by itself: every way in which it may not, and each by its own code."""

import hashlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from policies.terms import Catalogue, ConsentState
from service.audit.queries import Found
from service.consent import ledger
from service.consent.model import CaptureChannel, ConsentEvent, Evidence, Expression
from service.receipts import proof
from service.receipts.model import Finding, Holding, Link, Part
from service.values import Actor, ActorKind, utc_text

AT = datetime(2026, 11, 22, 2, 0, tzinfo=UTC)
SMS = "marketing_sms"
MEMBER = "019a0000-0000-7000-8000-000000000001"


def event(
    catalogue: Catalogue,
    *,
    purpose: str = SMS,
    state: ConsentState = ConsentState.GIVEN,
    at: datetime = AT,
    previous: bytes = ledger.GENESIS,
    words: str | None = None,
    number: int = 1,
) -> ConsentEvent:
    """An answer as the ledger writes it down; `words` are those that the screen says it showed, the published ones by default."""
    notice = catalogue.notices["2026-10"]
    shown = notice.scopes[purpose].words["zh-CN"] if words is None else words
    evidence = Evidence(
        notice_version=notice.version,
        language="zh-CN",
        presented_at=at - timedelta(seconds=30),
        expression=Expression.BUTTON,
        screen="mini/consent",
        channel=CaptureChannel.MINI_PROGRAM,
        purposes_on_screen=1,
        words_digest=hashlib.sha256(shown.encode()).hexdigest() if shown else "",
    )
    happening = ledger.Happening(
        event_id=f"019a0000-0000-7000-8000-{number:012d}",
        member_id=MEMBER,
        purpose=catalogue.purposes[purpose],
        state=state,
        at=at,
        actor=Actor(ActorKind.MEMBER, "ann", frozenset({"member"}), None, MEMBER),
        request_id="r",
        channel=CaptureChannel.MINI_PROGRAM,
        evidence=evidence,
        previous_hash=previous,
    )
    return ledger.make_event(catalogue, happening)


def link(of: ConsentEvent) -> Link:
    body = ledger.canonical(of.record)
    return Link(
        of.event_id, of.purpose, of.state.value, of.recorded_at, of.expires_at, of.notice_version, body, of.previous_hash, of.hash
    )


def entry(**more: Any) -> dict[str, Any]:
    """A read that the consent of `event` allows, a minute later."""
    said = {
        "typ": "access",
        "dec": "allow",
        "bas": "CONSENT",
        "pur": SMS,
        "fld": ["phone"],
        "ts": utc_text(AT + timedelta(minutes=1)),
    }
    return {**said, **more}


def code(catalogue: Catalogue, given: ConsentEvent, done: dict[str, Any], *later: ConsentEvent) -> str:
    found = proof.decision(done, given, [link(one) for one in (given, *later)])
    assert (found.holding is Holding.HOLDS) is (found.code == "")
    return found.code


@pytest.mark.obligation("LB-09")
def test_a_decision_holds_only_while_and_for_what_the_consent_did(catalogue: Catalogue) -> None:
    given = event(catalogue)
    months = catalogue.notices["2026-10"].scopes[SMS].months
    assert months
    far, near = utc_text(AT + timedelta(days=31 * months + 2)), utc_text(AT + timedelta(days=28 * months))
    assert code(catalogue, given, entry()) == ""
    assert code(catalogue, given, entry(ts=near)) == ""
    assert code(catalogue, given, entry(pur="birthday_gift")) == "OTHER_PURPOSE"
    assert code(catalogue, event(catalogue, state=ConsentState.REFUSED), entry()) == "NOT_PERMITTED"
    assert code(catalogue, event(catalogue, state=ConsentState.WITHDRAWN), entry()) == "NOT_PERMITTED"
    assert code(catalogue, given, entry(ts=utc_text(AT - timedelta(minutes=1)))) == "CONSENT_TOO_LATE"
    assert code(catalogue, given, entry(ts=far)) == "CONSENT_EXPIRED"
    assert code(catalogue, given, entry(fld=["phone", "birthday"])) == "FIELD_NOT_CONSENTED"


@pytest.mark.obligation("LB-09")
def test_a_consent_that_had_ended_before_proves_nothing_and_one_that_ended_meanwhile_does(catalogue: Catalogue) -> None:
    given = event(catalogue)
    over = event(catalogue, state=ConsentState.WITHDRAWN, at=AT + timedelta(minutes=1), previous=given.hash, number=2)
    for seconds, expected in ((61, ""), (89, ""), (91, "CONSENT_SUPERSEDED"), (9000, "CONSENT_SUPERSEDED")):
        assert code(catalogue, given, entry(ts=utc_text(AT + timedelta(seconds=seconds))), over) == expected
    elsewhere = event(catalogue, purpose="birthday_gift", state=ConsentState.WITHDRAWN, at=AT + timedelta(minutes=1), number=2)
    assert code(catalogue, given, entry(ts=utc_text(AT + timedelta(hours=1))), elsewhere) == ""


@pytest.mark.obligation("LB-09")
@pytest.mark.parametrize(
    ("purpose", "words", "expected"),
    [
        (SMS, None, Finding(Part.WORDS, Holding.HOLDS)),
        (SMS, "是否同意一切？", Finding(Part.WORDS, Holding.BROKEN, "WORDS_DIFFER")),
        (SMS, "", Finding(Part.WORDS, Holding.NOT_NEEDED)),
        ("skin_profile", "", Finding(Part.WORDS, Holding.MISSING, "WORDS_NOT_NAMED")),
    ],
)
def test_the_words_are_those_that_were_shown(catalogue: Catalogue, purpose: str, words: str | None, expected: Finding) -> None:
    assert proof.shown(event(catalogue, purpose=purpose, words=words), catalogue)[1][1] == expected


@pytest.mark.obligation("LB-09", "NC-03")
def test_a_notice_that_is_gone_or_has_other_bytes_is_said_to_be(catalogue: Catalogue) -> None:
    given = event(catalogue)
    notice = catalogue.notices["2026-10"]
    altered = replace(notice, texts={**notice.texts, "zh-CN": notice.texts["zh-CN"] + b" "})
    exact, whole = proof.shown(given, catalogue)
    assert exact is not None and exact.text.encode() == notice.texts["zh-CN"] and whole[0].holding is Holding.HOLDS
    assert proof.shown(given, replace(catalogue, notices={"2026-10": altered}))[1][0] == Finding(
        Part.NOTICE, Holding.BROKEN, "NOTICE_DIFFERS"
    )
    shown, findings = proof.shown(given, replace(catalogue, notices={}))
    assert shown is None and {finding.code for finding in findings} == {"NOTICE_GONE"}


@pytest.mark.obligation("LB-09")
def test_a_chain_with_an_event_beside_it_is_broken(catalogue: Catalogue) -> None:
    first = event(catalogue, state=ConsentState.REFUSED)
    second = event(catalogue, at=AT + timedelta(minutes=1), previous=first.hash, number=2)
    beside = event(catalogue, state=ConsentState.WITHDRAWN, at=AT + timedelta(seconds=30), previous=first.hash, number=3)
    elsewhere = event(catalogue, purpose="birthday_gift", number=4)
    assert proof.chain(second, [link(one) for one in (first, elsewhere, second)]).holding is Holding.HOLDS
    assert proof.chain(second, [link(one) for one in (first, beside, second)]).code == "CHAIN_BROKEN"
    assert proof.chain(second, [link(second)]).code == "CHAIN_BROKEN"
    rewritten = replace(link(first), body=link(first).body.replace("REFUSED", "DEFERRED"))
    assert proof.chain(second, [rewritten, link(second)]).code == "EVENT_ALTERED"


@pytest.mark.obligation("LB-09")
def test_only_a_whole_entry_that_was_carried_out_logs_an_event(catalogue: Catalogue) -> None:
    given = event(catalogue)
    told = {"dec": "allow", "x": {"events": [given.hash.hex()]}}
    assert proof.logged(given, [Found(1, whole=True, entry=told)]).holding is Holding.HOLDS
    for found in (
        Found(1, whole=False, entry=told),
        Found(1, whole=True, entry={**told, "dec": "deny"}),
        Found(1, whole=True, entry={"dec": "allow"}),
        Found(1, whole=True, entry={"dec": "allow", "x": {"events": given.hash.hex()}}),
        Found(1, whole=False, entry={}),
    ):
        assert proof.logged(given, [found]) == Finding(Part.LOGGED, Holding.MISSING, "NOT_IN_LOG")
