"""Speed and memory of the shipped model on long feeds (`streams.py`): the tasks of the speed suites.

Every measurement has a process of its own, so that peaks of memory do not mix; a feed is made while it is read, so
that its posts do not count as the library's memory.
"""

from __future__ import annotations

import itertools
import json
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import active_children, get_context
from pathlib import Path
from typing import Any

import numpy as np
from common import corpus, peak_memory_mb
from streams import feed

from incidentml.registry import load
from incidentml.run import run_files
from incidentml.types import Post

Suite = Mapping[str, Any]


def speed(suite: Suite) -> dict[str, Any]:
    """Time a feed (of a file, at once or by day) with each number of processes; the first leads the table."""
    work = _file if suite.get("file") else _feed
    runs = {str(workers): _apart(work, suite, workers) for workers in suite.get("workers", [1])}
    return {**next(iter(runs.values())), "workers": runs}


def update_latency(suite: Suite) -> dict[str, Any]:
    """Time updates with a few posts on a state that holds many."""
    return _apart(_update, suite)


def memory(suite: Suite) -> dict[str, Any]:
    """Weigh the process and the saved state after feeds of several sizes."""
    sizes = {str(size): _apart(_weigh, {**suite, "posts": size}) for size in suite["sizes"]}
    return {"sizes": sizes}


def _apart(work: Callable[..., dict[str, Any]], *arguments: Any) -> dict[str, Any]:
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(work, *arguments).result()


def _days(suite: Suite) -> Iterator[list[Post]]:
    posts = feed(corpus(), suite["posts"], suite["seed"])
    if not suite.get("by_day"):
        yield list(posts)
        return
    for _, day in itertools.groupby(posts, key=lambda post: post.published_at.date()):
        yield list(day)


def _all_processes_mb() -> float:
    """Return the peaks of this process and its workers, added up; where the system does not tell, of this one."""
    total = peak_memory_mb()
    for child in active_children():
        try:
            lines = Path(f"/proc/{child.pid}/status").read_text(encoding="ascii").splitlines()
        except OSError:
            continue
        total += sum(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM"))
    return round(total, 1)


def _feed(suite: Suite, workers: int) -> dict[str, Any]:
    began = time.perf_counter()
    pipe = load()
    loaded = time.perf_counter()
    pipe.process(list(feed(corpus(), 200, suite["seed"] + 1)), workers=workers)  # starts the workers
    before = peak_memory_mb()
    stages: dict[str, float] = defaultdict(float)
    state, steps, incidents = None, [], 0
    for day in _days(suite):
        step = time.perf_counter()
        result = pipe.update(day, state, workers=workers)
        steps.append((len(day), time.perf_counter() - step))
        state, incidents = result.state, len(result.incidents)
        for name, seconds in result.seconds.items():
            stages[name] += seconds
    posts, total = sum(size for size, _ in steps), sum(seconds for _, seconds in steps)
    return {
        "posts": posts,
        "incidents": incidents,
        "seconds": {"load": round(loaded - began, 3), **{name: round(value, 3) for name, value in stages.items()}},
        "total_seconds": round(total, 3),
        "slowest_update_seconds": round(max(seconds for _, seconds in steps), 3),
        "posts_per_second": round(posts / total, 1),
        "ms_per_post_by_decile": _by_decile(steps),
        "peak_memory_mb": _all_processes_mb(),
        "memory_before_mb": before,
    }


def _file(suite: Suite, workers: int) -> dict[str, Any]:
    """Time what ``incidentml run`` does with a JSONL file, from loading the model to the last line written."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "posts.jsonl"
        with file.open("w", encoding="utf-8") as lines:
            for post in feed(corpus(), suite["posts"], suite["seed"]):
                lines.write(json.dumps(post.to_json(), ensure_ascii=False) + "\n")
        before = peak_memory_mb()
        report = run_files(file, Path(folder) / "out", workers=workers).report
    total = report["seconds"].pop("total")
    return {
        "posts": report["counts"]["posts"],
        "incidents": report["counts"]["incidents"],
        "seconds": report["seconds"],
        "total_seconds": round(total, 3),
        "slowest_update_seconds": round(total, 3),
        "posts_per_second": report["posts_per_second"]["total"],
        "peak_memory_mb": _all_processes_mb(),
        "memory_before_mb": before,
    }


def _by_decile(steps: list[tuple[int, float]]) -> list[float]:
    """Return the mean time of a post in each tenth of the updates; fewer where there are fewer updates."""
    parts = np.array_split(np.array(steps), min(10, len(steps)))
    return [round(float(1000 * part[:, 1].sum() / part[:, 0].sum()), 3) for part in parts]


def _state_of(pipe: Any, suite: Suite, held: int) -> tuple[Any, Iterator[Post]]:
    """Return a state fed day by day with the first posts of a feed, and the rest of it."""
    posts = feed(corpus(), held + suite.get("repeats", 0) * suite["posts"], suite["seed"])
    state = None
    while held:
        day = list(itertools.islice(posts, min(held, 4000)))
        state = pipe.update(day, state).state
        held -= len(day)
    return state, posts


def _update(suite: Suite) -> dict[str, Any]:
    pipe = load()
    state, posts = _state_of(pipe, suite, suite["held"])
    seconds, stages = [], []
    for _ in range(suite["repeats"]):
        new = list(itertools.islice(posts, suite["posts"]))
        began = time.perf_counter()
        result = pipe.update(new, state)
        seconds.append(round(time.perf_counter() - began, 3))
        stages.append(result.seconds)
        state = result.state
    return {
        "held": suite["held"],
        "posts": suite["posts"],
        "update_seconds": seconds,
        "median_seconds": float(np.median(seconds)),
        "seconds": {name: round(float(np.median([row[name] for row in stages])), 3) for name in stages[0]},
        "peak_memory_mb": peak_memory_mb(),
    }


def _weigh(suite: Suite) -> dict[str, Any]:
    pipe = load()
    pipe.process(list(feed(corpus(), 200, suite["seed"] + 1)))
    before = peak_memory_mb()
    state, _ = _state_of(pipe, suite, suite["posts"])
    peak = peak_memory_mb()
    with tempfile.TemporaryDirectory() as folder:
        saved = state.save(Path(folder) / "state")
        size = sum(file.stat().st_size for file in Path(saved).rglob("*") if file.is_file())
    return {
        "posts": suite["posts"],
        "complaints_held": len(state.held),
        "loaded_mb": before,
        "peak_memory_mb": peak,
        "state_mb_on_disk": round(size / 2**20, 1),
    }
