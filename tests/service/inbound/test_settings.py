"""The deployment's file of hooks: strict, private, and never quoted."""

import pytest

from service.errors import ConfigError
from service.inbound.settings import Hooks, load
from tests.service.inbound import wechat_push as push
from tests.service.inbound.outside import ALIYUN, FILE, MAIL, hooks_file


def test_what_is_there_is_read_and_no_secret_is_shown(tmp_path, catalogue):
    found = load(hooks_file(tmp_path), catalogue)
    assert found.sms["aliyun"] == ALIYUN.encode() and found.mail == MAIL.encode()
    assert [app.aes_key for app in found.wechat.values()] == [None, bytes(range(32))]
    for secret in (ALIYUN, MAIL, push.TOKEN, push.AES_KEY):
        assert secret not in repr(found)
    assert load(None, catalogue) == Hooks()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (FILE.replace(MAIL, "hunter2"), "mail: secret"),
        (FILE.replace(f'"{MAIL}"', "7"), "mail: secret"),
        (FILE.replace(ALIYUN, "hunter2" * 20), "sms.aliyun: secret"),
        (FILE.replace(ALIYUN, "hunter2/" * 5), "sms.aliyun: secret"),
        (FILE.replace("[sms.aliyun]", "[sms.hunter2]"), "only aliyun and tencent"),
        (FILE + "[hunter2]\n", "only"),
        (FILE.replace("[mail]\n", "[mail]\nproxy = 1\n"), "mail: exactly"),
        ("sms = 7\n", "sms: tables"),
        (FILE.replace(push.APPID, "wxhunter2"), "named after no brand"),
        (FILE.replace(push.TOKEN, "hunter2", 1), "token"),
        (FILE.replace(push.AES_KEY, "hunter2"), "aes_key"),
        (FILE.replace(f'"{push.AES_KEY}"', "7"), "aes_key"),
        (FILE.replace(f'aes_key = "{push.AES_KEY}"', 'hunter2 = "x"'), "are needed"),
        (FILE + "hunter2 hunter2", "cannot be read"),
    ],
)
def test_whatever_is_wrong_is_refused_by_table_and_rule_and_no_value_is_repeated(tmp_path, catalogue, text, said):
    with pytest.raises(ConfigError, match=said) as problem:
        load(hooks_file(tmp_path, text), catalogue)
    assert "hunter2" not in str(problem.value) and problem.value.__context__ is None


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o666])
def test_a_file_that_others_can_read_or_write_is_refused(tmp_path, catalogue, mode):
    with pytest.raises(ConfigError, match="others"):
        load(hooks_file(tmp_path, mode=mode), catalogue)


def test_a_file_that_is_not_there_is_refused(tmp_path, catalogue):
    with pytest.raises(ConfigError, match="cannot be read"):
        load(tmp_path / "nothing.toml", catalogue)
