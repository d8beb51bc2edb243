"""Notes, keys and checkpoints that others published: what they accept we accept, what they refuse we refuse."""

from base64 import b64decode

import pytest

from menshen_verifier.checkpoint import Checkpoint, open_checkpoint, parse_checkpoint
from menshen_verifier.errors import Forged, Malformed
from menshen_verifier.note import Key, Kind, cosigned, cosigned_tree, parse_key, parse_note, signers
from tests.verifier.published import folder, shared


def test_notes_of_the_go_project_are_opened_or_refused_as_there() -> None:
    made = shared("golang-note.json")
    for case in made["notes"]:
        raw = b64decode(case["note_b64"])
        if not case["ok"]:
            with pytest.raises((Malformed, Forged)):
                opened(raw, case["vkeys"])
        else:
            assert [one.key.name for one in opened(raw, case["vkeys"])] == case["verified"], case["desc"]


def opened(raw: bytes, vkeys: list[str]) -> list:
    found = signers(parse_note(raw), map(parse_key, vkeys))
    if not found:
        raise Forged("nobody that we know")
    return list(found)


def test_keys_of_the_go_project_are_read_or_refused_as_there() -> None:
    made = shared("golang-note.json")
    for vkey in made["vkeys_valid"]:
        assert parse_key(vkey).vkey == vkey
    for vkey in made["vkeys_invalid"]:
        with pytest.raises(Malformed):
            parse_key(vkey)


def test_the_example_of_c2sp_verifies_and_its_changes_do_not() -> None:
    made = shared("c2sp-examples.json")
    example = made["signed_note"]
    key = parse_key(example["vkey"])
    assert [one.key for one in signers(parse_note(example["note"].encode()), [key])] == [key]
    with pytest.raises(Forged):
        signers(parse_note(example["note"].replace("example message", "exemple message").encode()), [key])


def test_the_syntax_of_c2sp_is_ours() -> None:
    made = shared("c2sp-examples.json")
    checkpoint = parse_checkpoint(made["checkpoint_syntax"]["text"])
    assert (checkpoint.origin, checkpoint.size) == (made["checkpoint_syntax"]["origin"], made["checkpoint_syntax"]["size"])
    message = made["cosignature_message"]
    assert cosigned(checkpoint.text.encode(), message["timestamp"]).decode() == message["message"]
    line = parse_note(f"{checkpoint.text}\n{message['sigline']}\n".encode()).signatures[0]
    assert int.from_bytes(line.blob[:8], "big") == message["timestamp"]


def test_a_real_checkpoint_of_the_go_checksum_database_opens_though_its_origin_is_not_its_key_s_name() -> None:
    made = shared("sumdb-real-checkpoint.json")
    found = open_checkpoint(made["note"].encode(), [parse_key(made["vkey"])])
    assert (found.checkpoint.origin, found.checkpoint.size) == ("go.sum database tree", 35225469)


def test_bodies_of_checkpoints_are_read_or_refused_as_published_and_their_roots_must_be_hashes() -> None:
    for case in shared("checkpoint-body-syntax.json")["cases"]:
        # What that library takes has roots of other lengths, which no tree of ours can have: all of them are refused here.
        with pytest.raises(Malformed):
            parse_checkpoint(case["body"])


def test_cosignatures_of_three_witnesses_verify() -> None:
    root = folder("sunlight-witness") / "cmd/skylight/testdata"
    seen = 0
    for about in root.rglob("*.v0.json"):
        keys = [parse_key(vkey) for vkey in shared(str(about.relative_to(root.parents[3])))["verifier_keys"]]
        for path in about.parent.glob("[0-9a-f]*/checkpoint"):
            found = signers(parse_note(path.read_bytes()), keys)
            assert [(one.key.kind, one.time) for one in found] == [(Kind.COSIGNATURE_V1, 1767139200)]
            seen += 1
    assert seen == 3


def test_every_checkpoint_of_a_log_of_tessera_is_signed_by_it() -> None:
    root = folder("tessera-testlog")
    key = parse_key((root / "vkey").read_text().strip())
    for size in range(16):
        found = open_checkpoint((root / f"testdata/log/checkpoint.{size}").read_bytes(), [key])
        assert (found.checkpoint.size, found.checkpoint.origin) == (size, key.name)


def test_a_note_with_three_kinds_of_signatures_opens() -> None:
    root = folder("self-made")
    keys = [parse_key((root / name).read_text().strip()) for name in ("vkey.txt", "pq.vkey")]
    keys.append(parse_key(shared("self-made/fx.json")["wvkey"]))
    found = open_checkpoint((root / "pq.note").read_bytes(), keys[:1], keys[1:])
    assert [one.key.kind for one in found.signed] == [Kind.ED25519, Kind.COSIGNATURE_V1, Kind.ML_DSA_44]
    assert found.signed[1].time == found.signed[2].time == 1790000300


def test_a_cosignature_of_kind_6_is_of_one_tree_one_name_and_one_time() -> None:
    root = folder("self-made")
    note, key = (root / "pq.note").read_text(), parse_key((root / "pq.vkey").read_text().strip())
    assert signers(parse_note(note.encode()), [key])
    # A further line of the text is not what it signs; anything else of the checkpoint is.
    assert signers(parse_note(note.replace("\n\n", "\nmore\n\n").encode()), [key])
    for old, new in (
        ("\n300\n", "\n301\n"),
        ("members.example.cn/audit\n", "members.example.cm/audit\n"),
        ("4RrizgdJ", "5RrizgdJ"),
    ):
        with pytest.raises(Forged):
            signers(parse_note(note.replace(old, new, 1).encode()), [key])
    other = Key("other.example", key.kind, key.public)
    line = other.line(parse_note(note.encode()).signatures[-1].blob)
    text = note.split("\n\n")[0]
    with pytest.raises(Forged):
        signers(parse_note(f"{text}\n\n{line}\n".encode()), [other])


def test_a_checkpoint_cosigned_by_a_witness_of_others_opens() -> None:
    root = folder("self-made")
    keys = [parse_key((root / name).read_text().strip()) for name in ("vkey.txt", "w2.vkey")]
    found = open_checkpoint((root / "w2.note").read_bytes(), keys[:1], keys[1:])
    assert [one.key for one in found.signed] == keys
    assert found.checkpoint.size == 1000


def test_all_checkpoints_of_the_thousand_entry_log_open() -> None:
    made = shared("self-made/fx.json")
    for size, note in made["checkpoints"].items():
        found = open_checkpoint(note.encode(), [parse_key(made["vkey"])], [parse_key(made["wvkey"])])
        assert (found.checkpoint.size, len(found.signed)) == (int(size), 2)


def test_what_a_cosigner_of_kind_6_signs_names_no_name_over_255_bytes() -> None:
    checkpoint = Checkpoint("o" * 255, 1, bytes(32))
    assert cosigned_tree("n" * 255, 7, checkpoint).startswith(b"subtree/v1\n\0\xffnnn")
    with pytest.raises(Malformed):
        cosigned_tree("n" * 256, 7, checkpoint)
    with pytest.raises(Malformed):
        cosigned_tree("n", 7, Checkpoint("中" * 86, 1, bytes(32)))
