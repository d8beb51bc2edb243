"""AL-06: one command, signed; every figure comes out of the rows again, by another's arithmetic; altered rows and figures are found."""

import csv
import io
import json
import zipfile
from collections import Counter
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from menshen_verifier.errors import Forged, Malformed
from menshen_verifier.figures import Tally, parse_definition
from menshen_verifier.note import Key, Kind, parse_key
from menshen_verifier.pack import FIGURES, MANIFEST, Problem, verify_pack
from service.app import Parts
from service.db.statement import Prepared
from service.db.tables import member
from service.errors import BadInput, Forbidden
from service.hazmat.signing import public_key, sign
from service.oversight.pack.build import Built
from service.oversight.pack.figures import TOPICS
from service.oversight.pack.gaps import GAPS
from tests.api.front_end import entries
from tests.factories import a_call, a_member
from tests.plugins import canary
from tests.service.oversight.house import seen_to

YEAR = {"since": date(2026, 1, 1), "until": date(2026, 12, 31)}
SEED = bytes(range(32))
MEMBER_IDS = Prepared(select(member.c.member_id))


async def lived_in(running: Parts, ask) -> None:
    """A deployment in which something of most topics has happened."""
    await seen_to(running)
    yes = ["birthday_gift", "marketing_sms", "personalised_recommendation"]
    member_id = await a_member(running, yes=yes)
    await a_member(running, no=["marketing_sms"])
    asking = {"member_id": member_id, "role": "member"}
    await ask('mutation { withdrawConsent(purpose: "marketing_sms", channel: WEB) { __typename } }', **asking)
    await ask("mutation { setPersonalisation(on: false, channel: WEB) { __typename } }", **asking)
    await ask("{ me { name } }", **asking)
    await ask('{ members(purpose: "order_fulfilment", first: 3) { nodes { phone } } }', role="order_service")
    await ask('{ members(purpose: "order_fulfilment", first: 3) { nodes { phone } } }', role="marketer")


async def packed(running: Parts, path: Path, **period: date) -> Built:
    with path.open("wb") as into:
        call = a_call("compliance_officer")
        return await running.operations.compliance_audit_pack(call, **(period or YEAR), into=into)


def rows_of(path: Path, name: str) -> list[dict[str, str]]:
    with zipfile.ZipFile(path) as archive:
        return list(csv.DictReader(io.StringIO(archive.read(name).decode(), newline="")))


def stated(path: Path) -> dict[str, object]:
    with zipfile.ZipFile(path) as archive:
        return {one["key"]: one["value"] for one in json.loads(archive.read(FIGURES))["figures"]}


def rewritten(path: Path, changes: dict[str, bytes], *, key: bytes | None = None) -> None:
    """The archive with some files changed; with `key` its manifest is made to fit and signed, as whoever has the key could."""
    with zipfile.ZipFile(path) as archive:
        held = {info.filename: archive.read(info) for info in archive.infolist()} | changes
    if key is not None:
        held[MANIFEST] = signed(held, key)
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in held.items():
            archive.writestr(name, content)


def signed(held: dict[str, bytes], seed: bytes) -> bytes:
    from hashlib import sha256

    label, body, *_ = held[MANIFEST].decode().split("\n")
    content = json.loads(body)
    for file in content["files"]:
        raw = held[file["name"]]
        file |= {"bytes": len(raw), "sha256": sha256(raw).hexdigest()}
    text = f"{label}\n{json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(',', ':'))}\n"
    return f"{text}\n{forger(seed).line(sign(seed, text.encode()))}\n".encode()


def forger(seed: bytes) -> Key:
    return Key("example-retail/audit-pack", Kind.ED25519, public_key(seed))


