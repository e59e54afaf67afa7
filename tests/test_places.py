from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from incidentml.places import Gazetteer, PlaceExtractor, PlaceTable, compare
from incidentml.places.forms import settlement_nominative
from incidentml.types import Agreement, Place

PARTS = ("settlement", "street", "house", "landmark")
CASES = [
    line.split("\t")
    for line in (Path(__file__).parent / "data" / "places_cases.txt").read_text("utf-8").splitlines()
    if line and not line.startswith("#")
]
#: What the whole file has to reach; single cases may fail, since the extractor is a statistical one.
WANTED = {"settlement": 0.95, "street": 0.95, "house": 0.95, "landmark": 0.7}


@pytest.fixture(scope="module")
def extractor():
    return PlaceExtractor()


def main_part(places, part):
    return next((getattr(place, part) for place in places if getattr(place, part)), None)


def test_there_are_at_least_300_cases():
    assert len(CASES) >= 300


@pytest.mark.parametrize("part", PARTS)
def test_written_cases_are_read(extractor, part):
    hits = found = wanted = 0
    wrong = []
    for text, *row in CASES:
        expected = dict(zip(PARTS, row, strict=True))[part]
        got = main_part(extractor.extract(text), part)
        wanted += expected != "-"
        found += got is not None
        if got == expected:
            hits += 1
        elif got or expected != "-":
            wrong.append((text, expected, got))
    score = 2 * hits / (found + wanted)
    assert score >= WANTED[part], wrong[:30]


def test_posts_without_a_place_stay_without(extractor):
    none = [text for text, *row in CASES if set(row) == {"-"}]
    false = [text for text in none if any(p.settlement or p.street or p.house for p in extractor.extract(text))]
    assert len(false) <= 0.06 * len(none), false


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("на Гагарина 12 нет воды", "улица Гагарина, 12"),
        ("гагарина12", "ул. Гагарина д. 12"),
        ("Гагарина двенадцать, темно", "на гагарина 12 темно"),
        ("дом 14 корп 2 по Мира", "Мира 14к2, лифт"),
        ("на Советской 7 прорыв", "Советская улица, 7"),
        ("К. Маркса, 10 свет", "ул. Карла Маркса 10"),
    ],
)
def test_forms_of_one_address_agree(extractor, left, right):
    agreement = compare(extractor.extract(left)[0], extractor.extract(right)[0])
    assert agreement.street is Agreement.SAME
    assert agreement.house is Agreement.SAME
    assert agreement.score > 0.5


@pytest.mark.parametrize(
    ("word", "before", "kind", "nominative"),
    [
        ("тимофеевке", "в", "", "тимофеевка"),
        ("натальевки", "из", "", "натальевка"),
        ("бекетова", "до", "", "бекетово"),
        ("байкибашеве", "в", "", "байкибашево"),
        ("фролами", "за", "", "фролы"),
        ("ключах", "в", "", "ключи"),
        ("чалтырем", "под", "", "чалтырь"),
        ("искитиме", "в", "", "искитим"),
        ("раздорской", "в", "станица", "раздорская"),
        ("воскресенского", "из", "село", "воскресенское"),
        ("родниковском", "в", "хутор", "родниковский"),
        ("островского", "", "хутор", "островского"),
        ("таштимерово", "в", "", "таштимерово"),
        ("горки", "в", "", "горки"),
    ],
)
def test_unknown_villages_come_to_the_nominative(word, before, kind, nominative):
    assert settlement_nominative(word, before, kind) == nominative


@pytest.mark.parametrize(
    ("text", "house"),
    [
        ("на Выборной от 91 до 125 темнота", "91-125"),
        ("на Титова дома с 12 по 20 без воды", "12-20"),
        ("на Мира дома 31 33 35 нет света", "31,33,35"),
        ("на Мира дома 14, 16 и 18 нет света", "14,16,18"),
        ("дом двадцать пять на Мира", "25"),
        ("тридцать второй дом по улице Мира", "32"),
        ("у 15го дома по Кольцевой", "15"),
        ("у нас в 37м тоже сухо", "37"),
        ("у шестьдесят второго есть тоненькая струйка", "62"),
        ("Октябрьскую прорвало, вода течет во дворы и сразу замерзает. Дома 22, 24 сухие", "22,24"),
        ("ул. Чехова (нечётная сторона, 267–313) без света", "267-313"),
        ("В 74м сегодня не принимают карту", None),
        ("Двадцать второй трамвай на Восточно-Кругликовской это лотерея", None),
        ("На Восточной нет света, дед с сердцем, и так вчера с 13 до 20", None),
        ("Отключили 6 домов на Мира", None),
        ("с 9 до 18 на Титова не будет света", None),
        ("липы сажали в 60-х на улице Мира", None),
    ],
)
def test_houses_in_words_lists_and_ranges(extractor, text, house):
    assert main_part(extractor.extract(text), "house") == house


