"""The links in messages, as mail systems, scanners and people use them."""

import re

import pytest

from service.db.tables import subscription_event, suppression_event
from tests.api.front_end import entries
from tests.factories import a_member, a_profile
from tests.service.inbound.outside import ONE_CLICK, came_in, everything, link, off, state, suppressed

MAIL = "marketing_email"
MULTIPART = {"content-type": "multipart/form-data; boundary=x1"}
PARTS = b'--x1\r\nContent-Disposition: form-data; name="List-Unsubscribe"\r\n\r\nOne-Click\r\n--x1--\r\n'


async def a_reader(running, **more):
    """Somebody who gets our mail."""
    profile = a_profile(**more)
    return await a_member(running, profile, yes=[MAIL]), profile["email"]


@pytest.mark.obligation("MK-04", "EM-05", "EM-07")
@pytest.mark.parametrize("multipart", [True, False])
async def test_one_post_without_any_session_unsubscribes_at_once_and_for_every_brand(client, running, multipart):
    member_id, address = await a_reader(running)
    path = f"/u/{link(running, member_id)}"
    assert not await suppressed(running, "email", "email", address)
    answer = await (client.post(path, content=PARTS, headers=MULTIPART) if multipart else client.post(path, data=ONE_CLICK))
    assert answer.status_code == 200
    assert await suppressed(running, "email", "email", address)
    assert await off(running, member_id, "email")
    assert await state(running, member_id, MAIL) == "WITHDRAWN"
    (entry,) = await entries(running, "leaveByLink")
    assert (entry["act"]["k"], entry["dec"], entry["cnt"]) == ("member", "allow", 1)
    assert entry["act"]["id"] == entry["sub"][0] and entry["x"]["way"] == "ONE_CLICK"


@pytest.mark.obligation("EM-05")
async def test_said_twice_is_answered_as_once_and_writes_nothing_more_than_its_entry(client, running):
    member_id, _ = await a_reader(running)
    path = f"/u/{link(running, member_id)}"
    first = await client.post(path, data=ONE_CLICK)
    before = [await everything(running, subscription_event), await everything(running, suppression_event)]
    again = await client.post(path, data=ONE_CLICK)
    assert (first.status_code, again.status_code) == (200, 200)
    assert first.content == again.content
    assert [await everything(running, subscription_event), await everything(running, suppression_event)] == before
    assert len(await entries(running, "leaveByLink")) == 2


@pytest.mark.obligation("EM-05")
async def test_whoever_only_opens_the_link_a_hundred_times_has_changed_nothing(client, running):
    member_id, address = await a_reader(running)
    path = f"/u/{link(running, member_id)}"
    before = len(await entries(running))
    for method in ("GET", "HEAD", "OPTIONS") * 34:
        answer = await client.request(method, path)
        assert answer.status_code in {200, 204}
    assert not await suppressed(running, "email", "email", address)
    assert not await off(running, member_id, "email")
    assert len(await entries(running)) == before


@pytest.mark.obligation("MK-04", "EM-04")
async def test_the_page_has_one_button_in_chinese_and_english_and_fetches_nothing(client, running):
    member_id, _ = await a_reader(running)
    answer = await client.get(f"/u/{link(running, member_id)}")
    page = answer.text
    assert page.count("<button") == 1 and '<input type="email"' not in page and "<script" not in page
    assert page.index("不再接收营销信息") < page.index("Receive no more")
    assert "privacy@retail.example.com" in page
    assert len(answer.content) < 30_000
    assert not [part for part in ("src=", 'href="http', "url(", "@import", "cookie") if part in page]
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'") and "unsafe" not in policy and "form-action 'self'" in policy
    assert (answer.headers["cache-control"], answer.headers["referrer-policy"]) == ("no-store", "no-referrer")
    assert "set-cookie" not in answer.headers


@pytest.mark.obligation("MK-04")
async def test_the_button_needs_no_script_and_says_no_by_the_very_form_of_the_page(client, running):
    member_id, address = await a_reader(running)
    path = f"/u/{link(running, member_id)}"
    page = (await client.get(path)).text
    fields = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]+)">', page))
    assert 'method="post"' in page and "action=" not in page.split("<form", 1)[1].split(">")[0]
    assert (await client.post(path, data=fields)).status_code == 200
    assert await suppressed(running, "email", "email", address)
    assert (await entries(running, "leaveByLink"))[-1]["x"]["way"] == "LINK"


FORGED = ["A" * 200, "short", "", "x" * 5000, "%00", "..%2F..%2Fgraphql", "退订", "A" * 200 + "/", "A" * 64 + "?a=1"]


@pytest.mark.obligation("EM-05")
@pytest.mark.parametrize("token", FORGED)
async def test_a_forged_link_changes_nothing_and_is_answered_as_an_expired_one(client, running, clock, token):
    member_id, address = await a_reader(running)
    old = link(running, member_id)
    clock.advance(days=1096)
    expired = await client.post(f"/u/{old}", data=ONE_CLICK)
    forged = await client.post(f"/u/{token}", data=ONE_CLICK)
    assert (expired.status_code, forged.status_code) == (404, 404)
    assert expired.content == forged.content
    assert (await client.get(f"/u/{token}")).content == (await client.get(f"/u/{old}")).content
    assert not await suppressed(running, "email", "email", address)
    assert {entry["rsn"] for entry in await entries(running, "leaveByLink")} == {"LINK_EXPIRED", "LINK_INVALID"}


