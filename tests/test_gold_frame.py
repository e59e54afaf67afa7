"""Labels from a DataFrame: what is wrong names row, column, value and fix."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from incidentml.errors import DataError
from incidentml.gold_frame import gold_from_frame
from incidentml.training_data import check_items


def frame(**columns: Any) -> pd.DataFrame:
    return pd.DataFrame(
        {"text": ["Нет воды на Мира 5", "Спасибо за свет"], "kind": ["complaint", "gratitude"]} | columns
    )


def test_text_and_one_label_are_enough() -> None:
    first, second = gold_from_frame(frame())
    assert (tuple(first.key), first.gold.kind, first.post, first.territory) == (
        ("frame", "1"),
        "complaint",
        None,
        "frame",
    )
    assert second.gold.kind == "gratitude"


def test_fields_labels_and_territories_are_told_apart() -> None:
    given = frame(
        id=["a", "b"],
        network=["vk", "ok"],
        published_at=["2024-02-03T08:12:00+05:00"] * 2,
        region=["Пермский край", None],
        territory=["perm", np.nan],
        urgency=[2, np.nan],
        incident=["I1", None],
        house=["5", None],
    )
    first, second = gold_from_frame(given, territory="rest")
    assert first.post is not None
    assert (first.territory, first.region, first.gold.urgency, first.gold.house) == (
        "perm",
        "Пермский край",
        2,
        "5",
    )
    assert (second.territory, second.gold.urgency, second.gold.incident) == ("rest", None, None)


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"kind": ["Complaint", "news"]}, r"^row 1: column kind is 'Complaint'; .*did you mean 'complaint'\?$"),
        ({"urgency": [7, None]}, r"^row 1: column urgency is 7; allowed: \[0, 1, 2, 3\]"),
        ({"id": ["a", "a"]}, r"^row 2: column id: the post \('frame', 'a'\) is in row 1 too; keep it once"),
        ({"text": ["", "x"]}, "^row 1: empty_text"),
        ({"kind": ["x", "y"]}, r"^2 problems:\n  row 1: .*\n  row 2: "),
    ],
)
def test_a_bad_cell_is_told_by_row_and_column(columns: dict[str, Any], message: str) -> None:
    with pytest.raises(DataError, match=message):
        gold_from_frame(frame(**columns))


def test_a_frame_without_labels_or_text_is_refused() -> None:
    with pytest.raises(DataError, match=r"no column of labels; give one or more of \['kind', "):
        gold_from_frame(pd.DataFrame({"text": ["x"]}))
    with pytest.raises(DataError, match="text"):
        gold_from_frame(pd.DataFrame({"kind": ["news"]}))


def test_a_small_frame_is_told_what_it_lacks() -> None:
    with pytest.raises(
        DataError, match=r"2 posts are too few to train on:\n  gold\.kind: 1 complaints and 1 posts"
    ):
        check_items(gold_from_frame(frame()))


def test_what_is_no_frame_is_refused() -> None:
    with pytest.raises(DataError, match="found list, expected a DataFrame"):
        gold_from_frame([{"text": "Нет воды", "kind": "complaint"}])  # type: ignore[arg-type]
