"""Configuration: the only reader of the environment.

Every setting is an environment variable with the prefix MENSHEN_ (or a file named by the same variable with _FILE behind it, as
container secrets come). An unknown MENSHEN_ variable is refused: a mistyped setting must not silently leave a default in force.
"""

import os
import stat
import tomllib
from enum import StrEnum
from pathlib import Path
from typing import Any, Self

from pydantic import Field, ValidationError, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from service.errors import ConfigError

PREFIX = "MENSHEN_"
_OUTSIDE = frozenset({"MENSHEN_TEST_DATABASE_URL"})
"""Read by the test suite, not by the service."""


class Mode(StrEnum):
    """DEVELOPMENT makes its own key, issuer and database and says so aloud; PRODUCTION refuses all three."""

    DEVELOPMENT = "development"
    PRODUCTION = "production"


class Suite(StrEnum):
    """Which ciphers seal new values: AES-256-GCM with SHA-256, or SM4-GCM with SM3 (国密)."""

    AES = "aes"
    SM = "sm"


class Config(BaseSettings):
    """What this instance was told. Built once, in `Config.load`, and passed down."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="forbid", secrets_dir=None)

    mode: Mode = Field(Mode.DEVELOPMENT, description="development or production")
    home: Path = Field(
        Path(".menshen"), description="Folder for what this instance remembers: keys in development, the audit head"
    )
    database_url: str = Field("", description="sqlite:///path or postgresql+psycopg://…; empty: SQLite in the home folder")
    database_pool: int = Field(8, ge=1, le=100, description="Connections for requests")
    transaction_pooler: bool = Field(
        default=False, description="A pooler in transaction mode (PgBouncer) stands before PostgreSQL"
    )
    policies: Path | None = Field(None, description="Folder of the policy in force; empty: the catalogue that ships")
    kms_uri: str = Field("", description="Master key: local:PATH, pkcs11:…; empty: a development key in the home folder")
    suite: Suite = Field(Suite.AES, description="aes or sm")
    origin: str = Field("", description="Name of the audit log, without a scheme; empty: <controller id>/audit")
    signer: str = Field(
        "", description="Who signs checkpoints: unix:PATH, pkcs11:…, file:PATH in development; empty: a key in the home folder"
    )
    signer_ml_dsa: str = Field(
        "", description="file:PATH of a second log key, ML-DSA-44, in development; a signer process has its own"
    )
    ack: str = Field(
        "",
        description="What entries wait for: TYPE=committed|signed|witnessed, by commas; export and erase: the strongest there is",
    )
    issuer: str = Field("", description="Whose tokens are accepted (iss); empty: the development issuer")
    audience: str = Field("menshen", description="What tokens must be made for (aud)")
    jwks_file: Path | None = Field(None, description="The issuer's public keys, as a JWKS file")
    audit_months: int = Field(
        36, ge=6, le=600, description="Months after which archived entries may be pruned; 6 at least (CSL 23(3))"
    )
    worker: bool = Field(default=True, description="on: serving also does queued work; off: `menshen work` does")
    recipients: Path | None = Field(None, description="TOML file with where recipients are told of withdrawals, and the secrets")
    senders: Path | None = Field(
        None, description="TOML file with where mail, SMS, WeChat and calls are handed over, and the keys"
    )
    witnesses: Path | None = Field(None, description="TOML file with the witnesses that cosign this log, and how many must")
    anchors: Path | None = Field(None, description="TOML file with where checkpoints are left every hour or day")
    hooks: Path | None = Field(None, description="TOML file with the secrets of the addresses that vendors deliver to")
    alarms: Path | None = Field(None, description="TOML file with who is told of alarms by mail or webhook, and from when on")
    retry_seconds: int = Field(30, ge=1, le=3600, description="Pause before a job's second try; it doubles with each one")
    retry_cap_seconds: int = Field(3600, ge=60, le=86400, description="The longest pause between a job's tries")
    host: str = Field("127.0.0.1", description="Address to listen on")
    port: int = Field(8600, ge=0, le=65535, description="Port to listen on")
    public_url: str = Field(
        "",
        pattern=r"^(https?://[^/?#\s]+(/[^?#\s]*)?)?$",
        description="Where members and strangers reach this service, for permanent links; empty: http://<host>:<port>",
    )
    allowed_origins: str = Field("", description="Web origins that may call from a browser, separated by commas")
    log_level: str = Field("info", pattern="^(debug|info|warning|error)$", description="debug, info, warning or error")

    @classmethod
    def load(cls) -> Self:
        """Read the environment. Raises ConfigError naming the settings that are wrong, never their values."""
        _refuse_unknown(set(cls.model_fields))
        try:
            return cls(**_from_files())
        except ValidationError as problem:
            wrong = ", ".join(
                f"{PREFIX}{str(error['loc'][0]).upper()}: {error['msg']}" if error["loc"] else error["msg"]
                for error in problem.errors()
            )
            raise ConfigError(wrong) from None

    @model_validator(mode="after")
    def _fit_for_production(self) -> Self:
        """Production refuses whatever a developer's convenience would leave open, and names all of it."""
        if self.mode is not Mode.PRODUCTION:
            return self
        found = [
            (not self.database_url or self.database_url.startswith("sqlite"), "DATABASE_URL: PostgreSQL is needed in production"),
            (not self.kms_uri or self.kms_uri.startswith("local:"), "KMS_URI: a local key file is a development key"),
            (not self.issuer or self.jwks_file is None, "ISSUER, JWKS_FILE: the development issuer is refused in production"),
            (self.policies is None, "POLICIES: the shipped catalogue names an invented controller; give your own folder"),
            (not self.origin, "ORIGIN: the audit log needs a name of its own"),
            (
                not self.signer or self.signer.startswith("file:"),
                "SIGNER: the log's key lies in a process of its own (unix:PATH) or in a token (pkcs11:…)",
            ),
            (not self.public_url.startswith("https://"), "PUBLIC_URL: notices are read at an https address, for ever"),
        ]
        problems = [PREFIX + reason for wrong, reason in found if wrong]
        if problems:
            raise ValueError("; ".join(problems))
        return self

    @property
    def production(self) -> bool:
        """Whether this is production mode."""
        return self.mode is Mode.PRODUCTION

    @property
    def database(self) -> str:
        """The database's URL, the default filled in."""
        return self.database_url or f"sqlite:///{self.home / 'menshen.db'}"

    @property
    def public(self) -> str:
        """Where this service is reached from outside, the default filled in."""
        return self.public_url.rstrip("/") or f"http://{self.host}:{self.port}"

    @property
    def kms(self) -> str:
        """The master key's URI, the default filled in."""
        return self.kms_uri or f"local:{self.home / 'development.key'}"


