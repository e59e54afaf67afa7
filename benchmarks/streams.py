"""Long feeds for measuring speed, made from the corpus; never for measuring quality.

Every post is a text of the corpus with other numbers in it, at another time and in another city, so that a long
feed has as many different incidents, near copies and chatter per thousand posts as a short one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta, timezone

import numpy as np

from incidentml.gold import GoldPost
from incidentml.types import Post

_NUMBER = re.compile(r"\d+")
_ZONE = timezone(timedelta(hours=3))
#: A city of a million writes this many posts a day; a longer feed has more cities and days, not denser ones.
PER_CITY_AND_DAY = 100
CITIES = 40


def feed(items: Sequence[GoldPost], count: int, seed: int = 0) -> Iterator[Post]:
    """Yield `count` posts in order of time; the same for the same seed."""
    rng = np.random.default_rng(seed)
    texts = [item.text for item in items if item.post is not None]
    networks = ("vk", "telegram", "ok")
    per_day = PER_CITY_AND_DAY * CITIES
    start = datetime(2024, 1, 1, tzinfo=_ZONE)
    for number in range(count):
        shift = int(rng.integers(1, 60))
        text = _NUMBER.sub(
            lambda match, by=shift: str((int(match[0][:6]) + by) % 300 + 1), texts[rng.integers(len(texts))]
        )
        yield Post(
            id=f"s{number}",
            network=networks[number % 3],
            text=text,
            published_at=start + timedelta(seconds=86_400 * number / per_day),
            author_id=f"u{rng.integers(count // 3 + 1)}",
            region=f"Область {rng.integers(CITIES)}",
        )
