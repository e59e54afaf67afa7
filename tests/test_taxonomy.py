import json

import pytest

from incidentml.errors import DataError
from incidentml.taxonomy import OUTSIDE, RubricatorMapping, Taxonomy
from incidentml.types import Level, Scale


@pytest.fixture(scope="module")
def taxonomy():
    return Taxonomy.load()


def test_the_shipped_rubricator_has_26_groups_and_195_topics(taxonomy):
    assert len(taxonomy.groups) == 26
    assert len(taxonomy.topics) == 195
    assert sum(len(taxonomy.topics_of(group)) for group in taxonomy.groups) == 195


def test_a_star_in_the_name_marks_the_fast_track(taxonomy):
    starred = [record for record in taxonomy.topics.values() if record.fast_track]
    assert len(starred) == 33
    assert all(record.name.startswith("★") for record in starred)


def test_every_topic_is_filled_and_not_by_one_constant(taxonomy):
    records = list(taxonomy.topics.values())
    for field in ("asset", "duration_days", "executor_type", "term_days", "urgency_prior", "season"):
        assert len({getattr(record, field) for record in records}) > 5, field
    assert {record.level for record in records} == set(Level)
    assert {record.emergency for record in records} == {True, False}
    assert all(5 <= record.term_days <= 30 for record in records)


SEASONS = [
    ("★ Наледь и сосульки на кровле", 1, True),
    ("★ Наледь и сосульки на кровле", 7, False),
    ("Борщевик Сосновского", 7, True),
    ("Борщевик Сосновского", 1, False),
    ("Вакцинация", 7, True),
]


@pytest.mark.parametrize(("topic", "month", "usual"), SEASONS)
def test_season_of_a_topic(taxonomy, topic, month, usual):
    assert taxonomy.topics[topic].in_season(month) is usual


def test_the_scale_lifts_the_level(taxonomy):
    record = taxonomy.topics["Отсутствие электричества"]
    assert record.level_for(Scale.BUILDING) == Level.MUNICIPAL
    assert record.level_for(Scale.REGION) == Level.REGIONAL


def test_level_never_falls_as_scale_grows(taxonomy):
    for record in taxonomy.topics.values():
        ranks = [list(Level).index(record.level_for(scale)) for scale in Scale]
        assert ranks == sorted(ranks), record.name


def test_group_of_an_unknown_topic_is_outside(taxonomy):
    assert taxonomy.group_of("Перелёты на Луну") == OUTSIDE


def _write(tmp_path, change):
    row = {
        "code": "1", "topic": "a", "group": "g", "fast_track": False, "asset": "x", "season": [1],
        "duration_days": 3, "level": "municipal", "level_by_scale": {}, "executor_type": "t", "term_days": 5,
        "emergency": False, "urgency_prior": 1.0,
    }  # fmt: skip
    raw = {"name": "n", "version": "1", "executor_types": {"t": "кто-то"}, "topics": [row]}
    change(raw, row)
    path = tmp_path / "own.json"
    path.write_text(json.dumps(raw), encoding="utf-8")
    return path


def test_a_users_rubricator_is_read(tmp_path):
    assert Taxonomy.from_json(_write(tmp_path, lambda raw, row: None)).groups == ("g",)


BAD = [
    (lambda raw, row: row.pop("level"), "level"),
    (lambda raw, row: row.update(level="galactic"), "galactic"),
    (lambda raw, row: row.update(season=[13]), "months 1 to 12"),
    (lambda raw, row: row.update(term_days=0), "positive"),
    (lambda raw, row: row.update(urgency_prior=9), "urgency_prior"),
    (lambda raw, row: row.update(executor_type="nobody"), "executor_types"),
    (lambda raw, row: raw.pop("version"), "version"),
    (lambda raw, row: raw.update(topics=[]), "no topics"),
    (lambda raw, row: raw["topics"].append(dict(row)), "more than once"),
]


@pytest.mark.parametrize(("change", "message"), BAD)
def test_a_bad_rubricator_names_what_is_wrong(tmp_path, change, message):
    with pytest.raises(DataError, match=message):
        Taxonomy.from_json(_write(tmp_path, change))


def test_a_mapping_works_both_ways_by_name_and_by_code(tmp_path, taxonomy):
    path = tmp_path / "map.csv"
    path.write_text("ours,theirs\nВакцинация,Прививки\n03.01,Остановки\nВакцинация,Вакцины\n", encoding="utf-8")
    mapping = RubricatorMapping.from_csv(path)
    assert mapping.to_theirs["Вакцинация"] == ("Прививки", "Вакцины")
    assert mapping.to_ours["Остановки"] == ("Содержание остановок",)
    assert "Очередь" in mapping.missing()
    assert len(mapping.missing()) == 193


@pytest.mark.parametrize(
    ("text", "message"),
    [("a,b\n1,2\n", "ours"), ("ours,theirs\nнет такой,x\n", "нет такой"), ("ours,theirs\nОчередь,\n", "empty")],
)
def test_a_bad_mapping_names_the_line(tmp_path, text, message):
    path = tmp_path / "map.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(DataError, match=message):
        RubricatorMapping.from_csv(path)
