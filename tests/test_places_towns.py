import pytest

from incidentml.places import PlaceExtractor
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


#: text, its main settlement
HOMES = """
У дочки жар, педиатра нет. Сказали везите в Белорецк. Исянгулово, мы вообще люди? | исянгулово
Фельдшер сказала везите в Кумертау. Исянгулово, мы вообще люди? | исянгулово
свекровь возила в анапу на перевязку, а здание стоит без отопления. витязево, кто не понял | витязево
Ездили в Николаевск, и там пусто. Ребёнок ляжет под капельницу? Палласовка | палласовка
Врачи на месяц улетают в Иркутск. Медицина есть, да не в Киренске. | киренск
Машина приехала из Уфы пустой. Салават, минздрав, вы слышите? | салават
Труба льёт прямо в Азов, а рядом люди #таганрог | таганрог
В Перми прорвало трубу, ремонтники едут из Кунгура | пермь
Пермь, вода пришла. Берёзовка, как вы там? | пермь
в селе Отрадное и в Новой Усмани чинят дороги | отрадное
"""


@pytest.mark.parametrize("line", HOMES.strip().splitlines())
def test_where_somebody_goes_is_not_where_it_happens(line):
    text, home = line.split(" | ")
    found = [place.settlement for place in PlaceExtractor().extract(text)]
    assert found[0] == home


#: text, its settlement; - is none
READINGS = """
Быньги, Пролетарская, дом 14: трижды назначали газ | быньги
Кроуновка без связи, родители там одни | кроуновка
Баскетбол. «Самара» вырвала победу | -
Отдам пианино «Казань», настраивали ещё при дедушке | -
В бердском лицее открыли класс робототехники | -
Янтарный быт, янтаря нет и быта нет | -
это же Г. Хасана, еду двадцать и страшно | -
беда не в АТЭКе, а во вводе в дом | -
В парке Краснодар открыли новую выставку | -
в поселке российском свет моргает | российский
живу в Бердске, тепла нет | бердск
"""


@pytest.mark.parametrize("line", READINGS.strip().splitlines())
def test_names_of_things_and_people_are_no_settlements(line):
    text, settlement = line.split(" | ")
    found = next((place.settlement for place in PlaceExtractor().extract(text) if place.settlement), "-")
    assert found == settlement


def test_a_town_of_the_own_region_with_a_capital_is_read_though_it_is_a_common_word():
    places = PlaceExtractor().extract("Слесарь видимо идёт пешком из Тары", region="Омская область")
    assert [place.settlement for place in places] == ["тара"]
