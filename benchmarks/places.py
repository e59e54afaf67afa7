"""Measure places, privacy and their speed on territories left out of training.

    python benchmarks/places.py                  # writes benchmarks/results/places.json

For each territory a tagger is trained on all other files. A street, house or settlement counts as found if
the first place that has this part has its span on the words that gold marks (any occurrence of them); a part
found in a post where gold marks none counts as false, although the streams name many streets that nobody
marked. `complaints` are the same figures on complaints only, which are marked with more care. Intervals are
95 % bootstrap intervals over posts.

Agreement: pairs of posts of one incident must not be in conflict (score below 0), pairs of a hard negative
with its `near` incident must be, where both texts name the part that differs. `told_alike` leaves out pairs
of one incident whose own marked streets, houses or settlements differ: an outage over several streets is one
incident and several places.
"""

from __future__ import annotations

import itertools
import json
import platform
import time
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from incidentml.places import PlaceExtractor, PlaceTable
from incidentml.places.features import PlaceFeatures
from incidentml.places.gazetteer import Gazetteer
from incidentml.places.tagger import PlaceTagger, examples, fit_weights
from incidentml.privacy import find
from incidentml.types import Place

ROOT = Path(__file__).resolve().parents[1]
TERRITORIES = ("perm", "bashkortostan", "krasnodar", "stream_samara", "stream_primorye")
PARTS = ("street", "house", "settlement")
Row = dict[str, Any]


def read() -> dict[str, list[Row]]:
    folder = ROOT / "datasets" / "ruincidents"
    return {
        path.stem: [json.loads(line) for line in path.read_text("utf-8").splitlines()]
        for path in sorted(folder.glob("*.jsonl"))
    }


def mentions(row: Row) -> dict[str, str]:
    return row["gold"].get("mentions") or {}


def train(rows: list[Row], features: PlaceFeatures) -> PlaceTagger:
    evidence, gold = examples(
        [row["text"] for row in rows],
        [mentions(row) for row in rows],
        features,
        [row.get("region") for row in rows],
        [row["gold"].get("street") for row in rows],
    )
    return PlaceTagger(fit_weights(evidence, gold))


def overlaps(text: str, words: str, start: int, end: int) -> bool:
    at = text.find(words)
    while at >= 0:
        if start < at + len(words) and end > at:
            return True
        at = text.find(words, at + 1)
    return False


def outcome(row: Row, places: Iterable[Place], part: str) -> tuple[int, int, int]:
    """Return hits, found and marked for one post."""
    marked = mentions(row).get(part)
    place = next((place for place in places if part in place.spans), None)
    hit = bool(marked) and place is not None and overlaps(row["text"], marked, *place.spans[part])
    return int(hit), int(place is not None), int(bool(marked))


def f1(counts: np.ndarray) -> dict[str, float]:
    rng = np.random.default_rng(0)
    draws = rng.integers(0, len(counts), (1000, len(counts)))
    hits, found, marked = counts[draws].sum(axis=1).T
    scores = 2 * hits / np.maximum(found + marked, 1)
    hit, got, gold = counts.sum(axis=0)
    low, high = np.percentile(scores, [2.5, 97.5])
    return {
        "f1": round(float(2 * hit / (got + gold)), 3),
        "low": round(float(low), 3),
        "high": round(float(high), 3),
        "precision": round(float(hit / got), 3),
        "recall": round(float(hit / gold), 3),
        "marked": int(gold),
    }


def agreement(rows: list[Row], places: list[tuple[Place, ...]]) -> dict[str, Any]:
    table = PlaceTable.build(places, [row.get("region") for row in rows])
    members: dict[str, list[int]] = defaultdict(list)
    for index, row in enumerate(rows):
        if row["gold"].get("incident"):
            members[row["gold"]["incident"]].append(index)

    def differ(i: int, j: int, told: bool) -> bool:
        a, b = rows[i], rows[j]
        for part in PARTS:
            left, right = mentions(a).get(part), mentions(b).get(part)
            if left and right:
                if told and left.lower()[:5] != right.lower()[:5]:
                    return True
                if not told and a["gold"].get(part) and b["gold"].get(part) and a["gold"][part] != b["gold"][part]:
                    return True
        return False

    def conflicts(pairs: list[tuple[int, int]]) -> float | None:
        if not pairs:
            return None
        left, right = np.array(pairs).T
        return round(float((table.compare(left, right).score < 0).mean()), 4)

    same = [pair for group in members.values() for pair in itertools.combinations(group, 2)]
    alike = [pair for pair in same if not differ(*pair, told=True)]
    near = [
        (i, j)
        for i, row in enumerate(rows)
        for j in members.get(row["gold"].get("near") or "", ())
        if differ(i, j, told=False)
    ]
    return {
        "same_incident_pairs": len(same),
        "same_incident_conflict": conflicts(same),
        "told_alike_pairs": len(alike),
        "told_alike_conflict": conflicts(alike),
        "near_pairs": len(near),
        "near_conflict": conflicts(near),
    }


def speed(texts: list[str]) -> dict[str, float]:
    extractor = PlaceExtractor()
    characters = sum(map(len, texts))
    figures = {}
    for name, work in (("places", extractor.extract), ("privacy", find)):
        for text in texts[:300]:
            work(text)
        start = time.process_time()
        for text in texts:
            work(text)
        figures[f"{name}_posts_per_second_at_150_characters"] = round(
            characters / 150 / (time.process_time() - start)
        )
    megabyte = "\n".join(texts)[:1_000_000]
    for name, work in (("places", extractor.extract), ("privacy", find)):
        start = time.process_time()
        work(megabyte)
        figures[f"{name}_seconds_for_a_megabyte"] = round(time.process_time() - start, 2)
    places = [extractor.extract(text) for text in texts]
    table = PlaceTable.build(places, [None] * len(places))
    rng = np.random.default_rng(0)
    left, right = rng.integers(0, len(places), (2, 1_000_000))
    start = time.process_time()
    table.compare(left, right)
    figures["seconds_for_a_million_comparisons"] = round(time.process_time() - start, 2)
    return figures


def main() -> None:
    corpus = read()
    gazetteer = Gazetteer.default()
    features = PlaceFeatures(gazetteer)
    result: dict[str, Any] = {"territories": {}}
    for left_out in TERRITORIES:
        rows = corpus[left_out]
        extractor = PlaceExtractor(
            gazetteer, train([r for name in corpus if name != left_out for r in corpus[name]], features)
        )
        places = [extractor.extract(row["text"], region=row.get("region")) for row in rows]
        figures: dict[str, Any] = {}
        careful = [index for index, row in enumerate(rows) if row["gold"]["kind"] == "complaint"]
        for part in PARTS:
            counts = np.array([outcome(row, found, part) for row, found in zip(rows, places, strict=True)])
            figures[part] = f1(counts)
            figures[f"{part}_complaints"] = f1(counts[careful])
        none = [found for row, found in zip(rows, places, strict=True) if not mentions(row)]
        named = [found for found in none if any(set(PARTS) & set(place.spans) for place in found)]
        figures["false_places"] = round(len(named) / len(none), 3)
        figures["posts_without_a_place"] = len(none)
        figures["agreement"] = agreement(rows, places)
        result["territories"][left_out] = figures
        print(left_out, json.dumps(figures, ensure_ascii=False))
    result["speed"] = speed([row["text"] for rows in corpus.values() for row in rows][:6000])
    result["machine"] = platform.processor() or platform.machine()
    print(json.dumps(result["speed"]))
    path = ROOT / "benchmarks" / "results" / "places.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(result, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
