from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest

from incidentml.errors import DataError
from incidentml.review import select_for_review
from incidentml.types import Concreteness, Kind, Post, Verdict

_WHEN = datetime(2024, 1, 1, tzinfo=UTC)


def _posts(n):
    posts = [Post(str(i), "vk", f"текст номер {i}", _WHEN) for i in range(n)]
    rng = np.random.RandomState(0)
    verdicts = [Verdict(Kind.OTHER, {}, float(p), False, Concreteness(0.0)) for p in rng.rand(n)]
    return posts, verdicts, rng.normal(size=(n, 8))


def test_review_is_uncertain_diverse_and_partly_random():
    posts, verdicts, vectors = _posts(200)
    chosen = select_for_review(posts, verdicts, vectors, 20)
    assert len({item.key for item in chosen}) == 20
    random = [item for item in chosen if item.why == "random"]
    assert len(random) == 4
    assert all(item.weight == 50 for item in random)
    assert all(abs(item.probability - 0.5) < 0.35 for item in chosen if item.why == "uncertain")


def test_review_does_not_depend_on_the_order_of_posts():
    posts, verdicts, vectors = _posts(80)
    order = np.random.RandomState(1).permutation(80)
    one = select_for_review(posts, verdicts, vectors, 12)
    two = select_for_review([posts[i] for i in order], [verdicts[i] for i in order], vectors[order], 12)
    assert one == two


def test_review_takes_a_copy_once():
    verdicts = [Verdict(Kind.OTHER, {}, 0.33, False, Concreteness(0.0))] * 10
    posts = [Post(str(i), "vk", "одно и то же!", _WHEN) for i in range(10)]
    assert len(select_for_review(posts, verdicts, np.ones((10, 3)), 5, random_share=0.0)) == 1


def test_review_spreads_over_meanings():
    vectors = np.repeat(np.eye(4), 5, axis=0)
    posts, _, _ = _posts(20)
    verdicts = [Verdict(Kind.OTHER, {}, 0.33, False, Concreteness(0.0))] * 20
    chosen = select_for_review(posts, verdicts, vectors, 4, random_share=0.0)
    assert sorted(int(item.key.id) // 5 for item in chosen) == [0, 1, 2, 3]


def test_review_of_few_posts_returns_them_all():
    posts, verdicts, vectors = _posts(3)
    assert len(select_for_review(posts, verdicts, vectors, 10)) == 3
    assert select_for_review([], [], np.zeros((0, 2)), 5) == []


def test_review_checks_its_arguments():
    posts, verdicts, vectors = _posts(3)
    with pytest.raises(DataError, match="3 posts, 2 verdicts"):
        select_for_review(posts, verdicts[:2], vectors, 2)
    with pytest.raises(ValueError, match="budget=0"):
        select_for_review(posts, verdicts, vectors, 0)
