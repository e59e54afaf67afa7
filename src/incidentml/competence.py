"""Who answers where: a table of territory × topic × level → organisation, and a checker of such tables.

A row is told in `incidentml.competence_rules`. The most specific row wins: first by territory, then by topic, then
by level; the order of the rows does not count.
"""

from __future__ import annotations

import csv
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from importlib import resources
from pathlib import Path

from incidentml.competence_rules import ANY, CompetenceRule, read_rules
from incidentml.errors import DataError
from incidentml.taxonomy import OUTSIDE, Taxonomy
from incidentml.types import Level

__all__ = ["Assignment", "CompetenceRule", "CompetenceTable", "Finding"]


@dataclass(frozen=True, slots=True)
class Assignment:
    """The organisation that a table names, and why.

    Attributes
    ----------
    executor, template : str
        Its name, and the name before region and municipality were filled in.
    rule : CompetenceRule
        The row that spoke.
    path : tuple of str
        The organisations from that row through all redirects.
    missing : tuple of str
        ``region`` or ``municipality`` that the name needs and nobody gave.
    rivals : tuple of CompetenceRule
        Other rows, just as specific.
    """

    executor: str
    template: str
    rule: CompetenceRule
    path: tuple[str, ...]
    missing: tuple[str, ...]
    rivals: tuple[CompetenceRule, ...]


@dataclass(frozen=True, slots=True)
class Finding:
    """A fault of a table.

    Attributes
    ----------
    kind : str
        ``gap`` (nobody answers), ``overlap`` (two rows are just as specific), ``shadowed`` (a row never applies)
        or ``redirect_loop``.
    message : str
        In Russian.
    lines : tuple of int
        Where the rows stand.
    """

    kind: str
    message: str
    lines: tuple[int, ...] = ()

    def __str__(self) -> str:
        """Return the finding as one printed line."""
        return f"{self.kind}: {self.message}"


