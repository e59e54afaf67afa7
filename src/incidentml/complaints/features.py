"""What a post shows beyond its meaning: words of complaint, report, trade or thanks, its form and its place.

Everything here is linear in the length of the text and deterministic: counts of word classes, pairs of them inside
one sentence, the form of the post, filled slots of a concrete claim, and hashed words and letter n-grams.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import sparse

from incidentml.complaints.lexicon import CLASSES, SOURCES
from incidentml.complaints.matching import Matcher, WordIndex
from incidentml.complaints.pairs import PAIRS
from incidentml.lexical import LEXICAL_SIZE, lexical_counts
from incidentml.text import clean, fold
from incidentml.types import Concreteness

__all__ = ["PAGE", "complaint_features", "dense_features", "feature_names", "split_features"]

#: The last dense column: whether the post comes from a page or channel. Nothing about its content, so the monitor
#: of drift does not watch it.
PAGE = -1
SLOTS = ("who", "what", "where", "when", "ask", "contact")
_OPENING = 10
#: Weight of a class met 0, 1, 2, 3, 4 or more times.
_SATURATION = np.array([0.0, 0.5, 0.75, 0.875, 0.9375], dtype=np.float32)
_EMBEDDING_WEIGHT = 2.0

_TOKEN = re.compile(r"[^\W\d_]+(?:-[^\W\d_]+)*|\d+|[.!?…\n]+")
_LINK = re.compile(r"(?:https?://|www\.|t\.me/|vk\.(?:com|me|cc)/|ok\.ru/)\S*")
_PHONE = re.compile(r"(?:\+7|\b8)[ (-]{0,2}\d{3}[ )-]{0,2}\d{3}|<phone>")
_PRICE = re.compile(r"\d\s?(?:₽|руб|р\b|тыс|т\.р)")
_CLOCK = re.compile(r"\b\d{1,2}[:.]\d{2}\b")
_STRETCH = re.compile(r"([а-яa-z])\1\1")
_EMOJI = re.compile("[\U0001f300-\U0001faff\u2600-\u27bf\u2b50-\u2b55]")
_LATIN = re.compile("[a-z]+")
_DIGITS = re.compile("[0-9]+")
_CYRILLIC = re.compile("[а-я]")
_ALIEN = re.compile("[әөүғқҡңһҙҫҗіїєґў]")
_CAPITALS = re.compile("[А-ЯЁ]{4,}")
_LIST = re.compile(r"(?:^|\n)\s?(?:[•✅✔▪➡—–-]|\d[).])")

FORM = (
    "length",
    "short",
    "tiny",
    "lines",
    "exclamation",
    "exclamation run",
    "question",
    "question at the end",
    "question run",
    "dots",
    "no final mark",
    "small first letter",
    "capitals",
    "emoji",
    "emoji first",
    "hashtag",
    "at sign",
    "link",
    "phone",
    "price",
    "clock",
    "digits",
    "quotes",
    "quote first",
    "happy brackets",
    "sad brackets",
    "stretched",
    "stars",
    "list",
    "dialogue",
    "latin",
    "no cyrillic",
    "other cyrillic",
    "plus",
    "commas",
    "long words",
    "colon",
    "percent",
    "markdown link",
    "markdown bold",
)


_NAMES = (*CLASSES, "number")
_CLASS_INDEX = WordIndex(CLASSES.values())
_SOURCE_MATCHERS = tuple(Matcher(words) for words in SOURCES.values())
_PAIR_COLUMNS = tuple((_NAMES.index(a), _NAMES.index(b), gap) for a, b, gap in PAIRS)


@lru_cache(maxsize=200_000)
def _classes(token: str) -> tuple[int, ...]:
    if token.isdigit():
        return (len(CLASSES),)
    return _CLASS_INDEX(token)


def _form(text: str, folded: str) -> tuple[float, ...]:
    n = max(len(text), 1)
    last = folded.rstrip(' )(\n"»')[-1:]
    digits = sum(map(len, _DIGITS.findall(folded)))
    latin = sum(map(len, _LATIN.findall(folded)))
    words = folded.split()
    return (
        min(len(words), 200) ** 0.5 / 14.2,
        len(words) < 8,
        len(words) < 4,
        min(text.count("\n"), 8) / 8,
        min(text.count("!"), 4) / 4,
        "!!" in text,
        min(text.count("?"), 3) / 3,
        last == "?",
        "??" in text or "?!" in text,
        min(text.count("...") + text.count("…"), 3) / 3,
        last not in ".!?…",
        text[:1].islower(),
        min(len(_CAPITALS.findall(text)), 4) / 4,
        min(len(_EMOJI.findall(text)), 4) / 4,
        _EMOJI.match(text) is not None,
        min(text.count("#"), 3) / 3,
        "@" in text,
        _LINK.search(folded) is not None,
        _PHONE.search(folded) is not None,
        min(len(_PRICE.findall(folded)), 3) / 3,
        min(len(_CLOCK.findall(folded)), 3) / 3,
        min(digits / n * 8, 1.0),
        min(text.count("«") + text.count('"') / 2, 3) / 3,
        text[:1] in '«"',
        min(text.count("))"), 2) / 2,
        "((" in text,
        _STRETCH.search(folded) is not None,
        "**" in text,
        min(len(_LIST.findall(text)), 4) / 4,
        text[:1] in "—–-",
        min(latin / n * 2, 1.0),
        _CYRILLIC.search(folded) is None,
        min(len(_ALIEN.findall(folded)) / n * 10, 1.0),
        text[:1] == "+",
        min(text.count(",") / (len(words) + 1) * 4, 1.0),
        sum(map((9).__lt__, map(len, words))) / (len(words) + 1),
        min(text.count(":"), 3) / 3,
        "%" in text,
        "](" in text,
        "**" in text and "***" not in text,
    )


def feature_names(dim: int) -> list[str]:
    """Return the names of the columns of `dense_features` for embeddings of this width."""
    return [
        *(f"meaning {i}" for i in range(dim)),
        *(f"word: {name}" for name in _NAMES),
        *(f"opening: {name}" for name in _NAMES),
        *(f"pair: {a} + {b}" for a, b, _ in PAIRS),
        *(f"form: {name}" for name in FORM),
        *(f"slot: {name}" for name in SLOTS),
        "slot: score",
        *(f"source: {name}" for name in SOURCES),
        "source: given",
    ]


def complaint_features(
    texts: Sequence[str],
    embeddings: ArrayLike,
    concreteness: Sequence[Concreteness],
    sources: Sequence[str | None] | None = None,
) -> Any:
    """Return what `ComplaintClassifier` learns from: `dense_features`, then counts of hashed words and n-grams.

    Parameters
    ----------
    texts : sequence of str
        Posts as published.
    embeddings : array of shape (n, dim)
        Unit rows of any encoder; ``dim`` may be 0.
    concreteness : sequence of Concreteness
        Filled slots of each post.
    sources : sequence of str or None, optional
        Names of the pages or channels; None for a post of which none is known.

    Returns
    -------
    scipy.sparse.csr_matrix of shape (n, dim + evidence + 2**18)
        Every row depends on its own post alone.

    Examples
    --------
    >>> import numpy as np
    >>> from incidentml.types import Concreteness
    >>> X = complaint_features(["Третий день нет воды"], np.zeros((1, 4)), [Concreteness(0.5)])
    >>> names = feature_names(4)
    >>> X.shape == (1, len(names) + 2**18)
    True
    >>> bool(X[0, names.index("pair: negation + home")] > 0)
    True
    """
    dense = dense_features(texts, embeddings, concreteness, sources)
    return sparse.hstack([sparse.csr_matrix(dense), lexical_counts(texts)], format="csr", dtype=np.float32)


def split_features(X: Any) -> tuple[NDArray[Any], Any | None]:
    """Return the dense columns and, if `X` is as wide as `complaint_features`, the counts."""
    if not sparse.issparse(X):
        return np.asarray(X), None
    rows = sparse.csr_matrix(X)
    width = rows.shape[1] - LEXICAL_SIZE
    if width < 0:
        return rows.toarray(), None
    return rows[:, :width].toarray(), rows[:, width:]


def dense_features(
    texts: Sequence[str],
    embeddings: ArrayLike,
    concreteness: Sequence[Concreteness],
    sources: Sequence[str | None] | None = None,
) -> NDArray[np.float32]:
    """Return embeddings and cheap evidence side by side, named by `feature_names`.

    Parameters
    ----------
    texts, embeddings, concreteness, sources
        As in `complaint_features`.

    Returns
    -------
    float32 array of shape (n, dim + evidence)
    """
    vectors = np.asarray(embeddings, dtype=np.float32)
    n = len(texts)
    if vectors.ndim != 2 or len(vectors) != n or len(concreteness) != n or (sources and len(sources) != n):
        raise ValueError(
            f"complaint_features: {n} texts, embeddings of shape {vectors.shape}, {len(concreteness)} concreteness"
            f"{'' if sources is None else f', {len(sources)} sources'}: give one of each per post"
        )
    cleaned = [clean(text) for text in texts]
    folded = [fold(text) for text in cleaned]
    form = np.array([_form(t, f) for t, f in zip(cleaned, folded, strict=True)], dtype=np.float32)
    lexical = _lexical(folded)
    slots = np.array(
        [[bool(c.slots.get(slot)) for slot in SLOTS] + [min(max(c.score, 0.0), 1.0)] for c in concreteness],
        dtype=np.float32,
    ).reshape(n, len(SLOTS) + 1)
    evidence = [lexical, form.reshape(n, len(FORM)), slots, _sources(sources, n)]
    return np.hstack([vectors * np.float32(_EMBEDDING_WEIGHT), *evidence])


def _sources(sources: Sequence[str | None] | None, n: int) -> NDArray[np.float32]:
    return np.array([_source(source or "") for source in sources or [None] * n], dtype=np.float32).reshape(
        n, len(SOURCES) + 1
    )


@lru_cache(maxsize=10_000)
def _source(source: str) -> tuple[bool, ...]:
    tokens = _TOKEN.findall(fold(source).replace("_", " "))
    return (*(any(map(matcher, tokens)) for matcher in _SOURCE_MATCHERS), bool(source))


def _lexical(folded: Sequence[str]) -> NDArray[np.float32]:
    lists = [_TOKEN.findall(text) for text in folded]
    vocabulary: dict[str, int] = {}
    ids = np.array([vocabulary.setdefault(t, len(vocabulary)) for t in chain.from_iterable(lists)], dtype=np.int64)
    lengths = np.array([len(tokens) for tokens in lists], dtype=np.int64)
    n, size = len(lists), max(len(vocabulary), 1)
    document = np.repeat(np.arange(n), lengths)
    position = np.arange(len(ids)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    known = np.zeros((size, len(_NAMES)), dtype=bool)
    stop = np.zeros(size, dtype=bool)
    for token, i in vocabulary.items():
        known[i, list(_classes(token))] = True
        stop[i] = token[0] in ".!?…\n"
    opening = position < _OPENING
    counts = _count(known, ids, document, n), _count(known, ids[opening], document[opening], n)
    sentence = np.cumsum(stop[ids]) + document  # a new post is a new sentence
    pairs = _pairs(np.ascontiguousarray(known.T)[:, ids], sentence, document, n)
    return np.hstack([_saturate(found) for found in (*counts, pairs)])


def _count(
    known: NDArray[np.bool_], ids: NDArray[np.int64], document: NDArray[np.int64], n: int
) -> NDArray[np.int64]:
    ones = np.ones(len(ids), dtype=np.int32)
    rows = sparse.csr_array((ones, ids, np.searchsorted(document, np.arange(n + 1))), shape=(n, len(known)))
    return np.asarray(rows @ known.astype(np.int32))


def _pairs(
    hits: NDArray[np.bool_], sentence: NDArray[np.int64], document: NDArray[np.int64], n: int
) -> NDArray[np.int64]:
    """Count places where the second class follows the first inside one sentence, near enough."""
    out = np.zeros((n, len(PAIRS)), dtype=np.int64)
    firsts = [np.flatnonzero(row) for row in hits]
    last = len(sentence) - 1
    for column, (a, b, gap) in enumerate(_PAIR_COLUMNS):
        first = firsts[a]
        met = np.zeros(len(first), dtype=bool)
        for step in range(1, gap + 1):
            second = np.minimum(first + step, last)
            met |= hits[b, second] & (sentence[second] == sentence[first]) & (second > first)
        out[:, column] = np.bincount(document[first[met]], minlength=n)
    return out


def _saturate(counts: NDArray[np.int64]) -> NDArray[np.float32]:
    return _SATURATION[np.minimum(counts, len(_SATURATION) - 1)]
