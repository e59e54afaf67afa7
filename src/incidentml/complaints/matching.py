"""Lists of words, beginnings (``прорва*``) and endings (``*айте``), and which of them a folded token is in."""

from __future__ import annotations

from collections.abc import Iterable

__all__ = ["Matcher", "WordIndex"]

#: Endings tell nothing of words of so many letters or fewer.
_SHORTEST = 4


class Matcher:
    """Tells whether a folded token is in a list of words, beginnings and endings."""

    def __init__(self, entries: str) -> None:
        listed = entries.split()
        self._exact = frozenset(entry for entry in listed if "*" not in entry)
        self._starts = tuple(entry[:-1] for entry in listed if entry.endswith("*"))
        self._ends = tuple(entry[1:] for entry in listed if entry.startswith("*"))

    def __call__(self, token: str) -> bool:
        """Return whether the token matches; endings count in words of five letters and more."""
        return (
            token in self._exact
            or token.startswith(self._starts)
            or (len(token) > _SHORTEST and token.endswith(self._ends))
        )


class WordIndex:
    """Tells which of many lists a folded token is in: a lookup for each length of a beginning, not for each list.

    Examples
    --------
    >>> index = WordIndex(["прорва* яма", "*айте", "яма"])
    >>> index("яма"), index("прорвало"), index("давайте"), index("айте")
    ((0, 2), (0,), (1,), ())
    """

    def __init__(self, lists: Iterable[str]) -> None:
        self._exact: dict[str, set[int]] = {}
        self._starts: dict[str, set[int]] = {}
        self._ends: dict[str, set[int]] = {}
        for number, entries in enumerate(lists):
            for entry in entries.split():
                if entry.endswith("*"):
                    self._starts.setdefault(entry[:-1], set()).add(number)
                elif entry.startswith("*"):
                    self._ends.setdefault(entry[1:], set()).add(number)
                else:
                    self._exact.setdefault(entry, set()).add(number)
        self._start_lengths = sorted({len(start) for start in self._starts})
        self._end_lengths = sorted({len(end) for end in self._ends})

    def __call__(self, token: str) -> tuple[int, ...]:
        """Return the numbers of the lists that `Matcher` would find the token in, in order."""
        found = set(self._exact.get(token, ()))
        size = len(token)
        for length in self._start_lengths:
            if length > size:
                break
            if (more := self._starts.get(token[:length])) is not None:
                found |= more
        if size > _SHORTEST:
            for length in self._end_lengths:
                if length <= size and (more := self._ends.get(token[size - length :])) is not None:
                    found |= more
        return tuple(sorted(found))
