"""The folder that a run wrote, read back for scoring and joined with a gold set."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from incidentml.errors import DataError
from incidentml.gold import GoldPost
from incidentml.types import Kind, PostKey

__all__ = ["Joined", "Predictions", "join", "parse_predictions", "read_predictions"]


@dataclass(frozen=True, slots=True)
class Predictions:
    """Lines of ``posts.jsonl`` by key, and of ``incidents.jsonl`` by every id they ever had."""

    posts: Mapping[PostKey, Mapping[str, Any]]
    incidents: Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Joined:
    """Gold posts, and for each the predicted post (None if the run has none) and its incident."""

    gold: Sequence[GoldPost]
    posts: Sequence[Mapping[str, Any] | None]
    incidents: Sequence[Mapping[str, Any] | None]
    missing: Sequence[PostKey]
    extra: int

    def select(self, keep: Sequence[bool]) -> Joined:
        """Return the rows that are kept."""
        rows = [row for row, kept in enumerate(keep) if kept]
        return Joined(
            [self.gold[row] for row in rows],
            [self.posts[row] for row in rows],
            [self.incidents[row] for row in rows],
            self.missing,
            self.extra,
        )

    @property
    def incident_ids(self) -> list[str | None]:
        """Predicted incident of each post."""
        return [post["incident_id"] if post is not None else None for post in self.posts]

    @property
    def groups(self) -> list[str | None]:
        """What is drawn together in a bootstrap: the incident, else the author, else the post itself."""
        return [item.gold.incident or item.author for item in self.gold]


def read_predictions(folder: str | os.PathLike[str]) -> Predictions:
    """Read ``posts.jsonl`` and ``incidents.jsonl`` of a run.

    Raises
    ------
    DataError
        If a file or a needed field is missing or broken; names the file and the line.
    """
    root = Path(folder)
    return parse_predictions(_lines(root / "posts.jsonl"), _lines(root / "incidents.jsonl"))


def parse_predictions(
    post_lines: Iterable[tuple[str, Mapping[str, Any]]], incident_lines: Iterable[tuple[str, Mapping[str, Any]]]
) -> Predictions:
    """Check the lines of a run, each with the words that tell where it stands.

    Raises
    ------
    DataError
        At the first line that cannot be scored.
    """
    posts: dict[PostKey, Mapping[str, Any]] = {}
    for where, line in post_lines:
        _need(where, line, {"id": str, "network": str, "complaint_probability": int | float})
        if line.get("kind") not in set(Kind):
            raise DataError(f"{where}: 'kind' is {line.get('kind')!r}; allowed: {[kind.value for kind in Kind]}")
        if "incident_id" not in line:
            raise DataError(f"{where}: 'incident_id' is missing (null if the post is no complaint)")
        key = PostKey(line["network"], line["id"])
        if key in posts:
            raise DataError(f"{where}: the post {tuple(key)} is there twice")
        posts[key] = line
    incidents: dict[str, Mapping[str, Any]] = {}
    for where, line in incident_lines:
        _need(where, line, {"id": str, "group": str, "topic": str, "level": str, "scale": str, "urgency": int})
        for name in (line["id"], *line.get("merged_from", ())):
            incidents[name] = line
    return Predictions(posts, incidents)


def _lines(file: Path) -> list[tuple[str, dict[str, Any]]]:
    result = []
    try:
        with file.open("rb") as stream:
            for number, raw in enumerate(stream, start=1):
                if not raw.strip():
                    continue
                where = f"{file}, line {number}"
                try:
                    line = json.loads(raw)
                except (ValueError, RecursionError) as error:
                    raise DataError(f"{where}: not valid JSON: {error}") from error
                if not isinstance(line, dict):
                    raise DataError(f"{where}: expected an object, found {type(line).__name__}")
                result.append((where, line))
    except OSError as error:
        raise DataError(
            f"{file}: cannot be read: {error.strerror}; give the output folder of `incidentml run`"
        ) from error
    return result


def _need(where: str, line: Mapping[str, Any], fields: Mapping[str, Any]) -> None:
    for name, kind in fields.items():
        if not isinstance(line.get(name), kind):
            raise DataError(f"{where}: {name!r} is missing or of a wrong type: {line.get(name)!r}")


def join(predictions: Predictions, gold: Sequence[GoldPost]) -> Joined:
    """Put each gold post beside its prediction.

    Gold posts without a time cannot be run; without a prediction they are left out and not counted as missing.
    """
    kept = [item for item in gold if item.post is not None or item.key in predictions.posts]
    posts = [predictions.posts.get(item.key) for item in kept]
    incidents = [
        predictions.incidents.get(post["incident_id"]) if post is not None and post["incident_id"] else None
        for post in posts
    ]
    missing = [item.key for item, post in zip(kept, posts, strict=True) if post is None]
    known = {item.key for item in gold}
    return Joined(kept, posts, incidents, missing, sum(key not in known for key in predictions.posts))
