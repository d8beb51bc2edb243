"""A mail as it arrives at a real mail server: what DKIM covers, how one unsubscribes, and that no value writes a header of its own."""

import base64
import re
from collections.abc import Callable
from dataclasses import replace
from email.header import decode_header, make_header
from urllib.parse import unquote

import dkim
import pytest
from cryptography.hazmat.primitives import serialization
from hypothesis import given, settings
from hypothesis import strategies as st

from policies.marketing import Vendor
from policies.terms import Catalogue
from service.hazmat.mail_signing import MailKey
from service.senders.adapter import Adapter
from service.senders.dkim import Domain
from service.senders.mail import Mail, built
from service.senders.model import Delivery, Fate, Unfit, WayOut
from tests.conftest import START
from tests.service.senders import made
from tests.service.senders.keys import certificate, ed25519_pem, rsa_pem
from tests.service.senders.post import post

Make = Callable[..., Adapter]
SIGNED = ("From", "To", "Subject", "Date", "List-Unsubscribe", "List-Unsubscribe-Post")


def dns(pem: bytes) -> Callable[..., bytes]:
    """The DNS as far as DKIM asks it: the public key under the selector."""
    public = serialization.load_pem_private_key(pem, None).public_key()
    if b"rsa" in str(type(public)).lower().encode():
        raw, kind = public.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo), "rsa"
    else:
        raw, kind = public.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw), "ed25519"
    record = f"v=DKIM1; k={kind}; p={base64.b64encode(raw).decode()}".encode()
    return lambda name, **_: record if name == b"s1._domainkey.mail.retail.example.com." else b""


def header(raw: bytes, name: str) -> str:
    """A header's one value as it came over the wire, unfolded."""
    head = raw.partition(b"\r\n\r\n")[0].decode("ascii")
    found = re.findall(rf"^{name}: ([^\r\n]*(?:\r\n[ \t][^\r\n]*)*)", head, re.MULTILINE | re.IGNORECASE)
    assert len(found) == 1, f"{name}: {len(found)}"
    return found[0].replace("\r\n", "")


async def sent(adapter: Make, catalogue: Catalogue, key: bytes | None = None, **more: object) -> tuple[bytes, Delivery]:
    async with post() as server:
        found = adapter(Vendor.SMTP, port=server.port, key=key)
        message = made.a_message(catalogue, "living_email", **more)
        delivery = await found.deliver(message, key=message.send_id)
        assert server.recipients == [message.to] * len(server.mails)
        return (server.mails or [b""])[0], delivery


@pytest.mark.obligation("EM-05", "EM-03")
@pytest.mark.parametrize("key", [rsa_pem(), ed25519_pem()], ids=["rsa", "ed25519"])
async def test_the_signature_covers_both_list_headers_and_whoever_changes_one_breaks_it(
    key: bytes, adapter: Make, catalogue: Catalogue
) -> None:
    raw, _ = await sent(adapter, catalogue, key)
    assert dkim.verify(raw, dnsfunc=dns(key))
    signed = re.search(r"\bh=([^;]*);", header(raw, "DKIM-Signature"))
    assert signed
    names = [name.strip().lower() for name in signed[1].split(":")]
    assert {name.lower() for name in SIGNED} <= set(names)
    for name in SIGNED:
        # Once for the one that is there, once for none behind it.
        assert names.count(name.lower()) == 2
        altered = raw.replace(f"\r\n{name}: ".encode(), f"\r\n{name}: x".encode(), 1)
        assert altered != raw
        assert not dkim.verify(altered, dnsfunc=dns(key))
    assert not dkim.verify(b"List-Unsubscribe: <https://evil.example.com/>\r\n" + raw, dnsfunc=dns(key))
    assert not dkim.verify(raw[:-40] + b"QUJD" + raw[-36:], dnsfunc=dns(key))


