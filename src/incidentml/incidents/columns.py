"""The columns that candidates and links read: one row a post, every value a function of that post alone."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass, fields, replace
from hashlib import blake2b
from itertools import pairwise
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from incidentml.errors import ModelFormatError
from incidentml.incidents.batch import PostBatch
from incidentml.incidents.copies import SKETCH_SIZE, core_text, hash64, sketch
from incidentml.incidents.wording import (
    N_WORDS,
    Vocabulary,
    context,
    hits,
    is_reply,
    names,
    numbers,
    padded,
    place_words,
    rare_only,
    rarest,
    stem_hash,
)
from incidentml.numeric import VECTOR_BITS, on_grid, unit_grid
from incidentml.persistence import FittedState, pack_json, unpack_json
from incidentml.places import PlaceTable
from incidentml.text import fold, words
from incidentml.types import Place, PostKey, Span

__all__ = ["STEP", "Columns", "Ragged", "post_code"]

#: Unit vectors are held as whole multiples of this.
STEP = 2.0**-VECTOR_BITS
TOPIC_BITS = 10
N_NUMBERS, N_NAMES, N_CONTEXT, N_SUBTOPICS, N_WHERE = 6, 8, 6, 6, 8
#: Copies are gathered inside cells of this many seconds.
COPY_CELL = 6 * 3600.0

#: Keys of places under which posts meet, from wide to narrow; a settlement alone is too wide.
_BLOCK_RANKS = {"street": 1, "landmark": 2, "house": 3}


@dataclass(frozen=True)
class Ragged:
    """Rows of different lengths: row i is ``data[starts[i]:starts[i + 1]]``."""

    starts: NDArray[np.int64]
    data: NDArray[np.uint64]

    @classmethod
    def of(cls, rows: Sequence[Sequence[int]]) -> Self:
        """Pack rows."""
        starts = np.concatenate([[0], np.cumsum([len(row) for row in rows])]).astype(np.int64)
        return cls(starts, np.array([value for row in rows for value in row], dtype=np.uint64))

    def take(self, rows: NDArray[np.intp]) -> Ragged:
        """Return the given rows."""
        owner, data = self.flat(rows)
        counts = np.bincount(owner, minlength=len(rows))
        return Ragged(np.concatenate([[0], np.cumsum(counts)]).astype(np.int64), data)

    def flat(self, rows: NDArray[np.intp]) -> tuple[NDArray[np.intp], NDArray[np.uint64]]:
        """Return (position in `rows`, value) of every value of the given rows."""
        counts = self.starts[rows + 1] - self.starts[rows]
        owner = np.repeat(np.arange(len(rows)), counts)
        offset = np.arange(len(owner)) - np.repeat(np.cumsum(counts) - counts, counts)
        return owner, self.data[self.starts[rows][owner] + offset]

    def join(self, other: Ragged) -> Ragged:
        """Return the rows of both, one after the other."""
        return Ragged(
            np.concatenate([self.starts, other.starts[1:] + self.starts[-1]]),
            np.concatenate([self.data, other.data]),
        )


@dataclass(frozen=True, eq=False)
class Columns:
    """Posts as arrays, in the order they came; nothing downstream depends on that order."""

    keys: list[PostKey]
    places: list[tuple[Place, ...]]
    code: NDArray[np.uint64]
    times: NDArray[np.float64]
    vectors: NDArray[np.int16]
    topics: NDArray[np.int16]
    problem: NDArray[np.int16]
    subtopic: NDArray[np.uint16]
    subtopic_p: NDArray[np.float16]
    region: NDArray[np.uint64]
    author: NDArray[np.uint64]
    source: NDArray[np.uint64]
    network: NDArray[np.uint64]
    copy: NDArray[np.uint64]
    words: NDArray[np.uint32]
    weights: NDArray[np.float32]
    placing: NDArray[np.bool_]
    where: NDArray[np.uint32]
    numbers: NDArray[np.uint32]
    names: NDArray[np.uint32]
    context: NDArray[np.uint32]
    sketch: NDArray[np.uint8]
    grams: NDArray[np.float32]
    flags: NDArray[np.uint8]
    settlement: NDArray[np.uint64]
    street: NDArray[np.uint64]
    blocks: Ragged

    def __len__(self) -> int:
        return len(self.keys)

    @classmethod
    def build(cls, batch: PostBatch, vocabulary: Vocabulary) -> Columns:
        """Derive all columns of a batch."""
        cores = [core_text(text) for text in batch.texts]
        plain = [" ".join(words(core)) or fold(core) for core, _ in cores]
        marks, grams = sketch(plain)
        stems = [[stem_hash(word) for word in text.split()] for text in plain]
        word_rows, weight_rows = rarest(stems, vocabulary)
        spoken = [place_words(places) for places in batch.places]
        digits = [{stem_hash(word) for word in text.split() if word.isdigit()} for text in plain]
        keys_of = PlaceTable.build(batch.places, batch.regions).block_keys()
        blocks = [
            sorted({_block_hash(key, region) for key in keys if _block_rank(key)})
            for keys, region in zip(keys_of, batch.regions, strict=True)
        ]
        cells = np.floor(batch.times / COPY_CELL).astype(np.int64)
        # A text that names no place may mean another town in another chat: such copies meet inside one page only.
        where = [
            _place_mark(places) or f"@{source}" for places, source in zip(batch.places, batch.sources, strict=True)
        ]
        copies = [
            hash64(region or "", text, mark, str(cell))
            for region, text, mark, cell in zip(batch.regions, plain, where, cells.tolist(), strict=True)
        ]
        likeliest = _likeliest(batch.subtopics)
        return cls(
            keys=[PostKey(*key) for key in batch.keys],
            places=[tuple(places) for places in batch.places],
            code=np.array([post_code(key) for key in batch.keys], dtype=np.uint64),
            times=batch.times,
            vectors=_steps(batch.vectors),
            topics=_steps(np.sqrt(np.clip(batch.topics, 0.0, 1.0))),
            problem=_problem(batch.subtopics),
            subtopic=likeliest[0],
            subtopic_p=likeliest[1],
            region=_hashes(batch.regions),
            author=_hashes(batch.authors),
            source=_hashes(batch.sources),
            network=_hashes([key[0] for key in batch.keys]),
            copy=np.array(copies, dtype=np.uint64),
            words=word_rows,
            weights=weight_rows,
            placing=hits(word_rows, padded([[*a, *b] for a, b in zip(digits, spoken, strict=True)], 12)),
            where=rare_only(padded(spoken, N_WHERE), vocabulary),
            numbers=padded([numbers(text) for text in plain], N_NUMBERS),
            names=padded([names(core) for core, _ in cores], N_NAMES),
            context=padded([context(source) for source in batch.sources], N_CONTEXT),
            sketch=marks,
            grams=grams,
            flags=np.array([relay + 2 * is_reply(core) for core, relay in cores], dtype=np.uint8).reshape(-1),
            settlement=_only(keys_of, "settlement"),
            street=_only(keys_of, "street"),
            blocks=Ragged.of(blocks),
        )

    @classmethod
    def empty(cls, dim: int, n_topics: int, n_subtopics: int) -> Columns:
        """Return columns without rows."""
        u64, u32 = np.zeros(0, np.uint64), np.uint32
        return cls(
            keys=[], places=[], code=u64, times=np.zeros(0), vectors=np.zeros((0, dim), np.int16),
            topics=np.zeros((0, n_topics), np.int16),
            problem=np.zeros((0, n_subtopics), np.int16), subtopic=np.zeros((0, N_SUBTOPICS), np.uint16),
            subtopic_p=np.zeros((0, N_SUBTOPICS), np.float16), region=u64, author=u64, source=u64, network=u64,
            copy=u64,
            words=np.zeros((0, N_WORDS), u32), weights=np.zeros((0, N_WORDS), np.float32),
            placing=np.zeros((0, N_WORDS), bool), where=np.zeros((0, N_WHERE), u32),
            numbers=np.zeros((0, N_NUMBERS), u32), names=np.zeros((0, N_NAMES), u32),
            context=np.zeros((0, N_CONTEXT), u32), sketch=np.zeros((0, SKETCH_SIZE), np.uint8),
            grams=np.zeros(0, np.float32), flags=np.zeros(0, np.uint8), settlement=u64, street=u64,
            blocks=Ragged.of([]),
        )  # fmt: skip

    def take(self, rows: NDArray[np.intp]) -> Columns:
        """Return the given rows in the given order."""
        picked: dict[str, Any] = {}
        for column in fields(self):
            value = getattr(self, column.name)
            if isinstance(value, Ragged):
                picked[column.name] = value.take(rows)
            elif isinstance(value, list):
                picked[column.name] = [value[i] for i in rows.tolist()]
            else:
                picked[column.name] = value[rows]
        return Columns(**picked)

    def join(self, other: Columns) -> Columns:
        """Return the rows of both, one after the other."""
        if not len(self):
            return other
        joined: dict[str, Any] = {}
        for column in fields(self):
            left, right = getattr(self, column.name), getattr(other, column.name)
            if isinstance(left, Ragged):
                joined[column.name] = left.join(right)
            elif isinstance(left, list):
                joined[column.name] = left + right
            else:
                joined[column.name] = np.concatenate([left, right])
        return replace(self, **joined)

    def rank(self) -> NDArray[np.intp]:
        """Return each row's place in the canonical order: time, network, id."""
        order = np.argsort(self.times, kind="stable")
        times = self.times[order]
        borders = np.flatnonzero(np.concatenate([[True], times[1:] != times[:-1], [True]]))
        for start, stop in pairwise(borders.tolist()):
            if stop - start > 1:
                order[start:stop] = sorted(order[start:stop].tolist(), key=self.keys.__getitem__)
        rank = np.empty(len(order), dtype=np.intp)
        rank[order] = np.arange(len(order))
        return rank

    def to_state(self) -> FittedState:
        """Return arrays and packed JSON."""
        arrays: dict[str, NDArray[Any]] = {}
        for column in fields(self):
            value = getattr(self, column.name)
            if isinstance(value, Ragged):
                arrays[f"{column.name}.starts"], arrays[f"{column.name}.data"] = value.starts, value.data
            elif column.name == "places":
                arrays["places"] = pack_json([[_place_json(place) for place in places] for places in value])
            elif column.name == "keys":
                arrays["keys"] = pack_json([list(key) for key in value])
            else:
                arrays[column.name] = value
        return FittedState(kind="incident-columns", meta={"posts": len(self)}, arrays=arrays)

    @classmethod
    def from_state(cls, state: FittedState) -> Columns:
        """Undo `to_state`; raises `ModelFormatError` if columns are not parallel."""
        n = state.setting("posts")
        values: dict[str, Any] = {}
        for column in fields(cls):
            if column.name == "blocks":
                values["blocks"] = Ragged(state.array("blocks.starts", 1), state.array("blocks.data", 1))
                length = len(values["blocks"].starts) - 1
            elif column.name in ("keys", "places"):
                rows = unpack_json(state.array(column.name, 1))
                values[column.name] = (
                    [PostKey(*key) for key in rows]
                    if column.name == "keys"
                    else [tuple(_place(place) for place in places) for places in rows]
                )
                length = len(rows)
            else:
                values[column.name] = state.array(column.name)
                length = len(values[column.name])
            if length != n:
                raise ModelFormatError(f"{state.kind}: column {column.name!r} has {length} rows, expected {n}")
        return cls(**values)


