import pytest

from incidentml.competence_rules import CompetenceRule, read_rules
from incidentml.errors import DataError
from incidentml.taxonomy import Taxonomy
from incidentml.types import Level

HEADER = "territory,topic,level,executor,redirect_to\n"
TOPIC = "Лифт неисправен или отключен"


def read(text):
    return read_rules(iter(text.splitlines()), "own.csv", Taxonomy.load())


def test_rows_are_read_with_their_lines_and_without_their_blanks():
    assert read(HEADER + " Пермский край ,*,municipal, А ,\n*,*,*,Б,В\n") == [
        CompetenceRule(2, "Пермский край", "*", "municipal", "А"),
        CompetenceRule(3, "*", "*", "*", "Б", "В"),
    ]


def test_the_column_of_redirects_may_be_absent():
    assert read("territory,topic,level,executor\n*,*,*,А\n") == [CompetenceRule(2, "*", "*", "*", "А")]


def test_specificity_counts_territory_before_topic_before_level():
    rows = [
        "*,*,*",
        "*,*,municipal",
        "*,type:municipality,*",
        "*,group:ЖКХ,*",
        f"*,{TOPIC},*",
        "Омская область,*,*",
    ]
    rows.append("Омская область/Омск,*,*")
    rules = [CompetenceRule(0, *row.split(","), "А") for row in rows]
    assert sorted(rules, key=lambda rule: rule.specificity) == rules


def test_a_row_of_a_region_covers_its_municipalities_and_no_other_region():
    region = CompetenceRule(2, "Омская область", "*", "*", "А")
    city = CompetenceRule(3, "Омская область/Омск", "*", "*", "А")
    assert region.covers_territory("Омская область", "Омск")
    assert not region.covers_territory("Томская область", "Омск")
    assert city.covers_territory("Омская область", "Омск")
    assert not city.covers_territory("Омская область", None)


@pytest.mark.parametrize("named", ["*", TOPIC, "group", "type", "code"])
def test_a_row_covers_a_topic_by_name_code_group_or_type(named):
    record = Taxonomy.load().topics[TOPIC]
    topic = {"group": f"group:{record.group}", "type": f"type:{record.executor_type}", "code": record.code}
    rule = CompetenceRule(2, "*", topic.get(named, named), "municipal", "А")
    assert rule.covers_case(record, Level.MUNICIPAL)
    assert not rule.covers_case(record, Level.REGIONAL)


BAD = [
    ("territory,topic,level\n*,*,*\n", "executor"),
    (HEADER, "no rows"),
    (HEADER + "*,Полёты,*,А,\n", "Полёты"),
    (HEADER + "*,type:никто,*,А,\n", "type:никто"),
    (HEADER + "*,*,космический,А,\n", "космический"),
    (HEADER + "*,*,*,,\n", "must not be empty"),
    ("", "are missing"),
]


@pytest.mark.parametrize(("text", "message"), BAD)
def test_a_bad_table_names_what_is_wrong(text, message):
    with pytest.raises(DataError, match=f"^own.csv.*{message}"):
        read(text)
