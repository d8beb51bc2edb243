"""Story: the shop wants to know more for the birthday gift, and publishes a notice that says so. The old yes covers what it covered."""

import pytest

from tests.journeys.shop import Shop
from tests.policy_folder import draft, edit, publish, set_key, shipped

GIFT = "birthday_gift"
PENDING = """{ pendingNotices { version known changes { section text } } }"""
READ = """mutation R($version: String!) { acknowledgeNotice(version: $version, channel: MINI_PROGRAM) {
  __typename ... on NoticeAcknowledged { version } } }"""


@pytest.fixture
def wider(tmp_path):
    """From 1 December on the gift depends on the region, too."""
    folder = shipped(tmp_path)
    set_key(folder, "purposes.toml", f"purposes.{GIFT}.fields.region", "plain")
    set_key(folder, "purposes.toml", f"purposes.{GIFT}.version", 2)
    draft(folder, "2026-12", effective_at="2026-12-01T00:00:00+08:00")
    for language, old, new in (("zh-CN", "400-000-0000", "400-000-0001"), ("en", "400-000-0000", "400-000-0001")):
        edit(folder, f"notices/2026-12/{language}.md", old, new)
    publish(folder, "2026-12", effective_at="2026-12-01T00:00:00+08:00")
    return folder


@pytest.fixture
async def mei(opens):
    """She joined and said yes while the first notice was in force."""
    async with opens() as shop:
        member = await shop.join(birthday="1990-07-14", tier="金卡")
        assert await shop.writes_herself(member, region="上海市") == "MemberUpdated"
        assert (await shop.says(member, GIFT, yes=True))["state"] == "GIVEN"
    return member


@pytest.mark.obligation("NC-09", "NC-10")
async def test_the_old_scope_goes_on_and_the_new_one_waits_for_a_new_yes(opens, wider, clock, mei):
    clock.advance(days=10)
    async with opens(policies=wider) as shop:
        assert await shop.sees("marketer", mei, GIFT, "birthday") == "1990-07-14"
        assert await shop.sees("marketer", mei, GIFT, "region") == "NOTICE_STALE"
        assert await shop.lists("marketer", GIFT) == [mei], "she is still in the list, with what she agreed to"
        (remedy,) = [each["remedy"] for each in (await looks(shop, mei)) if each["reason"] == "NOTICE_STALE"]
        assert remedy == {"operation": "recordConsents", "ask": "consentsToAsk", "notice": "2026-12", "purpose": GIFT}

        kept = await shop.consent(mei, GIFT)
        assert (kept["state"], kept["version"], kept["currentVersion"], kept["stale"]) == ("GIVEN", 1, 2, True)
        question = await shop.may_ask(mei, GIFT, by="SYSTEM")
        assert {each["key"] for each in question["fields"]} == {"birthday", "tier", "region"} and question["version"] == 2

        assert (await shop.says(mei, GIFT, yes=True))["state"] == "RENEWED"
        assert await shop.sees("marketer", mei, GIFT, "region") == "上海市"
        assert (await shop.consent(mei, GIFT))["noticeVersion"] == "2026-12"


@pytest.mark.obligation("NC-09", "NC-12")
async def test_who_says_no_to_the_wider_purpose_has_taken_it_back(opens, wider, clock, mei):
    clock.advance(days=10)
    async with opens(policies=wider) as shop:
        assert (await shop.says(mei, GIFT, yes=False))["state"] == "WITHDRAWN"
        assert await shop.sees("marketer", mei, GIFT, "birthday") == "CONSENT_WITHDRAWN"
        assert await shop.sees("order_service", mei, "order_fulfilment", "phone")


@pytest.mark.obligation("NC-04")
async def test_a_yes_to_the_old_notice_is_none_once_the_new_one_is_in_force(opens, wider, clock):
    async with opens(policies=wider) as shop:
        member, old = await shop.join(), await shop.shown()
        clock.advance(days=10)
        refused = await shop.records(member, "marketing_email", yes=True, evidence=old)
        assert refused == {"__typename": "NoticeStale", "code": "NOTICE_STALE"}


@pytest.mark.obligation("NC-10")
async def test_she_is_told_what_changed_once_and_only_that(opens, wider, clock, mei):
    async with opens(policies=wider) as shop:
        assert (await shop.does(PENDING, who=mei))["pendingNotices"] == [], "it is not in force yet"
    clock.advance(days=10)
    async with opens(policies=wider) as shop:
        (told,) = (await shop.does(PENDING, who=mei))["pendingNotices"]
        assert (told["version"], told["known"]) == ("2026-12", "2026-10")
        assert any("400-000-0001" in change["text"] for change in told["changes"])
        assert not any("到期" in change["section"] for change in told["changes"])
        await shop.does(READ, who=mei, version="2026-12")
        assert (await shop.does(PENDING, who=mei))["pendingNotices"] == []


async def looks(shop: Shop, member: str) -> list[dict[str, object]]:
    """What was withheld of the gift's fields."""
    return list((await shop.looks("marketer", member, GIFT))["withheld"])
