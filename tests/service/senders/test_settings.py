"""The deployment's file of senders: what is refused, and that no refusal tells a value."""

from pathlib import Path

import pytest

from policies.terms import Catalogue
from service.errors import ConfigError
from service.senders.settings import Mailing, load
from tests.service.senders.house import senders_file, table
from tests.service.senders.keys import certificate, ed25519_pem, rsa_pem
from tests.service.senders.vendors import SECRET

HERE = "http://127.0.0.1:9"


def given(folder: Path, text: str) -> Path:
    path = senders_file(folder)
    path.write_text(text, "utf-8")
    return path


def refused(path: Path, catalogue: Catalogue, *, production: bool = False) -> str:
    with pytest.raises(ConfigError) as found:
        load(path, catalogue, production=production)
    said = str(found.value)
    assert SECRET not in said
    assert "PRIVATE KEY" not in said
    assert found.value.__cause__ is None
    return said


def test_every_vendors_account_is_read(tmp_path: Path, catalogue: Catalogue) -> None:
    path = senders_file(tmp_path, living_sms=HERE, beauty_sms=HERE, living_wechat=HERE, living_phone=HERE, living_email="2525")
    accounts = load(path, catalogue, production=False)
    assert set(accounts) == {"living_sms", "beauty_sms", "living_wechat", "living_phone", "living_email"}
    assert SECRET not in repr(accounts)
    assert load(None, catalogue, production=True) == {}


@pytest.mark.parametrize(
    ("sender", "change", "said"),
    [
        ("nobody_sms", ("", ""), "named after no sender"),
        ("living_sms", (f'url = "{HERE}"', 'url = "http://sms.example.com"'), "url"),
        ("living_sms", (f'url = "{HERE}"', 'url = "https://u:p@sms.example.com"'), "url"),
        ("living_sms", (f'url = "{HERE}"', 'url = "https://sms.example.com/?a=b"'), "url"),
        ("living_sms", ("key_id", "keyid"), "exactly"),
        ("living_sms", (SECRET, "short"), "secret"),
        ("living_sms", (SECRET, "a secret with\\nanother line"), "secret"),
        ("living_email", ('dkim_key = "dkim.pem"\n', ""), "no mail goes out of a domain without a DKIM key"),
        ("living_email", ("dkim.pem", "missing.pem"), "dkim_key"),
        ("living_email", ('domain = "mail.', 'domain = "other.'), "not that of the sender's address"),
        ("living_email", ("unsubscribe@", "unsubscribe"), "mailbox"),
        ("living_email", ("port = 2525", "port = 0"), "port"),
        ("living_email", ("port = 2525", 'port = 2525\nuser = "u"'), "both or none"),
        ("living_email", ("port = 2525", 'port = 2525\ntrust = "nothing.pem"'), "trust"),
    ],
)
@pytest.mark.obligation("EM-03")
def test_an_account_that_is_not_fit_is_refused(
    sender: str, change: tuple[str, str], said: str, tmp_path: Path, catalogue: Catalogue
) -> None:
    text = table(sender, "2525" if sender.endswith("email") else HERE)
    assert change[0] in text
    path = given(tmp_path, f"[{sender}]\n{text.replace(*change)}\n")
    assert said in refused(path, catalogue)


@pytest.mark.obligation("EM-03")
@pytest.mark.parametrize("pem", [rsa_pem(1024), b"no key at all", b""], ids=["short", "none", "empty"])
def test_a_domain_without_a_fit_key_sends_nothing(pem: bytes, tmp_path: Path, catalogue: Catalogue) -> None:
    path = senders_file(tmp_path, living_email="2525")
    (tmp_path / "dkim.pem").write_bytes(pem)
    assert "dkim_key" in refused(path, catalogue)


@pytest.mark.parametrize("name", ["senders.toml", "dkim.pem"])
def test_a_file_that_others_can_read_is_refused(name: str, tmp_path: Path, catalogue: Catalogue) -> None:
    path = senders_file(tmp_path, living_email="2525")
    (tmp_path / name).chmod(0o640)
    assert "others than the owner" in refused(path, catalogue)


def test_a_file_that_is_no_toml_tells_no_line_of_it(tmp_path: Path, catalogue: Catalogue) -> None:
    assert (
        refused(given(tmp_path, f"[living_sms]\nsecret = {SECRET}"), catalogue)
        == "MENSHEN_SENDERS: the file cannot be read as TOML"
    )
    assert "a table is needed" in refused(given(tmp_path, "living_sms = 1"), catalogue)
    assert "cannot be read" in refused(tmp_path / "nothing.toml", catalogue)


def test_production_reaches_vendors_over_tls_alone(tmp_path: Path, catalogue: Catalogue) -> None:
    assert "url" in refused(senders_file(tmp_path, living_sms=HERE), catalogue, production=True)
    path = senders_file(tmp_path, living_email="25")
    strict, lax = (load(path, catalogue, production=mode)["living_email"] for mode in (True, False))
    assert isinstance(strict, Mailing)
    assert isinstance(lax, Mailing)
    assert (strict.server.tls, lax.server.tls) == (True, False)
    path.write_text(path.read_text("utf-8").replace("127.0.0.1", "mail.example.com"), "utf-8")
    away = load(path, catalogue, production=False)["living_email"]
    assert isinstance(away, Mailing)
    assert away.server.tls


def test_a_ca_of_ones_own_is_trusted_where_it_is_named(tmp_path: Path, catalogue: Catalogue) -> None:
    _, trusted = certificate(tmp_path)
    path = senders_file(tmp_path, living_email="25")
    path.write_text(path.read_text("utf-8") + f'trust = "{trusted.name}"\n', "utf-8")
    found = load(path, catalogue, production=True)["living_email"]
    assert isinstance(found, Mailing)
    assert len(found.server.trust.get_ca_certs()) == 1
    assert found.domain.key.algorithm == "ed25519-sha256"
    (tmp_path / "dkim.pem").write_bytes(rsa_pem())
    again = load(path, catalogue, production=True)["living_email"]
    assert isinstance(again, Mailing)
    assert again.domain.key.algorithm == "rsa-sha256"
    assert ed25519_pem() not in repr(again).encode()
