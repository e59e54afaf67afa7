"""What the posts of one incident show beyond their words, and the words that a rule must not miss."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from importlib import resources
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from incidentml.numeric import softmax
from incidentml.taxonomy import Taxonomy
from incidentml.text import fold
from incidentml.types import Place, Post, Scale

__all__ = ["RULES", "STEPS", "IncidentEvidence", "looks_of", "means_of", "parts_of", "priority_data", "rule_hits"]

#: Lexicons in the order of the columns of `rule_hits`.
RULES = ("danger", "vulnerable", "weather", "many")
#: Steps of urgency above the lowest.
STEPS = 3
#: Window in which growth is counted.
_WINDOW = timedelta(hours=3)
#: Letters of a text that the lexicons read.
_READ = 2000


@cache
def priority_data() -> Mapping[str, Any]:
    """Return ``data/priority.json``: weights and names of the parts, lexicons, cold and hot months."""
    text = (resources.files("incidentml") / "data" / "priority.json").read_text(encoding="utf-8")
    data: Mapping[str, Any] = json.loads(text)
    return data


@cache
def _patterns() -> tuple[re.Pattern[str], ...]:
    lexicons = priority_data()["lexicons"]
    return tuple(re.compile(rf"(?<!\w)(?:{'|'.join(fold(word) for word in lexicons[name])})") for name in RULES)


def rule_hits(texts: Sequence[str]) -> NDArray[np.float32]:
    """Return how many words of each lexicon (`RULES`) a text holds: 0 to 3.

    Examples
    --------
    >>> rule_hits(["Открытый люк у школы, ребенок чуть не упал"]).tolist()
    [[2.0, 1.0, 0.0, 0.0]]
    """
    out = np.zeros((len(texts), len(RULES)), dtype=np.float32)
    for row, text in enumerate(texts):
        folded = fold(text[:_READ])
        for column, pattern in enumerate(_patterns()):
            out[row, column] = min(len(pattern.findall(folded)), 3)
    return out


@dataclass(frozen=True, slots=True)
class IncidentEvidence:
    """Counts over the posts of an incident; a function of the posts only, never of the present time.

    Build it with `from_posts`; without arguments it stands for a single post of one author.

    Parameters
    ----------
    posts, authors, networks, streets, houses : int
        How many distinct ones there are.
    growth : int
        Most authors within three hours.
    hours : float
        From the first post to the last.
    month : int, optional
        Of the first post.
    topic : str, optional
        Of the incident, where it is known.
    """

    posts: int = 1
    authors: int = 1
    networks: int = 1
    streets: int = 0
    houses: int = 0
    growth: int = 1
    hours: float = 0.0
    month: int | None = None
    topic: str | None = None

    @classmethod
    def from_posts(
        cls, posts: Sequence[Post], places: Sequence[tuple[Place, ...]] = (), *, topic: str | None = None
    ) -> Self:
        """Count over posts and the places found in them.

        Raises
        ------
        ValueError
            If there are no posts.
        """
        if not posts:
            raise ValueError("IncidentEvidence: an incident has at least one post")
        ordered = sorted(posts, key=lambda post: post.order)
        writers = [post.author_id or f"{post.network}/{post.id}" for post in ordered]
        growth = start = 0
        for end, post in enumerate(ordered):
            while post.published_at - ordered[start].published_at > _WINDOW:
                start += 1
            growth = max(growth, len(set(writers[start : end + 1])))
        named = [place for found in places for place in found[:1]]
        span = ordered[-1].published_at - ordered[0].published_at
        return cls(
            posts=len(posts),
            authors=len(set(writers)),
            networks=len({post.network for post in posts}),
            streets=len({place.street for place in named if place.street}),
            houses=len({(place.street, place.house) for place in named if place.house}),
            growth=growth,
            hours=span.total_seconds() / 3600,
            month=ordered[0].published_at.month,
            topic=topic,
        )


def parts_of(
    worst: Sequence[float], widest: float, hits: Mapping[str, float], evidence: IncidentEvidence
) -> dict[str, float]:
    """Return the parts of an incident's score.

    Parameters
    ----------
    worst : sequence of float
        Probabilities that the urgency is above each step.
    widest : float
        The highest rank of `Scale` that a post makes one expect.
    hits : mapping of str to float
        Words of each lexicon (`RULES`).
    evidence : IncidentEvidence
    """
    data = priority_data()
    record = Taxonomy.load().topics.get(evidence.topic or "")
    season = evidence.month in (*data["cold_months"], *data["hot_months"])
    amounts = {
        "danger": worst[-1],
        "urgency": sum(worst),
        "topic": record.urgency_prior if record else 0.0,
        "scale": widest,
        "people": math.log2(evidence.authors) if evidence.authors > 1 else 0.0,
        "networks": float(max(evidence.networks - 1, 0)),
        "houses": math.log2(1 + evidence.houses),
        "growth": float(max(evidence.growth - 1, 0)) ** 0.5,
        "vulnerable": float(hits["vulnerable"] > 0),
        "weather": (float(hits["weather"] > 0) + float(season and hits["weather"] > 0)) / 2,
        "fast_track": float(record.fast_track) if record else 0.0,
    }
    return {name: round(data["weights"][name] * amount, 3) for name, amount in amounts.items()}


def means_of(rows: NDArray[np.float64], starts: NDArray[np.intp]) -> NDArray[np.float64]:
    """Return the mean of each run of rows; `starts` tells where each begins."""
    sizes = np.diff(np.append(starts, len(rows)))
    return np.asarray(np.add.reduceat(rows, starts, axis=0) / sizes[:, None])


def looks_of(
    rows: NDArray[np.float64], starts: NDArray[np.intp], topics: Sequence[str | None]
) -> NDArray[np.float64]:
    """Return what the second look sees of incidents: scores, extent, what the topic usually means, lexicons."""
    mean, most = means_of(rows, starts), np.maximum.reduceat(rows, starts, axis=0)
    between = (mean + most) / 2
    pooled = np.clip(between[:, :STEPS], -8.0, 8.0)
    proba = softmax(mean[:, STEPS : -len(RULES)])
    extent = (proba * np.arange(len(Scale))).sum(axis=1) / len(Scale)
    records = [Taxonomy.load().topics.get(topic or "") for topic in topics]
    prior = np.array([(record.urgency_prior if record else 1.7) - 1.7 for record in records])
    emergency = np.array([float(record.emergency) if record else 0.0 for record in records])
    return np.column_stack([pooled, extent, prior, emergency, emergency * extent, between[:, -len(RULES) :]])
