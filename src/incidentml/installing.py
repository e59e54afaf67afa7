"""Models from elsewhere into the user's folder, and out of it: checked as a whole before anything is written."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from pathlib import Path

from incidentml.archives import MAX_BYTES, collect, pack_files
from incidentml.errors import IncidentMLError, ModelFormatError
from incidentml.folders import fresh_folder, replace_folder
from incidentml.persistence import load_state
from incidentml.pipeline import IncidentPipeline
from incidentml.registry import ModelInfo, find, split_name, user_root

__all__ = ["install", "pack"]

_ARCHIVE = re.compile(r"(?P<name>.+?)[-@](?P<version>\d+\.\d+\.\d+)(?:\.zip|\.tar\.gz|\.tgz)?")
#: What a model has to read before it is installed.
_POST = {
    "id": "1",
    "network": "vk",
    "published_at": "2024-02-03T08:12:00+05:00",
    "text": "Пермь, Гагарина 12, третий день нет отопления, дети мерзнут",
}


def install(
    source: str | os.PathLike[str],
    *,
    name: str | None = None,
    version: str | None = None,
    root: str | os.PathLike[str] | None = None,
    replace: bool = False,
    max_bytes: int = MAX_BYTES,
) -> ModelInfo:
    """Install a model from a folder or an archive, where `incidentml.load` finds it.

    The model is unpacked into a temporary folder, its files are compared with the hashes of its manifest, it is
    loaded, and it reads a post. Only then does it go into `root`, in one step.

    Parameters
    ----------
    source : path-like
        A model folder, a ``.zip`` or a ``.tar.gz`` with the files of one at the top.
    name, version : str, optional
        By default told by the source: ``NAME/VERSION``, ``NAME-VERSION.zip`` or ``NAME@VERSION.tar.gz``.
    root : path-like, optional
        By default the user's folder, `user_root`.
    replace : bool
        Whether a model of this name and version may be replaced.
    max_bytes : int
        Limit of all files together.

    Returns
    -------
    ModelInfo

    Raises
    ------
    ModelFormatError
        Names the member or file and the rule that it breaks; nothing was written into `root`.
    """
    name, version = _label(Path(source), name, version)
    target = (user_root() if root is None else Path(root)) / name / version
    if os.path.lexists(target) and not replace:
        raise ModelFormatError(
            f"{name}@{version} is installed already, in {target}: raise the version, or give --replace"
        )
    with tempfile.TemporaryDirectory(prefix="incidentml-") as temporary:
        staged = Path(temporary) / "model"
        collect(source, staged, max_bytes=max_bytes)
        _check(staged, os.fspath(source))
        try:
            with fresh_folder(target) as fresh:
                for file in sorted(staged.iterdir()):
                    shutil.copyfile(file, fresh / file.name)
                replace_folder(fresh, target)
        except OSError as error:
            raise ModelFormatError(
                f"{target}: cannot be written: {error.strerror or error}; set INCIDENTML_MODELS to another folder"
            ) from error
    return ModelInfo(name, version, target)


def _label(source: Path, name: str | None, version: str | None) -> tuple[str, str]:
    told = _ARCHIVE.fullmatch(source.name)
    parts: tuple[str | None, str | None] = (told["name"], told["version"]) if told else (None, None)
    if told is None and split_name(f"{source.absolute().parent.name}@{source.name}"):
        parts = source.absolute().parent.name, source.name
    name, version = name or parts[0], version or parts[1]
    if name is None or version is None:
        raise ModelFormatError(
            f"{source}: its name does not tell {_missing(name, version)}; give --name and --version"
        )
    if split_name(f"{name}@{version}") is None:
        raise ModelFormatError(
            f"{name}@{version} is no name of a model: small latin letters, digits and .-_ (64 at most), @, and "
            "three numbers, as in my-region@1.0.0; give --name and --version"
        )
    return name, version


def _missing(name: str | None, version: str | None) -> str:
    return " and ".join(what for what, value in (("a name", name), ("a version", version)) if value is None)


def _check(folder: Path, source: str) -> None:
    """Refuse files that are no pipeline, in words of their source: nobody knows the temporary folder."""
    try:
        IncidentPipeline.from_state(load_state(folder).require(IncidentPipeline.KIND)).process([_POST])
    except IncidentMLError as error:
        raise ModelFormatError(
            f"{str(error).replace(os.fspath(folder), source)}; nothing was installed"
        ) from error
    except (
        *(ArithmeticError, AssertionError, AttributeError, LookupError, MemoryError),
        *(RecursionError, RuntimeError, TypeError, ValueError, OSError),
    ) as error:
        raise ModelFormatError(
            f"{source}: the files are whole, but no pipeline comes of them ({type(error).__name__}: {error}); "
            "save the model again; nothing was installed"
        ) from error


def pack(name: str | os.PathLike[str], out: str | os.PathLike[str]) -> Path:
    """Write a model into a ``.zip`` that `install` takes; the same model gives the same bytes everywhere.

    Parameters
    ----------
    name : str or path-like
        As in `incidentml.load`.
    out : path-like
        Name it ``NAME-VERSION.zip``, so that `install` knows what it is.

    Returns
    -------
    Path

    Raises
    ------
    ModelFormatError
        If there is no such model, it is damaged, or the archive cannot be written.
    """
    info = find(name)
    load_state(info.path)
    return pack_files(list(info.path.iterdir()), Path(out))
