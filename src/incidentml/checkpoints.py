"""Stages of a training: kept in a folder, so that a killed one goes on where it stopped; side by side if asked."""

from __future__ import annotations

import hashlib
import multiprocessing
import os
import platform
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from incidentml.errors import IncidentMLError
from incidentml.persistence import FORMAT, FittedState, load_state, save_state
from incidentml.progress import Progress

__all__ = ["Checkpoints", "training_key"]

_LIBRARIES = ("numpy", "scipy", "scikit-learn", "hdbscan", "navec", "natasha")


class Checkpoints:
    """Runs stages one after another and keeps what each gave.

    Parameters
    ----------
    folder : path-like, optional
        Gets a folder per key and in it one per stage, each put in place whole. None keeps nothing.
    key : str
        Name of everything that the stages depend on, as from `training_key`.
    progress : callable, optional
        Called as ``progress(stage, 0, 1)`` before a stage and ``progress(stage, 1, 1)`` after it.
    workers : int, default=1
        Processes for the stages that `begin` starts; with 1 they run at once, in this process.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     first = Checkpoints(folder, "key").stage("sum", lambda: FittedState("toy", {"sum": 3}))
    ...     again = Checkpoints(folder, "key").stage("sum", lambda: 1 / 0)
    >>> again.setting("sum")
    3
    """

    def __init__(
        self,
        folder: str | os.PathLike[str] | None,
        key: str = "",
        *,
        progress: Progress | None = None,
        workers: int = 1,
    ) -> None:
        self._folder = None if folder is None else Path(folder) / key
        self._progress = progress
        self._workers = workers
        self._pool: ProcessPoolExecutor | None = None

    def __enter__(self) -> Self:
        """Start the processes, if there is to be more than one."""
        if self._workers > 1:
            # A fork would copy locks that threads of BLAS may hold; a fresh process has none.
            spawn = multiprocessing.get_context("spawn")
            self._pool = ProcessPoolExecutor(self._workers, mp_context=spawn, initializer=_end_with_parent)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the processes."""
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)
            self._pool = None

    def begin(self, name: str, work: Callable[..., FittedState], *arguments: Any) -> Callable[[], FittedState]:
        """Start a stage, in another process if there are any; what is returned waits for what it gives.

        Parameters
        ----------
        name : str
        work : callable
            Of a module, so that another process can find it.
        *arguments : object

        Raises
        ------
        IncidentMLError
            From what is returned, if the process dies.
        """
        if self._pool is None:
            state = self.stage(name, lambda: work(*arguments))
            return lambda: state
        self._tell(name, 0)
        found = self._pool.submit(_on_one_core, self._folder, name, work, *arguments)

        def wait() -> FittedState:
            try:
                state = found.result()
            except BrokenProcessPool as error:
                raise IncidentMLError(
                    f"the process of the stage {name!r} died (out of memory, or a script without "
                    '`if __name__ == "__main__":`); train with workers=1'
                ) from error
            self._tell(name, 1)
            return state

        return wait

    def stage(self, name: str, make: Callable[[], FittedState]) -> FittedState:
        """Return what `make` gives, or gave in an earlier run.

        Raises
        ------
        ModelFormatError
            If the kept stage was changed since.
        """
        self._tell(name, 0)
        state = _made(self._folder, name, make)
        self._tell(name, 1)
        return state

    def _tell(self, name: str, done: int) -> None:
        if self._progress is not None:
            self._progress(name, done, 1)


def _made(folder: Path | None, name: str, make: Callable[[], FittedState]) -> FittedState:
    if folder is None:
        return make()
    if (folder / name).is_dir():
        return load_state(folder / name)
    state = make()
    save_state(state, folder / name)
    return state


def _end_with_parent() -> None:
    """Watch the process that started this one: it may be killed, and nobody waits for the stage then."""

    def watch() -> None:
        if (parent := multiprocessing.parent_process()) is not None:
            parent.join()
            os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def _on_one_core(folder: Path | None, name: str, work: Callable[..., FittedState], *arguments: Any) -> FittedState:
    from threadpoolctl import threadpool_limits

    with threadpool_limits(limits=1):
        return _made(folder, name, lambda: work(*arguments))


def training_key(data: Sequence[object]) -> str:
    """Name a training: its data (by their `repr`), the code and data of this library, and the versions below it.

    Examples
    --------
    >>> training_key(["a"]) == training_key(["a"]), training_key(["a"]) == training_key(["b"])
    (True, False)
    """
    digest = hashlib.sha256(f"{FORMAT} {platform.python_version()} {platform.machine()}".encode())
    for name in _LIBRARIES:
        digest.update(f" {name} {_version(name)}".encode())
    package = Path(__file__).parent
    for folder in (package, *(package / part for part in _parts(package))):
        for file in sorted(entry for entry in folder.iterdir() if entry.is_file()):
            digest.update(f"\0{file.relative_to(package).as_posix()}\0".encode() + file.read_bytes())
    for item in data:
        digest.update(f"\0{item!r}".encode("utf-8", "surrogatepass"))
    return digest.hexdigest()[:16]


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:  # an extra that is not installed
        return "absent"


def _parts(package: Path) -> list[str]:
    """Return the folders of the library, without the models that ship in the wheel and without compiled files."""
    return sorted(
        entry.name for entry in package.iterdir() if entry.is_dir() and entry.name not in ("models", "__pycache__")
    )