@pytest.mark.obligation("AL-06")
async def test_the_pack_of_any_year_is_signed_and_every_figure_of_it_comes_out_of_its_rows_again(running, ask, tmp_path):
    await lived_in(running, ask)
    for number, period in enumerate((YEAR, {"since": date(2025, 11, 23), "until": date(2026, 11, 22)})):
        path = tmp_path / f"{number}.zip"
        built = await packed(running, path, **period)
        report = verify_pack(path, parse_key(built.vkeys[0]))
        assert report.problems == ()
        assert report.figures == len(built.values) > 40
        assert (report.manifest.content["from"], report.manifest.content["to"]) == tuple(map(str, period.values()))


@pytest.mark.obligation("AL-06")
async def test_the_figures_are_what_another_arithmetic_makes_of_the_rows_and_of_what_happened(running, ask, tmp_path):
    await lived_in(running, ask)
    path = tmp_path / "pack.zip"
    await packed(running, path)
    found = stated(path)
    events = rows_of(path, "data/consent_events.csv")
    assert found["consent_events"] == dict(Counter(f"{row['purpose']}|{row['state']}" for row in events))
    assert found["consents_ended"] == {"WITHDRAWN": 2}
    log = rows_of(path, "data/log.csv")
    allowed = [row for row in log if row["typ"] == "access" and row["decision"] == "allow" and row["purpose"]]
    assert found["disclosed_records"] == {
        purpose: sum(int(row["count"] or 0) for row in allowed if row["purpose"] == purpose)
        for purpose in {row["purpose"] for row in allowed}
    }
    assert found["switch_uses"] == {"allow": 1} and found["own_reads"] == 1
    assert found["refusals"] == dict(Counter(row["reason"] for row in log if row["decision"] == "deny")) != {}
    assert found["purposes_by_basis"] == dict(Counter(one.basis.value for one in running.catalogue.purposes.values()))
    assert found["tasks"] == {"ACCESS_REVIEW|OPEN": 1, "TRAINING|OPEN": 1}


CELLS = (
    ("id", "state", "made", "ended", "due_on", "ended_on", "rows"),
    ("a", "DONE", "2026-03-01T00:00:00.000000Z", "2026-03-01T00:01:30.000000Z", "2026-03-02", "2026-03-01", "7"),
    ("b", "DONE", "2026-03-01T00:00:00.000000Z", "2026-03-03T00:00:00.000000Z", "2026-03-02", "2026-03-03", ""),
    ("c", "LATE", "2026-03-01T00:00:00.000000Z", "2026-03-02T00:00:00.000000Z", "2026-03-02", "2026-03-02", "5"),
    ("d", "OPEN", "2026-03-01T00:00:00.000000Z", "", "2026-03-02", "", "1"),
)


@pytest.mark.obligation("AL-06")
@pytest.mark.parametrize(
    ("definition", "value"),
    [
        ({"measure": "count"}, 4),
        ({"measure": "count", "by": ["state"]}, {"DONE": 2, "LATE": 1, "OPEN": 1}),
        ({"measure": "count", "where": [["state", "is", ["DONE", "LATE"]]]}, 3),
        ({"measure": "count", "where": [["state", "not", ["DONE", "LATE"]]]}, 1),
        ({"measure": "count", "where": [["ended_on", "by", "due_on"]]}, 2),
        ({"measure": "count", "where": [["ended_on", "after", "due_on"]]}, 1),
        ({"measure": "count", "where": [["ended_on", "by", "due_on"], ["state", "is", ["DONE"]]]}, 1),
        ({"measure": "sum", "column": "rows"}, 13),
        ({"measure": "sum", "column": "rows", "by": ["state"]}, {"DONE": 7, "LATE": 5, "OPEN": 1}),
        ({"measure": "longest", "column": "made", "to": "ended"}, 2 * 24 * 3600),
        ({"measure": "longest", "column": "made", "to": "ended", "where": [["id", "is", ["a"]]]}, 90),
        ({"measure": "longest", "column": "ended", "to": "made"}, 0),
    ],
)
def test_a_definition_means_what_its_document_says_worked_out_by_hand(definition, value):
    """Who makes the figures and who checks them use one arithmetic: so it is held to numbers that neither has made."""
    columns, *rows = CELLS
    tally = Tally(parse_definition({"file": "data/some.csv", **definition}), columns)
    for row in rows:
        tally.add(row)
    assert tally.value == value


