"""Which words of a text could name a place, and the evidence for each.

Most words of a text are ordinary and thrown out early; what is left is described by its ending, its class,
its capital,
the gazetteer and its neighbours. Names are never evidence by themselves, only ordinary words are.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from incidentml.numerals import NUMERALS
from incidentml.places.evidence import (
    Evidence,
    Known,
    Word,
    ending_of,
    landmark_evidence,
    number_evidence,
    shape_of,
    word_evidence,
)
from incidentml.places.gazetteer import Gazetteer, likeness, word_class
from incidentml.places.words import (
    AREA_TYPES,
    HOUSE_TYPES,
    LANDMARKS,
    NAME_PARTS,
    SETTLEMENT_TYPES,
    STREET_TYPES,
    UNITS,
)

__all__ = ["Candidate", "PlaceFeatures", "Word", "split"]

_PIECE = re.compile(r"[^\W\d_]+(?:[-’'][^\W\d_]+)*|\d+|[^\w\s]|_")
_LONGEST_WORD = 40
_TYPES = {
    **{word: "AR" if kind in ("район", "округ") else "AT" for word, kind in AREA_TYPES.items()},
    **dict.fromkeys(STREET_TYPES, "ST"),
    **dict.fromkeys(SETTLEMENT_TYPES, "TT"),
    **dict.fromkeys(HOUSE_TYPES, "HT"),
}
_ENDS = frozenset(".!?…*•–—:;")
_CANDIDATE_ADJECTIVES = ("ая", "ой", "ую", "ого", "ом", "ый", "ий", "ому", "яя", "ей")
_CACHE_SIZE = 200_000


class Candidate(NamedTuple):
    """A piece that could be part of a place."""

    piece: int
    evidence: Evidence
    near: str  # what stands before it
    town: bool  # a town of the feed's own region, spelled like no ordinary word


#: Prepositions that a thing nearby follows: «у гаражей».
_PLACED = frozenset("на по с в во из от до у к под за возле около напротив вдоль через между угол".split())
_NEARBY = frozenset("у возле около напротив за перед под между близ мимо".split())


def split(folded: str) -> list[Word]:
    """Split a folded text into words, numbers and single marks."""
    # The constructor of a named tuple is half of the time: its parts are put together directly.
    new = tuple.__new__
    return [new(Word, (m[0], *m.span())) for m in _PIECE.finditer(folded)]


_MARK = {mark: Known("", "", "", mark, mark, "", "-", "", (), (), False, False) for mark in '.,!?:;-()«»"/#@—–'}
_FAR_LEFT = Known("", "", "", "^", "^", "", "-", "", (), (), False, False)
_FAR_RIGHT = _FAR_LEFT._replace(coarse="$", about="$")
_NONE = _FAR_LEFT._replace(coarse="~", about="~")
_UNIT_NUMBER = _FAR_LEFT._replace(coarse="0u", about="0u", number=True, lively=True)


class PlaceFeatures:
    """Finds the candidates of a text with the help of a gazetteer."""

    def __init__(self, gazetteer: Gazetteer) -> None:
        self._gazetteer = gazetteer
        self._cache: dict[str, Known] = dict(_MARK)
        self._kinds: dict[tuple[str | None, ...], str] = {}

    @staticmethod
    @lru_cache(maxsize=1)
    def default() -> PlaceFeatures:
        """Return those of the gazetteer that ships; all share what is known of a word."""
        return PlaceFeatures(Gazetteer.default())

    def _known(self, word: str) -> Known:
        found = self._cache.get(word)
        if found is None:
            if len(self._cache) > _CACHE_SIZE:
                self._cache = dict(_MARK)
            found = self._describe(word)
            if len(word) <= _LONGEST_WORD:
                self._cache[word] = found
        return found

    def _describe(self, word: str) -> Known:
        if word.isdigit():
            return _NONE._replace(coarse="0", about="0", number=len(word) <= 4, lively=True)
        if not word[0].isalpha() or len(word) > _LONGEST_WORD:
            return _NONE._replace(coarse="~" if ord(word[0]) > 0x2000 else word[0], about=word[:1])
        kind = _TYPES.get(word, "")
        code = word_class(word)
        letters, common = code[:-1], code[-1:]
        about = word if code else "?"
        coarse = letters[:1] or "?"
        if kind:
            about, coarse = (kind + word if len(word) < 4 else kind), kind
        elif letters and letters[0] in "gsnp":
            about = coarse
        elif word in LANDMARKS:
            coarse = "LM"
        elif word in UNITS:
            coarse = "U"
        street, phrases = self._gazetteer.street_word(word)
        always = word in NAME_PARTS or word in NUMERALS
        dull = (
            letters[:1] in ("V", "o", "x")
            and not always
            and street == "-"
            and "N" not in letters
            and "A" not in letters
        )
        noun, landmark = letters[:1] == "N" and len(word) > 2, LANDMARKS.get(word, "")
        lengths = self._gazetteer.lengths(word) if len(word) > 1 else ()
        return Known(
            letters,
            common,
            kind,
            coarse,
            about,
            ending_of(word),
            street,
            likeness(word) if not code else "",
            lengths,
            phrases,
            always,
            False,
            dull,
            landmark,
            noun,
            noun and street == "-" and "A" not in letters and not always,
            not dull or bool(lengths or phrases or landmark),
        )

    def candidates(
        self, text: str, words: Sequence[Word], region: str | None = None
    ) -> tuple[list[Candidate], dict[int, tuple[int, str]]]:
        """Return the pieces that could be part of a place, with the evidence for each.

        The second value maps pieces of settlements' names in the gazetteer to (number of pieces
        where a name begins, or 0 inside one; evidence).
        """
        cached = self._cache.get
        known = [cached(word[0]) or self._known(word[0]) for word in words]
        # Half of a text are verbs, particles and marks: they are looked at once, here.
        lively = [
            index
            for index, info in enumerate(known)
            if info.lively or (info.dull and text[words[index][1]] != words[index][0][0])
        ]
        for index in lively:
            if known[index].coarse == "0" and index + 1 < len(known) and known[index + 1].coarse == "U":
                again = index + 2 < len(known) and known[index + 2].coarse == "0"  # «45 подъезд 3»
                if not again:  # neither a house nor a neighbour of a street
                    known[index] = _UNIT_NUMBER
        towns = self._towns(words, known, lively, region)
        phrases = self._phrases(words, known, lively)
        named = towns.keys() | phrases.keys()
        if not named.issubset(lively):
            lively = sorted(named.union(lively))
        lower_only = text.islower()
        padded = [_FAR_LEFT, _FAR_LEFT, *known, _FAR_RIGHT, _FAR_RIGHT]
        found: list[Candidate] = []
        for index in lively:
            info, word = known[index], words[index]
            if info.number:
                if info is _UNIT_NUMBER and index not in phrases and (index == 0 or not known[index - 1].kind):
                    continue  # «5 минут»
                evidence = number_evidence(words, padded, index, phrases.get(index, ""))
                found.append(Candidate(index, evidence, "0" + padded[index + 1].coarse, False))
                continue
            if not info.ending:
                continue
            if index not in named:
                small = text[word.start] == word.text[0]
                beside = small and info.noun and index > 0 and words[index - 1].text in _NEARBY
                if info.landmark or (beside and not info.kind):
                    evidence = landmark_evidence(word.text, padded, index)
                    found.append(Candidate(index, evidence, padded[index + 1].coarse, False))
                    continue
                if info.kind or (small and info.dull):
                    continue
                if small and info.plain and index and not _typed(word.text, info, words, known, index):
                    continue
            elif info.kind and index not in phrases:
                continue
            shape = shape_of(text[word.start : word.end])
            if shape == "XxX" and index not in towns:  # «МУПа», «НацпроектыПриморья»
                continue
            first = index == 0 or words[index - 1].text in _ENDS or "\n" in text[words[index - 1].end : word.start]
            if index in named or _possible(word.text, info, shape, first, words, known, index):
                town = towns[index][1] if index in towns else ""
                cap = ("^" if first else "") + shape + ("l" if lower_only else "")
                centre = self._gazetteer.centre(word.text, region) if padded[index + 3].coarse == "AR" else ""
                evidence = word_evidence(word.text, padded, index, cap, town, phrases.get(index, ""), centre)
                # «Нагибина» is a street before it is Нагибин.
                noun = info.letters[:1] == "N" and shape == "Xx" and not first  # «из Тары»
                own = town[:1] == "r" and (noun or not info.letters.strip("g")) and info.ending != "gs"
                found.append(Candidate(index, evidence, padded[index + 1].coarse, own))
        return found, towns

    def _towns(
        self, words: Sequence[Word], known: Sequence[Known], lively: Sequence[int], region: str | None
    ) -> dict[int, tuple[int, str]]:
        """Map pieces to (size of the settlement's name that begins here, or 0 inside one; evidence)."""
        names: dict[int, tuple[int, str]] = {}
        past = 0
        for index in lively:
            lengths = known[index].lengths
            if not lengths or index < past:
                continue
            for length in lengths:
                chunk = [piece.text for piece in words[index : index + length]]
                if len(chunk) == length and (kind := self._kind_of_town(chunk, region)):
                    for offset in range(length):
                        names[index + offset] = (0 if offset else length, kind)
                    past = index + length
                    break
        return names

    def _kind_of_town(self, name: Sequence[str], region: str | None) -> str:
        """Return whether a settlement is of the feed's region, how large it is and the size of its name."""
        key = (region, *name)
        kind = self._kinds.get(key)
        if kind is None:
            kind = ""
            if entries := self._gazetteer.find(name, region):
                best = entries[0]
                near = "r" if best.region == region else "-" if region else "?"
                kind = f"{near}{'a' if best.area else min(6, len(str(best.population)))}{len(name)}"
            if len(self._kinds) > _CACHE_SIZE:
                self._kinds = {}
            if max(map(len, name)) <= _LONGEST_WORD:
                self._kinds[key] = kind
        return kind

    def _phrases(self, words: Sequence[Word], known: Sequence[Known], lively: Sequence[int]) -> dict[int, str]:
        """Map pieces of known street names of several words to a mark."""
        found: dict[int, str] = {}
        for index in lively:
            info = known[index]
            if not (info.phrases or info.number):
                continue
            for length in info.phrases:
                chunk = words[index : index + length]
                if len(chunk) == length and self._gazetteer.is_street(" ".join(piece.text for piece in chunk)):
                    found.update(dict.fromkeys(range(index, index + length), "p"))
                    break
            if info.number and index + 2 < len(words):  # «70 лет Октября», «50-летия ВЛКСМ»
                at = index + 1 + (words[index + 1].text == "-")
                if at + 1 < len(words) and words[at].text in ("лет", "летия", "летие") and not found.get(index):
                    after = known[at + 1]
                    if after.ending and after.coarse not in ("o", "V"):
                        mark = "p" if "w" in after.street or "s" in after.street else "q"
                        found.update(dict.fromkeys(range(index, at + 2), mark))
        return found


def _possible(
    word: str, info: Known, shape: str, first: bool, words: Sequence[Word], known: Sequence[Known], index: int
) -> bool:
    """Throw out ordinary words early: most of a text is never looked at again."""
    letters = info.letters
    lower = shape in ("x", "xX") and not first
    if lower and not _placed(info, words, known, index):
        return False
    if info.always:
        return True
    if len(word) == 1:
        return shape == "I" and index + 1 < len(words) and words[index + 1].text == "."
    if not (lower or first):
        return True
    if not letters:
        return len(word) > 2
    if letters[0] in "gsn" or info.street != "-":
        return True
    if "A" in letters and word.endswith(_CANDIDATE_ADJECTIVES):
        return info.like == "" and (info.common <= "3" or word.endswith(("ская", "ской", "скую")))
    if _typed(word, info, words, known, index):
        return True
    at = index + 1 + (index + 1 < len(words) and words[index + 1].text == ",")  # «Согласия, 38»
    after = known[at] if at < len(known) else _FAR_RIGHT
    return after.number and letters[0] in "NA" and (shape != "x" or index == 0)


def _typed(word: str, info: Known, words: Sequence[Word], known: Sequence[Known], index: int) -> bool:
    """Tell whether a type word makes an ordinary word a name: «ул Школьников», «на Строителей»."""
    back = 2 if index > 1 and words[index - 1].text == "." else 1
    before = known[index - back] if index >= back else _FAR_LEFT
    if before.kind in ("ST", "TT") or (index + 1 < len(known) and known[index + 1].kind == "ST"):
        return info.letters[0] in "NA"
    return "N" in info.letters and before.about in ("на", "по", "с") and word.endswith(("ов", "ев", "ей"))


def _placed(info: Known, words: Sequence[Word], known: Sequence[Known], index: int) -> bool:
    """Tell whether a word in lower case is likely a name, or stands where names of places stand."""
    before = known[index - 1] if index else _FAR_LEFT
    after = known[index + 1] if index + 1 < len(known) else _FAR_RIGHT
    letters = info.letters
    beside = before.kind or after.kind or after.number or after.landmark
    if letters[:1] == "o" and info.always:  # a number in words, after a name or a type word
        return (
            bool(beside) or before.street != "-" or (before.ending != "" and before.letters[:1] in ("", "g", "s"))
        )
    if beside or (index and words[index - 1].text in _PLACED):
        return True
    if not letters:
        return info.like not in ("0", "1", "u")
    if letters[0] == "o":
        return False
    return info.street != "-" or (letters[0] in "gN" and not info.always)
