"""Gold sets: posts with the labels of people, read from files that are checked line by line."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from enum import Enum
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from incidentml.data import read_posts
from incidentml.errors import DataError
from incidentml.types import Kind, Level, Post, PostKey, Scale, Urgency

__all__ = [
    "Gold",
    "GoldPost",
    "GoldRow",
    "did_you_mean",
    "gold_files",
    "gold_row",
    "gold_rows",
    "load_corpus",
    "load_gold",
    "raise_problems",
]

#: Problems of rows that one error lists.
MAX_PROBLEMS = 20

_NAMES = ("incident", "group", "topic", "municipality", "settlement", "street", "house", "near", "why")
_MENTIONS = frozenset(["settlement", "street", "house", "landmark"])
Member = TypeVar("Member", bound=Enum)


@dataclass(frozen=True, slots=True)
class Gold:
    """What people said about one post; None where nobody judged or there is nothing.

    Attributes
    ----------
    kind : Kind or None
        None: nobody judged.
    incident : str or None
        Posts with one id are about one problem; None is alone.
    group, topic, scale, urgency, level
        The labels of a claim.
    municipality, settlement, street, house : str or None
        Where the problem is, perhaps not said in the text.
    mentions : mapping of str to str
        Part of an address to the words of this text that name it.
    near, why : str or None
        On hard negatives: the incident that a careless program would merge it with.
    """

    kind: Kind | None = None
    incident: str | None = None
    group: str | None = None
    topic: str | None = None
    scale: Scale | None = None
    urgency: Urgency | None = None
    level: Level | None = None
    municipality: str | None = None
    settlement: str | None = None
    street: str | None = None
    house: str | None = None
    mentions: Mapping[str, str] = field(default_factory=dict)
    near: str | None = None
    why: str | None = None


@dataclass(frozen=True, slots=True)
class GoldPost:
    """A labelled post.

    Attributes
    ----------
    key : PostKey
    text : str
    gold : Gold
    post : Post or None
        None where the set gives no time, as for single texts that were written for a topic.
    territory : str
        What the set covers: the name of its file without the suffix.
    source, region, author : str or None
        Page or channel, region and author of the post.
    """

    key: PostKey
    text: str
    gold: Gold
    post: Post | None
    territory: str
    source: str | None = None
    region: str | None = None
    author: str | None = None


def load_corpus(folder: str | os.PathLike[str]) -> list[GoldPost]:
    """Read every ``*.jsonl`` of a folder, by name of file; the name is the territory.

    Parameters
    ----------
    folder : path-like

    Returns
    -------
    list of GoldPost

    Raises
    ------
    DataError
        If there is no such folder, no gold set in it, a bad line, or one post in two files. Lists up to twenty
        problems and counts the rest.
    """
    seen: dict[PostKey, str] = {}
    corpus: list[GoldPost] = []
    problems: list[str] = []
    for file in gold_files(folder):
        for row in gold_rows(file):
            where = f"{file}, line {row.line}"
            problems += [f"{where}: {problem}" for problem in row.problems]
            if row.item is not None:
                if (other := seen.setdefault(row.item.key, file.name)) != file.name:
                    problems.append(f"{where}: post {tuple(row.item.key)} is in {other} too; keep it in one file")
                corpus.append(row.item)
    raise_problems(problems)
    return corpus


def gold_files(folder: str | os.PathLike[str]) -> list[Path]:
    """Return the gold sets of a folder, by name; raises `DataError` if there are none."""
    root = Path(folder)
    if not root.is_dir():
        raise DataError(f"{root}: no such folder; give the folder that holds the gold sets (*.jsonl)")
    files = sorted(root.glob("*.jsonl"))
    if not files:
        raise DataError(f"{root}: no *.jsonl in this folder")
    return files


def raise_problems(problems: Sequence[str]) -> None:
    """Raise one `DataError` that lists up to twenty problems and counts the rest; nothing if there are none.

    Examples
    --------
    >>> raise_problems([])
    """
    if len(problems) == 1:
        raise DataError(problems[0])
    if problems:
        rest = len(problems) - MAX_PROBLEMS
        lines = [*problems[:MAX_PROBLEMS], *([f"and {rest} more"] if rest > 0 else [])]
        raise DataError(f"{len(problems)} problems:\n  " + "\n  ".join(lines))


def load_gold(path: str | os.PathLike[str], *, territory: str | None = None) -> list[GoldPost]:
    """Read one gold set: input lines plus a ``gold`` object.

    Parameters
    ----------
    path : path-like
        JSONL.
    territory : str, optional
        Default: the name of the file without its suffix.

    Returns
    -------
    list of GoldPost
        In the order of the file.

    Raises
    ------
    DataError
        Names line, field, value and what is allowed, for up to twenty problems: labels are not guessed.

    Examples
    --------
    >>> import tempfile
    >>> line = {"id": "1", "network": "vk", "text": "Нет воды", "gold": {"kind": "complaint"}}
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder, "my_town.jsonl")
    ...     _ = file.write_text(json.dumps(line))
    ...     item = load_gold(file)[0]
    >>> item.territory, item.gold.kind.value, item.post
    ('my_town', 'complaint', None)
    """
    rows = list(gold_rows(path, territory=territory))
    raise_problems([f"{path}, line {row.line}: {problem}" for row in rows for problem in row.problems])
    return [row.item for row in rows if row.item is not None]


class GoldRow(NamedTuple):
    """One line of a gold set: the post, or what is wrong with it."""

    line: int
    item: GoldPost | None
    problems: Sequence[str]


def gold_rows(path: str | os.PathLike[str], *, territory: str | None = None) -> Iterator[GoldRow]:
    """Read a gold set as `load_gold` does, with the problems of each line instead of an error.

    Raises
    ------
    DataError
        If the file cannot be read.
    """
    file = Path(path)
    name = file.stem if territory is None else territory
    seen: set[PostKey] = set()
    try:
        with file.open("rb") as stream:
            for number, raw in enumerate(stream, start=1):
                line = (raw.removeprefix(b"\xef\xbb\xbf") if number == 1 else raw).strip()
                if not line:
                    continue
                problems: list[str] = []
                item = _gold_post(_object(line, problems), problems, name)
                if item is not None and item.key in seen:
                    problems.append(f"the post {tuple(item.key)} is there twice; remove one")
                if item is not None:
                    seen.add(item.key)
                yield GoldRow(number, None if problems else item, problems)
    except OSError as error:
        raise DataError(f"{file}: cannot be read: {error.strerror}; give a JSONL file with gold labels") from error


def gold_row(row: Mapping[str, Any], territory: str) -> tuple[GoldPost | None, list[str]]:
    """Turn the fields of a post with a ``gold`` object into a labelled post, or tell what is wrong with them."""
    problems: list[str] = []
    item = _gold_post(row, problems, territory)
    return (None if problems else item), problems


def _object(line: bytes, problems: list[str]) -> Mapping[str, Any]:
    try:
        row = json.loads(line.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        problems.append(f"not valid JSON: {error}")
        return {}
    if not isinstance(row, dict):
        problems.append(f"expected an object, found {type(row).__name__}")
        return {}
    return row


def _gold_post(row: Mapping[str, Any], problems: list[str], territory: str) -> GoldPost | None:
    if problems:
        return None
    labels = row.get("gold")
    if not isinstance(labels, dict):
        problems.append("no 'gold' object; this is a file of posts, not a gold set")
        return None
    timeless = row.get("published_at") is None
    fields = {name: value for name, value in row.items() if name != "gold"}
    if timeless:
        fields["published_at"] = "2000-01-01T00:00:00+00:00"  # only for the check of the other fields
    read = read_posts([fields])
    gold = _gold(labels, problems)
    if read.rejected:
        bad = read.rejected[0]
        problems.append(bad.reason + (f", found {bad.value!r}" if bad.value is not None else ""))
        return None
    post = read.posts[0]
    return GoldPost(
        key=post.key,
        text=post.text,
        gold=gold,
        post=None if timeless else post,
        territory=territory,
        source=post.source,
        region=post.region,
        author=post.author_id,
    )


def _gold(labels: Mapping[str, Any], problems: list[str]) -> Gold:
    texts: dict[str, str | None] = {}
    for name in _NAMES:
        value = labels.get(name)
        if value is not None and not isinstance(value, str):
            problems.append(f"gold.{name} must be a string or null, found {value!r}")
        texts[name] = value or None
    mentions = labels.get("mentions") or {}
    if not isinstance(mentions, dict) or not all(isinstance(words, str) for words in mentions.values()):
        problems.append(f"gold.mentions must map parts of an address to words, found {mentions!r}")
    elif odd := sorted(set(mentions) - _MENTIONS):
        problems.append(f"gold.mentions has {odd}; allowed: {sorted(_MENTIONS)}")
    return Gold(
        kind=_member(labels, "kind", Kind, problems),
        scale=_member(labels, "scale", Scale, problems),
        level=_member(labels, "level", Level, problems),
        urgency=_member(labels, "urgency", Urgency, problems),
        mentions=mentions,
        **texts,
    )


def _member(labels: Mapping[str, Any], name: str, kind: type[Member], problems: list[str]) -> Member | None:
    value = labels.get(name)
    if value is None:
        return None
    try:
        if isinstance(value, bool):
            raise ValueError(value)
        return kind(value)
    except ValueError:
        allowed = [member.value for member in kind]
        problems.append(f"gold.{name} is {value!r}; allowed: {allowed}{did_you_mean(value, allowed)}")
        return None


def did_you_mean(value: object, allowed: Iterable[object]) -> str:
    """Return a hint where a value differs from an allowed one by case, spaces or a typing error.

    Examples
    --------
    >>> did_you_mean(" Complaint", ["complaint", "news"])
    "; did you mean 'complaint'?"
    >>> did_you_mean("x", ["complaint", "news"])
    ''
    """
    names = {str(name).casefold(): name for name in allowed}
    near = get_close_matches(str(value).strip().casefold(), names, n=1, cutoff=0.8)
    return f"; did you mean {names[near[0]]!r}?" if near else ""
