from __future__ import annotations

import numpy as np
import pytest

from incident_fixtures import batch_of
from incidentml.incidents import PostBatch
from incidentml.incidents.columns import Columns
from incidentml.incidents.derive import columns_of
from incidentml.incidents.links import FEATURES, pair_features
from incidentml.incidents.wording import Vocabulary
from incidentml.types import Place


def derived(*posts: tuple[str, tuple[Place, ...], str | None]) -> Columns:
    """Columns of (text, places, page)."""
    rows = [(str(k), 3600.0 * k, text, places, "Тверская область") for k, (text, places, _) in enumerate(posts)]
    batch = batch_of(rows)
    columns = {
        name: getattr(batch, name) for name in ("keys", "times", "texts", "vectors", "places", "regions", "topics")
    }
    return columns_of(PostBatch(**columns, sources=[page for *_, page in posts]), Vocabulary.learn([]))


def evidence(columns: Columns, name: str) -> float:
    return float(pair_features(columns, np.array([0]), np.array([1]))[0, FEATURES.index(name)])


RZHEV, TORZHOK = Place(settlement="ржев"), Place(settlement="торжок")


@pytest.mark.parametrize(
    ("left", "right", "agreement"),
    [
        (((), "Подслушано Ржев"), ((), "Торжок и район"), -1),
        (((), "Подслушано Ржев"), ((), "Родной Ржев"), 1),
        (((), "Подслушано Ржев"), ((TORZHOK,), None), -1),
        (((RZHEV,), "Торжок и район"), ((), "Подслушано Ржев"), 1),
        (((), "Автопатруль"), ((), "Подслушано Ржев"), 0),
        (((RZHEV,), None), ((TORZHOK,), None), 0),
    ],
)
def test_a_page_tells_the_town_of_posts_that_name_none(left, right, agreement):
    columns = derived(("нет воды", *left), ("воды нет", *right))
    assert evidence(columns, "page_town") == agreement


def test_what_is_left_unsaid_is_evidence():
    mira = Place(street="улица мира", house="5", settlement="ржев")
    columns = derived(("нет воды", (mira,), None), ("воды нет", (Place(street="улица мира"),), None))
    told = {
        name: evidence(columns, name) for name in ("streets_told", "houses_told", "settlements_told", "placed")
    }
    assert told == {"streets_told": 2, "houses_told": 1, "settlements_told": 1, "placed": 2}


def test_a_list_of_houses_is_wider_than_one():
    listed = Place(street="улица мира", house="5, 7, 9")
    columns = derived(("нет воды", (listed,), None), ("воды нет", (Place(street="улица мира", house="5"),), None))
    assert evidence(columns, "houses") == 3
    assert columns.naming.house.tolist()[0] == 0


def test_posts_that_name_a_place_weigh_double():
    columns = derived(("нет воды", (RZHEV,), None), ("и у нас", (), "Подслушано Ржев"))
    assert columns.naming.weight.tolist() == [2.0, 1.0]
