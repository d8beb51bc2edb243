"""A bucket with Object Lock in compliance mode (S3 and what speaks like it): until the date, nobody can delete it, its owner included.

How this can hurt: a bucket without a lock takes the object all the same. So the lock is asked for again before it counts as a receipt.
"""

import asyncio
import json
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from hashlib import sha256
from typing import Any, Protocol

from service.checkpoints.anchors.model import Deposit, Undeposited
from service.errors import ConfigError
from service.values import utc_text

SECONDS = 10
_COMPLIANCE = "COMPLIANCE"

# At their debug level they write requests, with what signs them.
for _library in ("boto3", "botocore", "s3transfer", "urllib3"):
    logging.getLogger(_library).setLevel(logging.WARNING)


class S3(Protocol):
    """What is used of boto3's client."""

    def put_object(self, **given: object) -> Mapping[str, Any]:
        """Write an object."""

    def head_object(self, **given: object) -> Mapping[str, Any]:
        """How it is kept."""

    def close(self) -> None:
        """Let go of connections."""


@dataclass(frozen=True, slots=True)
class Bucket:
    """One bucket. `client` is boto3's; `days` is how long an object stays."""

    kind: str
    every: timedelta
    name: str
    prefix: str
    days: int
    client: S3 = field(repr=False)

    async def deposit(self, deposit: Deposit, now: datetime) -> bytes:
        """See `Anchor`: the receipt names bucket, object, version, SHA-256 and the end of the lock, in JSON."""
        return await asyncio.to_thread(self._put, deposit, now)

    async def close(self) -> None:
        """See `Anchor`."""
        self.client.close()

    def _put(self, deposit: Deposit, now: datetime) -> bytes:
        content, until = deposit.note.encode(), now + timedelta(days=self.days)
        place = {"Bucket": self.name, "Key": f"{self.prefix}checkpoint-{deposit.size}-{utc_text(now)}.txt"}
        put = self._call(
            partial(
                self.client.put_object,
                **place,
                Body=content,
                ContentType="text/plain; charset=utf-8",
                ChecksumAlgorithm="SHA256",
                ObjectLockMode=_COMPLIANCE,
                ObjectLockRetainUntilDate=until,
            )
        )
        version = put.get("VersionId")
        if not version:
            raise Undeposited("NOT_LOCKED")
        self._locked(place | {"VersionId": version}, until)
        told = {"bucket": self.name, "object": place["Key"], "version": version, "until": utc_text(until)}
        return json.dumps(told | {"sha256": sha256(content).hexdigest()}).encode()

    def _locked(self, place: dict[str, str], until: datetime) -> None:
        found = self._call(partial(self.client.head_object, **place))
        kept = found.get("ObjectLockRetainUntilDate")
        if found.get("ObjectLockMode") != _COMPLIANCE or kept is None or kept < until - timedelta(seconds=1):
            raise Undeposited("NOT_LOCKED")

    def _call(self, call: Callable[[], Mapping[str, Any]]) -> Mapping[str, Any]:
        from boto3.exceptions import Boto3Error
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            return call()
        except ClientError as problem:
            status = problem.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
            raise Undeposited(f"STATUS_{status}") from None
        except (BotoCoreError, Boto3Error, OSError, ValueError):
            raise Undeposited("UNREACHABLE") from None


def client(*, url: str, region: str, key_id: str, secret: str) -> S3:
    """boto3's client for one place, with the keys that it is given and no others. Raises ConfigError where the extra `s3` is missing."""
    try:
        from boto3.session import Session
        from botocore.config import Config
    except ImportError:
        raise ConfigError("MENSHEN_ANCHORS: s3 needs boto3: install menshen[s3]") from None
    how = Config(
        connect_timeout=SECONDS,
        read_timeout=SECONDS,
        retries={"max_attempts": 2},
        proxies={},
        s3={"addressing_style": "path"},
    )
    session = Session(aws_access_key_id=key_id, aws_secret_access_key=secret, region_name=region)
    made: S3 = session.client("s3", endpoint_url=url, config=how)
    return made
