"""What passes the door is counted when it tells a person of members, and not when it tells of nobody, or a machine."""

import pytest

from service.alarms.model import Rules
from service.audit.entry import Draft
from service.tally.guard import Guard
from tests.service.tally.house import clerk, machine

WHO = ["p1:AAECAwQFBgcICQoLDA0ODw"]


@pytest.mark.obligation("LB-07")
@pytest.mark.parametrize(
    ("said", "counted"),
    [
        ({"fields": ("tier",)}, True),
        ({}, True),
        ({"typ": "audit", "subjects": [], "shown": WHO}, True),
        ({"typ": "export", "subjects": [], "shown": WHO}, True),
        ({"fields": ("tier",), "withheld": ("name",)}, True),
        ({"withheld": ("name",)}, False),
        ({"subjects": []}, False),
        ({"decision": "deny", "fields": ("tier",)}, False),
        ({"typ": "change"}, False),
    ],
)
def test_what_tells_a_person_of_members_is_counted_and_nothing_else(catalogue, said, counted):
    guard, draft = Guard(catalogue, Rules()), Draft(**{"typ": "access", "subjects": WHO} | said)
    assert guard.counts(clerk(), draft) is counted
    assert guard.counts(machine(), draft) is False


@pytest.mark.obligation("LB-07")
def test_whom_a_machine_is_told_of_because_they_stand_in_the_log_counts_like_any_other(catalogue, clock):
    guard = Guard(catalogue, Rules())
    names = [f"p1:{number}" for number in range(5001)]
    usual, more = Draft(typ="audit", shown=names[:5000]), Draft(typ="audit", shown=names[5000:])
    assert guard.owed(machine(role="partner_gateway"), usual, clock()) == []
    assert len(guard.owed(machine(role="partner_gateway"), more, clock())) == 1
