"""Which words of a text name a place: a small linear tagger over the few words that could.

Streets without a type word (``на шишкина 18``) cannot be listed: they are told by their ending, their neighbours,
the class of the word and the number that follows. A multinomial logistic regression weighs such evidence; it knows
ordinary words by themselves but names only by their shape, so that it works in towns that it never saw.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import lru_cache
from importlib import resources
from itertools import chain, repeat
from typing import Any, ClassVar, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from incidentml.errors import ModelFormatError
from incidentml.persistence import FittedState, Persistent, pack_json, unpack_json
from incidentml.places.evidence import HISTORY, group_names, names_of
from incidentml.places.features import Candidate, PlaceFeatures, Word, split
from incidentml.places.forms import stem
from incidentml.places.words import STREET_TYPES
from incidentml.text import fold

__all__ = ["LABELS", "PlaceTagger", "ReadText", "examples", "fit_weights", "read_text"]

#: Nothing, street, settlement, area or landmark name, house.
LABELS = "OSTLH"
#: Weights are whole hundredths: sums are exact in any order.
_UNIT = 100
#: Room for a sum of weights, whatever its sign.
_BITS = 24
_SHIFTS = tuple(_BITS * place for place in range(len(LABELS)))
_MASK = (1 << _BITS) - 1
_MIDDLE = sum(1 << _BITS - 1 << shift for shift in _SHIFTS)
_ZEROS = repeat(0)
_CACHE_SIZE = 300_000


class PlaceTagger(Persistent):
    """Labels the words of a text.

    Parameters
    ----------
    weights : mapping of str to sequence of int
        A weight for each of `LABELS`, in hundredths, by feature.
    """

    KIND: ClassVar[str] = "place-tagger"

    def __init__(self, weights: Mapping[str, Sequence[int]]) -> None:
        self._weights = {name: tuple(row) for name, row in weights.items()}
        # The five weights of a feature side by side in one whole number: one addition adds all five.
        self._packed = {
            name: sum(weight << _BITS * place for place, weight in enumerate(row))
            for name, row in self._weights.items()
        }
        #: Sums of groups of features that were met before.
        self._sums: dict[tuple[Any, ...], int] = {}

    @classmethod
    def default(cls) -> PlaceTagger:
        """Return the tagger that ships."""
        return _default()

    def to_state(self) -> FittedState:
        """Return the weights as arrays."""
        names = sorted(self._weights)
        weights = np.array([self._weights[name] for name in names], dtype=np.int16).reshape(-1, len(LABELS))
        return FittedState(self.KIND, {"labels": LABELS}, {"names": pack_json(names), "weights": weights})

    @classmethod
    def from_state(cls, state: FittedState) -> Self:
        """Undo `to_state`."""
        if state.setting("labels") != LABELS:
            raise ModelFormatError(f"{cls.KIND}: labels {state.setting('labels')!r}, this version has {LABELS!r}")
        names, weights = unpack_json(state.array("names", 1)), state.array("weights", 2)
        if len(names) != len(weights):
            raise ModelFormatError(f"{cls.KIND}: {len(names)} names for {len(weights)} rows of weights")
        return cls(dict(zip(names, weights.tolist(), strict=True)))

    def label(self, candidates: Sequence[Candidate], size: int) -> list[str]:
        """Return a label for each of `size` pieces, left to right: a label is evidence for the next."""
        labels = ["O"] * size
        known = self._sums.get
        for candidate in candidates:
            total = _MIDDLE
            for group in (*candidate.evidence, _recent(labels, candidate)):
                part = known(group)
                total += self._add_up(group) if part is None else part
            sums = [total >> shift & _MASK for shift in _SHIFTS]
            label = LABELS[sums.index(max(sums))]
            labels[candidate.piece] = "T" if label == "O" and candidate.town else label
        return labels

    def _add_up(self, group: tuple[Any, ...]) -> int:
        weights = self._packed.get
        total = sum(map(weights, group_names(group), _ZEROS))
        if len(self._sums) > _CACHE_SIZE:
            self._sums.clear()
        self._sums[group] = total
        return total


@lru_cache(maxsize=1)
def _default() -> PlaceTagger:
    text = resources.files("incidentml").joinpath("data", "place_tagger.json").read_text("utf-8")
    return PlaceTagger(json.loads(text)["weights"])


def _recent(labels: Sequence[str], candidate: Candidate) -> tuple[Any, ...]:
    index = candidate.piece
    recent = "O"
    for label in labels[max(0, index - 4) : index]:
        if label != "O":
            recent = label
    return (HISTORY, labels[index - 1] if index else "^", recent, candidate.near)


class ReadText(NamedTuple):
    """A text, its words, its candidates and the names of the features of each: the same for every model."""

    text: str
    words: list[Word]
    candidates: list[Candidate]
    names: list[list[str]]


def read_text(text: str, region: str | None, features: PlaceFeatures) -> ReadText:
    """Return what a text gives to learn from, whatever is marked in it."""
    words = split(fold(text))
    found, _ = features.candidates(text, words, region)
    return ReadText(text, words, found, [names_of(candidate.evidence) for candidate in found])


def examples(
    read: Sequence[ReadText],
    mentions: Sequence[Mapping[str, str]],
    regions: Sequence[str | None],
    streets: Sequence[str | None] | None = None,
) -> tuple[list[list[str]], list[str]]:
    """Return evidence and gold label of every candidate of labelled texts.

    `mentions` map ``settlement``, ``street``, ``house`` and ``landmark`` to words of the text; `streets`
    are the true streets, which the text need not name. Only one mention of each part is marked: a word that
    repeats a marked
    one gets its label; a word after a type word, or one that is a street of the same region elsewhere, is left out
    rather than counted as nothing when it is not marked.
    """
    evidence: list[list[str]] = []
    gold: list[str] = []
    true_streets = streets or [None] * len(read)
    named: dict[str, set[str]] = {}
    for marked, street, region in zip(mentions, true_streets, regions, strict=True):
        if region:
            for name in filter(None, (street, marked.get("street"))):
                named.setdefault(region, set()).add(stem(fold(name).split()[-1]))
    for (text, words, found, told), marked, region, street in zip(
        read, mentions, regions, true_streets, strict=True
    ):
        marks = _marks(text, words, marked)
        names = {stem(words[i].text): marks.get(i, "O") for i, *_ in found if marks.get(i) in ("S", "T")}
        if street and marked.get("street"):
            names.setdefault(stem(fold(street).split()[-1]), "S")
        elsewhere = named.get(region or "", set())
        labels = ["O"] * len(words)
        for candidate, plain in zip(found, told, strict=True):
            index = candidate.piece
            word = words[index].text
            label = marks.get(index, "O")
            if label in "OL" and len(word) > 3 and word.isalpha():
                root = stem(word)
                if root in names:
                    label = names[root]
                elif root in elsewhere:
                    continue
            if label == "O" and index not in marks and _typed(words, index):
                continue
            labels[index] = label
            evidence.append(plain + group_names(_recent(labels, candidate)))
            gold.append(label)
    return evidence, gold


def _typed(words: Sequence[Word], index: int) -> bool:
    back = 2 if index > 1 and words[index - 1].text == "." else 1
    return index >= back and words[index - back].text in STREET_TYPES


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


#: What is taken off the score of «nothing» for words, numbers, things: a place missed costs more than a doubtful
#: one.
_BIASES = {"b": 0.7, "nb": 0.7, "lb": 1.2}
#: Candidates marked as nothing that a model of the other posts is this sure about are unmarked places,
#: not examples.
_NOISE = 0.1


def fit_weights(
    evidence: Sequence[Sequence[str]], gold: Sequence[str], *, C: float = 0.3, folds: int = 3
) -> dict[str, list[int]]:
    """Fit the tagger's weights on the output of `examples`; features seen once are left out.

    Gold marks one mention of each part, and not every post that names a street was marked: a first round, out of
    fold, finds unmarked places, and the second one leaves them out.
    """
    from scipy.sparse import csr_matrix
    from sklearn.linear_model import LogisticRegression

    number: defaultdict[str, int] = defaultdict(lambda: len(number))
    met = np.fromiter(map(number.__getitem__, chain.from_iterable(evidence)), dtype=np.intp)
    often = np.bincount(met, minlength=len(number)) >= 2
    kept = sorted(name for name, again in zip(number, often.tolist(), strict=True) if again)
    columns = {name: column for column, name in enumerate(kept)}
    column_of = np.array([columns.get(name, -1) for name in number], dtype=np.intp)
    row_of = np.repeat(np.arange(len(evidence)), [len(row) for row in evidence])
    row_of, met = row_of[often[met]], column_of[met[often[met]]]
    pointers = np.concatenate([[0], np.cumsum(np.bincount(row_of, minlength=len(evidence)))])
    X = csr_matrix((np.ones(len(met)), met, pointers), shape=(len(evidence), len(kept)))
    y = np.array(gold)

    def fit(rows: NDArray[np.intp]) -> LogisticRegression:
        return LogisticRegression(C=C, max_iter=400, fit_intercept=False).fit(X[rows], y[rows])

    # Candidates of one post follow one another: folds are runs, so that a post stays in one.
    fold = np.arange(len(y)) * folds // max(len(y), 1)
    nothing = np.ones(len(y))
    for k in range(folds):
        model = fit(np.flatnonzero(fold != k))
        held = np.flatnonzero(fold == k)
        nothing[held] = model.predict_proba(X[held])[:, list(model.classes_).index("O")]
    model = fit(np.flatnonzero((y != "O") | (nothing >= _NOISE)))
    weights = model.coef_[[list(model.classes_).index(label) for label in LABELS]].T
    for name, bias in _BIASES.items():
        if name in columns:
            weights[columns[name], 0] -= bias
    rounded = np.rint(weights * _UNIT).astype(int)
    return {name: rounded[i].tolist() for i, name in enumerate(kept) if np.abs(rounded[i]).max() >= 3}
