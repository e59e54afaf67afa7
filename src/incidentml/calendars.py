"""Working time in Russia: holidays, moved working days, office hours and the zones of all regions."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from difflib import get_close_matches
from functools import cache, lru_cache
from importlib import resources
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from incidentml.errors import DataError
from incidentml.text import fold

__all__ = ["MOSCOW", "WorkingCalendar", "read_zone", "region_zones", "zone_of"]

MOSCOW = ZoneInfo("Europe/Moscow")
_KIND = re.compile(r"\b(?:республика|область|обл|край|автономн\w+|округ|народная|город|г|ао)\b\.?|[^\w]+")


def _key(region: str) -> str:
    return " ".join(_KIND.sub(" ", fold(region)).split())


@cache
def _tables() -> tuple[Mapping[str, str], Mapping[str, str]]:
    raw = json.loads((resources.files("incidentml") / "data" / "zones.json").read_text(encoding="utf-8"))
    regions: dict[str, str] = raw["regions"]
    by_key = {_key(region): zone for region, zone in regions.items()}
    by_key |= {_key(alias): regions[region] for alias, region in raw["aliases"].items()}
    return regions, by_key


@lru_cache(maxsize=4096)
def _nearest(region: str) -> list[str]:
    return get_close_matches(region, list(_tables()[0]), n=3, cutoff=0.5)


def region_zones() -> Mapping[str, str]:
    """Return the zone name of each of the 89 regions; where a region spans several, that of its capital."""
    return dict(_tables()[0])


def read_zone(name: str) -> ZoneInfo:
    """Return a zone by its IANA name.

    Raises
    ------
    DataError
        If there is no such zone.
    """
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise DataError(f"time zone {name!r} does not exist; write it as in 'Asia/Yekaterinburg'") from error


@cache
def zone_of(region: str | None) -> ZoneInfo:
    """Return the time zone of a region of Russia; Moscow's for None.

    Raises
    ------
    DataError
        If the name is no region; the message offers the nearest ones.

    Examples
    --------
    >>> zone_of("Пермский край").key, zone_of("Якутия").key
    ('Asia/Yekaterinburg', 'Asia/Yakutsk')
    """
    if region is None:
        return MOSCOW
    by_key = _tables()[1]
    zone = by_key.get(_key(region))
    if zone is None:
        near = _nearest(region)
        raise DataError(f"region {region!r} is not known{f'; did you mean one of {near}?' if near else ''}")
    return ZoneInfo(zone)


class WorkingCalendar:
    """Working days and office hours.

    Parameters
    ----------
    day_start, day_end : time
        Office hours, local.
    days_off, extra_workdays : frozenset of date
        Local exceptions to the country's calendar.
    country : str
        As the `holidays` package names it.

    Examples
    --------
    >>> calendar = WorkingCalendar()
    >>> calendar.is_working_day(date(2024, 4, 27)), calendar.is_working_day(date(2024, 4, 29))
    (True, False)
    """

    def __init__(
        self,
        day_start: time = time(9),
        day_end: time = time(18),
        *,
        days_off: frozenset[date] = frozenset(),
        extra_workdays: frozenset[date] = frozenset(),
        country: str = "RU",
    ) -> None:
        if not day_start < day_end:
            raise DataError(
                f"office hours {day_start:%H:%M} to {day_end:%H:%M}: the start must come before the end"
            )
        self.day_start = day_start
        self.day_end = day_end
        self.days_off = days_off
        self.extra_workdays = extra_workdays
        self.country = country

    def is_working_day(self, day: date) -> bool:
        """Tell whether offices work on this day, weekends moved by decree included."""
        if day in self.days_off:
            return False
        return day in self.extra_workdays or bool(_country(self.country).is_working_day(day))

    def add_hours(self, start: datetime, hours: float) -> datetime:
        """Return the moment when so many office hours have passed since `start` (aware)."""
        left = timedelta(hours=hours)
        moment = start
        while True:
            opens = datetime.combine(moment.date(), self.day_start, tzinfo=start.tzinfo)
            closes = datetime.combine(moment.date(), self.day_end, tzinfo=start.tzinfo)
            if self.is_working_day(moment.date()) and moment < closes:
                moment = max(moment, opens)
                room = closes.astimezone(UTC) - moment.astimezone(UTC)
                if left <= room:
                    return (moment.astimezone(UTC) + left).astimezone(start.tzinfo)
                left -= room
            moment = datetime.combine(moment.date() + timedelta(days=1), time(0), tzinfo=start.tzinfo)

    def add_days(self, start: datetime, days: int) -> datetime:
        """Return the close of office on the `days`-th working day after the day of `start`."""
        day, left = start.date(), days
        while left > 0:
            day += timedelta(days=1)
            left -= self.is_working_day(day)
        return datetime.combine(day, self.day_end, tzinfo=start.tzinfo)


@cache
def _country(code: str):  # type: ignore[no-untyped-def]  # holidays types its calendars privately
    import holidays

    try:
        return holidays.country_holidays(code)
    except NotImplementedError as error:
        raise DataError(f"no calendar of holidays for country {code!r}") from error
