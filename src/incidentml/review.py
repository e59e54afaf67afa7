"""What a person should label next."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from incidentml.errors import DataError
from incidentml.numeric import unit_grid
from incidentml.text import fingerprint
from incidentml.types import Post, PostKey, Verdict

__all__ = ["ReviewItem", "select_for_review"]

_POOL = 6


@dataclass(frozen=True, slots=True)
class ReviewItem:
    """A post to label, and why.

    Attributes
    ----------
    key : PostKey
    why : {"uncertain", "random"}
        Unsure and unlike the others chosen, or drawn at random.
    probability : float
        Of a complaint.
    weight : float or None
        Of random ones: how many posts it stands for in unbiased figures.
    """

    key: PostKey
    why: Literal["uncertain", "random"]
    probability: float
    weight: float | None = None


def select_for_review(
    posts: Sequence[Post],
    verdicts: Sequence[Verdict],
    embeddings: ArrayLike,
    budget: int,
    *,
    threshold: float = 0.5,
    random_share: float = 0.2,
    seed: int = 0,
) -> list[ReviewItem]:
    """Choose posts for labelling.

    Parameters
    ----------
    posts : sequence of Post
    verdicts : sequence of Verdict
        Of the same posts.
    embeddings : array of shape (n, dim)
        Vectors of their texts; with them it chooses posts that are unlike one another.
    budget : int
        How many a person will read.
    threshold : float, default=0.5
        The complaint probability at which the decision turns; see `ComplaintClassifier.thresholds`.
    random_share : float, default=0.2
        Part of the budget drawn at random from all posts: only these give unbiased figures.
    seed : int
        Of the random part.

    Returns
    -------
    list of ReviewItem
        The random ones first. Copies of one text are taken once; the order of the posts does not matter.

    Raises
    ------
    DataError
        If there is not one verdict and one vector for each post.
    ValueError
        If `budget` or `random_share` is out of range.

    Examples
    --------
    >>> from datetime import datetime, timezone
    >>> from incidentml.types import Concreteness, Kind
    >>> when = datetime(2024, 1, 1, tzinfo=timezone.utc)
    >>> posts = [Post(str(i), "vk", f"текст {i}", when) for i in range(9)]
    >>> verdicts = [Verdict(Kind.OTHER, {}, i / 10, False, Concreteness(0.0)) for i in range(9)]
    >>> chosen = select_for_review(posts, verdicts, np.eye(9), 3, random_share=0.0)
    >>> sorted(item.key.id for item in chosen)
    ['4', '5', '6']
    """
    vectors = unit_grid(embeddings)
    if not len(posts) == len(verdicts) == len(vectors):
        raise DataError(
            f"{len(posts)} posts, {len(verdicts)} verdicts and {len(vectors)} embeddings: give one each"
        )
    if budget < 1 or not 0 <= random_share <= 1:
        raise ValueError(f"budget={budget!r} must be at least 1 and random_share={random_share!r} within 0 and 1")
    draws = [_draw(post.key, seed) for post in posts]
    order = sorted(range(len(posts)), key=lambda row: draws[row])
    quota = min(round(budget * random_share), len(posts))
    taken = order[:quota]
    seen = {fingerprint(posts[row].text) for row in taken}
    pool: list[int] = []
    for row in sorted(order, key=lambda r: (abs(verdicts[r].complaint_probability - threshold), draws[r])):
        mark = fingerprint(posts[row].text)
        if mark not in seen and len(pool) < _POOL * budget:
            seen.add(mark)
            pool.append(row)
    gaps = np.array([abs(verdicts[row].complaint_probability - threshold) for row in pool])
    unsure = [pool[i] for i in _spread(vectors[pool], gaps, min(budget - quota, len(pool)))] if pool else []
    return [
        *(
            ReviewItem(posts[r].key, "random", verdicts[r].complaint_probability, len(posts) / quota)
            for r in taken
        ),
        *(ReviewItem(posts[r].key, "uncertain", verdicts[r].complaint_probability) for r in unsure),
    ]


def _draw(key: PostKey, seed: int) -> str:
    return hashlib.blake2b(f"{seed}\0{key.network}\0{key.id}".encode(), digest_size=12).hexdigest()


def _spread(vectors: NDArray[np.float32], gaps: NDArray[np.float64], count: int) -> list[int]:
    """Take the least sure first, then again and again the one that is unsure and far from all taken."""
    value = 1.0 - gaps / max(float(gaps.max()), 1e-9) / 2
    distance = np.ones(len(vectors))
    chosen: list[int] = []
    for _ in range(count):
        score = value * distance
        score[chosen] = -1.0
        best = int(score.argmax())
        chosen.append(best)
        distance = np.minimum(distance, 1.0 - np.clip(vectors @ vectors[best], 0.0, 1.0))
    return chosen