@pytest.mark.obligation("EM-05", "EM-06", "EM-04")
async def test_the_list_headers_are_those_of_the_standards(adapter: Make, catalogue: Catalogue) -> None:
    raw, _ = await sent(adapter, catalogue)
    assert header(raw, "List-Unsubscribe-Post") == "List-Unsubscribe=One-Click"
    listed = header(raw, "List-Unsubscribe")
    # RFC 2369: URIs in angle brackets, separated by commas, the first one is the preferred one.
    uris = [part.strip() for part in listed.split(",")]
    assert all(re.fullmatch(r"<[^<>\s,]+>", uri) for uri in uris)
    link, mailto = (uri[1:-1] for uri in uris)
    assert link == made.LINK
    assert re.fullmatch(r"mailto:([^?]+)\?subject=(.+)", mailto)
    address, subject = re.fullmatch(r"mailto:([^?]+)\?subject=(.+)", mailto).groups()  # type: ignore[union-attr]
    assert (unquote(address), unquote(subject)) == ("unsubscribe@mail.retail.example.com", made.TOKEN)


@pytest.mark.obligation("EM-02")
@pytest.mark.parametrize(
    "subject", ["广告：会员日", "AD 双11会员日", "广告：" + "长" * 190, "广告 🎉 mixed ascii 与中文", "AD: plain ascii only"]
)
async def test_the_subject_is_the_same_after_its_encoding(subject: str, adapter: Make, catalogue: Catalogue) -> None:
    words = replace(made.a_message(catalogue, "living_email").words, subject=subject)
    raw, _ = await sent(adapter, catalogue, words=words)
    said = header(raw, "Subject")
    assert str(make_header(decode_header(said))) == subject
    # Already the first encoded word says it: a reader that shows only a beginning shows this one.
    assert str(make_header(decode_header(said.split(" ")[0]))).startswith(("广告", "AD"))
    assert all(len(word) <= 75 for word in said.split(" "))


@pytest.mark.obligation("EM-03")
async def test_the_envelope_and_the_from_are_the_registered_sender(adapter: Make, catalogue: Catalogue) -> None:
    raw, delivery = await sent(adapter, catalogue)
    registered = catalogue.senders["living_email"]
    display, _, address = header(raw, "From").rpartition(" ")
    assert address == f"<{registered.address}>"
    assert str(make_header(decode_header(display))) == registered.identity
    assert "Reply-To" not in raw.decode("ascii")
    assert delivery == Delivery(Fate.SENT, "ACCEPTED", f"{made.SEND}@mail.retail.example.com")
    assert header(raw, "Message-ID") == f"<{delivery.reference}>"


async def test_a_reader_of_mail_finds_both_parts(adapter: Make, catalogue: Catalogue) -> None:
    async with post() as server:
        message = made.a_message(catalogue, "living_email")
        await adapter(Vendor.SMTP, port=server.port).deliver(message, key=message.send_id)
        mail = server.mail()
        plain, html = mail.get_body(("plain",)), mail.get_body(("html",))
        assert plain is not None
        assert html is not None
        assert plain.get_content().strip() == message.words.text
        assert html.get_content().strip() == message.words.html
        assert message.to in str(mail["To"])


@pytest.mark.obligation("EM-03")
@pytest.mark.parametrize(
    "to", ["a@b.example\r\nBcc: x@y.example", "a@b.example>, <x@y.example", "a b@c.example", "@c.example", "a@", "é@c.example"]
)
async def test_an_address_that_would_write_more_than_itself_is_refused(to: str, adapter: Make, catalogue: Catalogue) -> None:
    raw, delivery = await sent(adapter, catalogue, to=to)
    assert delivery == Delivery(Fate.REFUSED, "ADDRESS_UNFIT")
    assert raw == b""


