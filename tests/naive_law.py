"""The law of consent as somebody would tell it who has never seen the code: a second opinion, naive on purpose.

It imports nothing of the product. It reads the shop's rules from the policy's files, takes the ledger for a pile of papers, and asks one
question after another, in the order in which an officer would. What is not plainly allowed is forbidden.
"""

import calendar
import hashlib
import json
import tomllib
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

BEIJING = timezone(timedelta(hours=8))
YES = ("GIVEN", "RENEWED")
LAWFUL_WITHOUT_CONSENT = ("CONTRACT", "LEGAL_DUTY", "EMERGENCY", "NEWS", "PUBLIC_INFORMATION", "OTHER_LAW")
COLUMNS = {"event_id": "recordId", "member_id": "piiPrincipalId", "purpose": "purpose", "state": "eventState"}
A_CLOCK_MAY_BE_AHEAD = timedelta(minutes=5)


class Shop:
    """What the shop has declared and published."""

    def __init__(self, folder: Path) -> None:
        self.purposes = _toml(folder / "purposes.toml")["purposes"]
        catalogued = _toml(folder / "fields.toml")
        kinds = catalogued["categories"]
        self.of_children = {key for key, each in catalogued["fields"].items() if kinds[each["category"]]["of_children"]}
        self.bands = _toml(folder / "consent.toml")["age_bands"]
        self.published: dict[tuple[str, int], dict[str, Any]] = {}
        notices = [(_toml(path.parent / "notice.toml")["effective_at"], path) for path in folder.glob("notices/*/scopes.toml")]
        for _, path in sorted(notices):
            for purpose, told in _toml(path).items():
                self.published[purpose, told["version"]] = told


@dataclass
class Person:
    """What is known of a member besides the papers. `adult`: somebody noted that they are one; None: nobody looked."""

    member_id: str
    status: str = "ACTIVE"
    adult: bool | None = True
    birthday: date | None = None
    guardian_is_there: bool = False
    personalisation: bool | None = None


@dataclass
class Opened:
    """What may leave, and which of it whole."""

    fields: set[str] = field(default_factory=set)
    whole: set[str] = field(default_factory=set)


def may_leave(shop: Shop, person: Person, pile: list[dict[str, Any]], purpose: str, moment: datetime, *, staff: bool) -> Opened:
    """Which fields of this person may leave for this purpose at this moment. `staff`: a person looks, without an approval."""
    declared = shop.purposes.get(purpose)
    if declared is None or _nobody_may_touch(shop, person, declared, moment):
        return Opened()
    fields = set(declared["fields"])
    if declared["basis"] not in LAWFUL_WITHOUT_CONSENT:
        fields &= _agreed_to(shop, person, pile, purpose, moment)
    if declared["automated_decision"] and _must_not_be_decided_upon_by_a_machine(shop, person, declared, moment):
        return Opened()
    hidden = staff and any(band["staff_approval"] for band in [_band(shop, person, moment)] if band)
    return Opened(fields, set() if hidden else {key for key in fields if declared["fields"][key] == "plain"})


def _nobody_may_touch(shop: Shop, person: Person, declared: dict[str, Any], moment: datetime) -> bool:
    if person.status == "ERASED" or person.status not in ("ACTIVE", "RESTRICTED", "GUARDIAN_PENDING"):
        return True
    if person.status == "RESTRICTED" and not declared["self_service"]:
        return True
    if person.adult is False and person.birthday is None:
        return True  # They were a minor once, and nobody can tell whether they still are.
    if person.status == "GUARDIAN_PENDING" and _known_for_an_adult(person):
        return True  # Somebody decided that they wait, and nothing says that it is over.
    return _is_a_child(shop, person, moment) and not person.guardian_is_there


def _agreed_to(shop: Shop, person: Person, pile: list[dict[str, Any]], purpose: str, moment: datetime) -> set[str]:
    """The fields that the member (or, of a child, the guardian) has said yes to, as it stands at this moment."""
    if not all(_believable(paper, person, moment) for paper in pile):
        return set()  # Somebody was at these papers. Nothing in the pile proves anything.
    threads = {each: _in_order(pile, each) for each in {purpose, *(paper["purpose"] for paper in pile)}}
    said = threads[purpose]
    if not said or None in threads.values():
        return set()  # Nothing was ever said; or a paper is missing, or there is one too many.
    if said[-1]["eventState"] not in YES:
        return set()
    word = said[-1]
    if any(at(other) == at(word) and other["eventState"] not in YES for other in said):
        return set()  # Yes and no in the same moment is no.
    kept = next(paper for paper in pile if paper["event_id"] == word["recordId"])
    if _over(word, kept["expires_at"], moment):
        return set()
    tells_of_a_child = any(key in shop.of_children for key in shop.purposes[purpose]["fields"])
    if (tells_of_a_child or _is_a_child(shop, person, moment)) and word["entityRole"] != "guardian":
        return set()
    return _told_of(shop, purpose, word)


