"""What candidates and links read of a post, derived once when it arrives."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import lru_cache
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

from incidentml.incidents.batch import PostBatch
from incidentml.incidents.columns import N_CONTEXT, N_NAMES, N_NUMBERS, N_SUBTOPICS, N_WHERE, STEP, Columns
from incidentml.incidents.company import Company
from incidentml.incidents.copies import core_text, hash64, sketch
from incidentml.incidents.counting import counted
from incidentml.incidents.ragged import Ragged
from incidentml.incidents.wording import (
    Vocabulary,
    context,
    hits,
    is_reply,
    names,
    padded,
    place_words,
    rare_only,
    rarest,
    stem_hash,
)
from incidentml.numeric import on_grid, unit_grid
from incidentml.places import PlaceTable
from incidentml.places.towns import is_town, town_of_page
from incidentml.text import fold, words
from incidentml.types import Place, PostKey

__all__ = ["columns_of", "post_code"]

TOPIC_BITS = 10
#: Rows of vectors that fit a cache.
_ROWS = 1024
#: Copies are gathered inside cells of this many seconds.
COPY_CELL = 6 * 3600.0

#: Parts of a place that a post may name.
TOLD = ("street", "settlement", "house", "landmark")
MANY = 4
#: Keys of places under which posts meet, from wide to narrow; a settlement alone is too wide.
_BLOCK_RANKS = {"street": 1, "landmark": 2, "house": 3}


def columns_of(batch: PostBatch, vocabulary: Vocabulary, company: Company | None = None) -> Columns:
    """Derive all columns of a batch; without `company` no post is likelier alone than another."""
    cores = [core_text(text) for text in batch.texts]
    plain = [" ".join(words(core)) or fold(core) for core, _ in cores]
    marks, grams = sketch(plain)
    tokens = [text.split() for text in plain]
    stems = [[stem_hash(word) for word in row] for row in tokens]
    digits = [[word for word in row if word.isdigit()] for row in tokens]
    numbered = [counted(row) for row in tokens]
    word_rows, weight_rows = rarest(stems, vocabulary)
    spoken = [place_words(places) for places in batch.places]
    placing = [[*set(map(stem_hash, row)), *named] for row, named in zip(digits, spoken, strict=True)]
    table = PlaceTable.build(batch.places, batch.regions)
    keys_of = table.block_keys()
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
    likeliest = [_likeliest(rows) for rows in _in_rows(batch.subtopics)]
    topics = _steps(np.sqrt(np.clip(batch.topics, 0.0, 1.0)))
    columns = Columns(
        keys=[PostKey(*key) for key in batch.keys],
        code=np.array([post_code(key) for key in batch.keys], dtype=np.uint64),
        times=batch.times,
        vectors=_steps(batch.vectors),
        topics=topics,
        top=(topics.argmax(axis=1) if topics.shape[1] else np.zeros(len(topics))).astype(np.int16),
        problem=np.concatenate([_problem(rows) for rows in _in_rows(batch.subtopics)]),
        subtopic=np.concatenate([which for which, _ in likeliest]),
        subtopic_p=np.concatenate([values for _, values in likeliest]),
        region=_hashes(batch.regions),
        author=_hashes(batch.authors),
        source=_hashes(batch.sources),
        network=_hashes([key[0] for key in batch.keys]),
        copy=np.array(copies, dtype=np.uint64),
        words=word_rows,
        weights=weight_rows,
        placing=hits(word_rows, padded(placing, 12)),
        where=rare_only(padded(spoken, N_WHERE), vocabulary),
        numbers=padded([found[0] for found in numbered], N_NUMBERS),
        things=padded([found[1] for found in numbered], N_NUMBERS),
        counted=padded([found[2] for found in numbered], N_NUMBERS),
        names=padded([names(core) for core, _ in cores], N_NAMES),
        context=padded([context(source) for source in batch.sources], N_CONTEXT),
        sketch=marks,
        grams=grams,
        solitude=np.zeros(len(batch), np.float32),
        flags=np.array(
            [
                relay + 2 * is_reply(core) + 4 * _one_town(places, region)
                for (core, relay), places, region in zip(cores, batch.places, batch.regions, strict=True)
            ],
            dtype=np.uint8,
        ).reshape(-1),
        town=_towns(batch, _only(keys_of, "settlement")),
        street=_only(keys_of, "street"),
        house=_only(keys_of, "house"),
        told=_told(batch.places),
        streets=_how_many(batch.places, "street"),
        houses=_how_many(batch.places, "house"),
        route=_routes(batch.places),
        towns=table.codes.settlements,
        addresses=table.codes.addresses,
        landmarks=table.codes.landmarks,
        place_counts=table.codes.counts,
        blocks=Ragged.of(blocks),
    )
    return columns if company is None else replace(columns, solitude=company.solitude(stems, columns))


def post_code(key: PostKey) -> int:
    """Return the 48 bits that make the id of an incident whose first post this is."""
    digest = blake2b(f"{key[0]}\x1f{key[1]}".encode("utf-8", "replace"), digest_size=6).digest()
    return int.from_bytes(digest, "big")


def _block_rank(key: Hashable) -> int:
    """Return how narrow the place of a block key is, 0 for one too wide to meet under."""
    return _BLOCK_RANKS.get(str(key[0]), 0) if isinstance(key, tuple) else 0


@lru_cache(maxsize=2**16)
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


def _in_rows(array: NDArray[np.float32]) -> Iterator[NDArray[np.float32]]:
    """Yield runs of rows, at least one: what is made of them on the way takes little memory."""
    yield from (array[first : first + _ROWS] for first in range(0, max(len(array), 1), _ROWS))


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
    """Return `unit_grid` rows in whole numbers of `STEP`: half the memory of float32, and exact products."""
    out = np.empty(vectors.shape, dtype=np.int16)
    for first in range(0, len(vectors), _ROWS):
        out[first : first + _ROWS] = np.rint(unit_grid(vectors[first : first + _ROWS]) / np.float32(STEP))
    return out


def _problem(probabilities: NDArray[np.float32]) -> NDArray[np.int16]:
    """Return centred log-probabilities of single topics as unit rows: the kind of problem, unlikely ones too."""
    logs = np.log(np.maximum(np.asarray(probabilities, dtype=np.float64), 1e-4))
    if logs.shape[1]:
        logs -= logs.mean(axis=1, keepdims=True)
    return _steps(logs)


def _told(places: Sequence[tuple[Place, ...]]) -> NDArray[np.uint8]:
    """Return which of `TOLD` each post names, a bit each; the first bit is for any place."""
    return np.array(
        [
            bool(row) + sum(any(getattr(place, part) for place in row) << bit for bit, part in enumerate(TOLD, 1))
            for row in places
        ],
        dtype=np.uint8,
    ).reshape(-1)


def _how_many(places: Sequence[tuple[Place, ...]], part: str) -> NDArray[np.uint8]:
    """Return how many streets or houses each post names, up to `MANY`: what matters is one or several."""
    found = (
        {name for place in row for name in (getattr(place, part) or "").split(", ") if name} for row in places
    )
    return np.array([min(len(names), MANY) for names in found], dtype=np.uint8).reshape(-1)


def _one_town(places: Sequence[Place], region: str | None) -> bool:
    """Tell whether a post names one settlement, and this is a town that everybody knows."""
    named = {place.settlement for place in places if place.settlement}
    return len(named) == 1 and is_town(named.pop(), region or None)


def _towns(batch: PostBatch, told: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Return the only settlement of each post; of one that names none that of its page («Подслушано Ржев»)."""
    silent = [not any(place.settlement for place in places) for places in batch.places]
    pages = {(source, region) for source, region in zip(batch.sources, batch.regions, strict=True) if source}
    named = sorted(
        (source, region or "", town) for source, region in pages if (town := town_of_page(source, region or None))
    )
    keys = PlaceTable.build(
        [(Place(settlement=town),) for _, _, town in named], [region or None for _, region, _ in named]
    ).block_keys()
    found = _only(keys, "settlement").tolist()
    town_of = {(source, region): town for (source, region, _), town in zip(named, found, strict=True)}
    of_page = [
        town_of.get((source or "", region or ""), 0) if alone else 0
        for source, region, alone in zip(batch.sources, batch.regions, silent, strict=True)
    ]
    return np.where(told > 0, told, np.array(of_page, dtype=np.uint64).reshape(-1))


def _routes(places: Sequence[tuple[Place, ...]]) -> NDArray[np.int32]:
    """Return the number of the bus, tram or train that each post is about: 0 where it names none or several."""
    out = np.zeros(len(places), dtype=np.int32)
    for row, told in enumerate(places):
        named = {place.landmark for place in told if place.landmark and place.landmark.startswith("маршрут ")}
        digits = "".join(sign for sign in named.pop() if sign.isdecimal()) if len(named) == 1 else ""
        out[row] = int(digits[:6] or 0)
    return out


def _place_mark(places: tuple[Place, ...]) -> str:
    return ";".join(f"{p.settlement}|{p.street}|{p.house}|{p.landmark}" for p in places)