def post_code(key: PostKey) -> int:
    """Return the 48 bits that make the id of an incident whose first post this is."""
    digest = blake2b(f"{key[0]}\x1f{key[1]}".encode("utf-8", "replace"), digest_size=6).digest()
    return int.from_bytes(digest, "big")


def _block_rank(key: Hashable) -> int:
    """Return how narrow the place of a block key is, 0 for one too wide to meet under."""
    return _BLOCK_RANKS.get(str(key[0]), 0) if isinstance(key, tuple) else 0


def _block_hash(key: Hashable, region: str | None) -> int:
    """Return a hash of a block key whose low bits tell how narrow the place is."""
    return hash64(region or "", repr(key)) // 4 * 4 + _block_rank(key)


def _only(keys_of: Sequence[Sequence[Hashable]], kind: str) -> NDArray[np.uint64]:
    """Return a hash of the only block key of a kind, 0 for posts with none or several."""
    out = np.zeros(len(keys_of), dtype=np.uint64)
    for row, keys in enumerate(keys_of):
        found = [key for key in keys if isinstance(key, tuple) and key[0] == kind]
        if len(found) == 1:
            out[row] = hash64(repr(found[0]))
    return out


def _hashes(values: Iterable[str | None]) -> NDArray[np.uint64]:
    known: dict[str, int] = {}
    out = []
    for value in values:
        if value is None:
            out.append(0)
        else:
            out.append(known.get(value) or known.setdefault(value, hash64(value)))
    return np.array(out, dtype=np.uint64)


