"""The scales and kinds that posts and incidents are sorted by."""

from __future__ import annotations

from enum import IntEnum, StrEnum

__all__ = ["Agreement", "Kind", "Level", "Scale", "Urgency"]


class Kind(StrEnum):
    """What a post is. Only a `COMPLAINT` goes on to incidents.

    In files: ``complaint``, ``negativity``, ``question``, ``suggestion``, ``gratitude``, ``news``, ``advert``,
    ``other``.
    """

    COMPLAINT = "complaint"
    NEGATIVITY = "negativity"
    QUESTION = "question"
    SUGGESTION = "suggestion"
    GRATITUDE = "gratitude"
    NEWS = "news"
    ADVERT = "advert"
    OTHER = "other"


class Scale(StrEnum):
    """How many are hit, from one person to a region; `rank` orders the steps.

    In files: ``person``, ``household``, ``building``, ``street``, ``district``, ``settlement``, ``municipality``,
    ``region``.

    Examples
    --------
    >>> Scale("street").rank, max(Scale.STREET, Scale.REGION, key=lambda scale: scale.rank).value
    (3, 'region')
    """

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
    """How soon harm is done.

    0 `NONE`, 1 `INCONVENIENCE`, 2 `SERIOUS` (health, safety or basic services impaired), 3 `DANGER` (to life or
    limb, or a total loss of heat, water or power).
    """

    NONE = 0
    INCONVENIENCE = 1
    SERIOUS = 2
    DANGER = 3


class Level(StrEnum):
    """The level of power that has to answer: ``municipal``, ``regional`` or ``federal``."""

    MUNICIPAL = "municipal"
    REGIONAL = "regional"
    FEDERAL = "federal"


class Agreement(StrEnum):
    """How two readings of one part of an address relate.

    `SAME`; `COMPATIBLE`: one says less than the other; `CONFLICT`; `UNKNOWN`: at least one says nothing.
    """

    SAME = "same"
    COMPATIBLE = "compatible"
    CONFLICT = "conflict"
    UNKNOWN = "unknown"
