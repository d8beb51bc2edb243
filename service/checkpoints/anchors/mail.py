"""The checkpoint by mail, to compliance and to the auditor outside: one mail that somebody kept is enough to convict a rewrite."""

import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from service.checkpoints.anchors.model import Deposit, Undeposited
from service.values import utc_text

Post = Callable[[str, str, str, str], Awaitable[str]]
"""Hands over one mail (its name, to whom, subject, text), signed with the domain's key; a code, empty when it was taken."""


@dataclass(frozen=True, slots=True)
class Mailing:
    """Mailboxes outside the reach of whoever runs this service."""

    kind: str
    every: timedelta
    to: Sequence[str]
    post: Post = field(repr=False)

    async def deposit(self, deposit: Deposit, now: datetime) -> bytes:
        """See `Anchor`: the receipt names the mails that were taken, in JSON. All of them must be."""
        subject = f"审计日志检查点 Audit log checkpoint: {deposit.origin} {deposit.size}"
        taken = {}
        for number, address in enumerate(self.to):
            name = f"checkpoint-{deposit.size}-{utc_text(now).replace(':', '').replace('.', '')}-{number}"
            if code := await self.post(name, address, subject, _TEXT.format(note=deposit.note)):
                raise Undeposited(code)
            taken[name] = address
        return json.dumps({"mails": sorted(taken)}).encode()

    async def close(self) -> None:
        """Nothing is held open."""


_TEXT = """请妥善保存此邮件。它证明：日志在此时已有这些条目，此后不得更改。
Keep this mail. It shows what the log held by now; nobody can change that any more without being found out by it.

{note}（完 End）
"""
