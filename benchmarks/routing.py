"""Routing and priority per incident, on territories that the model has not seen, beside three baselines.

    python benchmarks/routing.py [--encoders DIR] [--territories perm,stream_samara] [--public DIR]

The shipped encoder has learnt from topic labels of the whole corpus, so it may not judge any of it: `--encoders`
names a folder with an encoder for each territory that has not seen that territory. Without it the models see words
only.

Writes ``results/routing.json`` (``routing_encoders.json`` with ``--encoders``) or, with ``--public``,
``results/routing_public.json``; ``--cases FILE`` keeps every case.
"""

from __future__ import annotations

import argparse
import csv
import json
import time
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
from common import corpus, environment, write_result
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.model_selection import StratifiedKFold
from sklearn.svm import LinearSVC

from incidentml import evaluation as ev
from incidentml.encoding import Encoder, StaticEncoder
from incidentml.evidence import IncidentEvidence
from incidentml.intervals import bootstrap
from incidentml.priority import PriorityScorer, priority_features
from incidentml.registry import load
from incidentml.routing import Router, routing_features
from incidentml.types import Scale

NAMES = ("topic", "group", "level", "scale", "urgency")


def encoder() -> Encoder:
    return load().encoder


def left_out(items: list[Any], chosen: str | None, encoders: Path | None) -> list[set[str]]:
    """Return the territories of each fold: a region and a stream are left out together, to halve the cost."""
    if chosen:
        return [{name} for name in chosen.split(",")]
    present = sorted({item.territory for item in items if item.post})
    if encoders is not None:
        return [{name} for name in present if (encoders / name).is_dir()]
    regions = [name for name in present if not name.startswith("stream_")]
    streams = [name for name in present if name.startswith("stream_")]
    found = [{name} for name in regions] or [set()]
    for i, name in enumerate(streams):
        found[i % len(found)].add(name)
    return found


def incidents_of(items: list[Any]) -> list[list[int]]:
    members: dict[str, list[int]] = {}
    for row, item in enumerate(items):
        members.setdefault(item.gold.incident or f"\0{row}", []).append(row)
    return list(members.values())


def baselines(train: list[Any], test: list[Any], cases: list[list[int]]) -> dict[str, list[dict[str, Any]]]:
    """Majority, nearest neighbour and TF-IDF + linear SVM, posts of an incident pooled."""
    words = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, min_df=1)
    left = words.fit_transform([item.text for item in train])
    right = words.transform([item.text for item in test])
    near = left @ right.T
    out: dict[str, list[dict[str, Any]]] = {name: [{} for _ in cases] for name in ("majority", "nearest", "svm")}
    for field in NAMES:
        told = [row for row, item in enumerate(train) if getattr(item.gold, field) is not None]
        labels = np.array([str(getattr(train[row].gold, field)) for row in told])
        most = Counter(labels.tolist()).most_common(1)[0][0]
        model = LinearSVC(tol=1e-2, random_state=0).fit(left[told], labels)
        scores = model.decision_function(right)
        closest = labels[np.asarray(near[told].argmax(axis=0)).ravel()]
        for case, rows in enumerate(cases):
            order = np.argsort(-scores[rows].sum(axis=0))
            out["majority"][case][field] = most
            out["nearest"][case][field] = Counter(closest[rows].tolist()).most_common(1)[0][0]
            out["svm"][case][field] = str(model.classes_[order[0]])
            if field == "topic":
                out["svm"][case]["ranked"] = model.classes_[order[:3]].tolist()
    return out


def predict(
    train: list[Any], test: list[Any], cases: list[list[int]], encode: StaticEncoder | None
) -> list[dict[str, Any]]:
    """What the library says of each case."""
    groups = [item.territory if item.post else f"{item.territory}:{i}" for i, item in enumerate(train)]
    together = [item.gold.incident for item in train]
    texts = [item.text for item in train]
    seen = None if encode is None else encode.encode(texts)
    router = Router(dense_columns=None if encode is None else encode.semantic_dim, folds=2).fit(
        routing_features(texts, seen),
        [item.gold.topic for item in train],
        levels=[item.gold.level for item in train],
        groups=groups,
        incidents=together,
    )
    scorer = PriorityScorer(folds=2).fit(
        priority_features(texts, seen),
        [item.gold.urgency for item in train],
        [item.gold.scale for item in train],
        groups=groups,
        incidents=together,
        topics=[item.gold.topic for item in train],
    )
    new_texts = [item.text for item in test]
    new = None if encode is None else encode.encode(new_texts)
    routing = router.score_posts(new_texts, new)
    priority = scorer.score_posts(new_texts, new)
    said = []
    for rows in cases:
        topic = router.topic(routing[rows])
        evidence = IncidentEvidence.from_posts([test[row].post for row in rows], topic=topic)
        scored = scorer.score(priority[rows], evidence)
        route = router.route(routing[rows], scale=scored.scale, region=test[rows[0]].region)
        said.append(
            {
                "topic": route.topic,
                "ranked": [name for name, _ in route.topic_alternatives],
                "certainty": route.topic_alternatives[0][1],
                "group": route.group,
                "set": list(router.group_set(routing[rows])),
                "level": route.level.value,
                "scale": scored.scale.value,
                "urgency": str(int(scored.urgency)),
                "danger": float(scorer.danger(priority[rows], evidence)),
                "review": route.needs_review,
            }
        )
    return said


