"""Training of the `StaticEncoder` that ships: `navec` word vectors, weights by rarity, hashed pieces."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from incidentml.encoders.base import unit_rows
from incidentml.encoders.pieces import hash_piece, text_words, word_pieces
from incidentml.encoders.static import StaticEncoder
from incidentml.errors import MissingExtraError
from incidentml.gold import GoldPost

__all__ = ["train_encoder"]

_BUCKETS = 2**20
_POST_WORDS = 25
_PIECE_STEP = 0.05


def _load_navec() -> Any:
    try:
        from navec import Navec
    except ImportError as error:
        raise MissingExtraError("navec", "train") from error
    try:
        import natasha
    except ImportError as error:
        raise MissingExtraError("natasha", "train") from error
    folder = Path(natasha.__file__).parent / "data" / "emb"
    return Navec.load(next(iter(sorted(folder.glob("navec_*.tar")))))


def train_encoder(
    posts: Iterable[GoldPost],
    *,
    exclude_territories: Collection[str] = (),
    semantic_dim: int = 128,
    lexical_dim: int = 384,
    semantic_share: float = 0.35,
    vocabulary_size: int = 60_000,
) -> StaticEncoder:
    """Train a `StaticEncoder` on the texts of the domain; needs the extra ``train``.

    Parameters
    ----------
    posts : iterable of GoldPost
        Posts of the domain: their words and how common these are.
    exclude_territories : collection of str
        Territories whose posts must not be looked at.
    semantic_dim, lexical_dim : int
        Columns of the two parts.
    semantic_share : float
        Part of the cosine that the semantic half decides.
    vocabulary_size : int
        How many of the most frequent general words to keep besides those of `posts`.

    Returns
    -------
    StaticEncoder
    """
    documents = [text_words(post.text) for post in posts if post.territory not in set(exclude_territories)]
    navec = _load_navec()
    general: Counter[str] = Counter()
    row_of: dict[str, int] = {}
    best: dict[str, int] = {}
    for row, (word, count) in enumerate(zip(navec.vocab.words, navec.vocab.counts, strict=True)):
        folded = word.lower().replace("ё", "е")
        if not count or word.startswith("<"):
            continue
        general[folded] += count
        if count > best.get(folded, 0):
            best[folded], row_of[folded] = count, row
    total = float(sum(general.values()))
    domain = Counter(word for document in documents for word in document)
    size = float(sum(domain.values())) or 1.0

    keep = {word for word, _ in general.most_common(vocabulary_size)} | (set(domain) & set(row_of))
    vocabulary = sorted(keep)
    vectors = np.stack([navec.pq[row_of[word]] for word in vocabulary]).astype(np.float64)
    chance = np.array([0.5 * general[w] / total + 0.5 * domain[w] / size for w in vocabulary])
    weights = 1e-4 / (1e-4 + chance)
    table = _whiten(vectors, weights, vocabulary, documents, semantic_dim)
    peak = np.abs(table).max(axis=1, keepdims=True)
    peak[peak == 0] = 1.0
    return StaticEncoder(
        vocabulary,
        np.rint(table / peak * 127).astype(np.int8),
        (peak[:, 0] / 127 * weights).astype(np.float32),
        _piece_weights(general, total, documents),
        lexical_dim=lexical_dim,
        semantic_share=semantic_share,
        piece_step=_PIECE_STEP,
    )


def _whiten(
    vectors: NDArray[np.float64],
    weights: NDArray[np.float64],
    vocabulary: Sequence[str],
    documents: Sequence[Sequence[str]],
    columns: int,
) -> NDArray[np.float64]:
    """Centre on the mean post and halve the dominance of the leading directions."""
    rows = {word: row for row, word in enumerate(vocabulary)}
    found = [[rows[word] for word in document if word in rows] for document in documents]
    means = np.stack(
        [weights[f] @ vectors[f] / weights[f].sum() if f else np.zeros(vectors.shape[1]) for f in found]
    )
    centre = means.mean(axis=0)
    _, spread, axes = np.linalg.svd(unit_rows(means - centre), full_matrices=False)
    turn: NDArray[np.float64] = axes[:columns] / np.sqrt(spread[:columns, None])
    turned: NDArray[np.float64] = (vectors - centre) @ turn.T
    return turned


def _piece_weights(general: Counter[str], total: float, documents: Sequence[Sequence[str]]) -> NDArray[np.uint8]:
    """Return the negative logarithm of the chance to meet a piece in a post, by hash bucket."""
    chance: defaultdict[str, float] = defaultdict(float)
    for word, count in general.items():
        for piece in word_pieces(word):
            chance[piece] += 0.5 * min(1.0, count / total * _POST_WORDS)
    for document in documents:
        for piece in {piece for word in set(document) for piece in word_pieces(word)}:
            chance[piece] += 0.5 / len(documents)
    rarest = -math.log(1e-4)
    weights = np.full(_BUCKETS, round(rarest / _PIECE_STEP), dtype=np.uint8)
    for piece in sorted(chance, key=lambda name: (chance[name], name)):
        weight = max(0.0, -math.log(min(1.0, chance[piece]) + 1e-4))
        if weight < rarest - 0.5:
            weights[hash_piece(piece, _BUCKETS, 1).bucket] = round(weight / _PIECE_STEP)
    return weights
