"""The rubricator: groups, topics and what is known of each before any text is read.

The records are data (``data/taxonomy.json``), filled topic by topic by judgement. A user's own rubricator is read
with `Taxonomy.from_json`, or joined to this one with a `RubricatorMapping` from a CSV.
"""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

from incidentml.errors import DataError
from incidentml.types import Level, Scale

__all__ = ["OUTSIDE", "RubricatorMapping", "Taxonomy", "TopicRecord"]

#: Group and topic of what no line of the rubricator covers (a quarrel with a bank, a lost parcel).
OUTSIDE = "Вне рубрикатора"


@dataclass(frozen=True, slots=True)
class TopicRecord:
    """One topic of the rubricator.

    Parameters
    ----------
    name, code, group : str
        The topic as written in the rubricator (a leading ★ included), its short code and its group.
    fast_track : bool
        Starred topics are answered on the fast track.
    asset : str
        What is broken or lacking, in Russian.
    season : tuple of int
        Months in which the topic normally occurs.
    duration_days : int
        How long such a problem usually lasts.
    level : Level
        Who answers by default.
    level_by_scale : mapping of Scale to Level
        Where the scale of the problem changes the level.
    executor_type : str
        Key of `Taxonomy.executor_types`.
    term_days : int
        Calendar days for the full answer.
    emergency : bool
        Whether the topic by itself is an emergency.
    urgency_prior : float
        Expected urgency, 0 to 3, before the text is read.
    """

    name: str
    code: str
    group: str
    fast_track: bool
    asset: str
    season: tuple[int, ...]
    duration_days: int
    level: Level
    level_by_scale: Mapping[Scale, Level]
    executor_type: str
    term_days: int
    emergency: bool
    urgency_prior: float

    def level_for(self, scale: Scale) -> Level:
        """Return the level that answers for a problem of this scale."""
        return self.level_by_scale.get(scale, self.level)

    def in_season(self, month: int) -> bool:
        """Tell whether the topic is usual in this month (1 to 12)."""
        return month in self.season