def figures(gold: list[dict[str, Any]], said: list[dict[str, Any]], territories: list[str]) -> dict[str, Any]:
    """Every figure with its bootstrap interval over incidents."""
    pick = {name: [line[name] for line in gold] for name in NAMES}
    got = {name: [line.get(name) for line in said] for name in NAMES}
    rank = [[list(Scale).index(value) for value in side["scale"]] for side in (pick, got)]
    urgent = [np.array([int(value) for value in side["urgency"]]) for side in (pick, got)]
    off = np.abs(np.subtract(*rank))
    measures = {
        "topic_weighted_f1": lambda w: ev.weighted_f1(pick["topic"], got["topic"], w),
        "group_weighted_f1": lambda w: ev.weighted_f1(pick["group"], got["group"], w),
        "level": lambda w: ev.accuracy(pick["level"], got["level"], w),
        "scale_exact": lambda w: float(w @ (off == 0) / w.sum()),
        "scale_within_one": lambda w: float(w @ (off <= 1) / w.sum()),
        "urgency_quadratic_kappa": lambda w: ev.quadratic_kappa(*urgent, w),
        "danger_precision": lambda w: ev.binary_scores(urgent[0] == 3, urgent[1] == 3, w)[0],
        "danger_recall": lambda w: ev.binary_scores(urgent[0] == 3, urgent[1] == 3, w)[1],
    }
    if all("ranked" in line for line in said):
        measures["topic_top3"] = lambda w: ev.top_k_accuracy(pick["topic"], [x["ranked"] for x in said], 3, w)
    if all("set" in line for line in said):
        held = np.array([g["group"] in s["set"] for g, s in zip(gold, said, strict=True)], dtype=float)
        size = np.array([len(line["set"]) for line in said], dtype=float)
        measures["set_coverage"] = lambda w: float(w @ held / w.sum())
        measures["set_size"] = lambda w: float(w @ size / w.sum())
        danger = np.array([line["danger"] for line in said])
        measures["danger_average_precision"] = lambda w: ev.average_precision(urgent[0] == 3, danger, w)
    names = [str(i) for i in range(len(gold))]
    table = {name: [round(v, 4) for v in bootstrap(f, names, n_boot=300)] for name, f in measures.items()}
    return {"incidents": len(gold), "territories": sorted(set(territories)), **table}


def risk_coverage(gold: list[dict[str, Any]], said: list[dict[str, Any]]) -> list[dict[str, float]]:
    """Error of topic and group among the incidents that are kept when the least certain go to a person."""
    order = np.argsort([-line["certainty"] for line in said], kind="stable")
    wrong = {
        name: np.array([gold[i][name] != said[i][name] for i in order], dtype=float) for name in ("topic", "group")
    }
    curve = []
    for share in (0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 1.0):
        kept = max(int(share * len(order)), 1)
        curve.append(
            {"kept": share, **{f"{name}_risk": round(float(bad[:kept].mean()), 4) for name, bad in wrong.items()}}
        )
    return curve


def own_table(path: Path, encode: StaticEncoder) -> dict[str, Any]:
    """Five-fold accuracy of `Router.fit_texts` on appeals with their own categories, themes and executors."""
    with path.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    texts = [row["text"] for row in rows]
    vectors = encode.encode(texts)
    out: dict[str, Any] = {"rows": len(rows)}
    for field in ("category", "theme", "executor"):
        y = np.array([row[field] for row in rows], dtype=object)
        tops, threes, seconds = [], [], []
        for train, test in StratifiedKFold(5, shuffle=True, random_state=0).split(texts, y.astype(str)):
            began = time.perf_counter()
            router = Router(dense_columns=encode.semantic_dim, folds=2).fit_texts(
                [texts[i] for i in train], y[train], embeddings=vectors[train]
            )
            seconds.append(time.perf_counter() - began)
            scores = router.score_posts([texts[i] for i in test], vectors[test])
            order = np.argsort(-router.topics_proba(scores), axis=1)
            ranked = router.classes_[order]
            tops.append(float((ranked[:, 0] == y[test]).mean()))
            threes.append(float((ranked[:, :3] == y[test][:, None]).any(axis=1).mean()))
        out[field] = {"top1": np.mean(tops), "top3": np.mean(threes), "fit_seconds": np.mean(seconds)}
    return out