@pytest.mark.obligation("AL-06")
async def test_every_topic_of_the_guideline_has_figures_or_says_what_is_not_held_in_both_languages(running, ask, tmp_path):
    await lived_in(running, ask)
    path = tmp_path / "pack.zip"
    await packed(running, path)
    with zipfile.ZipFile(path) as archive:
        held, page = json.loads(archive.read(FIGURES)), archive.read("README.md").decode()
    assert len(TOPICS) == 10
    assert {one["topic"] for one in held["figures"]} | {gap["topic"] for gap in held["gaps"]} == set(TOPICS)
    assert [gap for gap in GAPS if gap.title.zh not in page or gap.title.en not in page] == []
    assert [title for title in TOPICS.values() if f"## {title.zh}" not in page or f"## {title.en}" not in page] == []
    assert page.index("个人信息保护合规审计资料包") < page.index("Pack for a compliance audit")
    assert all(one["zh"] and one["en"] and one["definition"]["file"] for one in held["figures"])


@pytest.mark.obligation("AL-06", "AL-04")
async def test_a_pack_names_no_member_and_no_account_and_holds_no_value(running, ask, tmp_path):
    await lived_in(running, ask)
    path = tmp_path / "pack.zip"
    await packed(running, path)
    ids = [row[0] for row in await running.database.read.rows(MEMBER_IDS)]
    with zipfile.ZipFile(path) as archive:
        for name in archive.namelist():
            content = archive.read(name)
            canary.look(f"pack {name}", content)
            assert not [one for one in (*ids, "p1:", "@development") if one.encode() in content], name


async def test_the_same_state_gives_the_same_bytes(running, ask, tmp_path):
    await lived_in(running, ask)
    one, other = tmp_path / "one.zip", tmp_path / "other.zip"
    past = {"since": date(2025, 1, 1), "until": date(2026, 11, 21)}
    await packed(running, one, **past)
    await packed(running, other, **past)
    assert one.read_bytes() == other.read_bytes()


@pytest.mark.obligation("AL-06")
async def test_a_pack_is_an_export_on_the_record_with_the_digest_of_its_manifest(running, ask, tmp_path):
    built = await packed(running, tmp_path / "pack.zip")
    (entry,) = await entries(running, "complianceAuditPack")
    assert (entry["typ"], entry["dec"], entry["cnt"]) == ("export", "allow", built.rows)
    assert entry["x"] == {"from": "2026-01-01", "to": "2026-12-31", "digest": built.digest}


async def test_who_may_not_look_gets_no_pack_and_a_period_that_is_none_gives_none(running, tmp_path):
    with (tmp_path / "pack.zip").open("wb") as into:
        with pytest.raises(Forbidden):
            await running.operations.compliance_audit_pack(a_call("marketer"), **YEAR, into=into)
        for since, until in ((date(2026, 2, 1), date(2026, 1, 1)), (date(2010, 1, 1), date(2026, 1, 1))):
            with pytest.raises(BadInput):
                call = a_call("compliance_officer")
                await running.operations.compliance_audit_pack(call, since=since, until=until, into=into)


@pytest.mark.obligation("AL-06")
async def test_an_altered_row_and_an_altered_figure_are_found_even_where_the_forger_has_the_key(running, ask, tmp_path):
    await lived_in(running, ask)
    path = tmp_path / "pack.zip"
    built = await packed(running, path)
    whole, key = path.read_bytes(), parse_key(built.vkeys[0])
    with zipfile.ZipFile(path) as archive:
        events, figures = archive.read("data/consent_events.csv"), archive.read(FIGURES)
    rewritten(path, {"data/consent_events.csv": events.replace(b"WITHDRAWN", b"GIVEN")})
    assert Problem("ALTERED", "data/consent_events.csv") in verify_pack(path, key).problems
    path.write_bytes(whole)
    rewritten(path, {FIGURES: figures.replace(b'"WITHDRAWN": 2', b'"WITHDRAWN": 0')}, key=SEED)
    assert verify_pack(path, forger(SEED)).problems == (Problem("FIGURE", "consents_ended", {"WITHDRAWN": 0}, {"WITHDRAWN": 2}),)
    with pytest.raises(Forged):
        verify_pack(path, key)
    path.write_bytes(whole)
    rewritten(path, {"data/consent_events.csv": events.replace(b"WITHDRAWN", b"GIVEN")}, key=SEED)
    assert "consents_ended" in {problem.name for problem in verify_pack(path, forger(SEED)).problems}


