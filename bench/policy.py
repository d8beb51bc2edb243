"""The policy under which the bench reads: the shipped one, and one purpose more.

No purpose that a retailer would declare may see ten fields on one consent, which is as it should be. So the bench declares one
that does: it is loaded by the real loader, held to all of its rules, and published in a notice like every other.
"""

import shutil
from pathlib import Path

from bench.people import FIELDS, PURPOSE, ROLE
from policies.catalogue import SHIPPED
from policies.loading import files
from policies.publishing import publication

NOTICE = "2026-10-bench"
WIDENED = "2026-11-bench"
"""The notices that tell of the bench's purpose, and of its becoming wider."""

_PURPOSE = f"""
[purposes.{PURPOSE}]
title = {{ zh = "性能测量", en = "Measuring" }}
basis = "CONSENT"
class = "COMMERCIAL"
roles = ["{ROLE}"]
channel = "none"
separate_consent = false
automated_decision = false
recipients = []
retention_months = 12
consent_months = 24
version = 1
notice_section = "personalised_recommendation"
pia = ""
self_service = false

[purposes.{PURPOSE}.method]
zh = "只用于测量"
en = "For measuring only"

[purposes.{PURPOSE}.fields]
"""


def write_policy(folder: Path) -> Path:
    """A policy folder with the bench's purpose in it."""
    for file in SHIPPED.glob("*.toml"):
        shutil.copy(file, folder / file.name)
    shutil.copytree(SHIPPED / "notices", folder / "notices")
    with (folder / "purposes.toml").open("a", encoding="utf-8") as purposes:
        purposes.write(_PURPOSE + "".join(f'{key} = "plain"\n' for key in FIELDS))
    _publish(folder, NOTICE, effective_at="2026-10-02T00:00:00+08:00", supersedes="2026-10")
    return folder


def widen(folder: Path) -> Path:
    """The same shop after it has asked for one field more: the second version of the purpose, told of in a notice of its own."""
    purposes = folder / "purposes.toml"
    before, _, after = purposes.read_text("utf-8").rpartition("\nversion = 1\n")
    purposes.write_text(f'{before}\nversion = 2\n{after}income_band = "plain"\n', "utf-8")
    _publish(folder, WIDENED, effective_at="2026-11-01T00:00:00+08:00", supersedes=NOTICE)
    return folder


def _publish(folder: Path, version: str, *, effective_at: str, supersedes: str) -> None:
    new = folder / "notices" / version
    new.mkdir()
    for text in (SHIPPED / "notices/2026-10").glob("*.md"):
        shutil.copyfile(text, new / text.name)
    head = f'kind = "GENERAL"\neffective_at = {effective_at}\nsupersedes = "{supersedes}"\n'
    (new / "notice.toml").write_text(head, "utf-8")
    for name, content in publication(files.snapshot(folder), version).files.items():
        (folder / name).write_bytes(content)
