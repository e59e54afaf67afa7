"""The report of `scoring.evaluate` as text for a screen."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

__all__ = ["format_report"]

_TITLES = {
    "incidents": "Incidents (over gold complaints; a lone post is an incident of one)",
    "complaints": "Complaint or not",
    "kinds": "Kinds of post",
    "group": "Topic group",
    "topic": "Topic",
    "level": "Level of power",
    "scale": "Scale",
    "urgency": "Urgency",
    "places": "Places",
}


def format_report(report: Mapping[str, Any]) -> str:
    """Return the report as a table: figure, value, interval.

    Parameters
    ----------
    report : mapping
        What `evaluate` returned.

    Returns
    -------
    str
    """
    posts = report["posts"]
    counts = f"{posts['scored']} of {posts['gold']} gold posts scored"
    lines = [f"{counts}; {posts['missing']} missing, {posts['extra']} extra"]
    for section, title in _TITLES.items():
        if section not in report:
            continue
        lines += ["", title]
        lines += [f"  {name:<34}{value}" for name, value in _rows(report[section], "")]
    return "\n".join(lines)


def _rows(section: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, str]]:
    for name, value in section.items():
        label = prefix + name.replace("_", " ")
        if isinstance(value, Mapping) and set(value) == {"value", "low", "high"}:
            yield label, _figure(value)
        elif name == "confusion":
            continue  # a table of eight by eight; it is in the JSON
        elif isinstance(value, Mapping):
            yield from _rows(value, label + " ")
        else:
            yield label, _number(value)


def _figure(value: Mapping[str, float | None]) -> str:
    if value["low"] is None:
        return _number(value["value"])
    return f"{_number(value['value'])}  [{_number(value['low'])}, {_number(value['high'])}]"


def _number(value: Any) -> str:
    if value is None:
        return "—"
    return f"{value:.3f}" if isinstance(value, float) else str(value)
