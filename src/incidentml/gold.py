"""Gold sets: posts with the labels of people, read from files that are checked line by line."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Any, TypeVar

from incidentml.data import read_posts
from incidentml.errors import DataError
from incidentml.types import Kind, Level, Post, PostKey, Scale, Urgency

__all__ = ["Gold", "GoldPost", "load_corpus", "load_gold"]

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
        If there is no such folder, no gold set in it, a bad line, or one post in two files.
    """
    root = Path(folder)
    if not root.is_dir():
        raise DataError(f"{root}: no such folder; give the folder that holds the gold sets (*.jsonl)")
    files = sorted(root.glob("*.jsonl"))
    if not files:
        raise DataError(f"{root}: no *.jsonl in this folder")
    seen: dict[PostKey, str] = {}
    corpus: list[GoldPost] = []
    for file in files:
        for item in load_gold(file):
            if (other := seen.setdefault(item.key, file.name)) != file.name:
                raise DataError(f"{file}: post {tuple(item.key)} is in {other} too; keep it in one file")
            corpus.append(item)
    return corpus


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
        At the first bad line, with its number, the field, the value and what is allowed: labels are not guessed.

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
    file = Path(path)
    name = file.stem if territory is None else territory
    result: list[GoldPost] = []
    seen: set[PostKey] = set()
    for number, row in _objects(file):
        where = f"{file}, line {number}"
        item = _gold_post(row, where, name)
        if item.key in seen:
            raise DataError(f"{where}: the post {tuple(item.key)} is there twice; remove one")
        seen.add(item.key)
        result.append(item)
    return result


def _objects(file: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    try:
        with file.open("rb") as stream:
            for number, raw in enumerate(stream, start=1):
                line = (raw.removeprefix(b"\xef\xbb\xbf") if number == 1 else raw).strip()
                if not line:
                    continue
                try:
                    row = json.loads(line.decode("utf-8"))
                except (ValueError, RecursionError) as error:
                    raise DataError(f"{file}, line {number}: not valid JSON: {error}") from error
                if not isinstance(row, dict):
                    raise DataError(f"{file}, line {number}: expected an object, found {type(row).__name__}")
                yield number, row
    except OSError as error:
        raise DataError(f"{file}: cannot be read: {error.strerror}; give a JSONL file with gold labels") from error


def _gold_post(row: Mapping[str, Any], where: str, territory: str) -> GoldPost:
    labels = row.get("gold")
    if not isinstance(labels, dict):
        raise DataError(f"{where}: no 'gold' object; this is a file of posts, not a gold set")
    timeless = row.get("published_at") is None
    fields = {name: value for name, value in row.items() if name != "gold"}
    if timeless:
        fields["published_at"] = "2000-01-01T00:00:00+00:00"  # only for the check of the other fields
    read = read_posts([fields])
    if read.rejected:
        bad = read.rejected[0]
        raise DataError(f"{where}: {bad.reason}" + (f", found {bad.value!r}" if bad.value is not None else ""))
    post = read.posts[0]
    return GoldPost(
        key=post.key,
        text=post.text,
        gold=_gold(labels, where),
        post=None if timeless else post,
        territory=territory,
        source=post.source,
        region=post.region,
        author=post.author_id,
    )


def _gold(labels: Mapping[str, Any], where: str) -> Gold:
    texts: dict[str, str | None] = {}
    for name in _NAMES:
        value = labels.get(name)
        if value is not None and not isinstance(value, str):
            raise DataError(f"{where}: gold.{name} must be a string or null, found {value!r}")
        texts[name] = value or None
    mentions = labels.get("mentions") or {}
    if not isinstance(mentions, dict) or not all(isinstance(words, str) for words in mentions.values()):
        raise DataError(f"{where}: gold.mentions must map parts of an address to words, found {mentions!r}")
    if odd := sorted(set(mentions) - _MENTIONS):
        raise DataError(f"{where}: gold.mentions has {odd}; allowed: {sorted(_MENTIONS)}")
    return Gold(
        kind=_member(labels, "kind", Kind, where),
        scale=_member(labels, "scale", Scale, where),
        level=_member(labels, "level", Level, where),
        urgency=_member(labels, "urgency", Urgency, where),
        mentions=mentions,
        **texts,
    )


def _member(labels: Mapping[str, Any], name: str, kind: type[Member], where: str) -> Member | None:
    value = labels.get(name)
    if value is None:
        return None
    try:
        if isinstance(value, bool):
            raise ValueError(value)
        return kind(value)
    except ValueError as error:
        allowed = [member.value for member in kind]
        raise DataError(f"{where}: gold.{name} is {value!r}; allowed: {allowed}") from error
