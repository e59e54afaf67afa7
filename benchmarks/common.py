"""What every suite needs: where it ran, what it cost, folds, and a result file."""

from __future__ import annotations

import json
import os
import platform
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, version
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from incidentml.gold import GoldPost, load_corpus
from incidentml.persistence import FORMAT
from incidentml.predictions import Joined, join, parse_predictions
from incidentml.splits import Split, leave_one_territory_out

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "benchmarks" / "results"
CORPUS = ROOT / "datasets" / "ruincidents"
#: What the encoder's teacher said of texts, kept between folds and runs.
CACHE = ROOT / ".cache" / "teacher"
#: What forked processes find: closures do not travel between processes.
_WORK: dict[str, Callable[[Any], Any]] = {}
LIBRARIES = ("incidentml", "numpy", "scipy", "scikit-learn", "hdbscan", "safetensors", "pandas")


def environment() -> dict[str, Any]:
    """Describe the machine, the versions and the commit, without anything that names a person or a path."""
    return {
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "cpu": _cpu(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "threads": os.environ.get("OMP_NUM_THREADS", "default"),
        "versions": {name: _version(name) for name in LIBRARIES},
        "format": FORMAT,
        "commit": _git("rev-parse", "--short=12", "HEAD"),
        "clean": _git("status", "--porcelain", "--untracked-files=no", "--", "src", "benchmarks", "datasets")
        == "",
    }


def _cpu() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), "unknown")


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _git(*arguments: str) -> str | None:
    try:
        run = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return run.stdout.strip()


def peak_memory_mb() -> float:
    """Return the largest resident size of this process so far."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round(peak / (2**20 if sys.platform == "darwin" else 2**10), 1)


class Phases:
    """Wall seconds by phase, added up over folds."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextmanager
    def __call__(self, name: str) -> Iterator[None]:
        began = time.perf_counter()
        yield
        self.seconds[name] = round(self.seconds.get(name, 0.0) + time.perf_counter() - began, 3)


def forked(work: Callable[[Any], Any], jobs: Sequence[Any], processes: int) -> list[Any]:
    """Apply a function to each job in forked processes, which share what it holds; answers in order."""
    _WORK["work"] = work
    with get_context("fork").Pool(processes) as pool:
        return pool.map(_do, jobs, chunksize=1)


def _do(job: Any) -> Any:
    return _WORK["work"](job)


def corpus(folder: Path = CORPUS) -> list[GoldPost]:
    """Return the labelled corpus, with copies inside the test side left in: a feed has them."""
    return load_corpus(folder)


def folds(items: Sequence[GoldPost], territories: Sequence[str] | None = None) -> Iterator[Split]:
    """Leave one territory out; nothing crosses (see `incidentml.splits`)."""
    return leave_one_territory_out(items, territories or None)


def joined(
    post_lines: Sequence[Mapping[str, Any]], incident_lines: Sequence[Mapping[str, Any]], gold: Sequence[GoldPost]
) -> Joined:
    """Join the lines that a model gave with the gold posts that it was asked about."""
    parsed = parse_predictions(
        ((f"post {line.get('id')}", line) for line in post_lines),
        ((f"incident {line.get('id')}", line) for line in incident_lines),
    )
    return join(parsed, gold)


def pooled(parts: Mapping[str, Joined]) -> Joined:
    """Put folds together: every post is predicted by the model that has not seen its territory.

    Incident ids get the name of the fold: two models may well use one name for two things.
    """

    def named(fold: str, line: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
        if line is None or not line["incident_id"]:
            return line
        return {**line, "incident_id": f"{fold}/{line['incident_id']}"}

    return Joined(
        gold=[item for part in parts.values() for item in part.gold],
        posts=[named(fold, post) for fold, part in parts.items() for post in part.posts],
        incidents=[incident for part in parts.values() for incident in part.incidents],
        missing=[key for part in parts.values() for key in part.missing],
        extra=sum(part.extra for part in parts.values()),
    )


def write_result(name: str, content: Mapping[str, Any], folder: Path = RESULTS) -> Path:
    """Write one result file; figures and cost apart, so that a second run can be compared to the last digit."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{name}.json"
    file.write_text(json.dumps(content, ensure_ascii=False, indent=1) + "\n", encoding="utf-8", newline="\n")
    return file
