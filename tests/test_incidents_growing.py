"""Columns that grow in place, and what must not change when they do."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from incidentml.incidents.growing import Room, among

HASHES = st.lists(st.integers(0, 2**64 - 1), max_size=60)


def rows(*values: int) -> np.ndarray:
    return np.array(values, dtype=np.int32)


def test_rows_are_written_behind_those_that_are_held():
    room = Room({"a": rows(*range(8))}, 8)
    held = room.arrays["a"][:8]
    assert room.claim(8, 10)
    assert room.write("a", 8, rows(20, 21)).tolist() == [*range(8), 20, 21]
    assert held.tolist() == list(range(8))


def test_of_two_that_go_on_from_one_state_only_the_first_writes_there():
    room = Room({"a": rows(1, 2, 3, 4)}, 4)
    assert room.claim(4, 5)
    assert not room.claim(4, 6)
    assert room.claim(5, 6)


def test_a_full_room_takes_no_more():
    assert not Room({"a": rows(1, 2)}, 2).claim(2, 9)


@given(HASHES, HASHES)
def test_a_few_among_many_are_those_that_numpy_finds(many, few):
    values, chosen = np.array(many + few[:3], dtype=np.uint64), np.array(few, dtype=np.uint64)
    assert among(values, chosen).tolist() == np.isin(values, chosen).tolist()
