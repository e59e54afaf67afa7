"""Seconds by stage, and a hook through which a caller may watch them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

__all__ = ["Progress", "StageClock"]

#: Called as ``progress(stage, done, total)``; total is 0 where it is not known.
Progress = Callable[[str, int, int], None]


class StageClock:
    """Adds up wall time by stage and tells a `Progress` hook what is going on.

    While a stage runs inside another, the time counts for the inner one alone.
    """

    def __init__(self, progress: Progress | None = None) -> None:
        self.seconds: dict[str, float] = {}
        self._progress = progress
        self._open: list[str] = []
        self._since = 0.0

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Count the time of a block under `name`."""
        self._count()
        self._open.append(name)
        try:
            yield
        finally:
            self._count()
            self._open.pop()

    def add(self, seconds: Mapping[str, float]) -> None:
        """Add time that was measured elsewhere."""
        for name, value in seconds.items():
            self.seconds[name] = self.seconds.get(name, 0.0) + value

    def _count(self) -> None:
        now = time.perf_counter()
        if self._open:
            self.add({self._open[-1]: now - self._since})
        self._since = now

    def tell(self, stage: str, done: int, total: int) -> None:
        """Report how far a stage is."""
        if self._progress is not None:
            self._progress(stage, done, total)
