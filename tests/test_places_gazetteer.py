import pytest

from incidentml.errors import DataError
from incidentml.places.forms import name_forms, nominative, stem
from incidentml.places.gazetteer import Gazetteer, word_class


@pytest.mark.parametrize(
    ("words", "name"),
    [
        ("перми", "пермь"),
        ("орле", "орел"),
        ("ельце", "елец"),
        ("нижнем новгороде", "нижний новгород"),
        ("комсомольске-на-амуре", "комсомольск-на-амуре"),
        ("березниках", "березники"),
        ("набережных челнов", "набережные челны"),
        ("екб", "екатеринбург"),
        ("питере", "санкт-петербург"),
        ("чусовом", "чусовой"),
        ("торжке", "торжок"),
        ("вышнем волочке", "вышний волочек"),
        ("искитима", "искитим"),
        ("новом уренгое", "новый уренгой"),
        ("воронежем", "воронеж"),
        ("химок", "химки"),
        ("каменска-уральского", "каменск-уральский"),
    ],
)
def test_settlements_are_found_in_any_case(words, name):
    assert Gazetteer.default().find(words.split())[0].name == name


def test_the_region_comes_first_and_then_the_larger():
    found = Gazetteer.default().find(["железногорск"], "Курская область")
    assert found[0].region == "Курская область"
    assert len({entry.region for entry in found}) > 1


def test_ordinary_words_are_no_settlements():
    assert Gazetteer.default().find(["вода"]) == []


def test_classes_of_words():
    assert "s" in word_class("гагарина")
    assert word_class("батареи").startswith("N")
    assert word_class("абырвалгович") == ""


@pytest.mark.parametrize(
    ("word", "kind", "wanted"),
    [
        ("советской", "улица", "советская"),
        ("октябрьском", "проспект", "октябрьский"),
        ("гагарина", "улица", "гагарина"),
        ("садовую", "улица", "садовая"),
    ],
)
def test_nominatives(word, kind, wanted):
    assert nominative(word, kind) == wanted


def test_all_cases_share_a_stem():
    for name in ("самара", "уфа", "пермь", "березники", "чусовой"):
        assert len({stem(form) for form in name_forms(name)}) <= 3


def test_a_table_without_the_columns_is_an_error(tmp_path):
    path = tmp_path / "table.csv"
    path.write_text("a,b\n1,2\n", "utf-8")
    with pytest.raises(DataError, match="settlement or street"):
        Gazetteer.from_csv(path)


def test_a_missing_table_is_an_error(tmp_path):
    with pytest.raises(DataError, match="cannot be read"):
        Gazetteer.from_csv(tmp_path / "none.csv")


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("Пермский край,,Абырвалгино,Мира, 5", "line 2: 5 cells, the header has 4"),
        ('Пермский край,,"Абырвалгино,', "cannot be read"),
    ],
)
def test_a_row_that_does_not_fit_its_header_is_named(tmp_path, row, message):
    path = tmp_path / "table.csv"
    path.write_text(f"region,municipality,settlement,street\n{row}\n", "utf-8")
    with pytest.raises(DataError, match=message):
        Gazetteer.from_csv(path)


def test_a_user_table_does_not_change_the_shipped_gazetteer(tmp_path):
    path = tmp_path / "table.csv"
    path.write_text("region;municipality;settlement;street\nПермский край;;Абырвалгино;\n", "utf-8")
    assert Gazetteer.from_csv(path).find(["абырвалгино"])
    assert Gazetteer.default().find(["абырвалгино"]) == []


def test_the_municipality_settles_between_settlements_of_one_region(tmp_path):
    path = tmp_path / "table.csv"
    path.write_text(
        "region,municipality,settlement,street\nПермский край,А,Ключевка,\nПермский край,Б,Ключевка,\n", "utf-8"
    )
    gazetteer = Gazetteer.from_csv(path)
    for wanted in ("А", "Б"):
        assert gazetteer.find(["ключевке"], "Пермский край", wanted)[0].municipality == wanted
