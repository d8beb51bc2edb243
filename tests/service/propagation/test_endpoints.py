"""The deployment's file of endpoints: strict, private, and never quoted."""

import pytest

from service.errors import ConfigError
from service.propagation.endpoints import load
from tests.gateway import SECRET, recipients_file

GOOD = f'[example_sms_gateway]\nurl = "https://sms.example.com/consents"\nsecret = "{SECRET}"\n'


def written(folder, text, mode=0o600):
    path = folder / "recipients.toml"
    path.write_text(text, "utf-8")
    path.chmod(mode)
    return path


def test_what_is_there_is_read_and_the_secret_is_shown_by_nothing(tmp_path, catalogue):
    found = load(written(tmp_path, GOOD), catalogue, production=True)["example_sms_gateway"]
    assert (found.url, len(found.secret)) == ("https://sms.example.com/consents", 32)
    assert "secret" not in repr(found) and load(None, catalogue, production=True) == {}


def test_plain_http_goes_to_this_machine_alone_and_in_development_alone(tmp_path, catalogue):
    path = recipients_file(tmp_path, example_sms_gateway="http://127.0.0.1:9/x")
    assert load(path, catalogue, production=False)["example_sms_gateway"].url == "http://127.0.0.1:9/x"
    with pytest.raises(ConfigError, match="example_sms_gateway: url"):
        load(path, catalogue, production=True)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (GOOD.replace("https://sms.example.com", "http://sms.example.com"), "url"),
        (GOOD.replace("https://sms.example.com", "http://127.0.0.1.example.com"), "url"),
        (GOOD.replace("https://", "https://user:hunter2@"), "url"),
        (GOOD.replace("https://sms.example.com/consents", "file:///etc/passwd"), "url"),
        (GOOD.replace("https://sms.example.com/consents", "https:///x"), "url"),
        (GOOD.replace("https://sms.example.com/consents", "https://[x/"), "url"),
        (GOOD.replace('"https://sms.example.com/consents"', "7"), "url"),
        (GOOD.replace(SECRET, "whsec_aHVudGVyMg=="), "secret"),
        (GOOD.replace(SECRET, "hunter2"), "secret"),
        (GOOD.replace(f'"{SECRET}"', "7"), "secret"),
        (GOOD + "proxy = true\n", "exactly"),
        (GOOD.replace("example_sms_gateway", "hunter2"), "named after no recipient"),
        (GOOD.replace("example_sms_gateway", "example_courier"), "named after no recipient"),
        ("example_sms_gateway = 7\n", "exactly"),
        (GOOD + "hunter2 hunter2", "cannot be read"),
        ("\udcff", "cannot be read"),
    ],
)
def test_whatever_is_wrong_is_refused_by_recipient_and_rule_and_no_value_is_repeated(tmp_path, catalogue, text, said):
    path = tmp_path / "recipients.toml"
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    path.chmod(0o600)
    with pytest.raises(ConfigError, match=said) as problem:
        load(path, catalogue, production=False)
    assert "hunter2" not in str(problem.value) and problem.value.__cause__ is None and problem.value.__context__ is None


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o602])
def test_a_file_that_others_can_read_or_write_is_refused(tmp_path, catalogue, mode):
    with pytest.raises(ConfigError, match="others"):
        load(written(tmp_path, GOOD, mode), catalogue, production=False)


def test_a_file_that_is_not_there_is_refused(tmp_path, catalogue):
    with pytest.raises(ConfigError, match="cannot be read"):
        load(tmp_path / "nothing.toml", catalogue, production=False)
