"""What people decide about incidents: events that later updates respect and that can be taken back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from incidentml.types import PostKey

__all__ = ["Decision", "constraints"]


@dataclass(frozen=True, slots=True)
class Decision:
    """Two sets of posts that are one incident (`together`) or are not.

    Parameters
    ----------
    together : bool
        True: they are one incident; False: no post of `left` is in one with a post of `right`.
    left, right : tuple of PostKey
        Posts on either side; with `together` all of them are one incident.
    """

    together: bool
    left: tuple[PostKey, ...]
    right: tuple[PostKey, ...]

    @property
    def keys(self) -> tuple[PostKey, ...]:
        """All posts that the decision names."""
        return (*self.left, *self.right)

    @property
    def sound(self) -> bool:
        """Whether it tells anything: both sides name posts, and no post is to be apart from itself."""
        both = set(self.left) & set(self.right)
        return bool(self.left and self.right) and len(set(self.keys)) > 1 and (self.together or not both)


def constraints(
    decisions: Sequence[Decision], row_of: Mapping[PostKey, int]
) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
    """Return (pairs of rows that must be together, pairs that must not).

    Where decisions contradict one another the later one holds. Posts that the state no longer holds are left out.
    """
    must: list[tuple[int, int]] = []
    cannot: dict[tuple[int, int], None] = {}
    owner: dict[int, int] = {}
    members: dict[int, set[int]] = {}

    def root(row: int) -> int:
        while owner.get(row, row) != row:
            row = owner[row]
        return row

    def barred(a: int, b: int) -> bool:
        return any((min(x, y), max(x, y)) in cannot for x in members.get(a, {a}) for y in members.get(b, {b}))

    for decision in reversed(decisions):
        left = [row_of[key] for key in decision.left if key in row_of]
        right = [row_of[key] for key in decision.right if key in row_of]
        if decision.together:
            rows = [*left, *right]
            for other in rows[1:]:
                a, b = root(rows[0]), root(other)
                if a != b and not barred(a, b):
                    members[a] = members.get(a, {a}) | members.get(b, {b})
                    owner[b] = a
                    must.append((rows[0], other))
        else:
            for a in left:
                for b in right:
                    if root(a) != root(b):
                        cannot[min(a, b), max(a, b)] = None
    return must, list(cannot)


def pinned_rows(decisions: Iterable[Decision], row_of: Mapping[PostKey, int]) -> NDArray[np.intp]:
    """Return the rows that decisions name; they are never hidden behind a copy."""
    rows = {row_of[key] for decision in decisions for key in decision.keys if key in row_of}
    return np.array(sorted(rows), dtype=np.intp)
