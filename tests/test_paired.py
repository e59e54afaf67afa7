"""Two models on the same posts: differences, outcomes, moved pairs."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from incidentml.paired import OUTCOMES, MovedPairs, moved_pairs, outcomes, paired, regrouped
from incidentml.partitions import partition_codes

LABELS = st.lists(st.tuples(*[st.sampled_from(["x", "y", "z", None])] * 3), max_size=12)


def accuracy(hit: list[bool]):
    row = np.array(hit, dtype=float)
    return lambda w: [float(w @ row / w.sum())]


def test_a_model_against_itself_differs_by_nothing() -> None:
    one = accuracy([True, False, True, True])
    (found,) = paired(one, one, ["a", "b", "c", "c"], n_boot=50)
    assert found.a == found.b
    assert tuple(found.difference) == (0.0, 0.0, 0.0)
    assert not found.significant


def test_the_pairing_sees_what_two_intervals_hide() -> None:
    hit = [True, False] * 50
    better = [at % 10 == 1 or right for at, right in enumerate(hit)]
    (found,) = paired(accuracy(hit), accuracy(better), list(range(100)), n_boot=300)
    assert found.a.high > found.b.low
    assert found.significant


def test_whole_groups_are_drawn() -> None:
    hit, better = [False] * 40, [True] * 20 + [False] * 20
    wide = paired(accuracy(hit), accuracy(better), ["a"] * 20 + ["b"] * 20, n_boot=200)[0].difference
    narrow = paired(accuracy(hit), accuracy(better), list(range(40)), n_boot=200)[0].difference
    assert wide.high - wide.low > 2 * (narrow.high - narrow.low)


@given(st.lists(st.tuples(st.booleans(), st.booleans())))
def test_outcomes_say_who_is_right(rows: list[tuple[bool, bool]]) -> None:
    names = {(True, True): 0, (False, True): 1, (True, False): 2, (False, False): 3}
    found = outcomes([a for a, _ in rows], [b for _, b in rows]).tolist()
    assert found == [OUTCOMES[names[row]] for row in rows]


@given(LABELS)
def test_moved_pairs_are_those_that_a_count_of_all_pairs_finds(rows: list[tuple[str | None, ...]]) -> None:
    columns = [[row[at] for row in rows] for at in range(3)]
    gold, a, b = (partition_codes(column).tolist() for column in columns)
    counts = dict.fromkeys(MovedPairs._fields, 0)
    for i, j in combinations(range(len(rows)), 2):
        if (a[i] == a[j]) != (b[i] == b[j]):
            joined = b[i] == b[j]
            right = (gold[i] == gold[j]) == joined
            counts[f"{'joined' if joined else 'parted'}_{'right' if right else 'wrong'}"] += 1
    assert moved_pairs(*columns)._asdict() == counts


@given(LABELS)
def test_regrouped_parts_are_together_after_and_apart_before(rows: list[tuple[str | None, ...]]) -> None:
    a, b = ([row[at] for row in rows] for at in range(2))
    before, after = partition_codes(a).tolist(), partition_codes(b).tolist()
    for group in regrouped(a, b):
        assert len(group) > 1
        assert len({after[row] for part in group for row in part}) == 1
        assert [len({before[row] for row in part}) for part in group] == [1] * len(group)
        assert len({before[part[0]] for part in group}) == len(group)
    assert regrouped(a, a) == []


def test_figures_come_in_their_order() -> None:
    found = paired(lambda w: [1.0, 2.0], lambda w: [3.0, 5.0], ["a", "b"], n_boot=5)
    assert [one.difference.value for one in found] == [2.0, 3.0]
    assert [one.a.value for one in found] == [1.0, 2.0]
    with pytest.raises(ValueError, match="zip"):
        paired(lambda w: [1.0, 2.0], lambda w: [3.0], ["a"], n_boot=5)
