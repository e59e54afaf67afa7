import pytest

from incidentml.places import compare
from incidentml.types import Place


@pytest.mark.parametrize(
    ("left", "right", "apart"),
    [
        (Place("ангарск", None, "24", "квартал 85"), Place("ангарск", None, "12", "квартал 85"), True),
        (Place("ангарск", None, "24", "квартал 85"), Place("ангарск", None, "24", "микрорайон 17"), True),
        (Place("ангарск", None, None, "квартал 85"), Place("ангарск", None, "24", "квартал 85"), False),
        (Place("ангарск", None, "24", "квартал 85"), Place("ангарск", "улица мира", "7"), False),
        (Place(None, None, None, "снт сибиряк"), Place(None, None, None, "снт ветеран"), True),
        (Place(None, None, None, "снт сибиряк"), Place(None, "улица мира"), False),
        (Place(None, "линия 1"), Place(None, "линия 3"), True),
        (Place(None, "улица 20-летия победы"), Place(None, "улица 40-летия победы"), True),
        (Place(None, "улица 20-летия победы"), Place(None, "улица 20 лет победы"), False),
    ],
)
def test_a_numbered_quarter_or_gardens_stand_in_place_of_a_street(left, right, apart):
    both = compare(left, right)
    assert (both.score < 0) == apart
    assert both.score == compare(right, left).score
