"""Incidents on territories left out of training: the shipped way, its parts one by one, and peers, in one table.

    python benchmarks/incidents.py [--vectors FILE]

Everything is over gold complaints; a lone post is an incident of one. The pair model, its calibration and the
joining floor come from the other territories only; so do the one threshold of each part of the ablation and of
each peer (the one with the best mean pairwise F1 on the others). Writes ``results/incidents.json``.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from common import environment
from incidents_common import RESULTS, batches, joined, labels_of
from peers import PEERS, Labels, components

from incidentml.evaluation import (
    adjusted_rand,
    b_cubed,
    calibration_error,
    cross_group_recall,
    merge_report,
    pairwise,
    strangers_merged,
)
from incidentml.gold import GoldPost
from incidentml.incidents import ClusterState, IncidentClusterer
from incidentml.incidents.clustering import Grouping, average_link, cluster_links


def gold_labels(posts: Sequence[GoldPost]) -> list[str]:
    return [item.gold.incident or f"alone {i}" for i, item in enumerate(posts)]


def figures(posts: Sequence[GoldPost], labels: Labels) -> dict[str, Any]:
    """Every figure of one partition."""
    gold = gold_labels(posts)
    pair, cubed, report = pairwise(gold, labels), b_cubed(gold, labels), merge_report(gold, labels)
    merged, near = strangers_merged(gold, labels, [item.gold.near for item in posts])
    return {
        "posts": len(posts), "pairwise_precision": pair.precision, "pairwise_recall": pair.recall,
        "pairwise_f1": pair.f1, "b_cubed_precision": cubed.precision, "b_cubed_recall": cubed.recall,
        "b_cubed_f1": cubed.f1, "near_merged": merged, "near": near,
        "cross_network_recall": cross_group_recall(gold, labels, [item.key.network for item in posts]),
        "adjusted_rand": adjusted_rand(gold, labels), "false_merges": report.false_merges,
        "false_splits": report.false_splits,
    }  # fmt: skip


def mean_figures(rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Means over territories; counts are added up."""
    added = ("posts", "near", "near_merged", "false_merges", "false_splits")
    found = {name: sum(row[name] for row in rows) for name in added}
    return found | {name: float(np.nanmean([row[name] for row in rows])) for name in rows[0] if name not in added}


# ---- parts of our own way, on the same links


def _edges(state: ClusterState) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    return state.edges.left, state.edges.right, state.edges.probability


def by_components(state: ClusterState, floor: float) -> Labels:
    left, right, probability = _edges(state)
    kept = probability >= floor
    return components(len(state), left[kept], right[kept])[state.representative]


def by_average(state: ClusterState, floor: float) -> Labels:
    return average_link(np.arange(len(state)), _edges(state), floor)[state.representative]


def by_raw_hdbscan(state: ClusterState, floor: float) -> Labels:
    """HDBSCAN on 1 - P inside each component of links over the floor."""
    from hdbscan import HDBSCAN

    left, right, probability = _edges(state)
    n = len(state)
    matrix = np.eye(n)
    matrix[left, right] = matrix[right, left] = probability
    kept = probability >= floor
    part, out = components(n, left[kept], right[kept]), np.arange(n)
    for rows in (np.flatnonzero(part == k) for k in np.unique(part)):
        if len(rows) == 2:
            out[rows] = rows[0]
        elif len(rows) > 2:
            model = HDBSCAN(metric="precomputed", min_cluster_size=2, min_samples=1)
            found = model.fit(1.0 - matrix[np.ix_(rows, rows)]).labels_
            for label in np.unique(found[found >= 0]):
                out[rows[found == label]] = rows[found == label][0]
    return out[state.representative]


def by_cores(backend: str, **options: Any) -> Callable[[ClusterState, float], Labels]:
    """Our own way with some part of it set otherwise."""

    def cluster(state: ClusterState, floor: float) -> Labels:
        left, right, probability = _edges(state)
        rank = state.columns.rank()
        order = np.argsort(rank)
        how = Grouping(floor, backend=backend, **options)
        links = rank[left], rank[right], probability
        found = cluster_links(len(state), links, how, state.columns.naming.take(order))
        return found[rank][state.representative]

    return cluster


