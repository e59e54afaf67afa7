"""The rows of a competence table, and how they are read.

A table is a CSV (comma or semicolon) with the columns ``territory,topic,level,executor,redirect_to``:

- `territory`: ``*``, a region (``Пермский край``) or a municipality in it (``Пермский край/Пермь``);
- `topic`: ``*``, ``type:<type of executor>``, ``group:<group>``, or a topic's name or code;
- `level`: ``*``, ``municipal``, ``regional`` or ``federal``;
- `executor`: the organisation; ``{region}`` and ``{municipality}`` are filled in;
- `redirect_to` (may be empty): the organisation to which `executor` passes such cases on.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from typing import TextIO

from incidentml.errors import DataError
from incidentml.taxonomy import Taxonomy, TopicRecord
from incidentml.types import Level

__all__ = ["ANY", "CompetenceRule", "read_rules"]

#: Stands for every territory, topic or level.
ANY = "*"
_PLACEHOLDER = re.compile(r"\{[^{}]*\}")
_FILLED = frozenset(["{region}", "{municipality}"])
_COLUMNS = ("territory", "topic", "level", "executor", "redirect_to")


@dataclass(frozen=True, slots=True)
class CompetenceRule:
    """One row of a competence table.

    Attributes
    ----------
    line : int
        Its line in the file.
    territory, topic, level, executor, redirect_to : str
        Its columns, as `CompetenceTable.from_csv` tells.
    """

    line: int
    territory: str
    topic: str
    level: str
    executor: str
    redirect_to: str = ""

    @property
    def specificity(self) -> tuple[int, int, int]:
        """How narrow the rule is: territory, topic, level."""
        territory = 0 if self.territory == ANY else 2 if "/" in self.territory else 1
        kinds = {ANY: 0, "type": 1, "group": 2}
        topic = kinds.get(self.topic.split(":", 1)[0] if ":" in self.topic else self.topic, 3)
        return territory, topic, int(self.level != ANY)

    def covers_territory(self, region: str | None, municipality: str | None) -> bool:
        """Tell whether the rule holds in this territory."""
        if self.territory == ANY:
            return True
        ruled_region, _, ruled_municipality = self.territory.partition("/")
        return ruled_region == region and (not ruled_municipality or ruled_municipality == municipality)

    def covers_case(self, topic: TopicRecord, level: Level) -> bool:
        """Tell whether the rule speaks of this topic at this level."""
        named = (ANY, topic.name, topic.code, f"group:{topic.group}", f"type:{topic.executor_type}")
        return self.topic in named and self.level in (ANY, level.value)

    def __str__(self) -> str:
        """Return the row as it is written in messages."""
        return f"строка {self.line} ({self.territory} | {self.topic} | {self.level} → {self.executor})"


def read_rules(stream: TextIO | Iterator[str], where: str, taxonomy: Taxonomy) -> list[CompetenceRule]:
    """Read the rows of a table.

    Parameters
    ----------
    stream : text stream or iterator of str
        Lines of the CSV, its header first.
    where : str
        Name of the table, for messages.
    taxonomy : Taxonomy
        The rubricator that the topics are looked up in.

    Returns
    -------
    list of CompetenceRule
        In the order of the file.

    Raises
    ------
    DataError
        If a column is missing, a row has more cells than the header, a topic, level or placeholder is unknown, a
        territory or executor is empty, or there is no row.
    """
    lines = iter(stream)
    first = next(lines, "")
    delimiter = ";" if first.count(";") > first.count(",") else ","  # as Russian spreadsheets save it
    reader = csv.DictReader(chain([first], lines), delimiter=delimiter, strict=True)
    if lacking := sorted(set(_COLUMNS[:4]) - set(reader.fieldnames or ())):
        raise DataError(
            f"{where}: columns {lacking} are missing; a competence table has {', '.join(_COLUMNS)}, "
            f"found {reader.fieldnames}"
        )
    codes = {record.code for record in taxonomy.topics.values()}
    rules: list[CompetenceRule] = []
    for row in reader:
        cells = {name: (row.get(name) or "").strip() for name in _COLUMNS}
        at = f"{where}, line {reader.line_num}"
        if None in row:  # what DictReader could not name
            raise DataError(f"{at}: more cells than the header has; a value with a delimiter stands in quotes")
        topic = cells["topic"]
        kind, _, value = topic.partition(":")
        known = (
            topic == ANY
            or topic in taxonomy.topics
            or topic in codes
            or (kind == "group" and value in taxonomy.groups)
            or (kind == "type" and value in taxonomy.executor_types)
        )
        if not known:
            raise DataError(f"{at}: topic {topic!r} is not in the rubricator {taxonomy.name!r}")
        if cells["level"] not in (ANY, *(level.value for level in Level)):
            raise DataError(
                f"{at}: level {cells['level']!r}; allowed: *, {', '.join(level.value for level in Level)}"
            )
        if not cells["territory"] or not cells["executor"]:
            raise DataError(f"{at}: 'territory' and 'executor' must not be empty; write * for every territory")
        if strange := set(_PLACEHOLDER.findall(cells["executor"] + cells["redirect_to"])) - _FILLED:
            raise DataError(f"{at}: {sorted(strange)} is never filled in; allowed: {', '.join(sorted(_FILLED))}")
        rules.append(CompetenceRule(reader.line_num, **cells))
    if not rules:
        raise DataError(f"{where}: the competence table has no rows")
    return rules
