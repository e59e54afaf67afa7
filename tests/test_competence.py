import pytest

from incidentml.competence import CompetenceTable
from incidentml.errors import DataError
from incidentml.taxonomy import OUTSIDE
from incidentml.types import Level

HEADER = "territory,topic,level,executor,redirect_to\n"


@pytest.fixture
def table(tmp_path):
    def read(rows, **options):
        path = tmp_path / "table.csv"
        path.write_text(HEADER + rows, encoding="utf-8")
        return CompetenceTable.from_csv(path, **options)

    return read


def kinds(table):
    return sorted({finding.kind for finding in table.check()})


def test_the_shipped_table_is_complete():
    assert CompetenceTable.load().check() == []


def test_the_most_specific_row_wins_whatever_the_order(table):
    rows = [
        "*,*,*,Кто угодно,",
        "Пермский край,*,*,Край,",
        "Пермский край/Пермь,*,*,Город,",
        "Пермский край/Пермь,group:ЖКХ,*,Город ЖКХ,",
        "Пермский край/Пермь,Лифт неисправен или отключен,municipal,Лифты,",
    ]
    for order in (rows, rows[::-1]):
        read = table("\n".join(order))
        lift = "Лифт неисправен или отключен"
        assert read.find(lift, Level.MUNICIPAL, region="Пермский край", municipality="Пермь").executor == "Лифты"
        assert (
            read.find(lift, Level.REGIONAL, region="Пермский край", municipality="Пермь").executor == "Город ЖКХ"
        )
        assert (
            read.find("Очередь", Level.REGIONAL, region="Пермский край", municipality="Пермь").executor == "Город"
        )
        assert read.find(lift, Level.MUNICIPAL, region="Пермский край", municipality="Кунгур").executor == "Край"
        assert read.find(lift, Level.MUNICIPAL, region="Омская область").executor == "Кто угодно"


def test_placeholders_are_filled_and_missing_ones_reported():
    table = CompetenceTable.load()
    topic = "★ Открытые канализационные люки"
    told = table.find(topic, Level.MUNICIPAL, region="Пермский край", municipality="Кунгур")
    assert told.executor == "Администрация (Кунгур)"
    assert table.find(topic, Level.MUNICIPAL).missing == ("municipality",)


def test_redirects_are_followed(table):
    read = table("*,*,*,А,Б\n*,*,municipal,Б,В\n")
    found = read.find("Очередь", Level.REGIONAL)
    assert found.path == ("А", "Б")
    assert found.executor == "Б"


def test_outside_and_unknown_topics_have_no_executor():
    assert CompetenceTable.load().find(OUTSIDE, Level.MUNICIPAL) is None
    assert CompetenceTable.load().find("нет такой", Level.MUNICIPAL) is None


def test_a_gap_is_found(table):
    read = table("*,group:ЖКХ,*,А,\n")
    assert kinds(read) == ["gap"]
    assert read.find("Очередь", Level.REGIONAL) is None


def test_an_overlap_is_found_and_named(table):
    read = table("*,*,*,А,\n*,Очередь,*,Б,\n*,04.09,*,В,\n")
    finding = next(item for item in read.check() if item.kind == "overlap")
    assert finding.lines == (3, 4) or "спорят" in finding.message


def test_a_shadowed_rule_is_found(table):
    read = table("*,type:health_ministry,*,А,\n*,*,*,Б,\n*,group:Здравоохранение/Медицина,*,В,\n")
    lines = [item.lines for item in read.check() if item.kind == "shadowed"]
    assert lines == []  # the group does not hold every health topic: some are of another group
    read = table("*,type:waste_operator,*,А,\n*,*,*,Б,\n*,group:Мусор/Свалки/ТКО,*,В,\n")
    assert [item.lines for item in read.check() if item.kind == "shadowed"] == [(2,)]


def test_a_redirect_loop_stops_loading_and_can_be_listed(table):
    rows = "*,*,*,А,Б\n*,Очередь,*,Б,А\n"
    with pytest.raises(DataError, match="А → Б → А"):
        table(rows)
    read = table(rows, allow_loops=True)
    assert kinds(read) == ["redirect_loop"]
    assert "redirect_loop: перенаправление по кругу" in str(read.check()[0])


def test_a_missing_file_is_a_data_error(tmp_path):
    with pytest.raises(DataError, match="cannot be read"):
        CompetenceTable.from_csv(tmp_path / "absent.csv")


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ("*,*,*,Администрация,,отдел ЖКХ\n", "line 2: more cells than the header"),
        ('*,*,*,"Администрация,\n', "cannot be read"),
        (
            "*,*,*,Администрация ({город}),\n",
            r"'{город}'\] is never filled in; allowed: {municipality}, {region}",
        ),
    ],
)
def test_rows_that_would_name_a_wrong_body_are_refused(table, rows, message):
    with pytest.raises(DataError, match=message):
        table(rows)


def test_a_table_may_be_set_apart_by_semicolons(tmp_path):
    path = tmp_path / "own.csv"
    path.write_text("\ufeffterritory;topic;level;executor\n*;*;*;Администрация, отдел ЖКХ\n", "utf-8")
    assert CompetenceTable.from_csv(path).rules[0].executor == "Администрация, отдел ЖКХ"