def _likeliest(probabilities: NDArray[np.float32]) -> tuple[NDArray[np.uint16], NDArray[np.float16]]:
    """Return the likeliest topics of each post (numbered from 1) and the roots of their probabilities."""
    rows = on_grid(np.sqrt(np.clip(probabilities, 0.0, 1.0)), TOPIC_BITS)
    order = np.argsort(-rows, axis=1, kind="stable")[:, :N_SUBTOPICS]
    which = np.zeros((len(rows), N_SUBTOPICS), dtype=np.uint16)
    values = np.zeros((len(rows), N_SUBTOPICS), dtype=np.float16)
    which[:, : order.shape[1]] = order + 1
    values[:, : order.shape[1]] = np.take_along_axis(rows, order, axis=1)
    return which, values


def _steps(vectors: NDArray[np.floating]) -> NDArray[np.int16]:
    """Return unit rows as whole numbers of `STEP`: half the memory of float32 and products that are exact."""
    return np.asarray(np.rint(unit_grid(vectors) / np.float32(STEP)), dtype=np.int16)


def _problem(probabilities: NDArray[np.float32]) -> NDArray[np.int16]:
    """Return centred log-probabilities of single topics as unit rows: the kind of problem, unlikely ones too."""
    logs = np.log(np.maximum(np.asarray(probabilities, dtype=np.float64), 1e-4))
    if logs.shape[1]:
        logs -= logs.mean(axis=1, keepdims=True)
    return _steps(logs)


def _place_mark(places: tuple[Place, ...]) -> str:
    return ";".join(f"{p.settlement}|{p.street}|{p.house}|{p.landmark}" for p in places)


def _place_json(place: Place) -> list[Any]:
    spans = {name: list(span) for name, span in place.spans.items()}
    return [place.settlement, place.street, place.house, place.landmark, spans, list(place.candidates)]


def _place(values: list[Any]) -> Place:
    settlement, street, house, landmark, spans, candidates = values
    return Place(settlement, street, house, landmark, {k: Span(*v) for k, v in spans.items()}, tuple(candidates))
