"""The compact table of what a file has had before."""

from hypothesis import given
from hypothesis import strategies as st

from service.intake.seen import Memory, Seen


@given(st.lists(st.tuples(st.integers(0, 300), st.integers(1, 10**6)), max_size=3000))
def test_it_answers_like_a_dictionary_that_keeps_the_first(pairs):
    seen, plain = Seen(), {}
    for number, line in pairs:
        digest = number * 0x9E3779B97F4A7C15 & ~1
        assert seen.line_of(digest) == plain.get(digest)
        seen.add(digest, line)
        plain.setdefault(digest, line)
    assert len(seen) == len(plain)
    assert all(seen.line_of(digest) == line for digest, line in plain.items())


def test_it_grows_and_stays_small():
    seen = Seen()
    for number in range(1, 50_001):
        seen.add(number * 0x9E3779B97F4A7C15, number)
    assert all(seen.line_of(number * 0x9E3779B97F4A7C15) == number for number in range(1, 50_001))
    assert len(seen) == 50_000
    assert seen.size <= 50_000 * 48


def test_nothing_is_remembered_that_was_not_added():
    memory = Memory(["phone"])
    memory.add([("phone", b"\0" * 16), ("email", b"\1" * 16)], 7)
    assert memory.line_of(("phone", b"\0" * 16)) == 7
    assert memory.line_of(("phone", b"\1" * 16)) is None