def _refuse_unknown(known: set[str]) -> None:
    names = {name for name in os.environ if name.startswith(PREFIX)} - _OUTSIDE
    unknown = sorted(
        name
        for name in names
        if name.removeprefix(PREFIX).removesuffix("_FILE").lower() not in known and name.removeprefix(PREFIX).lower() not in known
    )
    if unknown:
        raise ConfigError(f"unknown settings: {', '.join(unknown)}")


def _from_files() -> dict[str, Any]:
    """Values of MENSHEN_X_FILE variables, for settings whose own name does not end so."""
    found: dict[str, Any] = {}
    for name, path in os.environ.items():
        setting = name.removeprefix(PREFIX).removesuffix("_FILE").lower()
        if name.startswith(PREFIX) and name.endswith("_FILE") and setting in Config.model_fields:
            try:
                found[setting] = Path(path).read_text().strip()
            except OSError as problem:
                raise ConfigError(f"{name}: {problem.strerror}") from None
    return found


def private_bytes(path: Path, setting: str) -> bytes:
    """A file of the deployment that only its owner can read, such as a key. Raises ConfigError naming the setting, never a value."""
    try:
        # Opened once and asked through the descriptor: between a look at the path and the reading it might become another file.
        with path.open("rb") as file:
            found = os.fstat(file.fileno())
            if stat.S_ISREG(found.st_mode) and not stat.S_IMODE(found.st_mode) & 0o077:
                return file.read()
    except OSError:
        raise ConfigError(f"{setting}: the file cannot be read") from None
    raise ConfigError(f"{setting}: others than the owner can read or write the file, and it holds secrets")


def private_toml(path: Path, setting: str) -> dict[str, Any]:
    """The same, as TOML. Raises ConfigError."""
    try:
        return tomllib.loads(private_bytes(path, setting).decode())
    except ValueError:
        pass
    # Outside the handler: a parser's error quotes the line, and the line may be the secret.
    raise ConfigError(f"{setting}: the file cannot be read as TOML")
