"""A made-up feed of complaints, day by day, for measuring speed; never for measuring quality.

A region has towns of very different size, each with streets of its own, whose names recur from town to town. Every
incident is one of the corpus at another address and another time, told in other words: some are dropped and put in
and vectors are moved for the whole incident, and again for each of its posts. Posts name the new address in part,
come over a few days, by day more than by night, and some are reposts. Now and then an incident is large.

The rate is constant: a longer feed has more days, not denser ones. A post has as many links of either sort with
other incidents (about 80 kept and 20 strong ones) as real posts have that are put into one region at this rate.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from incidentml.incidents import PostBatch
from incidentml.types import Place, PostKey

DAY = 86400.0
NETWORKS = ("vk", "telegram", "ok")
#: Ten million messages a year in some ninety regions.
PER_DAY = 300
_TOWNS, _NAMES, _PAGES = 25, 1200, 60
_BIG, _COPY = 0.004, 0.06
#: Of an incident and of a post: words kept, words put in, length of what is added to the unit vectors.
_KEPT, _PUT_IN, _MOVED = (0.7, 0.85), (4, 1), (0.6, 0.35)


@dataclass(frozen=True)
class Source:
    """Real posts with what is known of them, and the incident of each."""

    batch: PostBatch
    labels: Sequence[str | None]


def days(source: Source, count: int, *, regions: int = 1, seed: int = 0) -> Iterator[tuple[PostBatch, list[str]]]:
    """Yield each day's posts in order of time and the incident that each was made for, `count` posts in all."""
    rng = np.random.default_rng(seed)
    base = source.batch
    groups: dict[str, list[int]] = defaultdict(list)
    for row, label in enumerate(source.labels):
        groups[label or f"-{row}"].append(row)
    origins = list(groups.values())
    pool = [word for text in base.texts for word in text.split()]
    town_share = _zipf(_TOWNS, 1.1)
    streets = [rng.choice(_NAMES, size=max(25, int(900 * share)), replace=False) for share in town_share]
    name_share = _zipf(_NAMES, 0.6)
    waiting: list[tuple[float, dict[str, Any]]] = []
    made, number, incidents = 0, 0, 0
    while number < count:
        begins = made * DAY
        for _ in range(regions * PER_DAY):  # no more incidents than posts
            if sum(time < begins + DAY for time, _ in waiting) >= regions * PER_DAY:
                break
            region, town = int(rng.integers(regions)), int(rng.choice(_TOWNS, p=town_share))
            weights = name_share[streets[town]]
            street = int(rng.choice(streets[town], p=weights / weights.sum()))
            house = int(rng.integers(1, 120))
            rows = origins[rng.integers(len(origins))]
            size = int(rng.integers(20, 200)) if rng.random() < _BIG else len(rows)
            start = begins + DAY * float(np.clip(rng.normal(0.6, 0.2), 0, 1))
            told_by_all = [pool[i] for i in rng.integers(len(pool), size=_PUT_IN[0])]
            dropped = {word for row in rows for word in base.texts[row].split() if rng.random() > _KEPT[0]}
            moved = rng.standard_normal(base.vectors.shape[1]) * (_MOVED[0] / np.sqrt(base.vectors.shape[1]))
            earlier: list[dict[str, Any]] = []
            for at in range(size):
                if earlier and rng.random() < _COPY:
                    post = {**earlier[rng.integers(len(earlier))]}
                else:
                    row = rows[at % len(rows)]
                    words = [word for word in base.texts[row].split() if word not in dropped] + told_by_all
                    words = [word for word in words if rng.random() < _KEPT[1]]
                    words += [pool[i] for i in rng.integers(len(pool), size=_PUT_IN[1])]
                    told = rng.random(4) < (0.37, 0.56, 0.42, 0.4)
                    landmark = base.places[row][0].landmark if base.places[row] and told[3] else None
                    place = Place(
                        settlement=f"город{town}" if told[0] else None,
                        street=f"улица улица{street}" if told[1] else None,
                        house=str(house) if told[1] and told[2] else None,
                        landmark=landmark,
                    )
                    post = {
                        "row": row,
                        "moved": moved,
                        "text": " ".join([*words, place.street or "", place.house or "", place.settlement or ""]),
                        "places": (place,) if any(told[:2]) or landmark else (),
                    }
                post = {**post, "region": region, "incident": incidents}
                earlier.append(post)
                waiting.append((start + float(rng.exponential(0.7)) * DAY * (at > 0), post))
            incidents += 1
        waiting.sort(key=lambda item: item[0])
        due = sum(time < begins + DAY for time, _ in waiting)
        due = min(due, count - number)
        yield _batch(base, waiting[:due], number, rng), [f"g{post['incident']}" for _, post in waiting[:due]]
        waiting, number, made = waiting[due:], number + due, made + 1


def _batch(
    base: PostBatch, posts: Sequence[tuple[float, dict[str, Any]]], number: int, rng: np.random.Generator
) -> PostBatch:
    rows = np.array([post["row"] for _, post in posts], dtype=np.intp)
    dim = base.vectors.shape[1]
    noise = rng.standard_normal((len(rows), dim), dtype=np.float32) * np.float32(_MOVED[1] / np.sqrt(dim))
    moved = np.array([post["moved"] for _, post in posts], dtype=np.float32).reshape(len(rows), dim)
    return PostBatch(
        keys=[PostKey(NETWORKS[i % 3], f"s{number + i}") for i in range(len(rows))],
        times=np.array([time for time, _ in posts]),
        texts=[post["text"] for _, post in posts],
        vectors=base.vectors[rows] + moved + noise,
        places=[post["places"] for _, post in posts],
        regions=[f"Область {post['region']}" for _, post in posts],
        authors=[f"u{i}" for i in rng.integers(5000, size=len(rows)).tolist()],
        sources=[
            f"Подслушано {post['region']}-{i}" if i < _PAGES else None
            for (_, post), i in zip(posts, rng.integers(2 * _PAGES, size=len(rows)).tolist(), strict=True)
        ],
        topics=base.topics[rows],
        subtopics=base.subtopics[rows],
    )


def _zipf(n: int, power: float) -> np.ndarray:
    weights = 1.0 / np.arange(1, n + 1) ** power
    return weights / weights.sum()
