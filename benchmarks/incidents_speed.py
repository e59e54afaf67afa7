"""Speed and memory of incidents on made-up streams: real complaints at other places and times, in other words.


The stream is for speed only. Its rate is constant: a longer stream has more days, not denser ones. Writes
``results/incidents_speed.json``.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import resource
import time
from pathlib import Path
from typing import Any

import numpy as np
from common import environment
from incidents_common import RESULTS, batches, joined, labels_of

from incidentml.evaluation import pairwise
from incidentml.incidents import IncidentClusterer, PostBatch
from incidentml.types import Place, PostKey

REGIONS = 40
PER_REGION_AND_DAY = 100
_DAY = 86400.0
_STREETS, _TOWNS = 400, 30


def stream(base: PostBatch, n: int, seed: int = 0) -> tuple[PostBatch, list[str]]:
    """Return n posts in order of time and the incident that each was made for.

    Every incident takes a real post, a street of its own and a moment; its 1 to 8 posts have that post's words
    with some dropped and others put in, vectors with noise, and name the place in part.
    """
    rng = np.random.default_rng(seed)
    days = n / (REGIONS * PER_REGION_AND_DAY)
    sizes: list[int] = []
    while sum(sizes) < n:
        sizes.append(1 if rng.random() < 0.5 else int(rng.integers(2, 9)))
    incident = np.repeat(np.arange(len(sizes)), sizes)[:n]
    origin = rng.integers(len(base), size=len(sizes))
    start = rng.uniform(0, days * _DAY, len(sizes))
    region = rng.integers(REGIONS, size=len(sizes))
    street, town = rng.integers(_STREETS, size=len(sizes)), rng.integers(_TOWNS, size=len(sizes))
    house = rng.integers(1, 200, size=len(sizes))
    times = start[incident] + rng.exponential(0.5 * _DAY, n)
    order = np.argsort(times, kind="stable")
    incident, times = incident[order], times[order]
    pool = [word for text in base.texts[:400] for word in text.split()]
    texts, places = [], []
    for k in incident.tolist():
        words = [word for word in base.texts[origin[k]].split() if rng.random() > 0.25]
        words += [pool[i] for i in rng.integers(len(pool), size=3)]
        told = rng.random(3) < (0.5, 0.8, 0.5)
        place = Place(
            settlement=f"город{town[k]}" if told[0] else None,
            street=f"улица улица{street[k]}" if told[1] else None,
            house=str(house[k]) if told[1] and told[2] else None,
        )
        texts.append(" ".join([*words, place.street or "", place.house or ""]))
        places.append((place,) if told[0] or told[1] else ())
    rows = origin[incident]
    noise = rng.standard_normal((n, base.vectors.shape[1]), dtype=np.float32) * np.float32(0.5)
    vectors = base.vectors[rows] + noise / np.sqrt(np.float32(base.vectors.shape[1]))
    networks = ("vk", "telegram", "ok")
    return PostBatch(
        keys=[PostKey(networks[i % 3], f"s{i}") for i in range(n)],
        times=times,
        texts=texts,
        vectors=vectors,
        places=places,
        regions=[f"Область {region[k]}" for k in incident.tolist()],
        authors=[f"u{i}" for i in rng.integers(n, size=n).tolist()],
        sources=[
            f"Подслушано {region[k]}-{i}"
            for k, i in zip(incident.tolist(), rng.integers(30, size=n).tolist(), strict=True)
        ],
        topics=base.topics[rows],
        subtopics=base.subtopics[rows],
    ), [f"g{k}" for k in incident.tolist()]


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


def _whole(model: IncidentClusterer, base: PostBatch, n: int) -> dict[str, Any]:
    batch, gold = stream(base, n)
    made = _peak()
    begun, cpu = time.perf_counter(), time.process_time()
    update = model.update(model.start(), batch)
    seconds, cpu = time.perf_counter() - begun, time.process_time() - cpu
    owner = {key: id_ for id_, keys in update.incidents.items() for key in keys}
    score = pairwise(gold, [owner[key] for key in batch.keys])
    return {
        "posts": n, "seconds": seconds, "cpu_seconds": cpu, "peak_gb": _peak(), "peak_gb_of_stream": made,
        "links": len(update.state.edges.left), "incidents": len(update.incidents), "pairwise_f1": score.f1,
    }  # fmt: skip


def _update(model: IncidentClusterer, base: PostBatch, held: int, new: int) -> dict[str, Any]:
    batch, _ = stream(base, held + new)
    state = model.update(model.start(), batch.take(np.arange(held))).state
    late = batch.take(np.arange(held, held + new))
    begun, cpu = time.perf_counter(), time.process_time()
    update = model.update(state, late)
    return {
        "held": held, "new": new, "seconds": time.perf_counter() - begun,
        "cpu_seconds": time.process_time() - cpu, "changed": len(update.changed),
    }  # fmt: skip


def _plain(base: PostBatch, n: int) -> dict[str, Any]:
    """Plain HDBSCAN on the vectors alone; it gets its vectors for nothing, as we do."""
    from hdbscan import HDBSCAN

    batch, gold = stream(base, n)
    vectors = np.ascontiguousarray(batch.vectors, dtype=np.float64)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    begun, cpu = time.perf_counter(), time.process_time()
    labels = HDBSCAN(min_cluster_size=2, min_samples=1, core_dist_n_jobs=1).fit(vectors).labels_
    alone = [f"-{i}" if label < 0 else str(label) for i, label in enumerate(labels.tolist())]
    return {
        "posts": n, "seconds": time.perf_counter() - begun, "cpu_seconds": time.process_time() - cpu,
        "peak_gb": _peak(), "pairwise_f1": pairwise(gold, alone).f1,
    }  # fmt: skip


def _apart(work: Any, *args: Any) -> dict[str, Any]:
    """Run in a process of its own, so that peaks of memory do not mix."""
    with multiprocessing.get_context("fork").Pool(1) as pool:
        return dict(pool.apply(work, args))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=[10_000, 30_000, 100_000])
    parser.add_argument("--plain", type=int, default=20_000, help="posts for plain HDBSCAN; 0 leaves it out")
    parser.add_argument("--update-on", type=int, default=100_000)
    parser.add_argument("--vectors", type=Path, help="file that keeps the honest vectors")
    args = parser.parse_args()
    found, posts, texts = batches(args.vectors)
    base = joined(list(found.values()))
    model = IncidentClusterer().fit(base, labels_of(posts, list(found)), corpus=texts)
    result: dict[str, Any] = {
        "stream": {"regions": REGIONS, "posts_per_region_and_day": PER_REGION_AND_DAY},
        "environment": environment(),
        "load_at_start": Path("/proc/loadavg").read_text(encoding="ascii").split()[0],
        "whole": [],
    }
    for n in args.sizes:
        result["whole"].append(_apart(_whole, model, base, n))
        print(result["whole"][-1], flush=True)
    if len(args.sizes) > 1:
        logs = [(np.log(row["posts"]), np.log(row["cpu_seconds"])) for row in result["whole"]]
        result["growth_exponent"] = float(np.polyfit(*zip(*logs, strict=True), 1)[0])
    if args.update_on:
        result["update"] = _apart(_update, model, base, args.update_on, 1000)
        print(result["update"], flush=True)
    if args.plain:
        result["ours_at_plain"] = _apart(_whole, model, base, args.plain)
        result["plain_hdbscan"] = _apart(_plain, base, args.plain)
        print(result["ours_at_plain"], result["plain_hdbscan"], flush=True)
    RESULTS.mkdir(exist_ok=True)
    text = json.dumps(result, ensure_ascii=False, indent=1)
    (RESULTS / "incidents_speed.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
