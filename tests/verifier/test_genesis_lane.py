"""A lane begins with `boot`; that of entry 0 may begin with `genesis`, where a log goes on from one that was closed, and no other may."""

import pytest

from menshen_verifier.lanes import Lanes
from service.checkpoints.follower import Follower
from service.errors import LogBroken
from tests.service.audit.logs import AUTHORITY


@pytest.mark.parametrize(
    ("at", "typ", "whole"), [(0, b"genesis", True), (0, b"boot", True), (5, b"genesis", False), (0, b"access", False)]
)
def test_a_lane_begins_as_it_must(at: int, typ: bytes, whole: bool) -> None:
    found, stretch = Lanes(), Lanes(partial=True)
    stretch.saw(b"w", 0, at, typ)
    stretch.saw(b"w", 1, at + 1, b"stop")
    found.joined(stretch)
    assert (found.breaks == []) is whole

    follower, numbers = Follower(AUTHORITY), {}
    entry = {"w": "w", "s": 0, "typ": typ.decode()}
    if whole:
        follower._next(at, entry, numbers)
        assert numbers == {"w": 1}
        return
    with pytest.raises(LogBroken, match="in its lane is missing"):
        follower._next(at, entry, numbers)
