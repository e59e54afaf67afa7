"""Finished stages of a training, kept in a folder, so that a killed one goes on where it stopped."""

from __future__ import annotations

import hashlib
import os
import platform
from collections.abc import Callable, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

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
        self, folder: str | os.PathLike[str] | None, key: str = "", *, progress: Progress | None = None
    ) -> None:
        self._folder = None if folder is None else Path(folder) / key
        self._progress = progress

    def stage(self, name: str, make: Callable[[], FittedState]) -> FittedState:
        """Return what `make` gives, or gave in an earlier run.

        Raises
        ------
        ModelFormatError
            If the kept stage was changed since.
        """
        self._tell(name, 0)
        if self._folder is None:
            state = make()
        elif (self._folder / name).is_dir():
            state = load_state(self._folder / name)
        else:
            state = make()
            save_state(state, self._folder / name)
        self._tell(name, 1)
        return state

    def _tell(self, name: str, done: int) -> None:
        if self._progress is not None:
            self._progress(name, done, 1)


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