@pytest.mark.obligation("EM-05")
async def test_nobody_ever_gets_a_redirect(client, running):
    member_id, _ = await a_reader(running)
    token = link(running, member_id)
    for path in (f"/u/{token}", f"/u/{token}/", f"/u//{token}", "/u", "/u/", f"/s/{token}", f"/s/{token}/", "/s/", f"/U/{token}"):
        for method in ("GET", "HEAD", "POST", "OPTIONS", "PUT", "DELETE", "PATCH"):
            answer = await client.request(method, path, data=ONE_CLICK if method == "POST" else None)
            assert not 300 <= answer.status_code < 400, (method, path)
            assert answer.status_code < 500, (method, path)


async def test_an_altered_link_is_nobodys(client, running):
    member_id, address = await a_reader(running)
    token = link(running, member_id)
    for place in range(0, len(token), 7):
        other = "A" if token[place] != "A" else "B"
        answer = await client.post(f"/u/{token[:place]}{other}{token[place + 1 :]}", data=ONE_CLICK)
        assert answer.status_code == 404
    assert not await suppressed(running, "email", "email", address)


@pytest.mark.obligation("EM-05")
async def test_cookies_and_authorisation_are_neither_needed_nor_looked_at(client, running):
    member_id, address = await a_reader(running)
    headers = {"authorization": "Bearer nonsense", "cookie": "session=x", "origin": "https://elsewhere.example.com"}
    answer = await client.post(f"/u/{link(running, member_id)}", data=ONE_CLICK, headers=headers)
    assert answer.status_code == 200 and "access-control-allow-origin" not in answer.headers
    assert await suppressed(running, "email", "email", address)


@pytest.mark.parametrize("body", [b"", b"List-Unsubscribe=no", b"other=1", b"\xff\xfe", b"--x1"])
async def test_a_post_that_does_not_say_it_changes_nothing(client, running, body):
    member_id, address = await a_reader(running)
    for kind in ("application/x-www-form-urlencoded", "multipart/form-data; boundary=x1", "text/plain", "application/json"):
        answer = await client.post(f"/u/{link(running, member_id)}", content=body, headers={"content-type": kind})
        assert answer.status_code == 400
    assert not await suppressed(running, "email", "email", address)


async def test_a_body_without_end_is_read_no_further_than_its_limit(client, running):
    member_id, address = await a_reader(running)
    read = 0

    async def endless():
        nonlocal read
        while read < 1_000_000:
            read += 1000
            yield b"a" * 1000

    answer = await client.post(f"/u/{link(running, member_id)}", content=endless())
    assert answer.status_code == 413 and read < 20_000
    assert not await suppressed(running, "email", "email", address)


@pytest.mark.obligation("EM-04")
async def test_a_link_of_the_thirtieth_day_still_works(client, running, clock):
    member_id, address = await a_reader(running)
    token = link(running, member_id)
    clock.advance(days=30)
    assert (await client.post(f"/u/{token}", data=ONE_CLICK)).status_code == 200
    assert await suppressed(running, "email", "email", address)


@pytest.mark.obligation("EM-04")
async def test_where_the_link_has_run_out_an_address_can_be_typed_and_staff_see_to_it(client, running, ask, clock):
    member_id, address = await a_reader(running)
    token = link(running, member_id)
    clock.advance(days=1200)
    page = (await client.get(f"/u/{token}")).text
    assert 'type="email"' in page and 'action="/u"' in page
    answer = await client.post("/u", data={"address": address.upper()})
    stranger = await client.post("/u", data={"address": "kanaria.nobody@example.com"})
    assert answer.status_code == stranger.status_code == 200
    assert answer.content == stranger.content, "nobody learns who is a member"
    assert not await suppressed(running, "email", "email", address), "anybody can type anybody's address"
    waiting = (await ask("{ inboundReplies { id kind memberId text } }", role="customer_service_agent"))["data"]["inboundReplies"]
    assert [(each["kind"], each["memberId"], each["text"]) for each in waiting] == [("TYPED_ADDRESS", member_id, address.upper())]
    done = f'mutation {{ handleInbound(id: "{waiting[0]["id"]}", action: UNSUBSCRIBE) {{ ... on InboundHandled {{ unsubscribed }} }} }}'
    handled = await ask(done, role="customer_service_agent")
    assert handled["data"]["handleInbound"] == {"unsubscribed": True}
    assert await suppressed(running, "email", "email", address)
    assert len(await came_in(running)) == 2


async def test_the_same_address_typed_again_and_again_is_one_case_a_day(client, running):
    _, address = await a_reader(running)
    for _ in range(3):
        await client.post("/u", data={"address": address})
    assert len(await came_in(running, "TYPED_ADDRESS")) == 1


@pytest.mark.parametrize("address", ["", "no", "a" * 300 + "@example.com"])
async def test_what_is_no_address_is_told_so(client, running, address):
    assert (await client.post("/u", data={"address": address})).status_code == 400
    assert await came_in(running) == []


async def test_a_link_of_somebody_who_was_erased_is_answered_as_any_other(client, running):
    member_id, _ = await a_reader(running)
    token = link(running, "019a0000-0000-7000-8000-000000000001")
    known, unknown = [await client.post(f"/u/{each}", data=ONE_CLICK) for each in (link(running, member_id), token)]
    assert (known.status_code, known.content) == (unknown.status_code, unknown.content)