@pytest.mark.obligation("AL-06")
async def test_a_file_that_is_missing_or_too_many_is_found(running, tmp_path):
    path = tmp_path / "pack.zip"
    built = await packed(running, path)
    key = parse_key(built.vkeys[0])
    rewritten(path, {"data/more.csv": b"a\n"})
    assert Problem("UNEXPECTED", "data/more.csv") in verify_pack(path, key).problems
    with pytest.warns(UserWarning, match="Duplicate"), zipfile.ZipFile(path, "a") as archive:
        archive.writestr("data/keys.csv", archive.read("data/keys.csv"))
    assert Problem("UNEXPECTED", "data/keys.csv") in verify_pack(path, key).problems, (
        "twice: readers differ in which one they take"
    )
    with zipfile.ZipFile(path) as archive:
        held = {info.filename: archive.read(info) for info in archive.infolist() if info.filename != "data/keys.csv"}
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in held.items():
            archive.writestr(name, content)
    found = verify_pack(path, key).problems
    assert Problem("MISSING", "data/keys.csv") in found
    assert "keys" in {problem.name for problem in found if problem.code == "FIGURE"}


@pytest.fixture(scope="session")
def example() -> bytes:
    """A pack of one table and one figure, signed with a known key."""
    table, figures = b"id,state\r\n1,OPEN\r\n2,DONE\r\n3,OPEN\r\n", b""
    definition = {"file": "data/some.csv", "measure": "count", "by": ["state"]}
    figures = json.dumps({"figures": [{"key": "some", "definition": definition, "value": {"DONE": 1, "OPEN": 2}}]}).encode()
    held = {"data/some.csv": table, FIGURES: figures}
    listed = [{"name": name, "rows": 3 if name.endswith(".csv") else 0} for name in held]
    held[MANIFEST] = b"menshen/audit-pack/v1\n" + json.dumps({"files": listed}).encode() + b"\n"
    held[MANIFEST] = signed(held, SEED)
    into = io.BytesIO()
    with zipfile.ZipFile(into, "w") as archive:
        for name, content in held.items():
            archive.writestr(name, content)
    return into.getvalue()


@settings(max_examples=300)
@given(data=st.data())
def test_whatever_byte_of_a_pack_is_changed_it_is_found_or_no_content_changed(example: bytes, tmp_path_factory, data):
    path = tmp_path_factory.getbasetemp() / "altered.zip"
    place = data.draw(st.integers(0, len(example) - 1))
    altered = bytearray(example)
    altered[place] ^= data.draw(st.integers(1, 255))
    path.write_bytes(altered)
    try:
        report = verify_pack(path, forger(SEED))
    except (Malformed, Forged):
        return
    if not report.problems:
        with zipfile.ZipFile(path) as found, zipfile.ZipFile(io.BytesIO(example)) as whole:
            assert {name: found.read(name) for name in whole.namelist()} == {name: whole.read(name) for name in whole.namelist()}


@given(raw=st.binary(max_size=400))
def test_any_bytes_are_refused_with_one_error(tmp_path_factory, raw: bytes):
    path = tmp_path_factory.getbasetemp() / "any.zip"
    path.write_bytes(raw)
    with pytest.raises((Malformed, Forged)):
        verify_pack(path, forger(SEED))