def _record(row: Mapping[str, Any], where: str) -> TopicRecord:
    try:
        record = TopicRecord(
            name=str(row["topic"]),
            code=str(row["code"]),
            group=str(row["group"]),
            fast_track=bool(row["fast_track"]),
            asset=str(row["asset"]),
            season=tuple(int(month) for month in row["season"]),
            duration_days=int(row["duration_days"]),
            level=Level(row["level"]),
            level_by_scale={Scale(key): Level(value) for key, value in row["level_by_scale"].items()},
            executor_type=str(row["executor_type"]),
            term_days=int(row["term_days"]),
            emergency=bool(row["emergency"]),
            urgency_prior=float(row["urgency_prior"]),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise DataError(f"{where}: topic {row.get('topic', row)!r}: bad or missing field: {error}") from error
    if not record.season or not set(record.season) <= set(range(1, 13)):
        raise DataError(f"{where}: topic {record.name!r}: 'season' must list months 1 to 12")
    if record.duration_days <= 0 or record.term_days <= 0:
        raise DataError(f"{where}: topic {record.name!r}: 'duration_days' and 'term_days' must be positive")
    if not 0 <= record.urgency_prior <= 3:
        raise DataError(
            f"{where}: topic {record.name!r}: 'urgency_prior' is {record.urgency_prior}, allowed 0 to 3"
        )
    return record


class Taxonomy:
    """A versioned rubricator: groups and their topics.

    Parameters
    ----------
    records : sequence of TopicRecord
        In the order of the rubricator.
    name, version : str
        What the rubricator is called and its version.
    executor_types : mapping of str to str
        Key of a type of executor to its Russian name.

    Attributes
    ----------
    topics : dict of str to TopicRecord
        By name.
    groups : tuple of str

    Examples
    --------
    >>> taxonomy = Taxonomy.load()
    >>> len(taxonomy.groups), len(taxonomy.topics)
    (26, 195)
    >>> taxonomy.topics["★ Прорыв трубы/трубопровода"].emergency
    True
    """

    def __init__(
        self, records: Sequence[TopicRecord], *, name: str, version: str, executor_types: Mapping[str, str]
    ) -> None:
        self.name = name
        self.version = version
        self.executor_types = dict(executor_types)
        self.topics: dict[str, TopicRecord] = {record.name: record for record in records}
        self.groups: tuple[str, ...] = tuple(dict.fromkeys(record.group for record in records))
        if not records:
            raise DataError(f"rubricator {name!r} has no topics")
        for field in ("name", "code"):
            values = [getattr(record, field) for record in records]
            if twice := sorted({value for value in values if values.count(value) > 1}):
                raise DataError(f"rubricator {name!r}: {field} {twice} occurs more than once")
        if unknown := sorted({record.executor_type for record in records} - set(self.executor_types)):
            raise DataError(
                f"rubricator {name!r}: unknown types of executor {unknown}; add them to 'executor_types'"
            )

    @classmethod
    @cache
    def load(cls) -> Taxonomy:
        """Return the rubricator that ships with the package."""
        source = resources.files("incidentml") / "data" / "taxonomy.json"
        return cls._parse(source.read_text(encoding="utf-8"), "data/taxonomy.json")

    @classmethod
    def from_json(cls, path: str | os.PathLike[str]) -> Taxonomy:
        """Read a rubricator of the same form as ``data/taxonomy.json``.

        Raises
        ------
        DataError
            Names the topic and the field that is missing or wrong.
        """
        try:
            text = Path(path).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise DataError(f"{path}: the rubricator cannot be read: {error}") from error
        return cls._parse(text, str(path))

    @classmethod
    def _parse(cls, text: str, where: str) -> Taxonomy:
        try:
            raw = json.loads(text)
        except ValueError as error:
            raise DataError(f"{where}: not valid JSON: {error}") from error
        needed = {"name", "version", "executor_types", "topics"}
        if lacking := sorted(needed - set(raw if isinstance(raw, dict) else ())):
            raise DataError(f"{where}: the rubricator lacks {lacking}")
        records = [_record(row, where) for row in raw["topics"]]
        return cls(records, name=raw["name"], version=raw["version"], executor_types=raw["executor_types"])

    def topics_of(self, group: str) -> tuple[str, ...]:
        """Return the topics of a group in the order of the rubricator."""
        return tuple(name for name, record in self.topics.items() if record.group == group)

    def group_of(self, topic: str) -> str:
        """Return the group of a topic; `OUTSIDE` for what is not in the rubricator."""
        record = self.topics.get(topic)
        return record.group if record else OUTSIDE


@dataclass(frozen=True, slots=True)
class RubricatorMapping:
    """A two-way dictionary between this rubricator and another one.

    Several rows may name the same topic; the first one is the preferred translation.

    Attributes
    ----------
    to_theirs, to_ours : mapping of str to tuple of str
        A topic to its translations, the preferred one first.
    """

    to_theirs: Mapping[str, tuple[str, ...]]
    to_ours: Mapping[str, tuple[str, ...]]

    @classmethod
    def from_csv(cls, path: str | os.PathLike[str], taxonomy: Taxonomy | None = None) -> RubricatorMapping:
        """Read a CSV with the columns ``ours,theirs``; `ours` is a topic's name or code.

        Raises
        ------
        DataError
            If a column is missing or `ours` names no topic.
        """
        taxonomy = taxonomy or Taxonomy.load()
        by_code = {record.code: name for name, record in taxonomy.topics.items()}
        try:
            with open(path, encoding="utf-8-sig", newline="") as stream:
                reader = csv.DictReader(stream)
                if lacking := sorted({"ours", "theirs"} - set(reader.fieldnames or ())):
                    raise DataError(f"{path}: columns {lacking} are missing; found {reader.fieldnames}")
                rows = list(reader)
        except (OSError, UnicodeDecodeError, csv.Error) as error:
            raise DataError(f"{path}: the mapping cannot be read: {error}") from error
        theirs: dict[str, list[str]] = {}
        ours: dict[str, list[str]] = {}
        for line, row in enumerate(rows, start=2):
            key, other = (row["ours"] or "").strip(), (row["theirs"] or "").strip()
            topic = by_code.get(key, key)
            if topic not in taxonomy.topics:
                raise DataError(f"{path}, line {line}: {key!r} is neither a topic nor a code of {taxonomy.name!r}")
            if not other:
                raise DataError(f"{path}, line {line}: 'theirs' is empty")
            theirs.setdefault(topic, []).append(other)
            ours.setdefault(other, []).append(topic)
        return cls(
            to_theirs={key: tuple(dict.fromkeys(values)) for key, values in theirs.items()},
            to_ours={key: tuple(dict.fromkeys(values)) for key, values in ours.items()},
        )

    def missing(self, taxonomy: Taxonomy | None = None) -> tuple[str, ...]:
        """Return the topics that have no translation yet."""
        return tuple(name for name in (taxonomy or Taxonomy.load()).topics if name not in self.to_theirs)
