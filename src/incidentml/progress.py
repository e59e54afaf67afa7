"""Seconds by stage, and a hook through which a caller may watch them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

__all__ = ["Progress", "StageClock"]

#: Called as ``progress(stage, done, total)``; total is 0 where it is not known.
Progress = Callable[[str, int, int], None]


class StageClock:
    """Adds up wall time by stage and tells a `Progress` hook what is going on."""

    def __init__(self, progress: Progress | None = None) -> None:
        self.seconds: dict[str, float] = {}
        self._progress = progress

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Count the time of a block under `name`."""
        began = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[name] = self.seconds.get(name, 0.0) + time.perf_counter() - began

    def tell(self, stage: str, done: int, total: int) -> None:
        """Report how far a stage is."""
        if self._progress is not None:
            self._progress(stage, done, total)
