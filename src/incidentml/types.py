"""The values that flow through the library: frozen dataclasses and their vocabularies.

Nothing here computes. A value knows how to become plain JSON (`to_json`), no more.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from incidentml.enums import Agreement, Kind, Level, Scale, Urgency

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


class PostKey(NamedTuple):
    """What makes a post unique: ids are unique inside a network only."""

    network: str
    id: str


class Span(NamedTuple):
    """Half-open character range into the *original* text.

    Examples
    --------
    >>> "нет воды"[slice(*Span(4, 8))]
    'воды'
    """

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

    Examples
    --------
    >>> when = datetime.fromisoformat("2024-02-03T08:12:00+05:00")
    >>> Post("77", "vk", "Нет воды", when, region="Пермский край").key
    PostKey(network='vk', id='77')
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
    """A row that could not become a post, and why.

    Attributes
    ----------
    line : int
        Line of the file (of a CSV with its header), else position of the row, from 1.
    id : str or None
        Of the row, if it could be read.
    reason : str
        ``"code: message"``; the codes are the keys of `incidentml.data.REASONS`.
    value : str or None
        The first 200 characters of what is wrong, private data masked.
    """

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

    Attributes
    ----------
    settlement, street, house, landmark : str or None
        Normal forms: nominative, lower case, expanded type (``"улица гагарина"``, ``"12к2"``).
    spans : mapping of str to Span
        Name of a part to where it stands in the original text.
    candidates : tuple of str
        Readings of an ambiguous settlement name.
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
    """Which slots of a concrete claim a text fills: who, what, where, when, ask, contact.

    Attributes
    ----------
    score : float
        From 0 to 1; what and where count most.
    slots : mapping of str to tuple of Span
        The slots that were found.
    missing : tuple of str
        The slots that were not.
    question : str or None
        The one question to ask back, in Russian.
    """

    score: float
    slots: Mapping[str, tuple[Span, ...]] = field(default_factory=dict)
    missing: tuple[str, ...] = ()
    question: str | None = None

    @property
    def entry_guaranteed(self) -> bool:
        """Place, contact and problem are all there: no such post of a resident is dropped."""
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
    """What a post was judged to be.

    Attributes
    ----------
    kind : Kind
        `Kind.COMPLAINT` exactly if `accepted`.
    kind_probabilities : mapping of str to float
        Calibrated, of each kind that the model knows; they add up to 1.
    complaint_probability : float
        What the threshold was compared with.
    accepted : bool
        Whether the post goes on to incidents.
    concreteness : Concreteness
    reasons : tuple of str
        In Russian.
    """

    kind: Kind
    kind_probabilities: Mapping[str, float]
    complaint_probability: float
    accepted: bool
    concreteness: Concreteness
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Link:
    """A calibrated probability that two posts are about one incident, and its evidence.

    Attributes
    ----------
    a, b : PostKey
    probability : float
    evidence : mapping of str to float
        Parts of a place as -1 in conflict, 0 unknown, 1 compatible, 2 the same; ``hours`` is the gap in time; the
        rest are likenesses and counts.
    """

    a: PostKey
    b: PostKey
    probability: float
    evidence: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Route:
    """Who must answer for an incident.

    Attributes
    ----------
    group, topic : str
        Of the rubricator.
    topic_alternatives : tuple of (str, float)
        The most probable topics with their probabilities, the chosen one first.
    level : Level
    executor : str
        ``"unroutable"`` where the competence table names nobody.
    needs_review : bool
        Routing is unsure: a person should look.
    reasons : tuple of str
        In Russian.
    """

    group: str
    topic: str
    topic_alternatives: tuple[tuple[str, float], ...]
    level: Level
    executor: str
    needs_review: bool
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Priority:
    """How important an incident is.

    Attributes
    ----------
    score : float
        The sum of `parts`; the higher, the sooner to be read. It has no fixed upper end.
    parts : mapping of str to float
        Points by cause.
    urgency : Urgency
    scale : Scale
    reasons : tuple of str
        In Russian.
    """

    score: float
    parts: Mapping[str, float]
    urgency: Urgency
    scale: Scale
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Incident:
    """One problem at one place and time, told by one or many posts.

    Attributes
    ----------
    id : str
        Comes from the earliest post; the same in any order of arrival.
    post_keys : tuple of PostKey
        Its posts, oldest first.
    networks : tuple of str
        Sorted.
    authors : int
        Distinct authors; a post without `author_id` counts as one.
    first_seen, last_seen : datetime
        Aware; when its first and last post were published.
    title : str
        Opening of the post that tells most, private data masked.
    place : Place
        What most posts agree on, without spans.
    route : Route
    priority : Priority
    deadline : datetime
        Aware, local time of the region: by when the public reply is due.
    fast_track : bool
        The topic is starred.
    merged_from : tuple of str
        Ids that went into this one.
    recurs : str or None
        Id of an earlier incident at the same place and on the same topic.
    """

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
