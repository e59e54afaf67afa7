"""What a training starts from: folders of gold sets, checked as a whole before anything is learnt."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from incidentml.errors import DataError
from incidentml.gold import Gold, GoldPost, did_you_mean, gold_files, gold_rows, raise_problems
from incidentml.taxonomy import OUTSIDE, Taxonomy
from incidentml.types import Kind, PostKey

__all__ = ["Source", "TrainingData", "check_items", "load_training_data"]

#: Posts of a class, and pairs of an incident, below which a stage would learn noise.
LEAST = 10


@dataclass(frozen=True, slots=True)
class Source:
    """A folder of gold sets as its ``manifest.json`` tells of it.

    Attributes
    ----------
    name : str
        Of the folder.
    license, origin : str or None
        None where no manifest tells.
    """

    name: str
    license: str | None = None
    origin: str | None = None


@dataclass(frozen=True, slots=True)
class TrainingData:
    """Posts to learn from.

    Attributes
    ----------
    items : list of GoldPost
    sources : list of Source
        The folders, in the order given.
    notes : list of str
        What the model will not know, such as a kind that nobody labelled.
    """

    items: list[GoldPost]
    sources: list[Source]
    notes: list[str]


def load_training_data(
    folders: Sequence[str | os.PathLike[str]], *, exclude: Sequence[str] = (), taxonomy: Taxonomy | None = None
) -> TrainingData:
    """Read the gold sets of several folders and check them, each row and all together.

    Parameters
    ----------
    folders : sequence of path-like
        Such as ``datasets/ruincidents`` and one of your own; a file ``NAME.jsonl`` is the territory ``NAME``.
    exclude : sequence of str
        Territories to leave out.
    taxonomy : Taxonomy, optional
        Rubricator that topics must be of; the one that ships by default.

    Returns
    -------
    TrainingData

    Raises
    ------
    DataError
        Lists up to twenty bad rows, each with file, line, column, value, rule and fix, and counts the rest; then
        tells which labels are too few.
    """
    rubricator = Taxonomy.load() if taxonomy is None else taxonomy
    items: list[GoldPost] = []
    problems: list[str] = []
    posts: dict[PostKey, str] = {}
    incidents: dict[str, Path] = {}
    for file in [file for folder in folders for file in gold_files(folder)]:
        for row in gold_rows(file):
            where = f"{file}, line {row.line}"
            problems += [f"{where}: {problem}" for problem in row.problems]
            if row.item is None:
                continue
            problems += [f"{where}: {problem}" for problem in _topic_problems(row.item.gold, rubricator)]
            if (other := posts.setdefault(row.item.key, where)) != where:
                problems.append(f"{where}: post {tuple(row.item.key)} is in {other} too; keep it once")
            incident = row.item.gold.incident
            if incident and (first := incidents.setdefault(incident, file)) != file:
                problems.append(f"{where}: gold.incident {incident!r} is in {first} too; give it another name")
            items.append(row.item)
    raise_problems(problems)
    names = {item.territory for item in items}
    if unknown := sorted(set(exclude) - names):
        raise DataError(f"exclude: no territory {unknown}; there are {sorted(names)}")
    kept = [item for item in items if item.territory not in exclude]
    check_items(kept)
    return TrainingData(kept, [_source(Path(folder)) for folder in folders], _notes(kept))


def _topic_problems(gold: Gold, taxonomy: Taxonomy) -> Iterator[str]:
    topic = gold.topic
    if topic is None:
        if gold.group is not None:
            yield f"gold.group is {gold.group!r} and gold.topic is null; give the topic, the group follows from it"
        return
    if topic == OUTSIDE:
        return
    if topic not in taxonomy.topics:
        hint = did_you_mean(topic, taxonomy.topics)
        yield (
            f"gold.topic is {topic!r}: not one of the {len(taxonomy.topics)} topics of {taxonomy.name!r}"
            f"{hint or f'; take one of them, {OUTSIDE!r} or null'}"
        )
    elif gold.group not in (None, group := taxonomy.group_of(topic)):
        yield f"gold.group is {gold.group!r}, but the topic {topic!r} is of {group!r}; write that, or null"


def _source(folder: Path) -> Source:
    file = folder / "manifest.json"
    try:
        told = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
    except (ValueError, RecursionError) as error:
        raise DataError(f"{file}: not valid JSON: {error}; mend or remove it") from error
    if not isinstance(told, dict):
        raise DataError(f"{file}: expected an object with 'license' and 'origin'")
    values = {name: str(told[name]) for name in ("license", "origin") if told.get(name)}
    return Source(folder.resolve().name, **values)


def _notes(items: Sequence[GoldPost]) -> list[str]:
    seen = {item.gold.kind for item in items}
    return [
        f"no post is labelled {kind.value!r}: the model will never say it" for kind in Kind if kind not in seen
    ]


def check_items(items: Sequence[GoldPost]) -> None:
    """Tell which labels are too few for a training, all at once.

    Parameters
    ----------
    items : sequence of GoldPost

    Raises
    ------
    DataError
        Names each column, what is there, what is needed and what to do.
    """
    kinds = Counter(item.gold.kind for item in items if item.gold.kind is not None)
    claims = kinds[Kind.COMPLAINT]
    needs: list[str] = []
    if min(claims, kinds.total() - claims) < LEAST:
        needs.append(
            f"gold.kind: {claims} complaints and {kinds.total() - claims} posts of other kinds; "
            f"at least {LEAST} of each are needed, of several kinds at best"
        )
    for name, least in (("topic", 2), ("urgency", 2), ("scale", 2)):
        values = Counter(str(value) for item in items if (value := getattr(item.gold, name)) is not None)
        if values.total() < LEAST or len(values) < least:
            needs.append(
                f"gold.{name}: {len(values)} values in {values.total()} posts; "
                f"at least {least} values in {LEAST} posts are needed"
            )
    if sum(bool(item.gold.mentions) for item in items) < LEAST:
        needs.append(f"gold.mentions: fewer than {LEAST} posts have the words of their places marked")
    linked = [
        item
        for item in items
        if item.post is not None and item.gold.kind is Kind.COMPLAINT and item.gold.topic and item.gold.incident
    ]
    sizes = Counter(item.gold.incident for item in linked)
    whole = sum(size > 1 for size in sizes.values())
    places = len({item.territory for item in linked if sizes[item.gold.incident] > 1})
    if whole < LEAST or places < 2:
        needs.append(
            f"gold.incident: {whole} incidents with two or more complaints that have a time and a topic, in "
            f"{places} territories (files); at least {LEAST} in 2 territories are needed"
        )
    if needs:
        lines = "\n  ".join(needs)
        raise DataError(
            f"{len(items)} posts are too few to train on:\n  {lines}\nlabel more, or train on the corpus too: "
            "--datasets datasets/ruincidents --datasets YOURS"
        )
