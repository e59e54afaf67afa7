"""The complaint filter on territories and streams it has not seen, beside four baselines.

    python benchmarks/complaints.py [--encoders DIR] [--folds perm,stream_samara] [--public DIR]

The shipped encoder has learnt from labels of the whole corpus, so it may not judge any of it: `--encoders` names a
folder with an encoder for each territory that has not seen it, and with honest vectors of its training posts
(``<territory>.npz`` of `train_encoder_and_vectors`). Without it, embeddings are left out. Extra posts written
after the errors on these folds had been read do not train here.

Public sets (`--public`, an optional folder beside the project) are read by the model of the first fold; only
shares are stored. Writes ``results/complaints.json``.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from baseline_model import FAULTS
from common import corpus, environment, write_result
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression

from incidentml import evaluation as ev
from incidentml.complaints.features import dense_features
from incidentml.complaints.reasons import signals_of
from incidentml.concreteness import concreteness
from incidentml.encoding import StaticEncoder
from incidentml.intervals import bootstrap_many
from incidentml.places import PlaceExtractor
from incidentml.registry import load
from incidentml.text import words
from incidentml.training import StageData, fit_complaints
from incidentml.types import Kind

FOLDS = (
    "perm", "bashkortostan", "krasnodar", "stream_samara", "stream_primorye",
    "sverdlovsk", "stream_novosibirsk", "stream_rostov", "stream_tver",
    "tatarstan", "volgograd", "krasnoyarsk", "stream_tyumen", "stream_voronezh", "stream_murmansk",
)  # fmt: skip
#: Ids of extra posts written after errors on folds had been read.
LATE = {"kinds": range(748, 846), "kinds2": range(573, 721), "kinds3": range(1, 577)}
#: Posts of the public sets that a person has read, by row or by hash of the text; no texts.
READ = Path(__file__).with_name("complaints_read.json")


class NoEncoder:
    """Stands for no encoder at all: evidence alone."""

    dim = 0

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        return np.zeros((len(texts), 0), dtype=np.float32)


def prepare(items: Sequence[Any], vectors: Any, places: PlaceExtractor) -> StageData:
    """Find the places and slots of posts."""
    found = [places.extract(item.text, region=item.region) for item in items]
    slots = [concreteness(item.text, place) for item, place in zip(items, found, strict=True)]
    return StageData(items, vectors, found, slots)


def honest_vectors(file: Path, items: Sequence[Any], encoder: Any) -> np.ndarray:
    """Read vectors of training posts as if unseen; what the encoder never saw it may encode itself."""
    stored = np.load(file)
    found = zip(stored["network"].astype(str), stored["id"].astype(str), stored["vectors"], strict=True)
    vectors = {(network, name): vector for network, name, vector in found}
    unseen = [item for item in items if tuple(item.key) not in vectors]
    if unseen:
        vectors.update(zip([tuple(item.key) for item in unseen], encoded(unseen, encoder), strict=True))
    return np.array([vectors[tuple(item.key)] for item in items], dtype=np.float32)


def encoded(items: Sequence[Any], encoder: Any) -> np.ndarray:
    return np.asarray(encoder.encode([item.text for item in items]))


def trains(item: Any, fold: str) -> bool:
    name, _, number = item.key.id.partition("-")
    late = name in LATE and int(number) in LATE[name]
    return item.territory != fold and item.gold.kind is not None and not late


def judged(model: Any, data: StageData) -> list[Any]:
    texts = [item.text for item in data.items]
    rows = dense_features(texts, data.vectors, data.slots, [item.source for item in data.items])
    return model.judge(texts, rows, data.slots)


def baselines(train: Sequence[Any], test: Sequence[Any]) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Score and decision of each baseline."""
    vectorizer = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, min_df=2)
    left = vectorizer.fit_transform([item.text for item in train])
    right = vectorizer.transform([item.text for item in test])
    kinds = np.array([item.gold.kind.value for item in train])

    def learned(positive: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
        model = LogisticRegression(C=10, class_weight="balanced").fit(left, np.isin(kinds, positive))
        scores = model.predict_proba(right)[:, 1]
        return scores, scores >= 0.5

    found = np.array([sum(map(FAULTS, words(item.text))) for item in test], dtype=float)
    return {
        "tfidf + logistic regression": learned(["complaint"]),
        "any negative = complaint": learned(["complaint", "negativity"]),
        "keyword list": (found, found > 0),
        "always yes": (np.ones(len(test)), np.ones(len(test), dtype=bool)),
    }


def figures(items: Sequence[Any], scores: np.ndarray, said: np.ndarray, *, calibrated: bool) -> dict[str, Any]:
    """All figures of one set, with intervals over whole incidents."""
    gold = np.array([item.gold.kind is Kind.COMPLAINT for item in items])
    anger = np.array([item.gold.kind is Kind.NEGATIVITY for item in items])
    groups = [item.gold.incident or f"\0{row}" for row, item in enumerate(items)]

    def statistics(weights: np.ndarray) -> list[float]:
        hit = ev.binary_scores(gold, said, weights)
        turned = ev.binary_scores(~gold, ~said, weights)
        ranked = np.sort(scores[gold & (weights > 0)])
        cut = ranked[int(0.05 * len(ranked))] if len(ranked) else 1.0
        mass = max(float(weights @ anger), 1e-9)
        return [
            ev.average_precision(gold, scores, weights),
            hit.f1,
            (hit.f1 + turned.f1) / 2,
            hit.precision,
            hit.recall,
            float(weights @ (anger & said)) / mass,
            float(weights @ (anger & (scores >= cut))) / mass,
            ev.calibration_error(gold, scores, weights=weights) if calibrated else float("nan"),
        ]

    names = ("AP", "F1", "macro F1", "precision", "recall", "negativity accepted",
             "negativity accepted at recall 0.95", "calibration error")  # fmt: skip
    found = bootstrap_many(statistics, groups, n_boot=300)
    return {
        name: [round(float(x), 4) for x in interval]
        for name, interval in zip(names, found, strict=True)
        if not np.isnan(interval.value)
    }


def encoder_for(encoders: Path | None, name: str, train: Sequence[Any]) -> tuple[Any, np.ndarray]:
    """Return the encoder for posts to judge and honest vectors of the training posts."""
    if encoders is None or not (encoders / f"{name}.npz").is_file():
        return NoEncoder(), encoded(train, NoEncoder())
    encoder = StaticEncoder.load(encoders / name)
    return encoder, honest_vectors(encoders / f"{name}.npz", train, encoder)


def left_out(items: Sequence[Any], folds: Sequence[str], encoders: Path | None) -> dict[str, Any]:
    places = PlaceExtractor()
    kept: dict[str, tuple[list[Any], dict[str, tuple[np.ndarray, np.ndarray]], list[Any]]] = {}
    for fold in folds:
        train = [item for item in items if trains(item, fold)]
        test = [item for item in items if item.territory == fold]
        encoder, seen = encoder_for(encoders, fold, train)
        model = fit_complaints(prepare(train, seen, places))
        verdicts = judged(model, prepare(test, encoded(test, encoder), places))
        ours = (np.array([v.complaint_probability for v in verdicts]), np.array([v.accepted for v in verdicts]))
        kept[fold] = (test, {"incidentml": ours, **baselines(train, test)}, verdicts)
        print(fold, figures(test, *ours, calibrated=True), flush=True)
    pools = {
        **{fold: [fold] for fold in folds},
        "regions": [fold for fold in folds if not fold.startswith("stream_")],
        "streams": [fold for fold in folds if fold.startswith("stream_")],
    }
    out: dict[str, Any] = {}
    for name, members in pools.items():
        if not members:
            continue
        gold = [item for fold in members for item in kept[fold][0]]
        out[name] = {}
        for model in kept[members[0]][1]:
            scores, said = (np.concatenate([kept[fold][1][model][part] for fold in members]) for part in (0, 1))
            calibrated = model not in ("keyword list", "always yes")
            out[name][model] = figures(gold, scores, said, calibrated=calibrated)
        verdicts = [verdict for fold in members for verdict in kept[fold][2]]
        out[name]["incidentml"]["kinds: macro F1"] = round(
            ev.macro_f1([item.gold.kind for item in gold], [verdict.kind for verdict in verdicts]), 4
        )
        out[name]["incidentml"]["entry guaranteed, dropped"] = sum(
            v.concreteness.entry_guaranteed and not v.accepted for v in verdicts
        )
    return out


def public(folder: Path, items: Sequence[Any], encoders: Path | None, fold: str) -> dict[str, Any]:
    """Shares accepted of the public sets by the model of one fold."""
    import pandas as pd

    from incidentml.concreteness import concreteness

    read = json.loads(READ.read_text(encoding="utf-8"))
    places = PlaceExtractor()
    train = [item for item in items if trains(item, fold)]
    encoder, seen = encoder_for(encoders, fold, train)
    model = fit_complaints(prepare(train, seen, places))
    anger = pd.concat(
        [
            pd.read_csv(folder / "rusentiment" / f"rusentiment_{name}_posts.csv")
            for name in ("preselected", "random")
        ]
    )
    telegram = pd.read_parquet(folder / "telegram_news" / "posts.parquet").dropna(subset=["text"])
    channels = dict(zip(telegram.text.astype(str), telegram.channel, strict=True))
    sets = {
        "perm_incidents": pd.read_csv(folder / "perm_incidents.csv").text.astype(str).tolist(),
        "rusentiment negative": anger[anger.label == "negative"].text.astype(str).tolist(),
        "telegram": [text for text in telegram.text.astype(str) if text.strip()],
    }
    out: dict[str, Any] = {}
    for name, every in sets.items():
        texts = [text for text in every if not signals_of(text).empty]
        taken: list[bool] = []
        asking = 0
        for start in range(0, len(texts), 2000):
            part = texts[start : start + 2000]
            slots = [concreteness(text, places.extract(text)) for text in part]
            sources = [channels[text] if name == "telegram" else None for text in part]
            verdicts = model.judge(part, dense_features(part, encoder.encode(part), slots, sources), slots)
            taken += [verdict.accepted for verdict in verdicts]
            asking += sum(verdict.kind is Kind.QUESTION for verdict in verdicts)
        out[name] = {
            "posts": len(texts),
            "accepted": round(float(np.mean(taken)), 4),
            "taken for questions": round(asking / len(texts), 4),
        }
        said = dict(zip(map(text_hash, texts), taken, strict=True))
        for label, hashes in read.get(name, {}).items():
            known = [said[mark] for mark in hashes if mark in said]
            out[name][f"read as {label}"] = {"posts": len(known), "accepted": round(float(np.mean(known)), 4)}
        claims = set(read.get(name, {}).get("claims", []))
        rest = [accepted for mark, accepted in said.items() if mark not in claims]
        out[name]["accepted, claims read by a person aside"] = round(float(np.mean(rest)), 4)
        print(name, out[name], flush=True)
    return out


def text_hash(text: str) -> str:
    return hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=8).hexdigest()


