"""Processes that hold the fitted stages: one pool, kept for the next call with the same stages."""

from __future__ import annotations

import gc
import multiprocessing
import pickle
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.util import Finalize
from pathlib import Path
from typing import IO, Any

from incidentml.errors import IncidentMLError

__all__ = ["close", "in_processes", "running", "spread_over", "stages"]


@dataclass(frozen=True)
class _Pool:
    """Processes that have read the stages from a file of ours."""

    stages: Any
    workers: int
    file: IO[bytes]
    executor: ProcessPoolExecutor


_kept: _Pool | None = None
_stages: Any = None


def running(stages: object, workers: int) -> bool:
    """Tell whether so many processes with these stages have been started."""
    return _kept is not None and (_kept.stages, _kept.workers) == (stages, workers)


def in_processes(stages: object, workers: int, work: Callable[..., Any], *columns: Sequence[Any]) -> Iterator[Any]:
    """Apply a function to rows of `columns`, like `map`; in a process, `stages` gives it what was passed here.

    Parameters
    ----------
    stages : object
        What `work` needs, fitted; handed over once.
    workers : int
    work : callable
        Of a module, so that another process can find it.
    *columns : sequence

    Yields
    ------
    object
        The results, in order; the processes go on with the next while one is looked at.

    Raises
    ------
    IncidentMLError
        If a process dies.
    """
    with _alive(workers):
        yield from _pool(stages, workers).map(work, *columns)


def spread_over(stages: object, workers: int) -> Callable[[Callable[[Any], Any], Sequence[Any]], Iterable[Any]]:
    """Return what applies a function to many jobs, like `map`: in the processes, if these run by then."""

    def spread(work: Callable[[Any], Any], jobs: Sequence[Any]) -> Iterable[Any]:
        if not running(stages, workers):
            return map(work, jobs)
        with _alive(workers):
            parts = _pool(stages, workers).map(work, jobs, chunksize=max(1, len(jobs) // (4 * workers)))
        return collected(parts)

    def collected(parts: Iterable[Any]) -> Iterator[Any]:
        with _alive(workers):
            yield from parts

    return spread


def stages() -> Any:
    """Return, in a process of the pool, the stages that it holds."""
    return _stages


def close() -> None:
    """End the processes; the next call starts new ones."""
    global _kept  # noqa: PLW0603
    if _kept is not None:
        _kept.executor.shutdown(cancel_futures=True)
        _kept.file.close()
        _kept = None


@contextmanager
def _alive(workers: int) -> Iterator[None]:
    """Tell in plain words that a process has died."""
    try:
        yield
    except BrokenProcessPool as error:
        close()
        raise IncidentMLError(
            f"one of {workers} reading processes died (out of memory, or a script without "
            '`if __name__ == "__main__":`); use workers=1, or fewer of them'
        ) from error


def _pool(stages: object, workers: int) -> ProcessPoolExecutor:
    global _kept  # noqa: PLW0603
    if not running(stages, workers):
        close()
        # A fork would copy locks that threads of BLAS may hold; a fresh process has none. The stages go through a
        # file: what a new process is given at its start waits for ever in a full pipe if that process dies.
        file = tempfile.NamedTemporaryFile(prefix="incidentml-")  # noqa: SIM115
        pickle.dump(stages, file)
        file.flush()
        spawn = multiprocessing.get_context("spawn")
        executor = ProcessPoolExecutor(workers, mp_context=spawn, initializer=_start, initargs=(file.name,))
        _kept = _Pool(stages, workers, file, executor)
        # Before the children of a process are waited for, in a main process and in one of a user's own pool.
        Finalize(None, close, exitpriority=100)
    assert _kept is not None
    return _kept.executor


def _start(file: str) -> None:
    global _stages  # noqa: PLW0603
    from threadpoolctl import threadpool_limits

    threadpool_limits(limits=1)  # one core each
    _stages = pickle.loads(Path(file).read_bytes())  # from our own parent; never from a model folder
    gc.freeze()  # what is held for good need not be looked at again
