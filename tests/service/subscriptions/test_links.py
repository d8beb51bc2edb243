"""Links that are no login: nobody reads one, makes one, alters one, or uses one for something else."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.errors import BadInput
from service.subscriptions import links
from service.subscriptions.links import Confirmation, Link
from tests.service.vault.vaults import ANN, BEN, NOW, vault

LIFE = timedelta(days=1095)
SEND = "019aa8f2-7c00-7000-8000-0000000000ff"
LINK = Link(ANN, "email", "news", "living", SEND, NOW)
ASKED = Confirmation(ANN, "email", "news", "living", SEND, bytes(range(16)), NOW)
VAULT = vault()


def code(token, *, now=NOW, of=VAULT, read=links.opened):
    with pytest.raises(BadInput) as caught:
        read(of, token, now=now, life=LIFE)
    assert token not in str(caught.value) or not token
    return caught.value.code


@pytest.mark.parametrize("link", [LINK, Link(BEN, "sms", "", "", "", NOW), Link(ANN, "wechat", "news", "示", SEND, NOW)])
def test_a_link_says_what_it_was_made_of_and_the_same_twice_looks_different(link):
    one, two = links.make(VAULT, link), links.make(VAULT, link)
    assert one != two
    assert links.opened(VAULT, one, now=NOW, life=LIFE) == links.opened(VAULT, two, now=NOW, life=LIFE) == link


def test_nobody_reads_in_it_whose_it_is_or_what_it_is_about():
    token = links.make(VAULT, LINK)
    raw = urlsafe_b64decode(token + "==")
    for told in (b"email", b"news", b"living", bytes.fromhex(ANN.replace("-", ""))):
        assert told not in raw
    assert len(token) == len(links.make(VAULT, Link(BEN, "sms", "", "", "", NOW))), "nor by its length"


@given(st.data())
def test_an_altered_link_does_not_open(data):
    raw = bytearray(urlsafe_b64decode(links.make(VAULT, LINK) + "=="))
    raw[data.draw(st.integers(0, len(raw) - 1))] ^= data.draw(st.integers(1, 255))
    assert code(urlsafe_b64encode(bytes(raw)).rstrip(b"=").decode()) == "LINK_INVALID"


@given(st.one_of(st.text(max_size=700), st.text("AZaz09-_", min_size=60, max_size=620)))
def test_whatever_is_sent_it_is_one_refusal(text):
    assert code(text) == "LINK_INVALID"


def test_one_kind_of_link_is_not_the_other_and_another_house_opens_none():
    leaving, confirming = links.make(VAULT, LINK), links.make_confirmation(VAULT, ASKED)
    assert links.confirmed(VAULT, confirming, now=NOW, life=LIFE) == ASKED
    assert code(leaving, read=links.confirmed) == code(confirming) == "LINK_INVALID"
    assert code(leaving, of=vault()) == "LINK_INVALID"


def test_a_link_lives_for_years_and_not_for_ever_and_not_before_it_was_made():
    token = links.make(VAULT, LINK)
    assert links.opened(VAULT, token, now=NOW + LIFE - timedelta(seconds=1), life=LIFE) == LINK
    assert code(token, now=NOW + LIFE) == "LINK_EXPIRED"
    assert code(token, now=NOW - timedelta(minutes=6)) == "LINK_INVALID"


def test_what_was_not_made_here_cannot_be_put_into_one():
    with pytest.raises(BadInput):
        links.make(VAULT, Link("13800138000", "sms", "", "", "", NOW))
    with pytest.raises(BadInput):
        links.make_confirmation(VAULT, Confirmation(ANN, "email", "", "", SEND, b"short", NOW))