def measure_public(folder: Path, routed: list[Any]) -> None:
    """Agreement with silver groups of real messages, and a user's own table; nothing of it is stored or learnt."""
    encode = encoder()
    texts = [item.text for item in routed]
    base = Router(dense_columns=encode.semantic_dim, folds=2).fit_texts(
        texts,
        [item.gold.topic for item in routed],
        embeddings=encode.encode(texts),
        groups=[item.territory if item.post else f"{item.territory}:{i}" for i, item in enumerate(routed)],
        incidents=[item.gold.incident for item in routed],
    )
    result: dict[str, Any] = {"environment": environment()}
    with (folder / "perm_incidents.csv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    texts = [row["text"] for row in rows]
    proba = base.groups_proba(base.score_posts(texts, encode.encode(texts)))
    same = np.array(
        [base.taxonomy.groups[p.argmax()] == row["group_silver"] for p, row in zip(proba, rows, strict=True)]
    )
    sure = np.array([float(row["group_silver_p"]) > 0.5 for row in rows])
    result["silver_groups"] = {"all": float(same.mean()), "where_silver_is_sure": float(same[sure].mean())}
    result["own_table"] = own_table(folder / "ryazan_appeals.csv", encode)
    write_result("routing_public", result)
    print(result["silver_groups"], result["own_table"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--public", type=Path, help="optional folder with public data to measure on")
    parser.add_argument("--encoders", type=Path, help="folder with an encoder for each territory left out")
    parser.add_argument("--territories", help="only these, comma separated")
    parser.add_argument("--cases", type=Path, help="file for the decisions on every incident")
    options = parser.parse_args()
    items = corpus()
    routed = [item for item in items if item.gold.topic and item.gold.scale and item.gold.urgency is not None]
    if options.public:
        measure_public(options.public, routed)
        return
    gold: list[dict[str, Any]] = []
    names: list[str] = []
    said: dict[str, list[dict[str, Any]]] = {"incidentml": [], "majority": [], "nearest": [], "svm": []}
    for out in left_out(routed, options.territories, options.encoders):
        encode = None if options.encoders is None else StaticEncoder.load(options.encoders / next(iter(out)))
        train = [item for item in routed if item.territory not in out]
        test = [item for item in routed if item.territory in out]
        cases = incidents_of(test)
        gold += [{name: str(getattr(test[rows[0]].gold, name)) for name in NAMES} for rows in cases]
        names += [test[rows[0]].territory for rows in cases]
        said["incidentml"] += predict(train, test, cases, encode)
        if encode is None:  # they see words only, whatever the encoder
            for name, lines in baselines(train, test, cases).items():
                said[name] += lines
        print(out, len(cases), flush=True)
    result: dict[str, Any] = {"environment": environment(), "models": {}}
    kinds = {"regions": [not name.startswith("stream_") for name in names]}
    kinds["streams"] = [not flag for flag in kinds["regions"]]
    kinds["all"] = [True] * len(names)
    for model, lines in said.items():
        if not lines:
            continue
        result["models"][model] = {}
        for kind, keep in kinds.items():
            rows = [i for i, flag in enumerate(keep) if flag]
            if rows:
                result["models"][model][kind] = figures(
                    [gold[i] for i in rows], [lines[i] for i in rows], [names[i] for i in rows]
                )
    result["risk_coverage"] = risk_coverage(gold, said["incidentml"])
    result["review_share"] = float(np.mean([line["review"] for line in said["incidentml"]]))
    name = "routing" if options.encoders is None else "routing_encoders"
    write_result(name, result)
    for model, kinds_ in result["models"].items():
        print(model, {kind: {k: v[0] for k, v in table.items() if isinstance(v, list) and k != "territories"}
                      for kind, table in kinds_.items()})  # fmt: skip
    print(result["risk_coverage"], result["review_share"])
    if options.cases:
        lines = zip(names, gold, said["incidentml"], strict=True)
        options.cases.write_text(
            "".join(
                json.dumps({"territory": n, "gold": g, "said": t}, ensure_ascii=False) + "\n" for n, g, t in lines
            ),
            encoding="utf-8",
        )


if __name__ == "__main__":
    main()
