"""The file that says whom to believe."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from menshen_verifier.errors import Forged, Malformed
from menshen_verifier.note import Key, Kind
from menshen_verifier.policy import parse_policy
from tests.verifier.exporting import ALONE, LOG, POLICY, Log, Signer, entries, note, root_of

ENTRIES = entries(9)
ROOT = root_of(ENTRIES)
WITNESSES = [Signer(f"w{n}.example", Kind.COSIGNATURE_V1, 20 + n) for n in range(6)]
LINES = "".join(f"witness X{n} {one.key.vkey}\n" for n, one in enumerate(WITNESSES))
EXAMPLE = f"""# The example of C2SP: two of three, and any of three.
log {LOG.key.vkey} https://members.example.cn/audit/
{LINES}
group X-witnesses 2 X0 X1 X2
  group\tY-witnesses any X3 X4 X5
group X-and-Y all X-witnesses Y-witnesses
quorum X-and-Y
"""


@pytest.mark.parametrize(
    ("signed", "enough"),
    [((0, 1, 3), True), ((0, 2, 5), True), ((0, 1, 2, 3, 4, 5), True), ((0, 3, 4, 5), False), ((0, 1, 2), False), ((), False)],
)
def test_groups_of_groups_are_counted(signed: tuple[int, ...], *, enough: bool) -> None:
    policy = parse_policy(EXAMPLE.encode())
    opened = policy.open(note(9, ROOT, signers=(LOG, *(WITNESSES[n] for n in signed))))
    assert policy.witnessed(opened) is enough


def test_a_witness_alone_may_be_the_quorum_and_none_may_be() -> None:
    opened = note(9, ROOT, signers=(LOG, WITNESSES[1]))
    for quorum, enough in (("X1", True), ("X2", False), ("none", True)):
        policy = parse_policy(f"log {LOG.key.vkey}\n{LINES}quorum {quorum}".encode())
        assert policy.witnessed(policy.open(opened)) is enough


def test_every_key_that_a_log_ever_had_opens_its_checkpoints_and_no_other_does() -> None:
    new = Signer(LOG.name, Kind.ED25519, 7)
    policy = parse_policy(f"log {LOG.key.vkey}\nlog {new.key.vkey}\nquorum none\n".encode())
    for signer in (LOG, new):
        assert policy.open(note(9, ROOT, signers=(signer,))).checkpoint.size == 9
    with pytest.raises(Forged):
        policy.open(note(9, ROOT, signers=(Signer(LOG.name, Kind.ED25519, 8),)))


def test_a_log_s_key_signs_for_the_log_of_its_name_alone() -> None:
    policy = parse_policy(ALONE.encode())
    with pytest.raises(Forged):
        policy.open(note(9, ROOT, signers=(LOG,), origin="another.example/log"))


def test_a_witness_of_another_log_s_name_does_not_let_our_key_sign_for_it() -> None:
    other = Signer("another.example/log", Kind.COSIGNATURE_V1, 9)
    policy = parse_policy(f"{ALONE}witness other {other.key.vkey}\n".encode())
    with pytest.raises(Forged):
        policy.open(note(9, ROOT, signers=(LOG, other), origin=other.name))


def test_a_witness_s_key_does_not_make_a_log() -> None:
    policy = parse_policy(POLICY.encode())
    with pytest.raises(Forged):
        policy.open(note(9, ROOT, signers=(WITNESSES[0],)))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "log x",
        "quorum",
        "quorum a b",
        "quorum nobody",
        "quorum none\nquorum none",
        "quorum none\r\n",
        "quorum none\n\x00",
        "# a comment \x07\nquorum none",
        f"log {LOG.key.vkey}\nlog {LOG.key.vkey}\nquorum none",
        f"log {WITNESSES[0].key.vkey}\nquorum none",
        f"witness a {LOG.key.vkey}\nquorum none",
        f"witness none {WITNESSES[0].key.vkey}\nquorum none",
        f"{LINES}witness X0 {Key('w9.example', Kind.COSIGNATURE_V1, bytes(32)).vkey}\nquorum none",
        f"{LINES}witness again {WITNESSES[0].key.vkey}\nquorum none",
        f"{LINES}group g 0 X0\nquorum g",
        f"{LINES}group g 01 X0\nquorum g",
        f"{LINES}group g 2 X0\nquorum g",
        f"{LINES}group g ١ X0\nquorum g",
        f"{LINES}group g any\nquorum none",
        f"{LINES}group g any X0 X0\nquorum g",
        f"{LINES}group g any none\nquorum g",
        f"{LINES}group g any X0\ngroup h any X0\nquorum g",
        f"{LINES}group g any h\ngroup h any X0\nquorum g",
        f"{LINES}group g any g\nquorum g",
        f"quorum g\n{LINES}group g any X0",
        "something else\nquorum none",
        "a" * (1 << 20) + "\nquorum none",
        "#\n" * 5000 + "quorum none",
    ],
)
def test_what_is_no_policy_is_refused(text: str) -> None:
    with pytest.raises(Malformed):
        parse_policy(text.encode())


def test_names_and_comments_may_be_in_any_script_and_the_last_line_may_lack_its_end() -> None:
    policy = parse_policy(f"# 合规部\nwitness 合规 {WITNESSES[0].key.vkey}\nquorum 合规".encode())
    assert list(policy.witnesses) == ["合规"]
    assert parse_policy(b"# \xff\xfe\nquorum none\n").logs == ()


WORDS = st.sampled_from(
    ["log", "witness", "group", "quorum", "none", "any", "all", "1", "2", "a", "b", "\n", "#", "\t", LOG.key.vkey]
)


@given(st.binary(max_size=300) | st.lists(WORDS | st.just(WITNESSES[0].key.vkey), max_size=24).map(" ".join).map(str.encode))
def test_any_bytes_are_a_policy_or_malformed(raw: bytes) -> None:
    with contextlib.suppress(Malformed):
        policy = parse_policy(raw)
        assert policy.quorum == "none" or policy.quorum in {*policy.witnesses, *policy.groups}
        with pytest.raises((Malformed, Forged)):
            policy.open(Log(ENTRIES, signers=(Signer("x", Kind.ED25519, 99),)).note(9))
