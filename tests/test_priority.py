from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

from incidentml.evidence import IncidentEvidence, rule_hits
from incidentml.priority import PriorityScorer, priority_features
from incidentml.types import Place, Post, Scale, Urgency

TEXTS = [
    ("искрит провод во дворе, током бьёт, дети рядом", 3, "street"),
    ("открытый люк у школы, ребёнок чуть не упал", 3, "street"),
    ("нет тепла третий день, в квартире десять градусов, грудной ребёнок", 3, "building"),
    ("скорая ехала четыре часа, бабушка умерла", 3, "person"),
    ("нет горячей воды вторую неделю", 2, "building"),
    ("лифт не работает, пожилые люди не могут выйти", 2, "building"),
    ("яма на дороге, колесо пробил", 2, "street"),
    ("автобус не пришёл, стояли час на морозе", 2, "district"),
    ("мусор не вывозят, вонь", 1, "building"),
    ("в подъезде не моют полы", 1, "building"),
    ("лавочка сломана у подъезда", 1, "building"),
    ("расписание на остановке неверное", 1, "district"),
    ("предлагаю посадить сирень", 0, "settlement"),
    ("сделайте каток для детей", 0, "settlement"),
    ("когда откроют парк", 0, "settlement"),
    ("хорошо бы фонтан покрасить", 0, "settlement"),
]
WORDS = [text for text, _, _ in TEXTS] * 3


@pytest.fixture(scope="module")
def scorer():
    harm = [urgency for _, urgency, _ in TEXTS] * 3
    steps = [scale for _, _, scale in TEXTS] * 3
    return PriorityScorer(folds=2).fit(priority_features(WORDS), harm, steps)


def test_danger_is_called_danger(scorer):
    rows = scorer.score_posts([text for text, urgency, _ in TEXTS if urgency == 3])
    for row in rows:
        assert scorer.score(row[None], IncidentEvidence()).urgency == Urgency.DANGER


def test_the_score_is_the_sum_of_its_named_parts(scorer):
    priority = scorer.score(scorer.score_posts(WORDS[:2]), IncidentEvidence(posts=2, authors=2))
    assert priority.score == round(sum(priority.parts.values()), 3)
    assert {"danger", "people", "growth", "scale"} <= set(priority.parts)
    assert any("опасность" in reason for reason in priority.reasons)


evidences = st.builds(
    IncidentEvidence,
    posts=st.integers(1, 50),
    authors=st.integers(1, 50),
    networks=st.integers(1, 5),
    houses=st.integers(0, 9),
    growth=st.integers(1, 50),
    month=st.integers(1, 12),
    topic=st.sampled_from([None, "Вакцинация", "★ Прорыв трубы/трубопровода"]),
)


@settings(max_examples=60, deadline=None)
@given(
    evidence=evidences,
    field=st.sampled_from(["authors", "networks", "houses", "growth"]),
    more=st.integers(1, 9),
    post=st.sampled_from(WORDS),
)
def test_more_people_houses_networks_or_growth_never_lower_the_score(scorer, evidence, field, more, post):
    rows = scorer.score_posts([post])
    grown = replace(evidence, **{field: getattr(evidence, field) + more})
    assert scorer.score(rows, grown).score >= scorer.score(rows, evidence).score


@settings(max_examples=60, deadline=None)
@given(
    evidence=evidences, posts=st.lists(st.sampled_from(WORDS), min_size=1, max_size=5), one=st.sampled_from(WORDS)
)
def test_one_more_post_never_lowers_the_score(scorer, evidence, posts, one):
    before = scorer.score(scorer.score_posts(posts), evidence)
    after = scorer.score(scorer.score_posts([*posts, one]), evidence)
    assert after.score >= before.score
    assert after.parts["danger"] >= before.parts["danger"]


def test_the_order_of_posts_does_not_count(scorer):
    rows = scorer.score_posts(WORDS)
    shuffled = rows[np.random.default_rng(0).permutation(len(rows))]
    assert scorer.score(rows, IncidentEvidence()) == scorer.score(shuffled, IncidentEvidence())


def test_many_incidents_are_scored_as_each_on_its_own(scorer):
    rows = scorer.score_posts(WORDS)
    incidents = [rows[start : start + size] for start, size in ((0, 1), (1, 9), (10, 2), (12, 30))]
    evidence = [IncidentEvidence(authors=k + 1, topic="Вакцинация" if k else None) for k in range(4)]
    assert scorer.score_all([], []) == []
    alone = [scorer.score(scores, facts) for scores, facts in zip(incidents, evidence, strict=True)]
    assert scorer.score_all(incidents, evidence) == alone


