"""Long tests first. Each of several processes begins with an equal part of the collection and takes from the others when its own is done: a
test of half a minute that is begun last keeps one of them at work while the others have nothing left.
"""

import os
from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import TypeVar

import pytest

Item = TypeVar("Item")
_BEGINNERS = {"tests.journeys.servers", "tests.plugins.nursery", "tests.journeys.storm", "tests.attacks.house"}
_LONG = (
    "tests/service/archive/",
    "tests/policies/test_fail_closed.py",
    "tests/service/inspection/test_searching.py",
    "tests/verifier/test_str",
)


def dealt(items: Sequence[Item], long: Callable[[Item], object], shares: int) -> list[Item]:
    """The same items so that each share begins with its part of the long ones. What `long` names alike (a module's tests, which may have made
    something together) stays together; all others keep their order.
    """
    groups: dict[object, list[Item]] = defaultdict(list)
    for item in items:
        groups[long(item)].append(item)
    others = groups.pop(None, [])
    heads: list[list[Item]] = [[] for _ in range(shares)]
    for group in sorted(groups.values(), key=len, reverse=True):
        min(heads, key=len).extend(group)
    made: list[Item] = []
    for number, head in enumerate(heads):
        room = max(0, (len(items) - len(made)) // (shares - number) - len(head))
        made += head + others[:room]
        others = others[room:]
    return made + others


def _long(item: pytest.Item) -> str | None:
    """The module of a test that is known to take long, or may begin processes of its own."""
    if item.get_closest_marker("last"):
        return None
    module = getattr(item, "module", None)
    begins = any(getattr(value, "__module__", None) in _BEGINNERS for value in vars(module).values()) if module else False
    return item.path.as_posix() if begins or item.nodeid.startswith(_LONG) else None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Only where several processes share the work: alone, every order takes as long."""
    if shares := int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "0")):
        known = {item.nodeid: _long(item) for item in items}
        items[:] = dealt(items, lambda item: known[item.nodeid], shares)