def speed(items: Sequence[Any], encoder: Any, n: int = 10_000) -> dict[str, float]:
    """Posts per second of features and verdicts, without encoding and places, in one process."""
    kept = [item for item in items if item.gold.kind is not None]
    data = prepare(kept, encoded(kept, encoder), PlaceExtractor())
    model = fit_complaints(data)
    rows = [i % len(data.items) for i in range(n)]
    data = data.take(rows)
    parts = [data.take(range(start, min(start + 2000, n))) for start in range(0, n, 2000)]
    wall, cpu = time.perf_counter(), time.process_time()
    for part in parts:
        judged(model, part)
    seconds, cpu_seconds = time.perf_counter() - wall, time.process_time() - cpu
    return {"posts a second": round(n / seconds), "posts a second of processor time": round(n / cpu_seconds)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--encoders", type=Path)
    parser.add_argument("--folds")
    parser.add_argument("--public", type=Path)
    chosen = parser.parse_args()
    items = corpus()
    present = {item.territory for item in items}
    folds = [fold for fold in (chosen.folds.split(",") if chosen.folds else FOLDS) if fold in present]
    if chosen.encoders is not None:
        folds = [fold for fold in folds if (chosen.encoders / f"{fold}.npz").is_file()]

    shipped = load().encoder
    content: dict[str, Any] = {
        "suite": "complaints",
        "environment": environment(),
        "embeddings": chosen.encoders is not None,
        "left out": left_out(items, folds, chosen.encoders),
        "speed": speed(items, shipped),
    }
    if chosen.public is not None:
        content["public"] = public(chosen.public, items, chosen.encoders, folds[0])
    print(write_result("complaints", content).name)


if __name__ == "__main__":
    main()
