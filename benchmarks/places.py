"""Measure places, privacy and their speed on territories left out of training.

    python benchmarks/places.py                  # all territories; writes benchmarks/results/places.json
    python benchmarks/places.py perm krasnodar   # some; prints only

For each territory a tagger is trained on all other files. A street, house, settlement or landmark counts as found
if the first place that has this part has its span on the words that gold marks (any occurrence of them); a part
found in a post where gold marks none counts as false, although some of them are places that nobody marked: of the
37 such posts of stream_primorye, read one by one, 30 name a real street, town or house. `named` is the share of
marked parts that are read as gold writes them, words for the type aside (`sayable` posts have both). `complaints`
are the same figures on complaints only, which are marked with more care. Intervals are 95 % bootstrap intervals
over posts. `first` are the five territories with the oldest marks, `all` every one, posts put together.

Agreement: pairs of posts of one incident must not be in conflict (score below 0), pairs of a hard negative
with its `near` incident must be, where both texts name the part that differs. `told_alike` leaves out pairs
of one incident whose own marked streets, houses or settlements differ: an outage over several streets is one
incident and several places. `near_comparable` leaves out pairs that differ in their houses and where a text does
not name the street: two numbers on streets that nobody told contradict nothing.
"""

from __future__ import annotations

import itertools
import json
import platform
import sys
import time
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from incidentml.place_scoring import core_name
from incidentml.places import PlaceExtractor, PlaceTable
from incidentml.places.features import PlaceFeatures
from incidentml.places.gazetteer import Gazetteer
from incidentml.places.tagger import PlaceTagger, examples, fit_weights, read_text
from incidentml.privacy import find
from incidentml.types import Place

ROOT = Path(__file__).resolve().parents[1]
FIRST = ("perm", "bashkortostan", "krasnodar", "stream_samara", "stream_primorye")
ADDRESS = ("street", "house", "settlement")
PARTS = (*ADDRESS, "landmark")
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
        [read_text(row["text"], row.get("region"), features) for row in rows],
        [mentions(row) for row in rows],
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


def draws(size: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, size, (1000, size))


def interval(scores: np.ndarray) -> dict[str, float]:
    low, high = np.percentile(scores, [2.5, 97.5])
    return {"low": round(float(low), 3), "high": round(float(high), 3)}


def f1(counts: np.ndarray) -> dict[str, float]:
    hits, found, marked = counts[draws(len(counts))].sum(axis=1).T
    hit, got, gold = counts.sum(axis=0)
    return {
        "f1": round(float(2 * hit / max(got + gold, 1)), 3),
        **interval(2 * hits / np.maximum(found + marked, 1)),
        "precision": round(float(hit / max(got, 1)), 3),
        "recall": round(float(hit / max(gold, 1)), 3),
        "marked": int(gold),
    }


def share(right: list[bool], key: str, of: str) -> dict[str, float | None]:
    if not right:
        return {key: None, of: 0}
    values = np.array(right)
    return {
        key: round(float(values.mean()), 3),
        **interval(values[draws(len(values))].mean(axis=1)),
        of: len(values),
    }


def measure(rows: list[Row], places: list[tuple[Place, ...]]) -> dict[str, Any]:
    figures: dict[str, Any] = {}
    careful = [index for index, row in enumerate(rows) if row["gold"]["kind"] == "complaint"]
    for part in PARTS:
        counts = np.array([outcome(row, found, part) for row, found in zip(rows, places, strict=True)])
        figures[part] = f1(counts)
        figures[f"{part}_complaints"] = f1(counts[careful])
    for part in ADDRESS:
        said = [
            (row["gold"][part], next((name for place in found if (name := getattr(place, part))), ""))
            for row, found in zip(rows, places, strict=True)
            if mentions(row).get(part) and row["gold"].get(part)
        ]
        figures[f"{part}_named"] = share(
            [core_name(gold) == core_name(got) for gold, got in said], "named", "sayable"
        )
    none = [found for row, found in zip(rows, places, strict=True) if not mentions(row)]
    named = [any(set(ADDRESS) & set(place.spans) for place in found) for found in none]
    figures["false_places"] = share(named, "share", "posts")
    return figures


def told_apart(a: Row, b: Row, *, told: bool) -> str | None:
    """Return the first part that both texts name and that differs, by its words or (not `told`) in truth."""
    for part in ADDRESS:
        left, right = mentions(a).get(part), mentions(b).get(part)
        if left and right:
            truth = a["gold"].get(part), b["gold"].get(part)
            if (told and left.lower()[:5] != right.lower()[:5]) or (
                not told and all(truth) and truth[0] != truth[1]
            ):
                return part
    return None


def agreement(rows: list[Row], places: list[tuple[Place, ...]]) -> dict[str, Any]:
    table = PlaceTable.build(places, [row.get("region") for row in rows])
    members: dict[str, list[int]] = defaultdict(list)
    for index, row in enumerate(rows):
        if row["gold"].get("incident"):
            members[row["gold"]["incident"]].append(index)

    def differ(i: int, j: int, told: bool) -> bool:
        return told_apart(rows[i], rows[j], told=told) is not None

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
    comparable = [
        (i, j)
        for i, j in near
        if told_apart(rows[i], rows[j], told=False) != "house"
        or (mentions(rows[i]).get("street") and mentions(rows[j]).get("street"))
    ]
    return {
        "same_incident_pairs": len(same),
        "same_incident_conflict": conflicts(same),
        "told_alike_pairs": len(alike),
        "told_alike_conflict": conflicts(alike),
        "near_pairs": len(near),
        "near_conflict": conflicts(near),
        "near_comparable_pairs": len(comparable),
        "near_comparable_conflict": conflicts(comparable),
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


def together(parts: list[tuple[list[Row], list[tuple[Place, ...]]]]) -> dict[str, Any]:
    rows = [row for part, _ in parts for row in part]
    return measure(rows, [found for _, part in parts for found in part])


def main() -> None:
    corpus = read()
    wanted = sys.argv[1:] or [
        name for name, rows in corpus.items() if any(row["gold"].get("incident") for row in rows)
    ]
    gazetteer = Gazetteer.default()
    features = PlaceFeatures(gazetteer)
    result: dict[str, Any] = {"territories": {}}
    read_places: dict[str, list[tuple[Place, ...]]] = {}
    for left_out in wanted:
        rows = corpus[left_out]
        extractor = PlaceExtractor(
            gazetteer, train([r for name in corpus if name != left_out for r in corpus[name]], features)
        )
        places = [extractor.extract(row["text"], region=row.get("region")) for row in rows]
        read_places[left_out] = places
        figures = measure(rows, places) | {"agreement": agreement(rows, places)}
        result["territories"][left_out] = figures
        print(left_out, json.dumps(figures, ensure_ascii=False), flush=True)
    for name, group in (("first", [name for name in wanted if name in FIRST]), ("all", wanted)):
        if group:
            result[name] = together([(corpus[territory], read_places[territory]) for territory in group])
            print(name, json.dumps(result[name], ensure_ascii=False))
    if sys.argv[1:]:
        return
    result["speed"] = speed([row["text"] for rows in corpus.values() for row in rows][:6000])
    result["machine"] = platform.processor() or platform.machine()
    print(json.dumps(result["speed"]))
    path = ROOT / "benchmarks" / "results" / "places.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(result, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