@given(st.text(max_size=80), st.text(max_size=80), st.text(max_size=80))
@settings(max_examples=150)
def test_no_text_adds_a_header_or_a_part(subject: str, display: str, text: str) -> None:
    way_out = WayOut(link=made.LINK, mailbox="u@mail.retail.example.com", token=made.TOKEN, sentence="")
    mail = Mail(
        send_id=made.SEND,
        display=display,
        mailbox="news@mail.retail.example.com",
        to="somebody@example.com",
        subject=subject,
        text=text,
        html=text,
        way_out=way_out,
    )
    domain = Domain("mail.retail.example.com", "s1", MailKey(ed25519_pem()))
    try:
        raw = built(mail, domain, START)
    except Unfit:
        return
    head, _, body = raw.partition(b"\r\n\r\n")
    names = [line.split(b":")[0] for line in head.split(b"\r\n") if not line.startswith((b" ", b"\t"))]
    assert [name.decode() for name in names] == [
        *("DKIM-Signature", "From", "To", "Subject", "Date", "Message-ID"),
        *("List-Unsubscribe", "List-Unsubscribe-Post", "MIME-Version", "Content-Type"),
    ]
    assert max(map(len, raw.split(b"\r\n"))) <= 998
    assert body.count(b"--=_" + made.SEND.encode()) == 3


@pytest.mark.parametrize(
    ("step", "said", "fate", "code"),
    [
        ("RCPT", "550 5.1.1 no such user", Fate.BOUNCED, "MAILBOX_UNKNOWN"),
        ("RCPT", "451 4.7.1 greylisted", Fate.NOT_OUT, "TRY_LATER"),
        ("RCPT", None, Fate.NOT_OUT, "BROKEN_OFF"),
        ("MAIL", "550 5.7.1 not you", Fate.REFUSED, "SENDER_REFUSED"),
        ("MAIL", "421 busy", Fate.NOT_OUT, "TRY_LATER"),
        ("DATA", "554 5.7.1 looks like spam", Fate.REFUSED, "CONTENT_REFUSED"),
        ("DATA", "451 later", Fate.NOT_OUT, "TRY_LATER"),
        ("DATA", None, Fate.UNKNOWN, "BROKEN_OFF"),
        ("DATA", "251 taken, in my own way", Fate.UNKNOWN, "ANSWER_UNREADABLE"),
        ("DATA", "taken", Fate.UNKNOWN, "ANSWER_UNREADABLE"),
        ("DATA", "250 " + "x" * 20_000, Fate.UNKNOWN, "ANSWER_UNREADABLE"),
    ],
)
async def test_the_step_at_which_it_ended_says_what_came_of_it(
    step: str, said: str | None, fate: Fate, code: str, adapter: Make, catalogue: Catalogue
) -> None:
    async with post() as server:
        server.answers[step] = said
        message = made.a_message(catalogue, "living_email")
        assert await adapter(Vendor.SMTP, port=server.port).deliver(message, key=message.send_id) == Delivery(fate, code)


async def test_a_server_that_is_not_there_has_taken_nothing(adapter: Make, catalogue: Catalogue) -> None:
    message = made.a_message(catalogue, "living_email")
    assert await adapter(Vendor.SMTP, port=1).deliver(message, key=message.send_id) == Delivery(Fate.NOT_OUT, "UNREACHABLE")


async def test_tls_is_used_where_it_is_offered_and_its_certificate_is_checked(
    adapter: Make, catalogue: Catalogue, tmp_path
) -> None:
    import ssl

    tls, trusted = certificate(tmp_path)
    async with post(tls) as server:
        message = made.a_message(catalogue, "living_email")
        stranger = await adapter(Vendor.SMTP, port=server.port).deliver(message, key=message.send_id)
        assert stranger == Delivery(Fate.NOT_OUT, "UNREACHABLE")
        trust = ssl.create_default_context(cafile=str(trusted))
        known = await adapter(Vendor.SMTP, port=server.port, trust=trust).deliver(message, key=message.send_id)
        assert known.fate is Fate.SENT
        assert server.secured == [True]


async def test_without_tls_nothing_is_handed_to_a_server_that_must_have_it(adapter: Make, catalogue: Catalogue) -> None:
    async with post() as server:
        message = made.a_message(catalogue, "living_email")
        found = adapter(Vendor.SMTP, port=server.port, tls=True)
        assert await found.deliver(message, key=message.send_id) == Delivery(Fate.NOT_OUT, "UNREACHABLE")
        assert server.mails == []
