"""The folder that a run writes: all of it or nothing."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import IO, Any

from incidentml.errors import DataError
from incidentml.folders import fresh_folder, replace_folder

__all__ = ["check_output", "write_run"]

RUN = "run.json"
#: What may lie in the folder of a run; the evaluation of a run goes stale with it.
RUN_FILES = frozenset(["posts.jsonl", "incidents.jsonl", "rejected.jsonl", "evaluation.json", RUN])

Content = Mapping[str, Any] | Iterable[Mapping[str, Any]]


def check_output(folder: str | os.PathLike[str], names: Iterable[str] = ()) -> Path:
    """Tell whether a run may write here, before any work is done.

    A folder that is new, empty or the output of an earlier run is fine; anything else is never replaced.

    Parameters
    ----------
    folder : path-like
    names : iterable of str
        Files besides the usual ones that the run is about to write.

    Returns
    -------
    Path
        The folder, links followed.

    Raises
    ------
    DataError
        Says what is in the way and what to do.
    """
    target = Path(folder).resolve()
    if target.exists() and not target.is_dir():
        raise DataError(f"{folder}: this is a file; name a folder for the output")
    try:
        entries = sorted(entry.name for entry in target.iterdir()) if target.exists() else []
    except OSError as error:
        raise DataError(f"{folder}: cannot be read: {error.strerror}; choose another folder") from error
    if entries and RUN not in entries:
        raise DataError(
            f"{folder}: not empty and not the output of an earlier run (it has no {RUN}); "
            "choose another folder or empty this one"
        )
    if strange := [name for name in entries if name not in RUN_FILES | set(names)]:
        raise DataError(
            f"{folder}: besides an earlier run, {strange[:10]} lies here and would be lost; move that elsewhere"
        )
    parent = next(above for above in target.parents if above.exists())
    if not parent.is_dir():
        raise DataError(f"{folder}: {parent} is a file; choose another folder")
    if os.path.ismount(target):
        raise DataError(f"{folder}: a mount point cannot be replaced; name a folder inside it")
    if not os.access(parent, os.W_OK | os.X_OK):
        raise DataError(f"{folder}: no permission to write into {parent}; choose another folder")
    return target


def write_run(folder: str | os.PathLike[str], files: Mapping[str, Content | Callable[[], Content]]) -> Path:
    """Write the files of a run into a fresh folder, then put it in the place of the old one in one step.

    Parameters
    ----------
    folder : path-like
        New, empty or the output of an earlier run.
    files : mapping of str to content
        File name to a mapping (one JSON object, indented) or an iterable of mappings (one JSON line each); a
        function is called when its turn comes, in the order of `files`.

    Returns
    -------
    Path
        The folder.

    Raises
    ------
    DataError
        If the folder must not be replaced or cannot be written; the old output is then as it was.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as root:
    ...     out = write_run(f"{root}/out", {"posts.jsonl": [{"id": "1"}], "run.json": {"counts": {"posts": 1}}})
    ...     print((out / "posts.jsonl").read_text(), end="")
    {"id": "1"}
    """
    if odd := [name for name in files if Path(name).name != name or name in ("", ".", "..")]:
        raise ValueError(f"files: {odd} are not plain file names")
    target = check_output(folder, files)
    try:
        with fresh_folder(target) as fresh:
            for name, content in files.items():
                with (fresh / name).open("wb") as stream:
                    _write(stream, content() if callable(content) else content)
                    stream.flush()
                    os.fsync(stream.fileno())
            replace_folder(fresh, target)
    except OSError as error:
        what = error.strerror or str(error)
        raise DataError(
            f"{folder}: cannot be written: {what}; nothing was replaced; choose another folder"
        ) from error
    return target


def _write(stream: IO[bytes], content: Content) -> None:
    if isinstance(content, Mapping):
        stream.write(_json(content, indent=1))
        return
    for line in content:
        stream.write(_json(line, indent=None))


def _json(value: Mapping[str, Any], indent: int | None) -> bytes:
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, indent=indent) + "\n"
    # half of a surrogate pair has no bytes in UTF-8; escaped, it is still valid JSON
    return text.encode("utf-8", "backslashreplace")