def test_rows_are_the_same_bits_in_any_batch(scorer):
    rows = scorer.score_posts(WORDS)
    again = np.concatenate([scorer.score_posts([text]) for text in WORDS])
    assert np.array_equal(rows, again)


def test_the_same_answers_after_save_and_load(scorer, tmp_path):
    other = PriorityScorer.load(scorer.save(tmp_path / "model"))
    assert np.array_equal(other.score_posts(WORDS), scorer.score_posts(WORDS))
    rows = scorer.score_posts(WORDS[:3])
    assert other.score(rows, IncidentEvidence()) == scorer.score(rows, IncidentEvidence())


HITS = [
    ("Искрит провод", "danger", True),
    ("ОТКРЫТЫЙ ЛЮК", "danger", True),
    ("посадите цветы", "danger", False),
    ("мой ребёнок", "vulnerable", True),
    ("бабушка 82 года", "vulnerable", True),
    ("на улице мороз", "weather", True),
    ("весь дом без воды", "many", True),
    ("", "danger", False),
]


@pytest.mark.parametrize(("text", "name", "found"), HITS)
def test_lexicons(text, name, found):
    column = ("danger", "vulnerable", "weather", "many").index(name)
    assert bool(rule_hits([text])[0, column]) is found


def post(number, hours, author=None, network="vk"):
    moment = datetime(2024, 1, 5, tzinfo=UTC) + timedelta(hours=hours)
    return Post(str(number), network, "нет воды", moment, author_id=author)


def test_evidence_counts_what_is_distinct():
    posts = [post(1, 0, "a"), post(2, 1, "b"), post(3, 2, "a", "ok"), post(4, 30)]
    places = [(Place(street="улица мира", house="1"),), (Place(street="улица мира", house="3"),), (), ()]
    evidence = IncidentEvidence.from_posts(posts, places)
    assert (evidence.posts, evidence.authors, evidence.networks) == (4, 3, 2)
    assert (evidence.streets, evidence.houses, evidence.growth, evidence.month) == (1, 2, 2, 1)
    assert evidence == IncidentEvidence.from_posts(posts[::-1], places[::-1])
    assert evidence.hours == 30


def test_bad_input_is_named(scorer):
    with pytest.raises(ValueError, match="at least one post"):
        IncidentEvidence.from_posts([])
    with pytest.raises(ValueError, match="at least one row"):
        scorer.score(np.zeros((0, 15)), IncidentEvidence())
    with pytest.raises(ValueError, match="danger_recall"):
        PriorityScorer(danger_recall=2).fit(priority_features(WORDS[:2]), [1, 2], ["street", "street"])
    with pytest.raises(ValueError, match="urgency 4, expected one of"):
        PriorityScorer(folds=2).fit(priority_features(WORDS[:2]), [1, 4], ["street", "street"])
    with pytest.raises(NotFittedError):
        PriorityScorer().score_posts(["нет воды"])


def test_clone_keeps_the_settings():
    assert clone(PriorityScorer(C=2.0)).get_params()["C"] == 2.0


def test_every_step_of_scale_can_be_said(scorer):
    assert isinstance(scorer.score(scorer.score_posts(["весь город"]), IncidentEvidence()).scale, Scale)


@pytest.mark.parametrize(
    ("urgency", "scale", "message"),
    [
        ([7], ["street"], "urgency 7, expected one of"),
        ([-3], ["street"], "urgency -3, expected one of"),
        ([1], ["road"], "scale 'road', expected one of .*'street'"),
        ([None], ["street"], "urgency is known for no row"),
        ([1, 1], ["street"], "labels of urgency; give one for each"),
    ],
)
def test_labels_that_do_not_fit_are_named(urgency, scale, message):
    features = priority_features(WORDS)
    with pytest.raises(ValueError, match=message):
        PriorityScorer(folds=2).fit(features, urgency * len(WORDS), scale * len(WORDS))


def test_labels_of_a_table_with_gaps_are_read_as_unknown():
    harm = [float(urgency) for _, urgency, _ in TEXTS] * 3 + [float("nan")]
    steps = [scale for _, _, scale in TEXTS] * 3 + [float("nan")]
    texts = [*WORDS, "яма"]
    gaps = PriorityScorer(folds=2).fit(priority_features(texts), harm, steps)
    told = (
        [None if value != value else value for value in harm],
        [None if value != value else value for value in steps],
    )
    assert np.array_equal(
        gaps.score_posts(texts), PriorityScorer(folds=2).fit(priority_features(texts), *told).score_posts(texts)
    )
