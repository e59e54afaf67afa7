"""The top incidents as a table for a person."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from incidentml.assignment import LEVEL_WORDS, UNROUTABLE
from incidentml.places.display import words_of
from incidentml.types import Incident, Urgency

if TYPE_CHECKING:
    from rich.table import Table

__all__ = ["incident_table"]

_STYLE = {Urgency.DANGER: "bold red", Urgency.SERIOUS: "yellow", Urgency.INCONVENIENCE: "", Urgency.NONE: "dim"}


def incident_table(incidents: Sequence[Incident], total: int) -> Table:
    """Return the incidents as a rich table, in the order given.

    Parameters
    ----------
    incidents : sequence of Incident
    total : int
        How many there are in all; told in the caption.

    Returns
    -------
    rich.table.Table
    """
    from rich.box import SIMPLE_HEAD
    from rich.table import Table
    from rich.text import Text

    table = Table(box=SIMPLE_HEAD, pad_edge=False, caption=f"{len(incidents)} из {total} инцидентов")
    for name, options in {
        "№": {"justify": "right"},
        "срочн.": {"justify": "right"},
        "балл": {"justify": "right"},
        "постов": {"justify": "right"},
        "что и где": {"ratio": 4},
        "кто отвечает": {"ratio": 2},
        "ответить до": {"no_wrap": True},
    }.items():
        table.add_column(name, **options)  # type: ignore[arg-type]
    for number, incident in enumerate(incidents, 1):
        urgency = incident.priority.urgency
        mark = "★ " if incident.fast_track else ""
        what = Text.assemble(
            (f"{mark}{incident.route.topic.removeprefix('★ ')}", "bold"),
            f" — {words_of(incident.place) or 'место не названо'}\n",
            (incident.title, "dim"),
        )
        executor = incident.route.executor if incident.route.executor != UNROUTABLE else "исполнитель не найден"
        who = f"{executor} · {LEVEL_WORDS[incident.route.level]}"
        table.add_row(
            str(number),
            Text("!" * int(urgency) or "·", style=_STYLE[urgency]),
            f"{incident.priority.score:.1f}",
            f"{incident.size} · {', '.join(incident.networks)}",
            what,
            f"{who}\n→ проверить человеку" if incident.route.needs_review else who,
            f"{incident.deadline:%d.%m %H:%M}",
        )
    return table
