"""Configuration: no default for a secret, nothing of a developer's convenience in production, no mistyped setting unnoticed."""

import pytest

from service.config import Config
from service.errors import ConfigError

GOOD = {
    "MENSHEN_MODE": "production",
    "MENSHEN_DATABASE_URL": "postgresql+psycopg://menshen@db/menshen",
    "MENSHEN_KMS_URI": "pkcs11:token=menshen",
    "MENSHEN_ISSUER": "https://id.example.com",
    "MENSHEN_JWKS_FILE": "/etc/menshen/jwks.json",
    "MENSHEN_POLICIES": "/etc/menshen/policies",
    "MENSHEN_ORIGIN": "members.example.com/audit",
    "MENSHEN_PUBLIC_URL": "https://members.example.com",
    "MENSHEN_SIGNER": "unix:/run/menshen/signer",
}


@pytest.fixture(autouse=True)
def clean(monkeypatch):
    import os

    for name in [name for name in os.environ if name.startswith("MENSHEN_")]:
        monkeypatch.delenv(name)


def load(monkeypatch, settings):
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    return Config.load()


def test_a_fit_production_configuration_is_accepted(monkeypatch):
    assert load(monkeypatch, GOOD).production


@pytest.mark.parametrize(
    ("setting", "value", "named"),
    [
        ("MENSHEN_DATABASE_URL", "sqlite:///members.db", "MENSHEN_DATABASE_URL"),
        ("MENSHEN_DATABASE_URL", "", "MENSHEN_DATABASE_URL"),
        ("MENSHEN_KMS_URI", "local:/etc/key", "MENSHEN_KMS_URI"),
        ("MENSHEN_KMS_URI", "", "MENSHEN_KMS_URI"),
        ("MENSHEN_SIGNER", "file:/etc/menshen/log.key", "MENSHEN_SIGNER"),
        ("MENSHEN_SIGNER", "", "MENSHEN_SIGNER"),
        ("MENSHEN_ISSUER", "", "MENSHEN_ISSUER"),
        ("MENSHEN_ORIGIN", "", "MENSHEN_ORIGIN"),
        ("MENSHEN_PUBLIC_URL", "", "MENSHEN_PUBLIC_URL"),
        ("MENSHEN_PUBLIC_URL", "http://members.example.com", "MENSHEN_PUBLIC_URL"),
    ],
)
def test_production_refuses_what_is_for_development_and_says_which(monkeypatch, setting, value, named):
    with pytest.raises(ConfigError, match=named):
        load(monkeypatch, {**GOOD, setting: value})


@pytest.mark.parametrize("missing", ["MENSHEN_JWKS_FILE", "MENSHEN_POLICIES"])
def test_production_needs_keys_and_a_policy_of_its_own(monkeypatch, missing):
    with pytest.raises(ConfigError, match=missing.removeprefix("MENSHEN_")):
        load(monkeypatch, {name: value for name, value in GOOD.items() if name != missing})


def test_all_that_is_wrong_is_told_at_once(monkeypatch):
    with pytest.raises(ConfigError) as problem:
        load(monkeypatch, {"MENSHEN_MODE": "production"})
    for part in ("DATABASE_URL", "KMS_URI", "ISSUER", "POLICIES", "ORIGIN", "PUBLIC_URL", "SIGNER"):
        assert f"MENSHEN_{part}" in str(problem.value)


def test_a_mistyped_setting_is_refused(monkeypatch):
    with pytest.raises(ConfigError, match="MENSHEN_DATABSE_URL"):
        load(monkeypatch, {"MENSHEN_DATABSE_URL": "postgresql+psycopg://db/menshen"})


def test_a_refusal_never_repeats_a_value(monkeypatch):
    with pytest.raises(ConfigError) as problem:
        load(monkeypatch, {"MENSHEN_PORT": "hunter2"})
    assert "hunter2" not in str(problem.value)
    assert "MENSHEN_PORT" in str(problem.value)


def test_a_secret_may_come_from_a_file(monkeypatch, tmp_path):
    secret = tmp_path / "url"
    secret.write_text("postgresql+psycopg://db/menshen\n")
    assert load(monkeypatch, {"MENSHEN_DATABASE_URL_FILE": str(secret)}).database == "postgresql+psycopg://db/menshen"
    with pytest.raises(ConfigError, match="MENSHEN_DATABASE_URL_FILE"):
        load(monkeypatch, {"MENSHEN_DATABASE_URL_FILE": str(tmp_path / "absent")})


def test_development_needs_no_setting_at_all(monkeypatch):
    config = load(monkeypatch, {})
    assert not config.production
    assert config.database.endswith(".menshen/menshen.db")
    assert config.kms.startswith("local:")


@pytest.mark.parametrize(
    "value", ["members.example.com", "ftp://members.example.com", "https://", "https://a/?q", "https://a b/"]
)
def test_a_public_address_is_one_that_links_can_begin_with(monkeypatch, value):
    with pytest.raises(ConfigError, match="MENSHEN_PUBLIC_URL"):
        load(monkeypatch, {"MENSHEN_PUBLIC_URL": value})


def test_links_begin_with_the_public_address_or_else_with_where_it_listens(monkeypatch):
    assert load(monkeypatch, {"MENSHEN_PORT": "8601"}).public == "http://127.0.0.1:8601"
    assert (
        load(monkeypatch, {"MENSHEN_PUBLIC_URL": "https://members.example.com/menshen/"}).public
        == "https://members.example.com/menshen"
    )