@pytest.mark.parametrize(
    ("text", "landmark"),
    [
        ("у седьмой школы нет света", "школа 7"),
        ("родители тридцать третьей школы", "школа 33"),
        ("двор за шестнадцатой школой", "школа 16"),
        ("7-я школа без воды", "школа 7"),
        ("5-я поликлиника не работает", "поликлиника 5"),
        ("5-й микрорайон без воды", "микрорайон 5"),
        ("второй автобус не пришёл", None),
        ("На Уралмаше третий день нет горячей воды", "уралмаш"),
        ("на площади Ленина не горят фонари", "площадь ленина"),
        ("На 512-м километре столкнулись фура и автобус", "километр 512"),
    ],
)
def test_landmarks_by_number_and_by_name(extractor, text, landmark):
    assert main_part(extractor.extract(text), "landmark") == landmark


@pytest.mark.parametrize("sign", "²½٣①")
def test_signs_that_only_look_like_figures_break_nothing(extractor, sign):
    for text in (f"дома 3, {sign}, 5 на Мира", f"с 3 по {sign} на Ленина", f"{sign}-я школа", f"маршрут {sign}"):
        for place in extractor.extract(text):
            assert all(text[span.start : span.end] for span in place.spans.values())


def test_named_landmarks_come_before_routes_and_mere_kinds(extractor):
    places = extractor.extract("71 автобус сломался у магазина, стоим возле Пятёрочки на Уралмаше")
    assert main_part(places, "landmark") == "уралмаш"


def test_a_landmark_without_a_kind_is_the_same_as_in_older_states():
    assert compare(Place(landmark="место уралмаш"), Place(landmark="уралмаш")).landmark is Agreement.SAME


@pytest.mark.parametrize(
    ("text", "street"),
    [
        ("ул. 64 армии, 63. Песочница", "улица 64 армии"),
        ("На 2-й Брянской, 12 нет воды", "улица 2-я брянская"),
        ("Лестницы не мыты с Нового года, 12 Декабря, 91", "улица 12 декабря"),
        ("12 декабря отключили воду", None),
    ],
)
def test_numbers_belong_to_the_names_of_streets(extractor, text, street):
    assert main_part(extractor.extract(text), "street") == street


def test_a_town_after_its_district_is_the_town(extractor):
    places = extractor.extract("Жители Заволжского района Твери просят починить свет", region="Тверская область")
    assert main_part(places, "settlement") == "тверь"


def test_adjectives_of_regions_are_no_places(extractor):
    assert not any(p.settlement or p.street for p in extractor.extract("Приморский краевой суд оставил приговор"))


def test_parts_of_a_town_are_landmarks_in_their_own_region_only():
    gazetteer = Gazetteer.default()
    assert gazetteer.find(["гайве"], "Пермский край")[0].area
    assert not any(entry.area for entry in gazetteer.find(["гайве"], "Тверская область"))
    assert not any(entry.area for entry in gazetteer.find(["северной"], "Ростовская область"))


def test_the_region_settles_which_town_is_meant_and_candidates_are_kept(extractor):
    place = extractor.extract("г. Железногорск, ул. Ленина 5", region="Курская область")[0]
    assert place.settlement == "железногорск"
    assert place.candidates[0] == "железногорск (Курская область)"
    assert len(place.candidates) > 1


def test_a_table_of_the_user_adds_settlements(tmp_path):
    path = tmp_path / "table.csv"
    path.write_text("region,municipality,settlement,street\nПермский край,,Зюкайчик,Бомбибова\n", "utf-8")
    gazetteer = Gazetteer.from_csv(path)
    assert gazetteer.find(["зюкайчик"])[0].region == "Пермский край"
    assert gazetteer.is_street("бомбибова")
    place = PlaceExtractor(gazetteer).extract("в Зюкайчике на Бомбибова 5 нет света", region="Пермский край")[0]
    assert (place.settlement, place.street, place.house) == ("зюкайчик", "улица бомбибова", "5")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "а",
        "abc def",
        "🚒🔥",
        "12",
        "\u0301\u0308",
        "ё" * 200,
        "нaМирa5",
        "\ud800",
        "й́ М" + "и\u0306" * 3,
        "İİ Мира 5",
    ],
)
def test_strange_texts_do_no_harm(extractor, text):
    for place in extractor.extract(text):
        for part, span in place.spans.items():
            assert text[span.start : span.end].strip(), part


