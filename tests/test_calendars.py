from datetime import date, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from incidentml.calendars import WorkingCalendar, region_zones, zone_of
from incidentml.errors import DataError

MSK = ZoneInfo("Europe/Moscow")


def at(text):
    return datetime.fromisoformat(text).replace(tzinfo=MSK)


def test_89_regions_lie_in_eleven_hours():
    zones = region_zones()
    assert len(zones) == 89
    assert len({ZoneInfo(name).utcoffset(datetime(2026, 1, 1)) for name in zones.values()}) == 11


ZONES = [
    ("Пермский край", "Asia/Yekaterinburg"),
    ("пермский край", "Asia/Yekaterinburg"),
    ("Башкортостан", "Asia/Yekaterinburg"),
    ("Республика Саха (Якутия)", "Asia/Yakutsk"),
    ("ХМАО", "Asia/Yekaterinburg"),
    ("г. Москва", "Europe/Moscow"),
    ("Московская обл.", "Europe/Moscow"),
    ("Республика Алтай", "Asia/Barnaul"),
    ("Алтайский край", "Asia/Barnaul"),
    ("Калининградская область", "Europe/Kaliningrad"),
    ("Камчатский край", "Asia/Kamchatka"),
    (None, "Europe/Moscow"),
]


@pytest.mark.parametrize(("region", "zone"), ZONES)
def test_zone_of_a_region(region, zone):
    assert zone_of(region).key == zone


def test_an_unknown_region_offers_the_nearest():
    with pytest.raises(DataError, match="Пермский край"):
        zone_of("Премский край")


HOURS = [  # start, office hours, end
    ("2024-02-05T10:00", 9, "2024-02-06T10:00"),
    ("2024-02-05T03:00", 9, "2024-02-05T18:00"),
    ("2024-02-02T17:00", 2, "2024-02-05T10:00"),  # over a weekend
    ("2023-12-29T17:00", 2, "2024-01-09T10:00"),  # over the New Year holidays
    ("2024-04-26T17:00", 2, "2024-04-27T10:00"),  # a Saturday that is worked instead of a Monday
    ("2024-04-27T17:00", 2, "2024-05-02T10:00"),  # and that Monday off
    ("2024-02-03T12:00", 1, "2024-02-05T10:00"),
]


@pytest.mark.parametrize(("start", "hours", "end"), HOURS)
def test_office_hours_skip_nights_weekends_and_holidays(start, hours, end):
    assert WorkingCalendar().add_hours(at(start), hours) == at(end)


def test_working_days_end_with_the_office():
    assert WorkingCalendar().add_days(at("2023-12-29T10:00"), 7) == at("2024-01-17T18:00")


def test_local_exceptions_to_the_calendar():
    calendar = WorkingCalendar(
        days_off=frozenset([date(2024, 4, 10)]), extra_workdays=frozenset([date(2024, 4, 13)])
    )
    assert not calendar.is_working_day(date(2024, 4, 10))
    assert calendar.is_working_day(date(2024, 4, 13))


@given(
    start=st.datetimes(datetime(2020, 1, 1), datetime(2027, 12, 1), timezones=st.just(MSK)),
    hours=st.integers(1, 60),
    more=st.integers(0, 20),
)
def test_more_office_hours_never_end_earlier(start, hours, more):
    calendar = WorkingCalendar()
    end = calendar.add_hours(start, hours)
    assert start < end <= calendar.add_hours(start, hours + more)
    assert calendar.is_working_day(end.date())
    assert calendar.day_start <= end.time() <= calendar.day_end
