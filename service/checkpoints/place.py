"""Where the signer's socket lies: in a folder that nobody else may write to, as sshd has it with its strict modes.

How this can hurt: whoever may write to the folder puts a socket of their own in the place of the signer's, before it starts or after taking
its away. They can sign nothing, for they have no key; but the log stops, and with it every answer.
"""

import os
import stat
from pathlib import Path

_OTHERS = stat.S_IWGRP | stat.S_IWOTH


def unfit(folder: Path, *, own: bool) -> str:
    """Why a socket in this folder is not one to listen at or to ask, or "". `own`: it must be this account's, or root's.

    Folders above it may be others' to write to only where that does not let them rename what is not theirs (the sticky bit of /tmp); then
    what lies below must be ours. Raises OSError.
    """
    ours = {0, os.geteuid()}
    place = folder.resolve(strict=True)
    if place.stat().st_mode & _OTHERS:
        return f"others may write to {place} (chmod go-w)"
    if own and place.stat().st_uid not in ours:
        return f"{place} belongs to another account"
    for inner, outer in zip((place, *place.parents), place.parents, strict=False):
        mode = outer.stat().st_mode
        if mode & _OTHERS and not mode & stat.S_ISVTX:
            return f"others may write to {outer} (chmod go-w)"
        if mode & _OTHERS and inner.stat().st_uid not in ours:
            return f"{inner} belongs to another account, where everybody may make folders"
    return ""
