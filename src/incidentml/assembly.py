"""From the posts of an incident to what an operator reads: place, title, route, priority, deadline."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import lru_cache

import numpy as np

from incidentml.deadlines import SlaPolicy
from incidentml.pipeline_state import HeldPost
from incidentml.places.towns import town_of_page
from incidentml.priority import IncidentEvidence, PriorityScorer
from incidentml.privacy import mask
from incidentml.routing import Case, Router
from incidentml.text import clean
from incidentml.types import Incident, Place, Span

__all__ = ["TITLE_LENGTH", "assemble", "shared_place", "title_of"]

#: Characters of a title: one line of a table on a usual screen.
TITLE_LENGTH = 110
#: Openings of those who join in with what others have told.
_ANSWER = re.compile(
    r"\W*(?:и\s(?:у|на|в|мы|я)|а\s(?:у|на|в)\s(?:нас|меня)|тоже|также|присоединяюсь|подтверждаю|поддерживаю|согласн\w+|плюсую"
    r"|реально|точно|да|ага|это|вот|ну)\b|\W*\+|[^.!?]{0,40}\b(?:тоже|так же|та же|то же)\b",
    re.IGNORECASE,
)
#: Pictures, then a short sentence that greets.
_GREETING = re.compile(
    r"[^\w«\"(\[+№#-]*(?:(?:всем\s)?(?:здравствуйте|здравствуй|привет(?:ствую)?|добр(?:ый|ого|ое|ой)\s(?:день|дня|вечер|утро|утра|ночи"
    r"|времени\sсуток))\b[^.!?…]{0,50}[.!?…]+\s*)?",
    re.IGNORECASE,
)


def shared_place(posts: Sequence[HeldPost]) -> Place:
    """Return the place on which the posts of an incident agree most.

    The street is chosen first, by the number of posts that name it; the house, settlement and landmark then come
    from the posts that do not contradict that street. Ties go to the earlier post.
    """
    mains = [item.places[0] for item in posts if item.places]
    street = _most_common([place.street for place in mains])
    near = [place for place in mains if place.street in (None, street)]
    house = _most_common([place.house for place in near if place.street == street]) if street else None
    return Place(
        settlement=_most_common([place.settlement for place in near])
        or _most_common([place.settlement for place in mains]),
        street=street,
        house=house,
        landmark=_most_common([place.landmark for place in near]),
    )


def _most_common(values: Sequence[str | None]) -> str | None:
    told = [value for value in values if value is not None]
    if len(told) < 2:
        return told[0] if told else None
    return Counter(told).most_common(1)[0][0]


def title_of(posts: Sequence[HeldPost], place: Place) -> str:
    """Return the opening of the post that tells most, with private data masked.

    A post that stands on its own counts more than an answer to others («у нас тоже…»), then one that names the
    street more than one that names another place or none; among equals the one whose length is nearest to a
    title's, then the earlier. Greetings and pictures in front are left out.
    """

    def rank(item: HeldPost) -> tuple[bool, int, int]:
        names_it = any(p.street == place.street and p.street is not None for p in item.places)
        told = 0 if names_it else 1 if item.places else 2
        return (_is_answer(item.post.text), told, abs(len(item.post.text) - TITLE_LENGTH))

    told = min(posts, key=rank)
    return _opening(told.post.text, tuple(span for found in told.places for span in found.spans.values()))


@lru_cache(maxsize=2**14)
def _is_answer(text: str) -> bool:
    return _ANSWER.match(text) is not None


@lru_cache(maxsize=2**14)
def _opening(whole: str, places: tuple[Span, ...]) -> str:
    """Return the masked opening of a text; kept, since an incident that grows mostly keeps its title."""
    text = " ".join(clean(mask(whole, places=places)).split())
    text = _GREETING.sub("", text, count=1) or text
    if len(text) <= TITLE_LENGTH:
        return text
    cut = text[:TITLE_LENGTH].rsplit(" ", 1)[0].rstrip(" ,.;:—–-")
    return f"{cut}…"


def assemble(
    incidents: Mapping[str, Sequence[HeldPost]],
    *,
    router: Router,
    priority: PriorityScorer,
    policy: SlaPolicy,
    merged_from: Mapping[str, tuple[str, ...]],
    recurs: Mapping[str, str],
) -> dict[str, Incident]:
    """Build incidents, all at once, from their posts, given in canonical order.

    Parameters
    ----------
    incidents : mapping of str to sequence of HeldPost
        Posts by the id of their incident.
    router, priority, policy : Router, PriorityScorer, SlaPolicy
    merged_from, recurs : mapping
        As in `ClusterUpdate`.
    """
    groups = list(incidents.values())
    opinions = router.opinions([np.stack([item.routing for item in posts]) for posts in groups])
    names = [router.topic(opinion) for opinion in opinions]
    evidence = [
        IncidentEvidence.from_posts([item.post for item in posts], [item.places for item in posts], topic=name)
        for posts, name in zip(groups, names, strict=True)
    ]
    scored = priority.score_all([np.stack([item.priority for item in posts]) for posts in groups], evidence)
    cases = [
        Case(
            found.scale,
            shared_place(posts),
            _most_common([item.post.region for item in posts]),
            _most_common([item.post.municipality for item in posts]),
            _most_common([town_of_page(item.post.source or "", item.post.region) for item in posts]),
        )
        for posts, found in zip(groups, scored, strict=True)
    ]
    routes = router.route_all(opinions, cases)
    built = {}
    for id_, posts, name, facts, found, case, route in zip(
        incidents, groups, names, evidence, scored, cases, routes, strict=True
    ):
        place = case.place or Place()
        topic = router.taxonomy.topics.get(name)
        fast_track = topic is not None and topic.fast_track
        first, last = posts[0].post, posts[-1].post
        built[id_] = Incident(
            id=id_,
            post_keys=tuple(item.post.key for item in posts),
            networks=tuple(sorted({item.post.network for item in posts})),
            authors=facts.authors,
            first_seen=first.published_at,
            last_seen=last.published_at,
            title=title_of(posts, place),
            place=place,
            route=route,
            priority=found,
            deadline=policy.deadline(
                first.published_at, priority=found, fast_track=fast_track, topic=route.topic, region=case.region
            ),
            fast_track=fast_track,
            merged_from=merged_from.get(id_, ()),
            recurs=recurs.get(id_),
        )
    return built
