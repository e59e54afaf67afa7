"""The columns that candidates and links read: one row a post, every value a function of that post alone."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

from incidentml.errors import ModelFormatError
from incidentml.incidents.clustering import Naming
from incidentml.incidents.copies import SKETCH_SIZE
from incidentml.incidents.growing import Room
from incidentml.incidents.ragged import Ragged
from incidentml.incidents.wording import N_WORDS
from incidentml.numeric import VECTOR_BITS
from incidentml.persistence import FittedState, pack_json, unpack_json
from incidentml.places import PlaceCodes, PlaceTable
from incidentml.types import PostKey

__all__ = ["N_CONTEXT", "N_NAMES", "N_NUMBERS", "N_SUBTOPICS", "N_WHERE", "STEP", "Columns"]

#: Unit vectors are held as whole multiples of this.
STEP = 2.0**-VECTOR_BITS
N_NUMBERS, N_NAMES, N_CONTEXT, N_SUBTOPICS, N_WHERE = 6, 8, 6, 6, 8


@dataclass(frozen=True, eq=False)
class Columns:
    """Posts as arrays, in the order they came; nothing downstream depends on that order."""

    keys: list[PostKey]
    code: NDArray[np.uint64]
    times: NDArray[np.float64]
    vectors: NDArray[np.int16]
    topics: NDArray[np.int16]
    top: NDArray[np.int16]
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
    things: NDArray[np.uint32]
    counted: NDArray[np.uint32]
    names: NDArray[np.uint32]
    context: NDArray[np.uint32]
    sketch: NDArray[np.uint8]
    grams: NDArray[np.float32]
    solitude: NDArray[np.float32]
    flags: NDArray[np.uint8]
    town: NDArray[np.uint64]
    street: NDArray[np.uint64]
    house: NDArray[np.uint64]
    told: NDArray[np.uint8]
    streets: NDArray[np.uint8]
    houses: NDArray[np.uint8]
    route: NDArray[np.int32]
    towns: NDArray[np.int32]
    addresses: NDArray[np.int32]
    landmarks: NDArray[np.int32]
    place_counts: NDArray[np.uint8]
    blocks: Ragged

    def __len__(self) -> int:
        return len(self.keys)

    @classmethod
    def empty(cls, dim: int, n_topics: int, n_subtopics: int) -> Columns:
        """Return columns without rows."""
        u64, u32 = np.zeros(0, np.uint64), np.uint32
        nowhere = PlaceTable.build([], []).codes
        return cls(
            keys=[], code=u64, times=np.zeros(0), vectors=np.zeros((0, dim), np.int16),
            topics=np.zeros((0, n_topics), np.int16), top=np.zeros(0, np.int16),
            problem=np.zeros((0, n_subtopics), np.int16), subtopic=np.zeros((0, N_SUBTOPICS), np.uint16),
            subtopic_p=np.zeros((0, N_SUBTOPICS), np.float16), region=u64, author=u64, source=u64, network=u64,
            copy=u64,
            words=np.zeros((0, N_WORDS), u32), weights=np.zeros((0, N_WORDS), np.float32),
            placing=np.zeros((0, N_WORDS), bool), where=np.zeros((0, N_WHERE), u32),
            numbers=np.zeros((0, N_NUMBERS), u32), things=np.zeros((0, N_NUMBERS), u32),
            counted=np.zeros((0, N_NUMBERS), u32), names=np.zeros((0, N_NAMES), u32),
            context=np.zeros((0, N_CONTEXT), u32), sketch=np.zeros((0, SKETCH_SIZE), np.uint8),
            grams=np.zeros(0, np.float32), solitude=np.zeros(0, np.float32), flags=np.zeros(0, np.uint8),
            town=u64, street=u64, house=u64,
            told=np.zeros(0, np.uint8), streets=np.zeros(0, np.uint8), houses=np.zeros(0, np.uint8),
            route=np.zeros(0, np.int32), towns=nowhere.settlements,
            addresses=nowhere.addresses, landmarks=nowhere.landmarks, place_counts=nowhere.counts,
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

    def join(self, *others: Columns) -> Columns:
        """Return the rows of all, one after the other."""
        if not others:
            return self
        if not len(self):
            return others[0].join(*others[1:])
        held, total = len(self), len(self) + sum(map(len, others))
        room: Room | None = vars(self).get("room")
        if room is None or not room.claim(held, total):
            arrays = {name: value for name, value in vars(self).items() if isinstance(value, np.ndarray)}
            room = Room(arrays, total)
        joined: dict[str, Any] = {}
        for column in fields(self):
            first, *rest = (getattr(part, column.name) for part in (self, *others))
            if isinstance(first, Ragged):
                joined[column.name] = first.join(*rest)
            elif isinstance(first, list):
                joined[column.name] = list(chain(first, *rest))
            else:
                joined[column.name] = room.write(column.name, held, *rest)
        columns = replace(self, **joined)
        vars(columns)["room"] = room
        return columns

    @property
    def place_codes(self) -> PlaceCodes:
        """Places, to compare."""
        return PlaceCodes(self.towns, self.addresses, self.landmarks, self.place_counts)

    @property
    def naming(self) -> Naming:
        """Where each post says it is, for the clustering: one that names no place weighs half."""
        return Naming(self.town, self.street, self.house, np.where(self.told > 0, 2.0, 1.0))

    def rank(self, rows: NDArray[np.intp] | None = None) -> NDArray[np.intp]:
        """Return each row's place in the canonical order, of the given rows or of all: time, network, id."""
        among, keys = (self.times, self.keys)
        if rows is not None:
            among, keys = self.times[rows], [self.keys[row] for row in rows.tolist()]
        order = np.argsort(among, kind="stable")
        times = among[order]
        borders = np.flatnonzero(np.concatenate([[True], times[1:] != times[:-1], [True]]))
        ties = np.flatnonzero(np.diff(borders) > 1)
        for start, stop in zip(borders[ties].tolist(), borders[ties + 1].tolist(), strict=True):
            order[start:stop] = sorted(order[start:stop].tolist(), key=keys.__getitem__)
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
            elif column.name == "keys":
                values["keys"] = [PostKey(*key) for key in unpack_json(state.array("keys", 1))]
                length = len(values["keys"])
            else:
                values[column.name] = state.array(column.name)
                length = len(values[column.name])
            if length != n:
                raise ModelFormatError(f"{state.kind}: column {column.name!r} has {length} rows, expected {n}")
        return cls(**values)
