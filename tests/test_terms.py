from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from incidentml.calendars import WorkingCalendar
from incidentml.errors import DataError
from incidentml.terms import Term, read_term

START = datetime(2024, 12, 30, 12, tzinfo=ZoneInfo("Europe/Moscow"))


@given(amount=st.integers(1, 100), unit=st.sampled_from(["minutes", "hours", "days", "working_days"]))
def test_a_term_ends_after_it_starts(amount, unit):
    assert Term(amount, unit).after(START, WorkingCalendar()) > START


def test_days_keep_the_time_of_day_when_the_clocks_change_and_hours_do_not():
    start = datetime(2024, 3, 30, 12, tzinfo=ZoneInfo("Europe/Berlin"))
    assert Term(1, "days").after(start, WorkingCalendar()).hour == 12
    assert Term(24, "hours").after(start, WorkingCalendar()).hour == 13


def test_a_term_is_read_or_absent():
    assert read_term({"amount": 9, "unit": "working_hours"}, "'reply'") == Term(9, "working_hours")
    assert read_term(None, "'urgent'") is None


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (4, "'reply' is 4"),
        ({"amount": 4}, "an amount and a unit"),
        ({"amount": 4, "unit": "fortnights"}, "fortnights"),
        ({"amount": True, "unit": "hours"}, "above 0"),
        ({"amount": 0, "unit": "hours"}, "above 0"),
    ],
)
def test_a_wrong_term_names_field_and_value(raw, message):
    with pytest.raises(DataError, match=message):
        read_term(raw, "'reply'")
