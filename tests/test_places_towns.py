import pytest

from incidentml.places.towns import is_town, town_of_page

PAGES = [
    ("Типичный Тольятти", "Самарская область", "тольятти"),
    ("Мамы Твери", "Тверская область", "тверь"),
    ("Подслушано Нижняя Тавда", "Тюменская область", "нижняя тавда"),
    ("ДТП и ЧП Ростов", "Ростовская область", "ростов-на-дону"),
    ("Новая Усмань подслушано", "Воронежская область", "новая усмань"),
    ("Северный чат соседей", "Воронежская область", None),  # a quarter; the town of this name is elsewhere
    ("Мамы района", "Тверская область", None),
    ("@vrn_chp36", "Воронежская область", None),
    ("", None, None),
    ("Подслушано Ржев", None, "ржев"),
]


@pytest.mark.parametrize(("source", "region", "town"), PAGES)
def test_the_town_of_a_page_is_read_from_its_name(source, region, town):
    assert town_of_page(source, region) == town


@pytest.mark.parametrize(
    ("name", "region", "known"),
    [
        ("березники", "Пермский край", True),
        ("березники", "Самарская область", False),
        ("ростов-на-дону", None, True),
        ("уралмаш", "Свердловская область", False),  # a part of a town
        ("крохалевка", "Пермский край", False),
        ("", None, False),
    ],
)
def test_towns_are_told_from_parts_of_towns_and_unknown_names(name, region, known):
    assert is_town(name, region) == known