FLOORS = (0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.6, 0.7, 0.8, 0.9)
PARTS: dict[str, Callable[[ClusterState, float], Labels]] = {
    "components": by_components,
    "average linkage": by_average,
    "raw HDBSCAN": by_raw_hdbscan,
    "average linkage, places apart": by_cores("hdbscan", density_from=2**31),
    "the same on HDBSCAN cores everywhere": by_cores("hdbscan", density_from=3),
    "the same on cores of scikit-learn": by_cores("sklearn", density_from=3),
}


def tuned(
    cluster: Callable[[Any, float], Labels],
    floors: Sequence[float],
    of: dict[str, Any],
    posts: dict[str, list[GoldPost]],
) -> dict[str, dict[str, Any]]:
    """Figures by territory, each at the floor that is best on the others."""
    labels = {(name, floor): cluster(of[name], floor) for name in of for floor in floors}
    f1 = {key: pairwise(gold_labels(posts[key[0]]), found).f1 for key, found in labels.items()}
    rows = {}
    for name in of:
        best = max(floors, key=lambda floor: np.mean([f1[other, floor] for other in of if other != name]))
        rows[name] = figures(posts[name], labels[name, best]) | {"floor": best}
    return rows


def pair_calibration(state: ClusterState, posts: Sequence[GoldPost]) -> tuple[np.ndarray, np.ndarray]:
    """Whether each kept link is true, and its probability."""
    gold = np.array(gold_labels(posts))
    left, right, probability = _edges(state)
    return gold[left] == gold[right], probability


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--vectors", type=Path, help="file that keeps the honest vectors")
    parser.add_argument("--no-peers", action="store_true")
    args = parser.parse_args()
    found, posts, texts = batches(args.vectors)
    names = list(found)
    states, ours, truth, floors = {}, {}, [], {}
    for name in names:
        others = [other for other in names if other != name]
        outside = [text for text in texts if text not in set(found[name].texts)]
        model = IncidentClusterer().fit(
            joined([found[other] for other in others]), labels_of(posts, others), corpus=outside
        )
        states[name] = model.update(model.start(), found[name]).state
        labels = [states[name].incident_of(key) for key in found[name].keys]
        ours[name] = figures(posts[name], labels)
        floors[name] = model.join_floor_
        truth.append(pair_calibration(states[name], posts[name]))
        print(name, floors[name], {k: round(v, 3) for k, v in ours[name].items()}, flush=True)
    same, probability = (np.concatenate(part) for part in zip(*truth, strict=True))
    table: dict[str, dict[str, dict[str, Any]]] = {"shipped": ours}
    for part, cluster in PARTS.items():
        table[part] = tuned(cluster, FLOORS, states, posts)
    if not args.no_peers:
        for peer, (run, candidates) in PEERS.items():
            try:
                table[peer] = tuned(run, candidates, found, posts)
            except ImportError as missing:
                print(f"{peer} left out: {missing}")
    result = {
        "environment": environment(),
        "join_floor": dict(Counter(str(floor) for floor in floors.values())),
        "calibration_error_of_links": calibration_error(same.astype(int), probability),
        "means": {name: mean_figures(list(rows.values())) for name, rows in table.items()},
        "territories": table,
    }
    RESULTS.mkdir(exist_ok=True)
    text = json.dumps(result, ensure_ascii=False, indent=1)
    (RESULTS / "incidents.json").write_text(text + "\n", encoding="utf-8")
    print(f"calibration error of links {result['calibration_error_of_links']:.3f}")
    for name, row in result["means"].items():
        print(
            f"{name:36} pair P {row['pairwise_precision']:.3f} R {row['pairwise_recall']:.3f} "
            f"F1 {row['pairwise_f1']:.3f}  B3 {row['b_cubed_f1']:.3f}  near {row['near_merged']}/{row['near']}  "
            f"cross {row['cross_network_recall']:.3f}"
        )


if __name__ == "__main__":
    main()
