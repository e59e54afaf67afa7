"""The values that flow through the library: frozen dataclasses and their vocabularies.

Nothing here computes. A value knows how to become plain JSON (`to_json`), no more.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum, StrEnum
from typing import Any, NamedTuple

__all__ = [
    "Agreement",
    "Concreteness",
    "Incident",
    "Kind",
    "Level",
    "Link",
    "Place",
    "Post",
    "PostKey",
    "Priority",
    "Rejection",
    "Route",
    "Scale",
    "Span",
    "Urgency",
    "Verdict",
]


class Kind(StrEnum):
    """What a post is. Only a `COMPLAINT` goes on to incidents."""

    COMPLAINT = "complaint"
    NEGATIVITY = "negativity"
    QUESTION = "question"
    SUGGESTION = "suggestion"
    GRATITUDE = "gratitude"
    NEWS = "news"
    ADVERT = "advert"
    OTHER = "other"


class Scale(StrEnum):
    """How many are hit, from one person to a region; `rank` orders the steps."""

    PERSON = "person"
    HOUSEHOLD = "household"
    BUILDING = "building"
    STREET = "street"
    DISTRICT = "district"
    SETTLEMENT = "settlement"
    MUNICIPALITY = "municipality"
    REGION = "region"

    @property
    def rank(self) -> int:
        """Position from 0 (`PERSON`) to 7 (`REGION`)."""
        return list(Scale).index(self)


class Urgency(IntEnum):
    """How soon harm is done."""

    NONE = 0
    INCONVENIENCE = 1
    SERIOUS = 2
    DANGER = 3


class Level(StrEnum):
    """The level of power that has to answer."""

    MUNICIPAL = "municipal"
    REGIONAL = "regional"
    FEDERAL = "federal"


class Agreement(StrEnum):
    """How two readings of one part of an address relate."""

    SAME = "same"
    COMPATIBLE = "compatible"
    CONFLICT = "conflict"
    UNKNOWN = "unknown"


class PostKey(NamedTuple):
    """What makes a post unique: ids are unique inside a network only."""

    network: str
    id: str


class Span(NamedTuple):
    """Half-open character range into the *original* text: `text[start:end]`."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Post:
    """One message of a resident, page or channel.

    Parameters
    ----------
    id, network : str
        Unique together.
    text : str
        As published; never empty.
    published_at : datetime
        Aware (with a zone).
    author_id, source, url, region, municipality : str, optional
        Who wrote, the page or channel, a link, and where the feed is from.
    """

    id: str
    network: str
    text: str
    published_at: datetime
    author_id: str | None = None
    source: str | None = None
    url: str | None = None
    region: str | None = None
    municipality: str | None = None

    @property
    def key(self) -> PostKey:
        """`(network, id)`."""
        return PostKey(self.network, self.id)

    @property
    def order(self) -> tuple[datetime, str, str]:
        """Canonical sort key: time, network, id. Nothing may depend on any other order."""
        return (self.published_at, self.network, self.id)

    def to_json(self) -> dict[str, Any]:
        """Return the input line of this post as plain JSON values."""
        return {
            "id": self.id,
            "network": self.network,
            "text": self.text,
            "published_at": self.published_at.isoformat(),
            "author_id": self.author_id,
            "source": self.source,
            "url": self.url,
            "region": self.region,
            "municipality": self.municipality,
        }


@dataclass(frozen=True, slots=True)
class Rejection:
    """A row that could not become a post, and why."""

    line: int
    id: str | None
    reason: str
    value: str | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the line of `rejected.jsonl`."""
        return {"line": self.line, "id": self.id, "reason": self.reason, "value": self.value}


@dataclass(frozen=True, slots=True)
class Place:
    """Where something is, as far as one text tells.

    Parts hold normal forms (nominative, expanded type: ``"улица гагарина"``, ``"12к2"``); `spans` map a part's
    name to its place in the original text. `candidates` keep the readings of an ambiguous settlement name.
    """

    settlement: str | None = None
    street: str | None = None
    house: str | None = None
    landmark: str | None = None
    spans: Mapping[str, Span] = field(default_factory=dict)
    candidates: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return the entry of `places` in `posts.jsonl`."""
        return {
            "settlement": self.settlement,
            "street": self.street,
            "house": self.house,
            "landmark": self.landmark,
            "spans": {name: list(span) for name, span in self.spans.items()},
        }


@dataclass(frozen=True, slots=True)
class Concreteness:
    """Which slots of a concrete claim a text fills: who, what, where, when, ask, contact."""

    score: float
    slots: Mapping[str, tuple[Span, ...]] = field(default_factory=dict)
    missing: tuple[str, ...] = ()
    question: str | None = None

    @property
    def entry_guaranteed(self) -> bool:
        """Place, contact and problem are all there: such a post is never dropped."""
        return all(self.slots.get(slot) for slot in ("what", "where", "contact"))

    def to_json(self) -> dict[str, Any]:
        """Return `concreteness` of `posts.jsonl`."""
        return {
            "score": self.score,
            "slots": {name: [list(span) for span in spans] for name, spans in self.slots.items()},
            "missing": list(self.missing),
            "question": self.question,
        }


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a post was judged to be."""

    kind: Kind
    kind_probabilities: Mapping[str, float]
    complaint_probability: float
    accepted: bool
    concreteness: Concreteness
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Link:
    """A calibrated probability that two posts are about one incident, and its evidence."""

    a: PostKey
    b: PostKey
    probability: float
    evidence: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Route:
    """Who must answer for an incident."""

    group: str
    topic: str
    topic_alternatives: tuple[tuple[str, float], ...]
    level: Level
    executor: str
    needs_review: bool
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Priority:
    """How important an incident is; `score` is the sum of `parts`."""

    score: float
    parts: Mapping[str, float]
    urgency: Urgency
    scale: Scale
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Incident:
    """One problem at one place and time, told by one or many posts."""

    id: str
    post_keys: tuple[PostKey, ...]
    networks: tuple[str, ...]
    authors: int
    first_seen: datetime
    last_seen: datetime
    title: str
    place: Place
    route: Route
    priority: Priority
    deadline: datetime
    fast_track: bool
    merged_from: tuple[str, ...] = ()
    recurs: str | None = None

    @property
    def size(self) -> int:
        """Number of posts."""
        return len(self.post_keys)

    def to_json(self) -> dict[str, Any]:
        """Return the line of `incidents.jsonl`."""
        route, priority = self.route, self.priority
        return {
            "id": self.id,
            "post_ids": [key.id for key in self.post_keys],
            "networks": list(self.networks),
            "size": self.size,
            "authors": self.authors,
            "first_seen": self.first_seen.isoformat(),
            "last_seen": self.last_seen.isoformat(),
            "title": self.title,
            "place": self.place.to_json(),
            "group": route.group,
            "topic": route.topic,
            "topic_alternatives": [[topic, p] for topic, p in route.topic_alternatives],
            "scale": priority.scale.value,
            "urgency": int(priority.urgency),
            "level": route.level.value,
            "executor": route.executor,
            "priority": priority.score,
            "priority_parts": dict(priority.parts),
            "deadline": self.deadline.isoformat(),
            "fast_track": self.fast_track,
            "needs_review": route.needs_review,
            "reasons": [*route.reasons, *priority.reasons],
            "merged_from": list(self.merged_from),
            "recurs": self.recurs,
        }
