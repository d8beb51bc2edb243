"""Raw cryptography can hurt in ways that no test of the result shows: it works just as well when it protects nothing.

So it stands behind a fence. Only `vault`, `audit` and `identity` may come in (import contract "Hazmat is fenced"), and
every docstring here begins with the harm: a nonce used twice, a digest compared byte by byte, a key with two uses.
"""

from typing import NoReturn, SupportsIndex


class Unspoken:
    """A key that can be printed will be, and one that can be serialised ends in a queue, a cache or a bug report.

    So what holds a key shows its type and nothing else (`repr`), and cannot be pickled or copied.
    """

    __slots__ = ()

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"

    def __reduce_ex__(self, _protocol: SupportsIndex) -> NoReturn:
        """Raises TypeError, for pickle and copy alike."""
        raise TypeError(f"{type(self).__name__} stays in this process")