def _told_of(shop: Shop, purpose: str, word: dict[str, Any]) -> set[str]:
    """What the version covers that was said yes to, as long as the way in which it is done has stayed the same."""
    today, version = shop.purposes[purpose], word.get("purposeVersion", 1)
    if version > today["version"]:
        return set()
    since = [shop.published.get((purpose, number)) for number in range(version, today["version"] + 1)]
    if any(told is None or told["method"] != today["method"] for told in since):
        return set()
    return {key for key in since[0]["fields"] if key in word["piiInformation"]} if since[0] else set()


def _believable(paper: dict[str, Any], person: Person, moment: datetime) -> bool:
    """The text is what was sealed, the cover says the same as the text, and both make sense."""
    try:
        text = paper["evidence"].encode()
        said = json.loads(text)
        cover = {name: said[inside] for name, inside in COLUMNS.items()}
        ours = said["piiPrincipalId"] == person.member_id
        sealed = hashlib.sha256(b"menshen/consent-event/v1\0" + text).digest() == paper["hash"]
        same = (
            all(paper[name] == inside for name, inside in cover.items()) and said.get("privacyNotice") == paper["notice_version"]
        )
        dated = at(said) == paper["recorded_at"] <= moment + A_CLOCK_MAY_BE_AHEAD
        threaded = said["previousEventHash"] == paper["previous_hash"].hex()
        counted = all(type(said[key]) is int for key in ("validityMonths",)) and type(said.get("purposeVersion", 1)) is int
        sane = said["validityMonths"] >= 0 and said.get("purposeVersion", 1) >= 1 and isinstance(said["piiInformation"], list)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return False
    return ours and sealed and same and dated and threaded and counted and sane


def _in_order(pile: list[dict[str, Any]], purpose: str) -> list[dict[str, Any]] | None:
    """What was said about one purpose, in the order in which it was written, each paper naming the one before; None where they do not."""
    left, found, last = [paper for paper in pile if paper["purpose"] == purpose], [], bytes(32)
    while left:
        following = [paper for paper in left if paper["previous_hash"] == last]
        if len(following) != 1:
            return None
        left.remove(following[0])
        found.append(json.loads(following[0]["evidence"]))
        last = following[0]["hash"]
    return found if [at(said) for said in found] == sorted(at(said) for said in found) else None


def _over(word: dict[str, Any], cover: datetime | None, moment: datetime) -> bool:
    """Whether the time is up: so many months after the day it was given, to the end of that day; or before, where the cover says so."""
    if cover is not None and cover <= moment:
        return True
    months = word["validityMonths"]
    if not months:
        return False
    if cover is None:
        return True  # It was to end, and nobody wrote down when.
    given = at(word).astimezone(BEIJING).date()
    count = given.year * 12 + given.month - 1 + months
    year, month = count // 12, count % 12 + 1
    if year >= 9999:
        return True
    last = date(year, month, min(given.day, calendar.monthrange(year, month)[1])) + timedelta(days=1)
    ends = datetime(last.year, last.month, last.day, tzinfo=BEIJING)
    return ends <= moment or cover > ends


def _must_not_be_decided_upon_by_a_machine(shop: Shop, person: Person, declared: dict[str, Any], moment: datetime) -> bool:
    band = _band(shop, person, moment)
    minor = band is not None and not band["automated_marketing"] and declared["class"] == "COMMERCIAL"
    return minor or person.personalisation is False


def _is_a_child(shop: Shop, person: Person, moment: datetime) -> bool:
    band = _band(shop, person, moment)
    return band is not None and band["guardian"]


def _band(shop: Shop, person: Person, moment: datetime) -> dict[str, Any] | None:
    """The band that they are in by their birthday, on the day that it is in Beijing."""
    if _known_for_an_adult(person) or person.birthday is None:
        return None
    day, born = moment.astimezone(BEIJING).date(), person.birthday
    age = day.year - born.year - (1 if (day.month, day.day) < (born.month, born.day) else 0)
    young = [band for band in shop.bands.values() if age < band["until"]]
    return min(young, key=lambda band: int(band["until"]), default=None)


def _known_for_an_adult(person: Person) -> bool:
    return person.adult is True or (person.adult is None and person.birthday is None)


def at(said: dict[str, Any]) -> datetime:
    """When a paper says that it was written."""
    return datetime.strptime(said["eventTime"], "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=UTC)


def _toml(path: Path) -> dict[str, Any]:
    return tomllib.loads(path.read_text("utf-8"))
