"""One run over files: read, process or go on from a state, write the output folder."""

from __future__ import annotations

import os
import platform
import resource
import sys
import time
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from incidentml.deadlines import SlaPolicy
from incidentml.errors import DataError, StateError
from incidentml.output import check_output, write_run
from incidentml.persistence import FORMAT
from incidentml.pipeline_state import open_state_folder
from incidentml.progress import Progress
from incidentml.registry import find, load
from incidentml.result import Result

__all__ = ["RunSummary", "run_files"]


@dataclass(frozen=True)
class RunSummary:
    """A run's result and the content of its ``run.json``.

    Attributes
    ----------
    result : Result
    report : dict
    """

    result: Result
    report: dict[str, Any]


def run_files(
    posts: str | os.PathLike[str],
    out: str | os.PathLike[str],
    *,
    region: str | None = None,
    model: str | os.PathLike[str] | None = None,
    state: str | os.PathLike[str] | None = None,
    policy: str | os.PathLike[str] | None = None,
    workers: int = 1,
    progress: Progress | None = None,
) -> RunSummary:
    """Do what ``incidentml run`` does.

    Parameters
    ----------
    posts : path-like
        JSONL, CSV or Parquet.
    out : path-like
        Folder that gets ``posts.jsonl``, ``incidents.jsonl``, ``rejected.jsonl`` and ``run.json``, all or none.
    region : str, optional
        Region of posts that name none.
    model : str or path-like, optional
        As in `incidentml.load`.
    state : path-like, optional
        Folder to go on from and to save into; locked meanwhile.
    policy : str or path-like, optional
        A shipped policy of deadlines (`SlaPolicy.names`) or a JSON file of one; by default the model's own.
    workers : int
        Processes that read posts, as in `IncidentPipeline.process`.
    progress : callable, optional
        Called as ``progress(stage, done, total)``.

    Returns
    -------
    RunSummary

    Raises
    ------
    IncidentMLError
        If the input, the model, the state or the output folder cannot be used; nothing was replaced.
    """
    began = time.perf_counter()
    check_output(out)
    if state is not None:
        _check_apart(Path(out), Path(state))
    info = find(model)
    pipe = load(info.path)
    if policy is not None:
        pipe.policy = _policy(policy)
    loaded = time.perf_counter()
    with nullcontext() if state is None else open_state_folder(state) as earlier:
        result = pipe.update(posts, earlier, region=region, workers=workers, progress=progress)
        processed = time.perf_counter()
        report = {
            "finished_at": datetime.now(UTC).isoformat(timespec="seconds"),
            "counts": {
                "rows": result.rows,
                "posts": len(result.posts),
                "rejected": len(result.rejected),
                "complaints": sum(post.verdict.accepted for post in result.posts),
                "incidents": len(result.incidents),
            },
            "model": {"name": info.name, "version": info.version, "sha256": info.sha256, "format": FORMAT},
            "settings": {
                "posts": os.fspath(posts),
                "region": region,
                "state": None if state is None else os.fspath(state),
                "policy": pipe.policy.name,
                "workers": workers,
            },
            "drift": None if result.drift is None else result.drift.to_json(),
            "versions": _versions(),
        }
        write_run(
            Path(out),
            {
                "posts.jsonl": result.lines("posts"),
                "incidents.jsonl": result.lines("incidents"),
                "rejected.jsonl": result.lines("rejected"),
                "run.json": lambda: report | _cost(result, began, loaded, processed),
            },
        )
        if state is not None:
            _save_state(result, state)
    return RunSummary(result, report | _cost(result, began, loaded, processed))


def _check_apart(out: Path, state: Path) -> None:
    """Refuse folders that lie in one another: each is replaced as a whole, and the other would go with it."""
    one, other = out.resolve(), state.resolve()
    if one.is_relative_to(other) or other.is_relative_to(one):
        raise DataError(f"output {out} and state {state} lie in one another; give each a folder of its own")


def _save_state(result: Result, folder: str | os.PathLike[str]) -> None:
    try:
        result.state.save(folder)
    except OSError as error:
        what = error.strerror or str(error)
        raise StateError(f"{folder}: cannot be written: {what}; the state is as it was, run again") from error


def _policy(named: str | os.PathLike[str]) -> SlaPolicy:
    if named in SlaPolicy.names():
        return SlaPolicy.load(str(named))
    if not Path(named).is_file():
        raise DataError(
            f"policy {os.fspath(named)!r} is neither a file nor one of the shipped: {', '.join(SlaPolicy.names())}"
        )
    return SlaPolicy.from_json(named)


def _cost(result: Result, began: float, loaded: float, processed: float) -> dict[str, Any]:
    now = time.perf_counter()
    seconds = {"load": loaded - began, **result.seconds, "write": now - processed}
    count = len(result.posts)
    return {
        "seconds": {name: round(value, 4) for name, value in seconds.items()} | {"total": round(now - began, 4)},
        "posts_per_second": {
            name: round(count / value, 1) for name, value in seconds.items() if value > 0 and name != "load"
        }
        | {"total": round(count / (now - began), 1)},
        "peak_memory_mb": round(_peak_memory() / 2**20, 1),
    }


def _peak_memory() -> int:
    """Return the largest resident size so far, in bytes (the kernel counts kilobytes, macOS bytes)."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def _versions() -> dict[str, str]:
    names = ("incidentml", "numpy", "scipy", "scikit-learn", "hdbscan", "safetensors")
    return {"python": platform.python_version()} | {name: version(name) for name in names}
