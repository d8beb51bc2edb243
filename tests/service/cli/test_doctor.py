"""`menshen doctor` before a release: every file of the deployment is read as the server would read it."""

import pytest

from tests.journeys.servers import environment, menshen
from tests.service.inbound.outside import MAIL, hooks_file
from tests.service.senders.house import senders_file
from tests.service.senders.vendors import SECRET


@pytest.fixture
def settings(sqlite_url, tmp_path):
    files = {"MENSHEN_SENDERS": senders_file(tmp_path, living_email="2525"), "MENSHEN_HOOKS": hooks_file(tmp_path)}
    return environment(tmp_path / "home", sqlite_url, **{name: str(path) for name, path in files.items()})


def test_a_deployment_that_sends_and_listens_stands(settings):
    done = menshen(settings, "doctor")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "✔ senders: ok" in done.stdout and "✔ hooks: ok" in done.stdout


@pytest.mark.parametrize(("name", "secret"), [("senders", SECRET), ("hooks", MAIL)])
def test_a_file_that_the_server_would_refuse_is_named_and_none_of_it_shown(settings, tmp_path, name, secret):
    (tmp_path / f"{name}.toml").write_text(f'[unheard_of]\nsecret = "{secret}"\n', "utf-8")
    done = menshen(settings, "doctor")
    assert done.returncode == 1
    assert f"MENSHEN_{name.upper()}: " in done.stdout
    assert secret not in done.stdout + done.stderr
