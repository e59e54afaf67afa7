"""Labels from a DataFrame, as they come out of a spreadsheet or a notebook."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from incidentml.errors import DataError
from incidentml.gold import GoldPost, gold_row, raise_problems
from incidentml.rows import FIELDS, frame_rows, is_frame
from incidentml.types import PostKey

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["LABELS", "gold_from_frame"]

#: Columns that are labels; `municipality` is taken as the post's own field.
LABELS = (
    *("kind", "incident", "group", "topic", "scale", "urgency", "level"),
    *("settlement", "street", "house", "mentions", "near", "why"),
)


def gold_from_frame(frame: pd.DataFrame, *, territory: str = "frame") -> list[GoldPost]:
    """Read labelled posts from a frame: columns of a post, and labels beside them.

    Parameters
    ----------
    frame : DataFrame
        `text` and at least one of `LABELS`. Without `id` rows are numbered from 1, without `network` it is
        ``"frame"``, without `published_at` posts have no time. A column `territory` tells what each row covers.
        Empty cells are labels that nobody gave.
    territory : str
        Of rows that name none.

    Returns
    -------
    list of GoldPost
        In the order of the rows.

    Raises
    ------
    DataError
        Lists up to twenty problems with row, column, value and what is allowed, and counts the rest.

    Examples
    --------
    >>> import pandas as pd
    >>> (item,) = gold_from_frame(pd.DataFrame({"text": ["Нет воды на Мира 5"], "kind": ["complaint"]}))
    >>> tuple(item.key), item.gold.kind.value
    (('frame', '1'), 'complaint')
    """
    if not is_frame(frame):
        raise DataError(
            f"gold_from_frame: found {type(frame).__name__}, expected a DataFrame; files go to load_gold"
        )
    columns = {str(name) for name in frame.columns}
    if not columns & set(LABELS):
        raise DataError(
            f"DataFrame: no column of labels; give one or more of {list(LABELS)}, found {sorted(columns)}"
        )
    absent: dict[str, Any] = {"id": list(range(1, len(frame) + 1)), "network": "frame", "published_at": None}
    filled = frame.assign(**{name: value for name, value in absent.items() if name not in columns})
    items: list[GoldPost] = []
    problems: list[str] = []
    seen: dict[PostKey, int] = {}
    for number, values, *_ in frame_rows(filled):
        fields = dict(values or {})
        gold = {name: _whole(fields.get(name)) for name in LABELS}
        post = {name: fields.get(name) for name in FIELDS}
        item, wrong = gold_row({**post, "gold": gold}, str(fields.get("territory") or territory))
        problems += [f"row {number}: {problem.replace('gold.', 'column ', 1)}" for problem in wrong]
        if item is not None:
            if (first := seen.setdefault(item.key, number)) != number:
                problems.append(
                    f"row {number}: column id: the post {tuple(item.key)} is in row {first} too; keep it once"
                )
            items.append(item)
    raise_problems(problems)
    return items


def _whole(value: Any) -> Any:
    """Undo what an empty cell does to a column of whole numbers."""
    return int(value) if isinstance(value, float) and value.is_integer() else value
