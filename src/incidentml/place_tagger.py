"""Which words of a text name a place: a small linear tagger over the few words that could.

Streets without a type word (``на шишкина 18``) cannot be listed: they are told by their ending, their neighbours, the
class of the word and the number that follows. A multinomial logistic regression weighs such evidence; it knows
ordinary words by themselves but names only by their shape, so that it works in towns that it never saw.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from importlib import resources
from typing import TYPE_CHECKING, NamedTuple

from incidentml.gazetteer import Gazetteer, word_class
from incidentml.place_forms import stem
from incidentml.place_words import (
    AREA_TYPES,
    HOUSE_TYPES,
    LANDMARKS,
    NAME_PARTS,
    NUMERALS,
    SETTLEMENT_TYPES,
    STREET_TYPES,
    UNITS,
)

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["LABELS", "PlaceTagger", "Word", "split"]

#: Nothing, street, settlement, area or landmark name, house.
LABELS = "OSTLH"

_PIECE = re.compile(r"[^\W\d_]+(?:[-’'][^\W\d_]+)*|\d+|[^\w\s]|_")
_LONGEST_WORD = 40
_TYPES = {
    **dict.fromkeys(STREET_TYPES, "ST"),
    **dict.fromkeys(SETTLEMENT_TYPES, "TT"),
    **dict.fromkeys(HOUSE_TYPES, "HT"),
    **dict.fromkeys(AREA_TYPES, "AT"),
}


class Word(NamedTuple):
    """One piece of the text, folded: ``text[start:end]`` in any case."""

    text: str
    start: int
    end: int


def split(folded: str) -> list[Word]:
    """Split a folded text into words, numbers and single marks."""
    return [Word(m.group(), m.start(), m.end()) for m in _PIECE.finditer(folded)]


def _shape(word: str) -> str:
    if word.islower():
        return "x"
    if word.isupper():
        return "X" if len(word) > 1 else "I"
    return "Xx" if word[0].isupper() else "xX"


class PlaceTagger:
    """Labels the words of a text.

    Parameters
    ----------
    weights : mapping of str to sequence of float
        A weight for each of `LABELS`, by feature.
    """

    def __init__(self, weights: Mapping[str, Sequence[float]]) -> None:
        self._weights = {name: tuple(row) for name, row in weights.items()}

    @classmethod
    def default(cls) -> PlaceTagger:
        """Return the tagger that ships."""
        text = resources.files("incidentml").joinpath("data", "place_tagger.json").read_text("utf-8")
        return cls(json.loads(text)["weights"])

    def label(self, candidates: Sequence[tuple[int, list[str]]], size: int) -> list[str]:
        """Return a label for each of `size` pieces, left to right: a label is evidence for the next."""
        labels = ["O"] * size
        weights = self._weights.get
        for index, features in candidates:
            sums = [0.0] * len(LABELS)
            for name in (*features, *_history(labels, index)):
                if row := weights(name):
                    for k, value in enumerate(row):
                        sums[k] += value
            labels[index] = LABELS[max(range(len(LABELS)), key=sums.__getitem__)]
        return labels


def _history(labels: Sequence[str], index: int) -> tuple[str, str, str]:
    before = labels[index - 1] if index else "^"
    recent = next((label for label in reversed(labels[max(0, index - 4) : index]) if label != "O"), "O")
    return (f"l1={before}", f"lr={recent}", f"ll={before}{recent}")


def candidates(
    text: str, words: Sequence[Word], gazetteer: Gazetteer, region: str | None
) -> tuple[list[tuple[int, list[str]]], dict[int, int]]:
    """Return the pieces that could be part of a place, with the evidence for each.

    The second value maps the first piece of every name found in the gazetteer to its number of pieces.
    """
    names = _gazetteer_names(words, gazetteer, region)
    found = []
    lower_only = text.islower()
    for index, (word, start, end) in enumerate(words):
        if word.isdigit():
            if len(word) <= 4:
                found.append((index, _number_features(words, index)))
            continue
        if not word[0].isalpha() or len(word) > _LONGEST_WORD or word in _TYPES:
            continue
        town = names.get(index)
        kind = word_class(word)
        shape = _shape(text[start:end])
        first = index == 0 or words[index - 1].text in _ENDS
        if not _possible(word, kind, shape, first, town, words, index, gazetteer):
            continue
        found.append((index, _features(words, index, kind, shape, first, town, gazetteer, lower_only)))
    return found, {index: size for index, (size, _) in names.items() if size}


_ENDS = frozenset(".!?…\n*•–—:;")
_STREET_ENDINGS = ("ская", "ской", "скую", "ского", "ском", "цкая", "цкой", "цкую", "ный", "ная", "ной", "ную")
_SURNAME_ENDINGS = ("ова", "ева", "ина", "ына", "ово", "ево", "ино", "ове", "еве", "ино", "ского", "цкого")


def _possible(
    word: str,
    kind: str,
    shape: str,
    first: bool,
    town: tuple[int, str] | None,
    words: Sequence[Word],
    index: int,
    gazetteer: Gazetteer,
) -> bool:
    """Throw out ordinary words early: most of a text is never looked at again."""
    if town or word in NAME_PARTS or word in NUMERALS:
        return True
    if len(word) == 1:
        return index + 1 < len(words) and words[index + 1].text == "." and shape == "I"
    if shape in ("x", "xX") or first:
        if not kind:
            return len(word) > 2
        if kind[0] in "gs":
            return True
        if "A" in kind and word.endswith(_STREET_ENDINGS):
            return True
        after = words[index + 1].text if index + 1 < len(words) else ""
        if kind[0] == "n":
            return True
        if stem(word) in gazetteer.street_words:
            return True
        before = words[index - 1].text if index else ""
        if before in STREET_TYPES or after in STREET_TYPES or before in SETTLEMENT_TYPES:
            return kind[0] in "NAgsn"
        return after.isdigit() and kind[0] in "NA"
    return True


def _gazetteer_names(
    words: Sequence[Word], gazetteer: Gazetteer, region: str | None
) -> dict[int, tuple[int, str]]:
    """Map pieces to (size of the name that begins here, or 0 inside one; evidence)."""
    names: dict[int, tuple[int, str]] = {}
    index = 0
    while index < len(words):
        word = words[index].text
        size = 1
        if len(word) > 1 and word[0].isalpha() and len(word) <= _LONGEST_WORD:
            for length in gazetteer.lengths(word):
                chunk = [piece.text for piece in words[index : index + length]]
                if len(chunk) == length and (entries := gazetteer.find(chunk, region)):
                    best = entries[0]
                    size = length
                    near = "r" if best.region == region else "-" if region else "?"
                    people = min(6, len(str(best.population)))
                    kind = f"{near}{'a' if best.area else people}{length}"
                    for offset in range(length):
                        names[index + offset] = (0 if offset else length, kind)
                    break
        index += size
    return names


def _about(words: Sequence[Word], index: int) -> str:
    """Return the word at a place of the text, for evidence: names are replaced by their class."""
    if not 0 <= index < len(words):
        return "^" if index < 0 else "$"
    word = words[index].text
    if word in _TYPES:
        return _TYPES[word] + word if len(word) < 4 else _TYPES[word]
    if word.isdigit():
        return "0"
    kind = word_class(word)
    if kind and kind[0] in "gsnp":
        return kind[0]
    return word if kind or not word[0].isalpha() else "?"


def _coarse(words: Sequence[Word], index: int) -> str:
    if not 0 <= index < len(words):
        return "^" if index < 0 else "$"
    word = words[index].text
    if word in _TYPES:
        return _TYPES[word]
    if word.isdigit():
        return "0"
    if not word[0].isalpha():
        return word
    if word in LANDMARKS:
        return "LM"
    return word_class(word)[:1] or "?"


_ENDING_GROUPS = (
    ("fn", ("ская", "цкая")),
    ("fo", ("ской", "цкой")),
    ("fa", ("скую", "цкую")),
    ("mo", ("ского", "скому", "ском", "ским", "цкого", "цком")),
    ("mn", ("ский", "цкий")),
    ("p", ("ских", "ские", "цких", "ными", "ных")),
    ("gs", ("ова", "ева", "ина", "ына")),
    ("ds", ("ову", "еву", "ину", "ове", "еве", "ине")),
    ("n", ("ово", "ево", "ино", "ыно")),
    ("an", ("ая", "яя")),
    ("ao", ("ой", "ей")),
    ("aa", ("ую", "юю")),
    ("am", ("ого", "его", "ому", "ему", "ом", "ем")),
    ("gp", ("ов", "ев", "ей")),
    ("k", ("ка", "ке", "ку", "ки", "кой")),
    ("lp", ("ах", "ях")),
)


def _ending(word: str) -> str:
    for name, endings in _ENDING_GROUPS:
        if word.endswith(endings):
            return name
    return word[-1] if word[-1] in "аеиоуыэюяйь" else "c"


def _features(
    words: Sequence[Word],
    index: int,
    kind: str,
    shape: str,
    first: bool,
    town: tuple[int, str] | None,
    gazetteer: Gazetteer,
    lower_only: bool,
) -> list[str]:
    word = words[index].text
    b1, b2, a1, a2 = (_about(words, index + k) for k in (-1, -2, 1, 2))
    c1, d1, c2, d2 = (_coarse(words, index + k) for k in (-1, 1, -2, 2))
    letters = kind[:-1]
    cap = ("^" if first else "") + shape + ("l" if lower_only else "")
    end = word[-3:]
    shape_of_end = _ending(word)
    street = "s" if gazetteer.is_street(word) else "w" if stem(word) in gazetteer.street_words else "-"
    known = town[1] if town else "-"
    features = [
        "b",
        f"k={letters}",
        f"kc={letters},{cap}",
        f"f={kind[-1:]}{letters[:1]}",
        f"c={cap}",
        f"e={end}",
        f"e2={word[-2:]},{cap}",
        f"b1={b1}",
        f"b1e={b1},{word[-2:]}",
        f"b1k={b1},{letters},{shape}",
        f"b2={b2}",
        f"b21={b2},{b1}",
        f"a1={a1}",
        f"a12={d1},{d2}",
        f"a1e={d1},{end}",
        f"cc={c1},{d1}",
        f"c21={c2},{c1}",
        f"c1e={c1},{word[-2:]},{d1}",
        f"s={street}",
        f"sb={street},{b1}",
        f"sd={street},{d1},{cap}",
        f"t={known}",
        f"tb={known},{b1}",
        f"ts={known},{street},{cap}",
        f"tk={known},{letters}",
        f"td={known},{c1},{d1}",
        f"m={shape_of_end},{letters[:2]}",
        f"mb={shape_of_end},{b1}",
        f"mbl={shape_of_end},{b1},{letters[:1]},{shape}",
        f"md={shape_of_end},{d1},{letters[:1]}",
        f"mc={shape_of_end},{c1},{d1},{d2}",
        f"ml={shape_of_end},{letters[:1]},{cap},{d1}",
    ]
    if "-" in word:
        features.append("hyphen")
    if letters and letters[0] in "NAVo":
        features.append(f"w={word}")
    elif word in NAME_PARTS or word in NUMERALS:
        features.append(f"w={word}")
    return features


def _number_features(words: Sequence[Word], index: int) -> list[str]:
    word = words[index].text
    b1, b2, a1, a2 = (_about(words, index + k) for k in (-1, -2, 1, 2))
    c1, c2, d1, d2 = (_coarse(words, index + k) for k in (-1, -2, 1, 2))
    glued = index + 1 < len(words) and words[index + 1].start == words[index].end
    after = "u" if index + 1 < len(words) and words[index + 1].text in UNITS else d1
    size = len(word)
    return [
        "nb",
        f"nz={size}",
        f"nb1={b1}",
        f"nb2={b2}",
        f"nb21={b2},{b1}",
        f"na1={a1}",
        f"na12={a1},{a2}",
        f"nc={c1},{after}",
        f"ncc={c2},{c1},{after}",
        f"nd={after},{d2}",
        f"ng={glued},{d1},{size}",
        f"nu={after}",
        f"ncz={c1},{size}",
    ]


def examples(
    texts: Iterable[str],
    mentions: Iterable[Mapping[str, str]],
    gazetteer: Gazetteer,
    regions: Iterable[str | None],
) -> tuple[list[list[str]], list[str]]:
    """Return evidence and gold label of every candidate of labelled texts.

    `mentions` map ``settlement``, ``street``, ``house`` and ``landmark`` to words of the text. Only one mention of each
    part is marked: a word that repeats a marked one has its label, and a word right after a type word that is not
    marked is left out rather than counted as nothing.
    """
    from incidentml.text import fold

    evidence: list[list[str]] = []
    gold: list[str] = []
    for text, marked, region in zip(texts, mentions, regions, strict=True):
        words = split(fold(text))
        marks = _marks(text, words, marked)
        found, _ = candidates(text, words, gazetteer, region)
        labels = ["O"] * len(words)
        inside = {index for index, _ in found}
        for index, label in marks.items():
            if index in inside:
                labels[index] = label
        names = {stem(words[i].text): labels[i] for i in inside if labels[i] in "ST"}
        for index, features in found:
            word = words[index].text
            if labels[index] == "O" and index not in marks:
                if word.isalpha() and stem(word) in names and len(word) > 3:
                    labels[index] = names[stem(word)]
                elif index and words[index - 1].text in STREET_TYPES:
                    continue
                elif index > 1 and words[index - 1].text == "." and words[index - 2].text in STREET_TYPES:
                    continue
            evidence.append([*features, *_history(labels, index)])
            gold.append(labels[index])
    return evidence, gold


def _marks(text: str, words: Sequence[Word], marked: Mapping[str, str]) -> dict[int, str]:
    spans = []
    for part, label in (("landmark", "L"), ("street", "S"), ("house", "H"), ("settlement", "T")):
        mention = marked.get(part)
        if mention:
            at = text.find(mention)
            if part == "house" and "street" in marked and (near := text.find(marked["street"])) >= 0:
                later = text.find(mention, near)
                at = later if later >= 0 else at
            if at >= 0:
                spans.append((at, at + len(mention), label))
    marks: dict[int, str] = {}
    for start, end, label in spans:
        for index, word in enumerate(words):
            if word.start < end and word.end > start:
                marks[index] = label
    return marks


#: What is taken off the score of «nothing»: a place missed costs more than a doubtful one.
_BIAS = 0.5
#: Candidates marked as nothing that a model of the other posts is this sure about are unmarked places, not examples.
_NOISE = 0.1


def fit_weights(
    evidence: Sequence[Sequence[str]], gold: Sequence[str], *, C: float = 0.3, folds: int = 5
) -> dict[str, list[float]]:
    """Fit the tagger's weights on the output of `examples`; features seen once are left out.

    Gold marks one mention of each part, and not every post that names a street was marked: a first round, out of fold,
    finds unmarked places, and the second one leaves them out.
    """
    from collections import Counter

    import numpy as np
    from scipy.sparse import csr_matrix
    from sklearn.linear_model import LogisticRegression

    counts = Counter(name for row in evidence for name in row)
    kept = sorted(name for name, count in counts.items() if count >= 2)
    columns = {name: column for column, name in enumerate(kept)}
    indices: list[int] = []
    pointers = [0]
    for row in evidence:
        indices.extend(columns[name] for name in row if name in columns)
        pointers.append(len(indices))
    X = csr_matrix((np.ones(len(indices)), indices, pointers), shape=(len(evidence), len(kept)))
    y = np.array(gold)

    def fit(rows: NDArray[np.intp]) -> LogisticRegression:
        return LogisticRegression(C=C, max_iter=300, fit_intercept=False).fit(X[rows], y[rows])

    # Candidates of one post follow one another: folds are runs, so that a post stays in one.
    fold = np.arange(len(y)) * folds // max(len(y), 1)
    nothing = np.ones(len(y))
    for k in range(folds):
        model = fit(np.flatnonzero(fold != k))
        held = np.flatnonzero(fold == k)
        nothing[held] = model.predict_proba(X[held])[:, list(model.classes_).index("O")]
    model = fit(np.flatnonzero((y != "O") | (nothing >= _NOISE)))
    weights = model.coef_[[list(model.classes_).index(label) for label in LABELS]].T
    weights[columns["b"], 0] -= _BIAS
    weights[columns["nb"], 0] -= _BIAS
    rounded = np.round(weights, 2)
    return {name: [float(v) for v in rounded[i]] for i, name in enumerate(kept) if np.abs(rounded[i]).max() >= 0.03}
