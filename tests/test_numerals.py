from incidentml.numerals import CARDINALS, NUMERALS, ORDINALS


def test_every_number_has_a_cardinal_and_ordinals_of_each_gender():
    assert [CARDINALS[word] for word in ("один", "двадцать", "сорок", "девяносто")] == [1, 20, 40, 90]
    assert [ORDINALS[word] for word in ("первой", "третьего", "седьмую", "сороковым")] == [1, 3, 7, 40]


def test_houses_are_numbered_by_cardinals_genitives_and_masculine_ordinals():
    words = ("двух", "второй", "третьем", "двенадцати", "двадцатого", "сто", "двухсотый")
    assert [NUMERALS[word] for word in words] == [2, 2, 3, 12, 20, 100, 200]
    assert "первая" not in NUMERALS
