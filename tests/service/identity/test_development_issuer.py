"""The development issuer: made once, for its owner only, never in production, and checked like anybody's."""

import os
import stat
from datetime import timedelta
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from policies.terms import Catalogue
from service.config import Config, Mode
from service.errors import ConfigError, Unauthenticated
from service.identity.development import FILE, open_issuer
from service.identity.opening import open_verifier
from service.values import ActorKind
from tests.conftest import StillClock
from tests.service.identity.issuers import MEMBER, bearer, jwks


def issuer(home: Path, *, production: bool = False):
    return open_issuer(home, production=production, audience="menshen", chance=os.urandom)


def test_its_key_is_made_once_and_for_its_owner_only(tmp_path: Path) -> None:
    first = issuer(tmp_path / "home")
    assert stat.S_IMODE((tmp_path / "home" / FILE).stat().st_mode) == 0o600
    assert issuer(tmp_path / "home").kid == first.kid
    assert [path.name for path in (tmp_path / "home").iterdir()] == [FILE]


def test_two_homes_have_two_keys(tmp_path: Path) -> None:
    assert issuer(tmp_path / "one").kid != issuer(tmp_path / "two").kid


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o666])
def test_a_key_that_others_can_read_is_refused(tmp_path: Path, mode: int) -> None:
    issuer(tmp_path)
    (tmp_path / FILE).chmod(mode)
    with pytest.raises(ConfigError, match="others can read it"):
        issuer(tmp_path)


def test_a_key_that_is_none_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / FILE).write_text("hello")
    (tmp_path / FILE).chmod(0o600)
    with pytest.raises(ConfigError, match=FILE):
        issuer(tmp_path)


def test_it_does_not_exist_in_production(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="refused in production"):
        issuer(tmp_path, production=True)
    assert list(tmp_path.iterdir()) == []


def test_its_tokens_are_checked_like_anybodys(tmp_path: Path, catalogue: Catalogue, clock: StillClock) -> None:
    made = issuer(tmp_path)
    verifier = open_verifier(Config(home=tmp_path), roles=catalogue.roles, clock=clock, chance=os.urandom)
    hour = timedelta(hours=1)
    clerk = verifier.actor(bearer(made.issue(roles=["store_clerk"], purposes=["order_fulfilment"], now=clock(), lasts=hour)))
    assert (clerk.kind, clerk.purposes) == (ActorKind.STAFF, {"order_fulfilment"})
    member = verifier.actor(bearer(made.issue(roles=["member"], member_id=MEMBER, now=clock(), lasts=hour)))
    assert (member.kind, member.member_id) == (ActorKind.MEMBER, MEMBER)
    with pytest.raises(Unauthenticated):
        verifier.actor(bearer(made.issue(roles=["emperor"], now=clock(), lasts=hour)))


def test_it_says_aloud_that_it_is_in_use(tmp_path: Path, catalogue: Catalogue, clock: StillClock) -> None:
    with capture_logs() as logs:
        open_verifier(Config(home=tmp_path), roles=catalogue.roles, clock=clock, chance=os.urandom)
    assert [(line["event"], line["log_level"]) for line in logs] == [("development_issuer_in_use", "warning")]


def test_a_configured_issuer_takes_its_place(tmp_path: Path, catalogue: Catalogue, clock: StillClock) -> None:
    (tmp_path / "jwks.json").write_bytes(jwks())
    config = Config(home=tmp_path / "home", issuer="https://id.example.cn", jwks_file=tmp_path / "jwks.json")
    verifier = open_verifier(config, roles=catalogue.roles, clock=clock, chance=os.urandom)
    own = issuer(tmp_path / "home").issue(roles=["store_clerk"], now=clock(), lasts=timedelta(hours=1))
    with pytest.raises(Unauthenticated):
        verifier.actor(bearer(own))


@pytest.mark.parametrize("half", [{"issuer": "https://id.example.cn"}, {"jwks_file": Path("jwks.json")}])
def test_half_an_issuer_is_refused(tmp_path: Path, catalogue: Catalogue, clock: StillClock, half: dict[str, object]) -> None:
    with pytest.raises(ConfigError, match="MENSHEN_"):
        open_verifier(Config(home=tmp_path, **half), roles=catalogue.roles, clock=clock, chance=os.urandom)  # type: ignore[arg-type]


def test_production_has_no_place_for_it(tmp_path: Path, catalogue: Catalogue, clock: StillClock) -> None:
    config = Config.model_construct(mode=Mode.PRODUCTION, home=tmp_path, issuer="", jwks_file=None, audience="menshen")
    with pytest.raises(ConfigError, match="refused in production"):
        open_verifier(config, roles=catalogue.roles, clock=clock, chance=os.urandom)
