"""A test that leaves a thread running fails: an open connection behind it would keep the whole run from ending.

(aiosqlite works in a thread of its own that Python waits for at exit, so one connection that is never closed hangs CI until it is killed.)
"""

import os
import sys
import threading
from collections.abc import Generator

import pytest

_PATIENCE_SECONDS = 2.0
_before = pytest.StashKey[set[threading.Thread]]()


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Remember who was running before the test and its fixtures began."""
    item.stash[_before] = set(threading.enumerate())
    return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Once the test and its fixtures are over, nobody new may be running."""
    report = yield
    if report.when == "teardown" and report.passed:
        left = left_running(item.stash[_before])
        if left:
            report.outcome = "failed"
            report.longrepr = f"left running: {', '.join(sorted(left))}: something was opened and not closed"
    return report


def left_running(before: set[threading.Thread]) -> list[str]:
    """The names of the threads that Python would wait for at exit, and that were not there before."""
    new = [thread for thread in threading.enumerate() if thread not in before and not thread.daemon]
    for thread in new:
        thread.join(_PATIENCE_SECONDS)
    return [thread.name for thread in new if thread.is_alive()]


@pytest.hookimpl(trylast=True)
def pytest_unconfigure(config: pytest.Config) -> None:
    """The tests that left something have been told. The run ends all the same."""
    session = config.stash.get(_session, None)
    if session is not None and left_running({threading.main_thread()}):
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(int(session.exitstatus))


_session = pytest.StashKey[pytest.Session]()


def pytest_sessionstart(session: pytest.Session) -> None:
    """Keep the session, for its exit status."""
    session.config.stash[_session] = session
