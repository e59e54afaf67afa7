"""Long work without Python's collector of cyclic garbage, which walks through all that is held again and again."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["collector_paused"]


@contextmanager
def collector_paused() -> Iterator[None]:
    """Keep the collector still during a block that makes many objects and hardly any cycles.

    A state of 100,000 posts is millions of objects. Each full collection looks at all of them and finds nothing:
    without the pause that is a seventh of the time of an update, and the more the larger the state. What the block
    itself left over is looked at when it ends.

    Examples
    --------
    >>> with collector_paused():
    ...     gc.isenabled()
    False
    >>> gc.isenabled()
    True
    """
    if not gc.isenabled():  # somebody else has turned it off, and will turn it on
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
        gc.collect(1)
