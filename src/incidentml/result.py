"""What a run returns: posts with verdicts, open incidents, rejected rows and the state to go on from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

from incidentml.types import Incident, Link, Place, Post, PostKey, Rejection, Verdict

if TYPE_CHECKING:
    import pandas as pd

    from incidentml.drift import DriftReport
    from incidentml.pipeline_state import PipelineState

__all__ = ["Explanation", "PostResult", "Result"]

#: Fields of the lines of each output file.
_COLUMNS = {
    "posts": (
        *("id", "network", "kind", "kind_probabilities", "complaint_probability", "concreteness", "places"),
        *("incident_id", "reasons"),
    ),
    "incidents": (
        *("id", "post_ids", "networks", "size", "authors", "first_seen", "last_seen", "title", "place", "group"),
        *("topic", "topic_alternatives", "scale", "urgency", "level", "executor", "priority", "priority_parts"),
        *("deadline", "fast_track", "needs_review", "reasons", "merged_from", "recurs"),
    ),
    "rejected": ("line", "id", "reason", "value"),
}


@dataclass(frozen=True, slots=True)
class PostResult:
    """One accepted post: what it is, where it is about, and the incident it belongs to.

    Attributes
    ----------
    post : Post
    verdict : Verdict
    places : tuple of Place
        The main one first; empty where the text names none.
    incident_id : str or None
        None if the post is no complaint.
    """

    post: Post
    verdict: Verdict
    places: tuple[Place, ...]
    incident_id: str | None

    def to_json(self) -> dict[str, Any]:
        """Return the line of `posts.jsonl`."""
        verdict = self.verdict
        return {
            "id": self.post.id,
            "network": self.post.network,
            "kind": verdict.kind.value,
            "kind_probabilities": dict(verdict.kind_probabilities),
            "complaint_probability": verdict.complaint_probability,
            "concreteness": verdict.concreteness.to_json(),
            "places": [place.to_json() for place in self.places],
            "incident_id": self.incident_id,
            "reasons": list(verdict.reasons),
        }


@dataclass(frozen=True)
class Result:
    """The outcome of `IncidentPipeline.process` or `update`.

    Attributes
    ----------
    posts : tuple of PostResult
        The accepted posts of this call, in input order.
    rejected : tuple of Rejection
        Rows that could not become posts; ``len(posts) + len(rejected) == rows``.
    rows : int
        Rows read.
    state : PipelineState
        Pass it to `update` with the next posts.
    seconds : mapping of str to float
        Wall time by stage.
    drift : DriftReport or None
        Whether the posts of this call still look like those of training; None if the model cannot tell.

    Examples
    --------
    >>> import incidentml
    >>> result = incidentml.load().process([{"id": "1", "network": "vk", "text": "Мира 5, нет воды второй день",
    ...     "published_at": "2024-02-03T08:12:00+05:00"}, {"id": "2", "network": "vk"}])
    >>> result.posts[0].verdict.kind.value, result.incidents[0].place.house, result.rejected[0].line
    ('complaint', '5', 2)
    """

    posts: tuple[PostResult, ...]
    rejected: tuple[Rejection, ...]
    rows: int
    state: PipelineState
    seconds: Mapping[str, float] = field(default_factory=dict)
    drift: DriftReport | None = None

    @cached_property
    def incidents(self) -> tuple[Incident, ...]:
        """Every incident still open, highest priority first."""
        return tuple(sorted(self.state.incidents.values(), key=_importance))

    def incident(self, incident_id: str) -> Incident:
        """Return one incident by id, or by an old id that was merged into it.

        Parameters
        ----------
        incident_id : str

        Returns
        -------
        Incident

        Raises
        ------
        KeyError
            If no open incident has or had this id.
        """
        for incident in self.incidents:
            if incident.id == incident_id or incident_id in incident.merged_from:
                return incident
        raise KeyError(f"no open incident {incident_id!r}; there are {len(self.incidents)}")

    def lines(self, name: Literal["posts", "incidents", "rejected"]) -> Iterator[dict[str, Any]]:
        """Iterate over the JSON lines of one output file, as dicts ready for `json.dumps`.

        Parameters
        ----------
        name : {"posts", "incidents", "rejected"}
        """
        return (value.to_json() for value in getattr(self, name))

    def to_frame(self, name: Literal["posts", "incidents", "rejected"] = "incidents") -> pd.DataFrame:
        """Return posts, incidents or rejected rows as a pandas table, one row each.

        Parameters
        ----------
        name : {"posts", "incidents", "rejected"}

        Returns
        -------
        pandas.DataFrame
            Columns are those of the output files.

        Raises
        ------
        ValueError
            If there is no table of this name.
        """
        import pandas as pd

        if name not in _COLUMNS:
            raise ValueError(f"to_frame: name is {name!r}, expected 'posts', 'incidents' or 'rejected'")
        # named also where there is no row: a quiet night must not break who reads the table
        return pd.DataFrame(list(self.lines(name)), columns=list(_COLUMNS[name]))


def _importance(incident: Incident) -> tuple[float, datetime, str]:
    return (-incident.priority.score, incident.first_seen, incident.id)


@dataclass(frozen=True)
class Explanation:
    """Why an incident is what it is; ``str()`` gives it as text for a person.

    Attributes
    ----------
    incident : Incident
    posts : tuple of Post
        Oldest first.
    links : mapping of PostKey to tuple of Link
        The strongest links of each post, best first; they may lead to posts of other incidents.
    reasons : mapping of str to tuple of str
        Behind executor, priority and deadline, in Russian.
    """

    incident: Incident
    posts: tuple[Post, ...]
    links: Mapping[PostKey, tuple[Link, ...]]
    reasons: Mapping[str, tuple[str, ...]]

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON values; texts are masked."""
        from incidentml.privacy import mask

        return {
            "incident": self.incident.to_json(),
            "posts": [
                {
                    "id": post.id,
                    "network": post.network,
                    "published_at": post.published_at.isoformat(),
                    "text": mask(post.text),
                    "links": [
                        {
                            "to": link.b.id if link.a == post.key else link.a.id,
                            "probability": link.probability,
                            "evidence": dict(link.evidence),
                        }
                        for link in self.links.get(post.key, ())
                    ],
                }
                for post in self.posts
            ],
            "reasons": {name: list(lines) for name, lines in self.reasons.items()},
        }

    def __str__(self) -> str:
        """Return the explanation as text for a person."""
        from incidentml.privacy import mask

        incident = self.incident
        lines = [f"{incident.id}  {incident.title}", ""]
        for post in self.posts:
            lines.append(f"  {post.published_at:%d.%m.%Y %H:%M}  {post.network}:{post.id}  {mask(post.text)!r}")
            for link in self.links.get(post.key, ()):
                other = link.b if link.a == post.key else link.a
                evidence = ", ".join(f"{name} {value:+.2f}" for name, value in link.evidence.items())
                lines.append(f"      ~ {other.network}:{other.id}  P={link.probability:.2f}  {evidence}")
        for name, reasons in self.reasons.items():
            lines += ["", f"{name}:", *(f"  - {reason}" for reason in reasons)]
        return "\n".join(lines)
