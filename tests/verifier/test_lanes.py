"""A writer's count goes on from one stretch of the log to the next, and from one entry of a writer that is alone to its next."""

from pathlib import Path

import pytest

from menshen_verifier.findings import Part, Verdict
from menshen_verifier.lanes import Break, Lane, Lanes
from tests.verifier.exporting import Log, entries, seconds
from tests.verifier.judged import told, verified

READS = Lane(b"w", b"access")


def stretch(first: int, count: int, at: int, *, typ: bytes = b"access") -> Lanes:
    """One writer's numbers, from an index of the log on, as a stretch in the middle of the log has them."""
    found = Lanes(partial=True)
    found.went_on([Lane(b"w", typ), *[READS] * (count - 1)], [*range(first, first + count)], at)
    return found


def joined(*some: Lanes, partial: bool = False) -> list[Break]:
    whole = Lanes(partial=partial)
    for one in some:
        whole.joined(one)
    return whole.breaks


def test_numbers_that_go_on_are_whole_and_a_gap_between_two_stretches_is_told() -> None:
    begun = stretch(0, 5, 0, typ=b"boot")
    assert joined(begun, stretch(5, 5, 5)) == []
    assert joined(stretch(0, 5, 0, typ=b"boot"), stretch(6, 5, 5)) == [Break(before=4, at=5, due=5, number=6)]
    assert joined(stretch(0, 5, 0, typ=b"boot"), stretch(4, 5, 5)) == [Break(before=4, at=5, due=5, number=4)]


def test_a_writer_begins_with_number_0_and_a_boot_unless_the_log_is_only_a_part() -> None:
    assert joined(stretch(0, 3, 7, typ=b"boot")) == []
    for odd in ((1, b"boot"), (0, b"access"), (1, b"access")):
        assert joined(stretch(odd[0], 3, 7, typ=odd[1])) == [Break(before=-1, at=7, due=0, number=odd[0])]
        assert joined(stretch(odd[0], 3, 7, typ=odd[1]), partial=True) == []


def test_a_few_breaks_are_enough() -> None:
    found = Lanes(partial=True)
    for at in range(1100):
        found.saw(b"w", 2 * at, at, b"access")
    assert len(found.breaks) == 1000


@pytest.mark.parametrize("taken", [1, 100, 298])
def test_the_count_of_a_writer_that_is_alone_is_looked_at_too(tmp_path: Path, taken: int) -> None:
    alone = entries(300, lanes=1)
    assert verified(Log(alone, sizes=(300,)).write(tmp_path / "whole"), now=seconds(300)).verdict is Verdict.OK
    log = Log([*alone[:taken], *alone[taken + 1 :]], sizes=(299,))
    report = verified(log.write(tmp_path / "gap"), now=seconds(299))
    assert told(report) == [(Verdict.REMOVED, Part.NUMBERS, taken, taken)]
