"""The policy under which the bench reads: the shipped one, and one purpose more.

No purpose that a retailer would declare may see ten fields on one consent, which is as it should be. So the bench declares one
that does: it is loaded by the real loader and held to all of its rules.
"""

import shutil
from pathlib import Path

from bench.people import FIELDS, PURPOSE, ROLE
from policies.catalogue import SHIPPED

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
    return folder
