"""What a record of sending knows the words by, and what a dialler is posted, byte for byte: vectors made with hashlib and json alone."""

import json
from datetime import datetime
from pathlib import Path

from service.senders.dialler import DialList, Entry, document
from service.senders.making import content_digest
from service.senders.model import WayOut, Words

HERE = Path(__file__).parent


def test_the_digest_of_the_words() -> None:
    for vector in json.loads((HERE / "message-content.json").read_text("utf-8"))["vectors"]:
        link = vector["link"]
        words = Words(**{name: part.replace("${opt_out}", link) for name, part in vector["seen"].items()})
        way_out = WayOut(link=link, mailbox="", token="", sentence="")
        assert content_digest(words, way_out).hex() == vector["digest"]


def test_the_dial_list() -> None:
    text = json.loads((HERE / "dial-list.json").read_text("utf-8"))["document"]
    said = json.loads(text)
    entries = tuple(
        Entry(send_id=one["sendId"], member_id="", number=one["number"], says=one["says"], refusal=one["refusal"])
        for one in said["entries"]
    )
    found = DialList(
        list_id=said["id"],
        made_at=datetime.fromisoformat(said["madeAt"]),
        expires_at=datetime.fromisoformat(said["expiresAt"]),
        entries=entries,
    )
    assert document(found, caller=said["caller"], identity=said["identity"]) == text.encode()
