"""Lengths of time in the units of an administration: by the clock, by the day, by office hours."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from incidentml.calendars import WorkingCalendar
from incidentml.errors import DataError

__all__ = ["Term", "read_term"]

_UNITS = ("minutes", "hours", "days", "working_hours", "working_days")


@dataclass(frozen=True, slots=True)
class Term:
    """A length of time.

    Attributes
    ----------
    amount : float
    unit : str
        ``minutes``, ``hours``, ``days``, ``working_hours`` or ``working_days``.
    """

    amount: float
    unit: str

    def after(self, start: datetime, calendar: WorkingCalendar) -> datetime:
        """Return the moment when the term ends; `start` is aware and local.

        Hours pass by day and night, days end at the same time of day whatever the clocks do, working hours count
        while offices are open, working days end at the close of office.
        """
        if self.unit == "working_hours":
            return calendar.add_hours(start, self.amount)
        if self.unit == "working_days":
            return calendar.add_days(start, int(self.amount))
        if self.unit == "days":  # the same time of day, whatever the clocks did in between
            return start + timedelta(days=self.amount)
        return (start.astimezone(UTC) + timedelta(**{self.unit: self.amount})).astimezone(start.tzinfo)


def read_term(raw: Any, where: str) -> Term | None:
    """Return the term that a policy writes as ``{"amount": …, "unit": …}``; None for none.

    Raises
    ------
    DataError
        If the amount or the unit is wrong; `where` names the field.
    """
    if raw is None:
        return None
    if not isinstance(raw, Mapping) or set(raw) != {"amount", "unit"} or raw["unit"] not in _UNITS:
        raise DataError(f"{where} is {raw!r}; expected an amount and a unit of {', '.join(_UNITS)}")
    amount = raw["amount"]
    if isinstance(amount, bool) or not isinstance(amount, int | float) or not 0 < amount < 10_000:
        raise DataError(f"{where} has amount {amount!r}; expected a number above 0")
    return Term(amount, raw["unit"])
