"""Where models live: ``name@version`` to a folder, and `load`."""

from __future__ import annotations

import hashlib
import os
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from incidentml.errors import ModelFormatError
from incidentml.persistence import MANIFEST
from incidentml.pipeline import IncidentPipeline

__all__ = ["DEFAULT_MODEL", "ModelInfo", "find", "load", "models", "split_name", "user_root"]

#: The model that `load()` takes: it ships in the wheel and does the whole job.
DEFAULT_MODEL = "ru-base"

_NAME = re.compile(r"(?P<name>[a-z0-9][a-z0-9._-]{0,63})(?:@(?P<version>\d+\.\d+\.\d+))?")


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """One installed model folder.

    Attributes
    ----------
    name, version : str
        As in ``name@version``.
    path : Path
    """

    name: str
    version: str
    path: Path

    @property
    def sha256(self) -> str:
        """Hash of the manifest, which lists the hashes of all other files: it names the model exactly."""
        return hashlib.sha256((self.path / MANIFEST).read_bytes()).hexdigest()

    @property
    def bytes(self) -> int:
        """Size on disk."""
        return sum(file.stat().st_size for file in self.path.iterdir() if file.is_file())


def user_root() -> Path:
    """Return the folder of a user's own models, which need not exist.

    ``INCIDENTML_MODELS`` if it is set, else ``incidentml/models`` in the system's folder for data of programs:
    ``%LOCALAPPDATA%`` on Windows, ``~/Library/Application Support`` on macOS, ``$XDG_DATA_HOME`` or
    ``~/.local/share`` elsewhere.
    """
    if own := os.environ.get("INCIDENTML_MODELS"):
        return Path(own)
    if sys.platform == "win32":
        data = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    elif sys.platform == "darwin":
        data = Path.home() / "Library" / "Application Support"
    else:
        data = Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share")
    return data / "incidentml" / "models"


def _roots() -> list[Path]:
    """Return the folders of a user's models, then of the wheel's or of the source tree's."""
    here = Path(__file__).resolve()
    shipped = here.parent / "models"
    return [user_root(), shipped if shipped.is_dir() else here.parents[2] / "models"]


def split_name(text: str) -> tuple[str, str | None] | None:
    """Take ``name`` or ``name@version`` apart; None if it is neither.

    Examples
    --------
    >>> split_name("ru-base@1.0.0"), split_name("ru-base"), split_name("../x")
    (('ru-base', '1.0.0'), ('ru-base', None), None)
    """
    match = _NAME.fullmatch(text)
    return (match["name"], match["version"]) if match else None


def _version(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split("."))


def _versions(root: Path) -> Iterator[ModelInfo]:
    for manifest in sorted(root.glob(f"*/*/{MANIFEST}")):
        folder = manifest.parent
        if re.fullmatch(r"\d+\.\d+\.\d+", folder.name):
            yield ModelInfo(folder.parent.name, folder.name, folder)


def models() -> list[ModelInfo]:
    """List the installed models, by name and version.

    Those of the folder that the environment variable ``INCIDENTML_MODELS`` names come before those of the package:
    of two with the same name and version the user's is taken.

    Returns
    -------
    list of ModelInfo

    Examples
    --------
    >>> "ru-base" in {info.name for info in models()}
    True
    """
    found: dict[tuple[str, str], ModelInfo] = {}
    for root in _roots():
        for info in _versions(root):
            found.setdefault((info.name, info.version), info)
    return sorted(found.values(), key=lambda info: (info.name, _version(info.version)))


def find(name: str | os.PathLike[str] | None = None) -> ModelInfo:
    """Resolve ``name``, ``name@version`` or a folder.

    Parameters
    ----------
    name : str or path-like, optional
        The newest version where none is given; the model that ships where nothing is.

    Returns
    -------
    ModelInfo

    Raises
    ------
    ModelFormatError
        If there is no such model; the message lists what is installed.
    """
    text = os.fspath(DEFAULT_MODEL if name is None else name)
    folder = Path(text)
    if (folder / MANIFEST).is_file():
        return ModelInfo(folder.parent.name, folder.name, folder)
    installed = models()
    if asked := split_name(text):
        wanted = [info for info in installed if info.name == asked[0] and asked[1] in (None, info.version)]
        if wanted:
            return wanted[-1]
    known = ", ".join(f"{info.name}@{info.version}" for info in installed) or "none"
    raise ModelFormatError(f"no model {text!r}: neither a model folder nor an installed name; installed: {known}")


def load(name: str | os.PathLike[str] | None = None) -> IncidentPipeline:
    """Load a pipeline by name, ``name@version`` or folder; by default the model that ships.

    Parameters
    ----------
    name : str or path-like, optional
        Without a version the newest one installed; a service should name the version. See `models`.

    Returns
    -------
    IncidentPipeline

    Raises
    ------
    ModelFormatError
        If there is no such model or its folder is damaged.

    Examples
    --------
    >>> import incidentml
    >>> pipe = incidentml.load()
    >>> result = pipe.process([{"id": "1", "network": "vk", "published_at": "2024-02-03T08:12:00+05:00",
    ...     "text": "Гагарина 12, третий день нет отопления, дома +14, дети мерзнут"}])
    >>> result.incidents[0].route.group
    'ЖКХ'
    """
    return IncidentPipeline.load(find(name).path)
