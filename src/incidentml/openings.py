"""Many patterns of words looked for at once: each is tried only at words that begin as it does.

A regular expression of two hundred alternatives tries them all at every word. Nearly every alternative begins with
letters of its own, so the first letters of a word tell which few can match there, if any.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

__all__ = ["Openings"]

_LITERAL = re.compile(r"[^\W_]+")
_OPTIONAL = re.compile(r"[?*]|\{0")
_START = re.compile(r"(?<!\w)\w{1,3}")
_KEY = 3
_MOST_KEYS = 20_000

_Tried = tuple[tuple[str, re.Pattern[str]], ...]


class Openings:
    r"""Named lists of alternatives that all begin at the start of a word.

    Finds what ``re.finditer(rf"(?<!\w)(?:{'|'.join(alternatives)})", folded)`` finds for each name.

    Parameters
    ----------
    patterns : mapping of str to iterable of str
        Regular expressions over folded text whose first character can only be one of a word.
    rare : str, optional
        What a text must hold somewhere for those to match that may begin with any letters.

    Examples
    --------
    >>> openings = Openings({"fault": ["ям[аы]", r"не работа\w*"], "when": ["вчера"]})
    >>> found = openings.find("вчера яма, лифт не работал")
    >>> found["fault"], found["when"]
    ([(6, 9), (16, 26)], [(0, 5)])
    """

    def __init__(self, patterns: Mapping[str, Iterable[str]], rare: str = "") -> None:
        self._listed = {name: [(_opening(one), one) for one in listed] for name, listed in patterns.items()}
        self._rare = re.compile(rare)
        self._compiled: dict[str, re.Pattern[str]] = {}
        self._known: tuple[dict[str, _Tried], dict[str, _Tried]] = ({}, {})

    def find(self, folded: str, most: int | None = None) -> dict[str, list[tuple[int, int]]]:
        """Return the stretches of each name, in order and without overlaps, `most` of each at most."""
        found: dict[str, list[tuple[int, int]]] = {name: [] for name in self._listed}
        every = self._rare.search(folded) is not None
        known = self._known[every]
        for word in _START.finditer(folded):
            key = word.group()
            tried = known.get(key)
            if tried is None:
                tried = self._tried_at(key, every)
            for name, pattern in tried:
                match = pattern.match(folded, word.start())
                if match is not None:
                    taken = found[name]
                    if (not taken or taken[-1][1] <= match.start()) and len(taken) != most:
                        taken.append(match.span())
        return found

    def _tried_at(self, key: str, every: bool) -> _Tried:
        """Return the patterns that a word with these first letters can begin."""
        out = []
        for name, listed in self._listed.items():
            near = "|".join(
                one for opening, one in listed if key.startswith(opening[: len(key)]) and (opening or every)
            )
            if near:
                if near not in self._compiled:
                    self._compiled[near] = re.compile(near)
                out.append((name, self._compiled[near]))
        tried = tuple(out)
        if len(self._known[every]) < _MOST_KEYS:
            self._known[every][key] = tried
        return tried


def _opening(pattern: str) -> str:
    """Return the letters that every match begins with, three at most; none if it may begin in several ways."""
    literal = _LITERAL.match(pattern)
    if literal is None:
        return ""
    letters = literal.group()
    if _OPTIONAL.match(pattern, literal.end()):
        letters = letters[:-1]
    return letters[:_KEY]
