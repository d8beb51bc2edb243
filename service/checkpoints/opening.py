"""Settings become a signer and a table of what which entry waits for."""

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

from menshen_verifier.note import Key, Kind
from service.audit import grammar
from service.audit.journal import Ack
from service.checkpoints import keys
from service.checkpoints.guard import Guard
from service.checkpoints.keys import SigningKey
from service.checkpoints.model import Signer
from service.checkpoints.remote import RemoteSigner
from service.checkpoints.rotation import KeyFiles
from service.checkpoints.token import token_key
from service.config import Config
from service.errors import ConfigError, Conflict
from service.values import Chance, of_log

SETTING, SECOND = "MENSHEN_SIGNER", "MENSHEN_SIGNER_ML_DSA"
_DEVELOPMENT = "log.key"


def signer_for(config: Config, *, origin: str, chance: Chance) -> Signer:
    """The signer at MENSHEN_SIGNER; in development, without one, a key that is made in the home folder. Raises ConfigError."""
    scheme, _, rest = (config.signer or f"file:{config.home / of_log(_DEVELOPMENT, origin)}").partition(":")
    if scheme == "file" and rest and not config.production:
        return _of_files(config, Path(rest), origin=origin, chance=chance)
    if config.signer_ml_dsa:
        raise ConfigError(f"{SECOND}: only beside a key file; a signer process has its own")
    if scheme == "unix" and rest:
        return RemoteSigner(Path(rest))
    if scheme == "pkcs11":
        return TokenSigner(config.signer, origin=origin, state=config.home / of_log("log.state", origin))
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


class FileSigner(Guard):
    """See `Signer` and `Rotating`: keys in files, for development, and for the signer process."""

    def __init__(self, path: Path, *, origin: str, state: Path, second: Path | None = None, chance: Chance | None = None) -> None:
        super().__init__(origin=origin, keyring=partial(_keyring, path, second, origin), state=state)
        self.files = KeyFiles(path, origin)
        self._chance = chance

    async def prepare(self) -> Key:
        """See `Rotating`. Without chance, a key is only found and not made."""
        waits = self.files.waits() if self._chance is None else self.files.prepare(chance=self._chance)
        if waits is None:
            raise Conflict("no key waits")
        return waits

    async def activate(self) -> None:
        """See `Rotating`."""
        await self.files.activate()

    async def retire(self) -> None:
        """See `Rotating`."""
        self.files.retire()


class TokenSigner(Guard):
    """See `Signer`: the key in a token, the memory in a file of ours."""

    def __init__(self, uri: str, *, origin: str, state: Path) -> None:
        self._token = token_key(uri, origin)
        super().__init__(origin=origin, keyring=self._ring, state=state)

    async def close(self) -> None:
        """See `Signer`."""
        await self._token.close()

    async def make(self) -> None:
        """Make the key in the token. Raises Conflict where there is one."""
        await self._token.make()

    async def public(self) -> Key:
        """Its key. Raises KeyUnavailable."""
        return (await self._ring())[0].key

    async def _ring(self) -> Sequence[SigningKey]:
        if not self._token.key.public:
            await self._token.open()
        return [self._token]


async def _keyring(path: Path, second: Path | None, origin: str) -> Sequence[SigningKey]:
    found = keys.in_use(path, origin, Kind.ED25519, setting=SETTING)
    return found + (keys.in_use(second, origin, Kind.ML_DSA_44, setting=SECOND) if second else [])


def _of_files(config: Config, path: Path, *, origin: str, chance: Chance) -> FileSigner:
    if not config.signer:
        keys.make(path, Kind.ED25519, chance=chance, setting=SETTING)
    scheme, _, rest = config.signer_ml_dsa.partition(":")
    if config.signer_ml_dsa and (scheme != "file" or not rest):
        raise ConfigError(f"{SECOND}: file:PATH")
    second = Path(rest) if rest else None
    return FileSigner(path, origin=origin, state=keys.beside(path, ".state"), second=second, chance=chance)
