"""Settings become a signer and a table of what which entry waits for."""

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

from menshen_verifier.note import Kind
from service.audit import grammar
from service.audit.journal import Ack
from service.checkpoints import keys
from service.checkpoints.guard import Guard
from service.checkpoints.keys import SigningKey
from service.checkpoints.model import Signer
from service.checkpoints.remote import RemoteSigner
from service.config import Config
from service.errors import ConfigError
from service.values import Chance

SETTING, SECOND = "MENSHEN_SIGNER", "MENSHEN_SIGNER_ML_DSA"
_DEVELOPMENT = "log.key"


def signer_for(config: Config, *, origin: str, chance: Chance) -> Signer:
    """The signer at MENSHEN_SIGNER; in development, without one, a key that is made in the home folder. Raises ConfigError."""
    scheme, _, rest = (config.signer or f"file:{config.home / _DEVELOPMENT}").partition(":")
    if scheme == "file" and rest and not config.production:
        return _of_files(config, Path(rest), origin=origin, chance=chance)
    if scheme == "unix" and rest:
        return RemoteSigner(Path(rest))
    raise ConfigError(f"{SETTING}: unix:PATH, pkcs11:…, or in development file:PATH")


def acks_for(config: Config, *, witnesses: bool) -> Mapping[str, Ack]:
    """What an entry waits for, by type or `type/operation`: what leaves the house or ends for good waits for the strongest there is.

    Raises ConfigError for a word that is none, and for witnesses that nobody has named.
    """
    strongest = Ack.WITNESSED if witnesses else Ack.SIGNED
    found = {"export": strongest, "erase": strongest}
    for part in filter(None, (part.strip() for part in config.ack.split(","))):
        what, _, word = part.partition("=")
        if what.partition("/")[0] not in grammar.TYPES or word not in set(Ack):
            raise ConfigError("MENSHEN_ACK: TYPE=committed|signed|witnessed or TYPE/OPERATION=…, separated by commas")
        if word == Ack.WITNESSED and not witnesses:
            raise ConfigError("MENSHEN_ACK: witnessed needs MENSHEN_WITNESSES")
        found[what] = Ack(word)
    return found


def guarded_files(path: Path, *, second: Path | None, state: Path, origin: str) -> Guard:
    """The key at `path`, and the ML-DSA-44 key at `second`, behind one guard."""
    return Guard(origin=origin, keyring=partial(_keyring, path, second, origin), state=state)


async def _keyring(path: Path, second: Path | None, origin: str) -> Sequence[SigningKey]:
    found = keys.in_use(path, origin, Kind.ED25519, setting=SETTING)
    return found + (keys.in_use(second, origin, Kind.ML_DSA_44, setting=SECOND) if second else [])


def _of_files(config: Config, path: Path, *, origin: str, chance: Chance) -> Guard:
    if not config.signer:
        keys.make(path, Kind.ED25519, chance=chance, setting=SETTING)
    scheme, _, rest = config.signer_ml_dsa.partition(":")
    if config.signer_ml_dsa and (scheme != "file" or not rest):
        raise ConfigError(f"{SECOND}: file:PATH")
    second = Path(rest) if rest else None
    return guarded_files(path, second=second, state=keys.beside(path, ".state"), origin=origin)
