"""Stretches examined side by side, each by a process that has loaded the verifier and nothing else.

multiprocessing would load the main module anew in each of them: behind `menshen audit verify` that is the whole service, two seconds of a
core before the first entry. These are begun with what an examination needs, take one task after another on their standard input, and end
when it ends, however their parent did.
"""

import pickle
import signal
import subprocess
import sys
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from queue import SimpleQueue
from typing import BinaryIO

from menshen_verifier.errors import Malformed
from menshen_verifier.stretch import Stretch, Task, examined

_BEGIN = (
    "import sys; sys.path[:] = {path!r}; from menshen_verifier.workers import serve; serve(sys.stdin.buffer, sys.stdout.buffer)"
)


def side_by_side(tasks: Iterable[Task], processes: int, *, python: str = sys.executable) -> Iterator[Stretch]:
    """The stretches in the order of their tasks. Never more of them are under way than can be held in little memory. `python` is the
    interpreter that the processes run.

    Raises OSError, Malformed where one cannot be examined.
    """
    with ExitStack() as stack:
        idle: SimpleQueue[_Worker] = SimpleQueue()
        for _ in range(processes):
            idle.put(_Worker(stack, python))
        threads = ThreadPoolExecutor(processes)
        stack.callback(threads.shutdown, cancel_futures=True)
        running: deque[Future[Stretch]] = deque()
        for task in tasks:
            running.append(threads.submit(_given, idle, task))
            if len(running) > 2 * processes:
                yield running.popleft().result()
        while running:
            yield running.popleft().result()


def serve(tasks: BinaryIO, found: BinaryIO) -> None:
    """What a worker does until there is no further task. A task comes from the process that began this one, and from nobody else."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent hears it, and ends this one
    while True:
        try:
            task = pickle.load(tasks)  # noqa: S301 - see above
        except EOFError:
            return
        try:
            result: Stretch | Exception = examined(task)
        except (OSError, Malformed) as problem:
            result = problem
        pickle.dump(result, found, pickle.HIGHEST_PROTOCOL)
        found.flush()


class _Worker:
    """One process, ended with the stack."""

    def __init__(self, stack: ExitStack, python: str) -> None:
        self._python = python
        begin = [python, "-c", _BEGIN.format(path=sys.path)]
        self._process = subprocess.Popen(begin, stdin=subprocess.PIPE, stdout=subprocess.PIPE)  # noqa: S603 - ourselves
        stack.callback(self._ended)

    def examined(self, task: Task) -> Stretch:
        into, out = self._process.stdin, self._process.stdout
        assert into is not None
        assert out is not None
        try:
            pickle.dump(task, into, pickle.HIGHEST_PROTOCOL)
            into.flush()
            found = pickle.load(out)  # noqa: S301 - our own process
        except (EOFError, BrokenPipeError, pickle.UnpicklingError):
            raise ChildProcessError(None, "a process of the verifier ended", self._python) from None
        if isinstance(found, Exception):
            raise found
        return found  # type: ignore[no-any-return]

    def _ended(self) -> None:
        self._process.kill()
        self._process.communicate()


def _given(idle: "SimpleQueue[_Worker]", task: Task) -> Stretch:
    worker = idle.get()
    try:
        return worker.examined(task)
    finally:
        idle.put(worker)
