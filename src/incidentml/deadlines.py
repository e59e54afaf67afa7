"""By when an incident must be answered: named policies as data, with an explicit start of the clock."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from functools import cached_property
from importlib import resources
from pathlib import Path
from typing import Any, Self
from zoneinfo import ZoneInfo

from incidentml.calendars import WorkingCalendar, read_zone, region_zones, zone_of
from incidentml.errors import DataError
from incidentml.taxonomy import Taxonomy
from incidentml.terms import Term, read_term
from incidentml.types import Priority

__all__ = ["SlaPolicy", "Term", "WorkingCalendar", "region_zones", "zone_of"]

_STARTS = ("published", "detected", "registered", "assigned")


@dataclass(frozen=True)
class SlaPolicy:
    """Terms of one administration.

    Parameters
    ----------
    name, title : str
        Key and Russian description.
    clock_start : str
        Event that starts the clock: ``published``, ``detected``, ``registered`` or ``assigned``. The pipeline
        knows only when posts were published and counts from the first one; where another event counts, call
        `deadline` with its time.
    reply : Term
        For the public reply.
    reply_or : Term, optional
        A second term for it; the earlier end counts.
    reply_by_topic : bool
        Whether the reply takes the term of its topic instead.
    urgent, fast_track : Term, optional
        For high importance and for starred topics.
    urgent_from : int
        The urgency, 0 to 3, from which `urgent` holds.
    forward : Term
        For passing on to the body that answers.
    interim_allowed : int
        How many interim replies may be given.
    after_interim : Term
        From an interim reply to the final one.
    full_min_days, full_max_days : int
        Bounds of the full answer; the topic decides between them.
    reopen_grades : tuple of int
        Grades of the citizen that send the case back.
    day_start, day_end : time
        Office hours, local.
    days_off, extra_workdays : frozenset of date
        Local exceptions to the country's calendar.

    Examples
    --------
    >>> from datetime import UTC
    >>> policy = SlaPolicy.load()
    >>> policy.deadline(datetime(2024, 2, 3, 8, tzinfo=UTC), region="Пермский край").isoformat()
    '2024-02-04T13:00:00+05:00'
    """

    name: str
    title: str
    clock_start: str
    reply: Term
    forward: Term
    after_interim: Term
    urgent: Term | None = None
    fast_track: Term | None = None
    reply_or: Term | None = None
    reply_by_topic: bool = False
    urgent_from: int = 3
    interim_allowed: int = 1
    full_min_days: int = 5
    full_max_days: int = 30
    reopen_grades: tuple[int, ...] = (1, 2)
    day_start: time = time(9)
    day_end: time = time(18)
    days_off: frozenset[date] = frozenset()
    extra_workdays: frozenset[date] = frozenset()

    @cached_property
    def calendar(self) -> WorkingCalendar:
        """The working calendar of this policy."""
        return WorkingCalendar(
            self.day_start, self.day_end, days_off=self.days_off, extra_workdays=self.extra_workdays
        )

    # ---- reading

    @classmethod
    def names(cls) -> tuple[str, ...]:
        """Return the names of the shipped policies."""
        return tuple(_shipped())

    @classmethod
    def load(cls, name: str = "default") -> Self:
        """Return a shipped policy.

        Raises
        ------
        DataError
            If there is none of this name.
        """
        profiles = _shipped()
        if name not in profiles:
            raise DataError(f"no policy {name!r}; there are {', '.join(profiles)}")
        return cls._parse(name, profiles[name], "data/sla.json")

    @classmethod
    def from_json(cls, path: str | os.PathLike[str], name: str | None = None) -> Self:
        """Read a policy from a file of the same form as ``data/sla.json``.

        Raises
        ------
        DataError
            Names the policy, the field and the value that is wrong.
        """
        try:
            profiles = json.loads(Path(path).read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise DataError(f"{path}: the policies cannot be read: {error}") from error
        if not isinstance(profiles, dict) or not profiles:
            raise DataError(f"{path}: expected a mapping of policy names to policies")
        key = next(iter(profiles)) if name is None else name
        if key not in profiles:
            raise DataError(f"{path}: no policy {key!r}; there are {', '.join(profiles)}")
        return cls._parse(key, profiles[key], str(path))

    @classmethod
    def _parse(cls, name: str, raw: Mapping[str, Any], where: str) -> Self:
        at = f"{where}, policy {name!r}"
        if not isinstance(raw, Mapping):
            raise DataError(f"{at}: expected a mapping of fields, found {raw!r}")
        fields = dict(raw)
        for field in ("title", "clock_start", "reply", "forward", "after_interim"):
            if fields.get(field) is None:
                raise DataError(f"{at}: {field!r} is missing")
        if unknown := sorted(set(fields) - set(cls.__dataclass_fields__)):
            raise DataError(f"{at}: no field {unknown[0]!r}; there are {', '.join(cls.__dataclass_fields__)}")
        for field in ("reply", "forward", "after_interim", "urgent", "fast_track", "reply_or"):
            fields[field] = read_term(fields.get(field), f"{at}: {field!r}")
        try:
            for field in ("day_start", "day_end"):
                if field in fields:
                    fields[field] = time.fromisoformat(fields[field])
            for field in ("days_off", "extra_workdays"):
                fields[field] = frozenset(date.fromisoformat(day) for day in fields.get(field, ()))
            fields["reopen_grades"] = tuple(int(grade) for grade in fields.get("reopen_grades", (1, 2)))
            policy = cls(name=name, **fields)
        except (TypeError, ValueError) as error:
            raise DataError(f"{at}: {error}") from error
        if policy.clock_start not in _STARTS:
            raise DataError(f"{at}: clock_start is {policy.clock_start!r}; allowed: {', '.join(_STARTS)}")
        if not 0 < policy.full_min_days <= policy.full_max_days:
            raise DataError(
                f"{at}: full_min_days is {policy.full_min_days}, full_max_days {policy.full_max_days}; "
                "expected 0 < minimum <= maximum"
            )
        if policy.interim_allowed < 0:
            raise DataError(f"{at}: interim_allowed is {policy.interim_allowed}, expected 0 or more")
        _ = policy.calendar  # office hours are checked there
        return policy

    # ---- clocks

    def start(
        self,
        *,
        published: datetime | None = None,
        detected: datetime | None = None,
        registered: datetime | None = None,
        assigned: datetime | None = None,
    ) -> datetime:
        """Return the moment at which this policy's clock starts.

        Raises
        ------
        DataError
            If the event that starts it is not given.
        """
        events = {"published": published, "detected": detected, "registered": registered, "assigned": assigned}
        moment = events[self.clock_start]
        if moment is None:
            raise DataError(f"policy {self.name!r} counts from {self.clock_start!r}, but that time is not given")
        return moment

    def _local(self, start: datetime, region: str | None, zone: str | ZoneInfo | None) -> datetime:
        if start.tzinfo is None:
            raise DataError(f"the clock starts at {start.isoformat()}, which has no time zone")
        if zone is not None:
            return start.astimezone(read_zone(zone) if isinstance(zone, str) else zone)
        try:
            return start if region is None else start.astimezone(zone_of(region))
        except DataError:  # a misspelt region of one post must not stop a batch: its own zone still tells the time
            return start

    def deadline(
        self,
        start: datetime,
        *,
        priority: Priority | None = None,
        fast_track: bool = False,
        topic: str | None = None,
        region: str | None = None,
        zone: str | ZoneInfo | None = None,
    ) -> datetime:
        """Return by when the public reply is due, in the local time of the region.

        Parameters
        ----------
        start : datetime
            When the clock of this policy started (aware); see `start`.
        priority : Priority, optional
            High urgency takes the `urgent` term.
        fast_track : bool
            Whether the topic is starred.
        topic : str, optional
            Gives the term where the policy replies by topic.
        region, zone : optional
            Local time; by default, and for a region that is not known, the zone of `start`.

        Returns
        -------
        datetime
            The earliest end of all terms that hold.

        Raises
        ------
        DataError
            If `start` has no zone, or `zone` does not exist.
        """
        local = self._local(start, region, zone)
        terms = [self._by_topic(topic) if self.reply_by_topic else self.reply]
        if self.reply_or is not None:
            terms.append(self.reply_or)
        if self.urgent is not None and priority is not None and priority.urgency >= self.urgent_from:
            terms.append(self.urgent)
        if self.fast_track is not None and fast_track:
            terms.append(self.fast_track)
        return min(term.after(local, self.calendar) for term in terms)

    def _by_topic(self, topic: str | None) -> Term:
        record = Taxonomy.load().topics.get(topic or "")
        days = self.full_max_days if record is None else record.term_days
        return Term(min(max(days, self.full_min_days), self.full_max_days), "days")

    def full_answer(
        self,
        start: datetime,
        *,
        topic: str | None = None,
        region: str | None = None,
        zone: str | ZoneInfo | None = None,
    ) -> datetime:
        """Return by when the full answer is due: the topic's term within the policy's bounds; as `deadline`."""
        return self._by_topic(topic).after(self._local(start, region, zone), self.calendar)

    def forward_by(
        self, start: datetime, *, region: str | None = None, zone: str | ZoneInfo | None = None
    ) -> datetime:
        """Return by when the case must be passed on to the body that answers; as `deadline`."""
        return self.forward.after(self._local(start, region, zone), self.calendar)

    def after_interim_reply(
        self, replied: datetime, *, given: int = 1, region: str | None = None, zone: str | ZoneInfo | None = None
    ) -> datetime:
        """Return by when the final reply is due after an interim one; `given` counts the interim replies so far.

        Raises
        ------
        DataError
            If more interim replies were given than the policy allows.
        """
        if given > self.interim_allowed:
            raise DataError(
                f"policy {self.name!r} allows {self.interim_allowed} interim replies, {given} were given"
            )
        return self.after_interim.after(self._local(replied, region, zone), self.calendar)

    def reopens(self, grade: int | None = None, *, repeated: bool = False) -> bool:
        """Tell whether a grade of 1 to 5, or a new post about the closed incident, sends the case back.

        Raises
        ------
        DataError
            If the grade is not 1 to 5.

        Examples
        --------
        >>> policy = SlaPolicy.load()
        >>> policy.reopens(2), policy.reopens(5), policy.reopens(repeated=True)
        (True, False, True)
        """
        if grade is not None and not 1 <= grade <= 5:
            raise DataError(f"grade is {grade}, expected 1 to 5")
        return repeated or grade in self.reopen_grades


def _shipped() -> dict[str, Any]:
    text = (resources.files("incidentml") / "data" / "sla.json").read_text(encoding="utf-8")
    profiles: dict[str, Any] = json.loads(text)
    return profiles