class CompetenceTable:
    """Finds the organisation for a territory, topic and level.

    Parameters
    ----------
    rules : sequence of CompetenceRule
        In any order.
    taxonomy : Taxonomy, optional
        The rubricator that the rules speak of.
    name : str
        Where the table came from, for messages.

    Examples
    --------
    >>> table = CompetenceTable.load()
    >>> table.find("Вакцинация", Level.REGIONAL, region="Пермский край").executor
    'Министерство здравоохранения (Пермский край)'
    >>> table.check()
    []
    """

    def __init__(
        self, rules: Sequence[CompetenceRule], *, taxonomy: Taxonomy | None = None, name: str = "competence table"
    ) -> None:
        self.rules = tuple(sorted(rules, key=lambda rule: (*(-part for part in rule.specificity), rule.line)))
        self.taxonomy = taxonomy or Taxonomy.load()
        self.name = name
        self._by_case: dict[tuple[str, Level], tuple[CompetenceRule, ...]] = {}

    @classmethod
    @cache
    def load(cls) -> CompetenceTable:
        """Return the generic table that ships with the package: kinds of organisations, no real names."""
        source = resources.files("incidentml") / "data" / "competence.csv"
        lines = iter(source.read_text(encoding="utf-8").splitlines())
        return cls(read_rules(lines, "data/competence.csv", Taxonomy.load()), name="data/competence.csv")

    @classmethod
    def from_csv(
        cls, path: str | os.PathLike[str], *, taxonomy: Taxonomy | None = None, allow_loops: bool = False
    ) -> CompetenceTable:
        """Read a table.

        Parameters
        ----------
        path : path-like
            CSV with the columns ``territory`` (``*``, a region or ``region/municipality``), ``topic`` (``*``, a
            name or code, ``group:…`` or ``type:…``), ``level``, ``executor`` and, optionally, ``redirect_to``.
        taxonomy : Taxonomy, optional
            The shipped one by default.
        allow_loops : bool
            Load a table with redirect loops too, so that `check` can print everything at once.

        Returns
        -------
        CompetenceTable

        Raises
        ------
        DataError
            If a column is missing, a topic or level is unknown, an executor is empty or redirects run in a loop.
        """
        taxonomy = taxonomy or Taxonomy.load()
        try:
            with Path(path).open(encoding="utf-8-sig", newline="") as stream:
                rules = read_rules(stream, str(path), taxonomy)
        except (OSError, UnicodeDecodeError, csv.Error) as error:
            raise DataError(f"{path}: the competence table cannot be read: {error}") from error
        table = cls(rules, taxonomy=taxonomy, name=str(path))
        if not allow_loops and (loops := [item for item in table.check() if item.kind == "redirect_loop"]):
            raise DataError(f"{path}: {loops[0].message}; cut one of these redirects")
        return table

    def _candidates(self, topic: str, level: Level) -> tuple[CompetenceRule, ...]:
        key = (topic, level)
        if key not in self._by_case:
            record = self.taxonomy.topics[topic]
            self._by_case[key] = tuple(rule for rule in self.rules if rule.covers_case(record, level))
        return self._by_case[key]

    def find(
        self, topic: str, level: Level, *, region: str | None = None, municipality: str | None = None
    ) -> Assignment | None:
        """Return who answers, or None where the table has no row for the case.

        Parameters
        ----------
        topic : str
            Of the rubricator.
        level : Level
        region, municipality : str, optional
            Written as in the table.

        Returns
        -------
        Assignment or None

        Notes
        -----
        `Assignment.missing` lists the placeholders that could not be filled.
        """
        if topic == OUTSIDE or topic not in self.taxonomy.topics:
            return None
        rules = [rule for rule in self._candidates(topic, level) if rule.covers_territory(region, municipality)]
        if not rules:
            return None
        winner = rules[0]
        rivals = tuple(rule for rule in rules[1:] if rule.specificity == winner.specificity)
        path, _ = _follow(rules, winner.executor)
        names = {"region": region, "municipality": municipality}
        template = path[-1]
        missing = tuple(name for name in sorted(names) if names[name] is None and "{" + name + "}" in template)
        known = {name: value or "" for name, value in names.items()}
        steps = tuple(_fill(step, known) for step in path)
        return Assignment(
            executor=steps[-1], template=template, rule=winner, path=steps, missing=missing, rivals=rivals
        )

    @cached_property
    def territories(self) -> tuple[tuple[str | None, str | None], ...]:
        """The (region, municipality) pairs that the table tells apart; the first stands for everywhere else."""
        named = {rule.territory for rule in self.rules} - {ANY}
        pairs: list[tuple[str | None, str | None]] = [(None, None)]
        for territory in sorted(named | {name.partition("/")[0] for name in named}):
            region, _, municipality = territory.partition("/")
            pairs.append((region, municipality or None))
        return tuple(pairs)

    def check(self) -> list[Finding]:
        """Return the gaps, overlaps, shadowed rules and redirect loops of the table."""
        gaps: dict[tuple[str, str], list[str]] = {}
        overlaps: dict[tuple[CompetenceRule, CompetenceRule], str] = {}
        loops: dict[tuple[str, ...], str] = {}
        alive: set[CompetenceRule] = set()
        for topic in self.taxonomy.topics:
            for level in Level:
                for region, municipality in self.territories:
                    where = "/".join(part for part in (region, municipality) if part) or "везде"
                    case = f"{where} | {topic} | {level.value}"
                    rules = [
                        rule
                        for rule in self._candidates(topic, level)
                        if rule.covers_territory(region, municipality)
                    ]
                    if not rules:
                        gaps.setdefault((where, level.value), []).append(topic)
                        continue
                    winner = rules[0]
                    path, loop = _follow(rules, winner.executor)
                    alive.add(winner)
                    alive.update(rule for rule in rules if rule.redirect_to and rule.executor in path)
                    if loop:
                        loops.setdefault(_canonical(loop), case)
                    for rival in rules[1:]:
                        if rival.specificity == winner.specificity:
                            alive.add(rival)
                            overlaps.setdefault((winner, rival), case)
        findings = [
            Finding("gap", f"{where} | {level}: нет исполнителя для тем ({len(topics)}): {_some(topics)}")
            for (where, level), topics in gaps.items()
        ]
        findings += [
            Finding("overlap", f"{a} и {b} спорят за один случай, например {case}", (a.line, b.line))
            for (a, b), case in overlaps.items()
        ]
        findings += [
            Finding("shadowed", f"{rule} никогда не применяется: её закрывают более точные строки", (rule.line,))
            for rule in sorted(set(self.rules) - alive, key=lambda rule: rule.line)
        ]
        findings += [
            Finding("redirect_loop", f"перенаправление по кругу: {' → '.join(loop)}, например {case}")
            for loop, case in loops.items()
        ]
        return findings


def _fill(template: str, names: dict[str, str]) -> str:
    filled = template
    for name, value in names.items():
        filled = filled.replace("{" + name + "}", value)
    return filled


def _follow(rules: Iterable[CompetenceRule], start: str) -> tuple[list[str], tuple[str, ...]]:
    """Return the chain of redirects from `start`, and the loop in it if there is one."""
    nexts: dict[str, str] = {}
    for rule in rules:
        if rule.redirect_to:
            nexts.setdefault(rule.executor, rule.redirect_to)
    path = [start]
    while (step := nexts.get(path[-1])) is not None:
        if step in path:
            return path, (*path[path.index(step) :], step)
        path.append(step)
    return path, ()


def _canonical(loop: tuple[str, ...]) -> tuple[str, ...]:
    """Turn a loop so that it starts at its smallest name: one loop, one finding."""
    ring = loop[:-1]
    first = ring.index(min(ring))
    return (*ring[first:], *ring[:first], ring[first])


def _some(topics: Sequence[str], limit: int = 5) -> str:
    return "; ".join(topics[:limit]) + ("; …" if len(topics) > limit else "")
