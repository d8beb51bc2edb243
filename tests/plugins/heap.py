"""What was imported and collected stays until the end: the garbage collector need not walk through it again and again, a tenth of the suite's
time.
"""

import gc

_YOUNG = 50_000
"""New objects between two looks; Python's own 700 are for programs that live in less memory."""


def pytest_collection_finish() -> None:
    """Everything up to now is out of the collector's sight."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(_YOUNG, 10, 10)
