"""Time and memory of incidents on made-up feeds, and plain HDBSCAN on the same posts.

    python benchmarks/incidents_speed.py             # minutes: up to 20,000 posts
    python benchmarks/incidents_speed.py --slow      # 100,000 posts, update on as many, plain HDBSCAN at 20,000
    python benchmarks/incidents_speed.py --million   # the same, and 1,000,000 posts day by day

The feed (`incident_stream.py`) is for speed only: the shipped model has learnt from the posts that it is made of.
Its rate is constant: a longer feed has more days, not denser ones. Every row runs in a process of its own, so that
peaks of memory do not mix. Writes ``results/incidents_speed.json``.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from common import environment, peak_memory_mb
from incident_stream import PER_DAY, Source, days
from incidents_common import CORPUS, RESULTS, joined

from incidentml.evaluation import pairwise
from incidentml.gold import load_corpus
from incidentml.incidents import IncidentClusterer, PostBatch
from incidentml.registry import load
from incidentml.types import Kind


def source() -> tuple[IncidentClusterer, Source]:
    """Return the shipped clusterer and the complaints of the corpus as the shipped model reads them."""
    pipe = load()
    items = [item for item in load_corpus(CORPUS) if item.post is not None and item.gold.kind is Kind.COMPLAINT]
    posts = [item.post for item in items if item.post is not None]
    texts = [post.text for post in posts]
    vectors = pipe.encoder.encode(texts)
    scores = pipe.router.score_posts(texts, vectors)
    batch = PostBatch(
        keys=[post.key for post in posts],
        times=np.array([post.published_at.timestamp() for post in posts]),
        texts=texts,
        vectors=vectors,
        places=[pipe.places.extract(post.text, region=post.region) for post in posts],
        regions=[post.region for post in posts],
        topics=pipe.router.groups_proba(scores),
        subtopics=pipe.router.topics_proba(scores).astype(np.float32),
    )
    return pipe.clusterer, Source(batch, [item.gold.incident for item in items])


class Clock:
    """Wall and processor seconds of all threads."""

    def __init__(self) -> None:
        self.wall = self.cpu = 0.0

    def __enter__(self) -> None:
        self.begun = time.perf_counter(), time.process_time()

    def __exit__(self, *_: object) -> None:
        self.wall += time.perf_counter() - self.begun[0]
        self.cpu += time.process_time() - self.begun[1]

    def row(self) -> dict[str, float]:
        return {"seconds": round(self.wall, 2), "cpu_seconds": round(self.cpu, 2), "peak_mb": peak_memory_mb()}


def at_once(feed: Source, count: int) -> tuple[PostBatch, list[str]]:
    """Return a whole feed as one batch."""
    parts = list(days(feed, count))
    return joined([batch for batch, _ in parts]), [label for _, labels in parts for label in labels]


def whole(model: IncidentClusterer, feed: Source, count: int) -> dict[str, Any]:
    """Cluster a feed at once."""
    (batch, gold), clock = at_once(feed, count), Clock()
    before = peak_memory_mb()
    with clock:
        update = model.update(model.start(), batch)
    return {
        "posts": count, **clock.row(), "peak_mb_of_feed": before, "links": len(update.state.edges),
        "incidents": len(update.incidents), "pairwise_f1": pairwise(gold, owners(batch, update.incidents)).f1,
    }  # fmt: skip


def by_day(model: IncidentClusterer, feed: Source, count: int) -> dict[str, Any]:
    """Let a feed in day by day; only the state is kept."""
    state, clock, slowest, n_days = model.start(), Clock(), 0.0, 0
    for batch, _ in days(feed, count):
        before = clock.cpu
        with clock:
            state = model.update(state, batch).state
        slowest, n_days = max(slowest, clock.cpu - before), n_days + 1
    return {
        "posts": count, "days": n_days, **clock.row(), "slowest_day_cpu_seconds": round(slowest, 2),
        "held": len(state), "links": len(state.edges),
    }  # fmt: skip


def late(model: IncidentClusterer, feed: Source, held: int, new: int) -> dict[str, Any]:
    """Let `new` posts join a state that holds as many open ones."""
    (batch, _), clock = at_once(feed, held + new), Clock()
    state = model.update(model.start(), batch.take(np.arange(held))).state
    with clock:
        update = model.update(state, batch.take(np.arange(held, held + new)))
    return {"held": held, "new": new, **clock.row(), "changed": len(update.changed)}


def plain(_: IncidentClusterer, feed: Source, count: int) -> dict[str, Any]:
    """Run plain HDBSCAN on the vectors alone; it gets its vectors for nothing, as we do."""
    from hdbscan import HDBSCAN

    (batch, gold), clock = at_once(feed, count), Clock()
    vectors = np.ascontiguousarray(batch.vectors, dtype=np.float64)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    with clock:
        labels = HDBSCAN(min_cluster_size=2, min_samples=1, core_dist_n_jobs=1).fit(vectors).labels_
    alone = [f"-{i}" if label < 0 else str(label) for i, label in enumerate(labels.tolist())]
    return {"posts": count, **clock.row(), "pairwise_f1": pairwise(gold, alone).f1}


def owners(batch: PostBatch, incidents: Any) -> list[str]:
    owner = {key: id_ for id_, keys in incidents.items() for key in keys}
    return [owner[key] for key in batch.keys]


def apart(work: Any, *args: Any) -> dict[str, Any]:
    with multiprocessing.get_context("fork").Pool(1) as pool:
        return dict(pool.apply(work, args))


def rows(args: argparse.Namespace) -> Iterator[tuple[str, Any, tuple[int, ...]]]:
    """Yield (name of the table, what makes its row, sizes)."""
    slow = args.slow or args.million
    for count in (10_000, 20_000, *((100_000,) if slow else ())):
        yield "whole", whole, (count,)
    for count in (10_000, *((100_000,) if slow else ()), *((1_000_000,) if args.million else ())):
        yield "by_day", by_day, (count,)
    yield "update", late, (100_000 if slow else 20_000, 1000)
    yield "plain_hdbscan", plain, (20_000 if slow else 5_000,)
    if not slow:
        yield "ours_beside_plain", whole, (5_000,)


def exponent(table: list[dict[str, Any]]) -> float:
    """Return the slope of log time over log posts between the shortest and the longest feed."""
    first, last = table[0], table[-1]
    return float(np.log(last["cpu_seconds"] / first["cpu_seconds"]) / np.log(last["posts"] / first["posts"]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--slow", action="store_true")
    parser.add_argument("--million", action="store_true")
    parser.add_argument("--out", type=Path, default=RESULTS / "incidents_speed.json")
    args = parser.parse_args()
    model, feed = source()
    result: dict[str, Any] = {
        "feed": {"regions": 1, "posts_per_region_and_day": PER_DAY},
        "environment": environment(),
        "load_at_start": Path("/proc/loadavg").read_text(encoding="ascii").split()[0],
    }
    for name, work, sizes in rows(args):
        row = apart(work, model, feed, *sizes)
        result.setdefault(name, []).append(row)
        print(name, row, flush=True)
    for name in ("whole", "by_day"):
        if len(result[name]) > 1:
            result[f"{name}_exponent"] = exponent(result[name])
    beside = result.get("ours_beside_plain", result["whole"])
    peer = result["plain_hdbscan"][0]
    ours = next(row for row in beside if row["posts"] == peer["posts"])
    result["times_faster_than_plain"] = peer["cpu_seconds"] / ours["cpu_seconds"]
    print({name: result[name] for name in result if "exponent" in name or "faster" in name})
    args.out.parent.mkdir(exist_ok=True)
    args.out.write_text(json.dumps(result, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