PIECES = st.sampled_from(
    [
        "Мира",
        "ул.",
        "улица",
        "5",
        "12",
        "/",
        ",",
        ". ",
        " ",
        "\n",
        "на",
        "г.",
        "Пермь",
        "дом",
        "к2",
        "«",
        "»",
        "школа",
        "-",
        "№",
        "ё",
        "İ",
        "a",
        "🚒",
    ]
)


@settings(max_examples=150, deadline=None)
@given(st.lists(PIECES, max_size=60).map("".join) | st.text(max_size=80))
def test_spans_lie_in_the_text_and_order_does_not_depend_on_anything(text):
    extractor = PlaceExtractor()
    places = extractor.extract(text)
    assert places == extractor.extract(text)
    for place in places:
        assert set(place.spans) == {part for part in PARTS if getattr(place, part)}
        for span in place.spans.values():
            assert 0 <= span.start < span.end <= len(text)


@pytest.mark.parametrize("piece", ["улица Мира 5 ", "а", "1-", "ул. ", "Ленина/", '"школа ', "Мира 5, "])
def test_time_is_linear_in_length(extractor, piece):
    import time

    def seconds(size):
        text = piece * (size // len(piece))
        start = time.process_time()
        extractor.extract(text)
        return time.process_time() - start

    seconds(2_000)
    assert seconds(60_000) < 60 * max(seconds(6_000), 0.005)


def test_another_house_or_street_or_town_is_a_conflict_and_a_missing_part_is_not():
    here = Place("пермь", "улица мира", "5")
    assert compare(here, Place("пермь", "улица мира", "7")).score < 0
    assert compare(here, Place("пермь", "улица ленина", "5")).score < 0
    assert compare(here, Place("кунгур", "улица мира", "5")).score < 0
    assert compare(here, Place(street="улица мира")).score > 0
    assert compare(here, Place()).score == 0
    assert compare(here, Place(street="улица мира", house="5к2")).house is Agreement.COMPATIBLE
    assert compare(here, Place(street="улица мира", house="1-9")).house is Agreement.COMPATIBLE


def test_the_reason_is_told_in_words():
    reason = compare(Place("пермь", "улица мира", "5"), Place("пермь", "улица мира", "7")).reason
    assert reason == "один населённый пункт; одна улица; разные дома"


PLACES = st.builds(
    Place,
    st.sampled_from([None, "пермь", "кунгур"]),
    st.sampled_from([None, "улица мира", "проспект мира", "улица ленина"]),
    st.sampled_from([None, "5", "5к2", "7", "1-9"]),
    st.sampled_from([None, "школа 5", "школа 7", "рынок"]),
)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.lists(PLACES, max_size=3).map(tuple), min_size=2, max_size=6))
def test_comparison_is_symmetric_and_does_not_depend_on_other_posts(rows):
    table = PlaceTable.build(rows, [None] * len(rows))
    left, right = np.array([0, 1]), np.array([1, 0])
    both = table.compare(left, right)
    assert both.score[0] == both.score[1]
    alone = PlaceTable.build(rows[:2], [None, None]).compare(left, right)
    assert (alone.score == both.score).all()
    assert (np.abs(both.score) <= 1).all()


def test_posts_about_one_place_share_a_block_key(extractor):
    texts = ["Пермь, на Гагарина 12 потоп", "ул. Гагарина, 12 затопило"]
    table = PlaceTable.build([extractor.extract(text) for text in texts], ["Пермский край"] * 2)
    first, second = table.block_keys()
    assert set(first) & set(second)


def test_a_table_needs_a_region_for_each_post():
    with pytest.raises(ValueError, match="1 posts have places, 2 have regions"):
        PlaceTable.build([()], [None, None])


def test_other_numbers_of_a_kind_contradict_beside_landmarks_that_tell_nothing():
    places = [
        (Place(landmark=f"километр {n}"), Place(landmark=turn)) for n, turn in ((25, "салаирка"), (18, "каменка"))
    ]
    agreement = PlaceTable.build(places, [None, None]).compare(np.array([0]), np.array([1]))
    assert agreement.landmark.tolist() == [-1]
