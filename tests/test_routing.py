import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

from incidentml.assignment import assign_executor, decide_level, level_table
from incidentml.competence import CompetenceTable
from incidentml.conformal import ConformalSets
from incidentml.heads import text_features
from incidentml.lexical import LexicalWeights, lexical_counts
from incidentml.routing import UNROUTABLE, Case, Router, routing_features, within_budget
from incidentml.taxonomy import OUTSIDE, Taxonomy
from incidentml.types import Level, Place, Route, Scale

HEAT, HOLE, CLINIC = "Ненадлежащее качество или отсутствие отопления", "Ямы и выбоины на дороге", "Очередь"
ROWS = [
    ("нет тепла, батареи ледяные", HEAT), ("в квартире холодно, отопления нет", HEAT),
    ("батареи еле тёплые, мёрзнем", HEAT), ("третий день без отопления весь дом", HEAT),
    ("яма на дороге, пробил колесо", HOLE), ("дорога разбита, ямы по колено", HOLE),
    ("выбоина на перекрёстке, диск погнул", HOLE), ("ямы на дороге у школы", HOLE),
    ("очередь в поликлинике три часа", CLINIC), ("сидим в очереди к врачу с талоном", CLINIC),
    ("в поликлинике очередь на улице", CLINIC), ("очередь к терапевту до вечера", CLINIC),
    ("банк списал комиссию за карту", OUTSIDE), ("магазин не вернул деньги за телефон", OUTSIDE),
    ("посылка потерялась, почта молчит", OUTSIDE), ("банк навязал страховку и карту", OUTSIDE),
]  # fmt: skip
TEXTS = [text for text, _ in ROWS] * 2
LABELS = [label for _, label in ROWS] * 2
LEVELS = ["regional" if label == CLINIC else "municipal" for label in LABELS]


@pytest.fixture(scope="module")
def router():
    return Router(folds=2).fit(routing_features(TEXTS), LABELS, levels=LEVELS)


def test_topics_are_learnt(router):
    said = router.predict(
        routing_features(["опять батареи холодные", "огромная яма на дороге", "очередь к врачу"])
    )
    assert said.tolist() == [HEAT, HOLE, CLINIC]


def test_probabilities_sum_to_one_and_groups_follow_the_rubricator(router):
    scores = router.score_posts(TEXTS)
    assert np.allclose(router.topics_proba(scores).sum(axis=1), 1)
    groups = router.groups_proba(scores)
    assert groups.shape == (len(TEXTS), 26)
    assert router.taxonomy.groups[int(groups[0].argmax())] == "ЖКХ"


def test_rows_are_the_same_bits_in_any_batch_and_order(router):
    rows = router.score_posts(TEXTS)
    assert np.array_equal(rows, np.concatenate([router.score_posts([text]) for text in TEXTS]))
    assert np.array_equal(rows[::-1], router.score_posts(TEXTS[::-1]))
    assert np.array_equal(router.heads_.scores(routing_features(TEXTS)), rows)


def test_an_incident_is_decided_from_all_its_posts(router):
    rows = router.score_posts(["нет тепла, батареи ледяные", "сколько можно", "опять мёрзнем без отопления"])
    route = router.route(rows, region="Пермский край", municipality="Кунгур")
    assert route.topic == HEAT
    assert route.group == "ЖКХ"
    assert route.executor == "Теплоснабжающая организация (Кунгур)"
    assert route == router.route(rows[::-1], region="Пермский край", municipality="Кунгур")
    assert len(route.topic_alternatives) == 3
    assert route.topic_alternatives[0][0] == HEAT


def test_the_executor_comes_from_the_table_only(router, tmp_path):
    path = tmp_path / "own.csv"
    path.write_text(
        "territory,topic,level,executor\n*,group:ЖКХ,*,Единая служба ЖКХ\n*,group:Дороги,*,Автодор\n",
        encoding="utf-8",
    )
    own = Router.from_state(router.to_state()).set_params(competence=CompetenceTable.from_csv(path))
    assert own.route(own.score_posts(["батареи ледяные"])).executor == "Единая служба ЖКХ"
    route = own.route(own.score_posts(["очередь в поликлинике"]))
    assert route.executor == UNROUTABLE
    assert route.needs_review


def test_an_incident_without_a_place_goes_to_a_person(router):
    rows = router.score_posts(["яма на дороге, пробил колесо"])
    nowhere = router.route(rows)
    assert nowhere.executor == UNROUTABLE
    assert nowhere.needs_review
    known_region = router.route(rows, region="Пермский край")
    assert "муниципалитет уточнить, Пермский край" in known_region.executor
    by_place = router.route(rows, region="Пермский край", place=Place(settlement="Кунгур"))
    assert by_place.executor == "Дорожная служба администрации (Кунгур)"


def test_what_is_outside_the_rubricator_is_said_to_be(router):
    route = router.route(router.score_posts(["банк списал комиссию, карту не закрывает"]), region="Пермский край")
    assert route.topic == OUTSIDE
    assert route.executor == UNROUTABLE
    assert route.needs_review


def test_scale_and_words_decide_the_level(router):
    rows = router.score_posts(["очередь в поликлинике три часа"])
    assert router.route(rows, scale=Scale.BUILDING, region="Пермский край").level == Level.REGIONAL


LEVELS_BY_SCALE = [
    ("Отсутствие электричества", Scale.BUILDING, None, Level.MUNICIPAL),
    ("Отсутствие электричества", Scale.DISTRICT, None, Level.REGIONAL),
    ("Вакцинация", Scale.PERSON, None, Level.REGIONAL),
    ("Вакцинация", Scale.PERSON, [0.9, 0.1, 0.0], Level.REGIONAL),
    (OUTSIDE, Scale.PERSON, [0.1, 0.1, 0.8], Level.FEDERAL),
]


@pytest.mark.parametrize(("topic", "scale", "words", "level"), LEVELS_BY_SCALE)
def test_level_from_the_rubricator_the_scale_and_the_words(topic, scale, words, level):
    said = None if words is None else np.array(words)
    taxonomy = Taxonomy.load()
    votes = level_table(taxonomy, [topic])[scale][0]
    assert decide_level(taxonomy.topics.get(topic), votes, scale, said)[0] == level


def test_many_incidents_are_judged_as_each_on_its_own(router):
    rows = [router.score_posts(TEXTS[:2]), router.score_posts(TEXTS[2:3]), router.score_posts(TEXTS[1:])]
    together = router.opinions(rows)
    assert router.opinions([]) == []
    for scores, opinion in zip(rows, together, strict=True):
        (alone,) = router.opinions([scores])
        assert np.array_equal(alone.topics, opinion.topics)
        assert np.array_equal(alone.levels, opinion.levels)
        assert router.route(scores, region="Пермский край") == router.route(opinion, region="Пермский край")
    cases = [Case(scale, region="Пермский край") for scale in (Scale.BUILDING, Scale.REGION, Scale.BUILDING)]
    assert router.route_all([], []) == []
    assert router.route_all(together, cases) == [
        router.route(opinion, scale=case.scale, region=case.region)
        for opinion, case in zip(together, cases, strict=True)
    ]


def test_rival_rows_of_a_table_are_a_doubt(tmp_path):
    path = tmp_path / "own.csv"
    path.write_text("territory,topic,level,executor\n*,Очередь,*,А\n*,04.09,*,Б\n", encoding="utf-8")
    executor, why, doubt = assign_executor(CompetenceTable.from_csv(path), CLINIC, Level.REGIONAL, "край", None)
    assert executor == "А"
    assert doubt is not None
    assert any("спорит" in reason for reason in why)


def test_explain_names_the_alternatives_and_other_bodies(router):
    rows = router.score_posts(["нет тепла, батареи ледяные"])
    told = router.explain(rows, router.route(rows, region="Пермский край", municipality="Кунгур"))
    assert any(line.startswith("не «") for line in told)
    assert any("уровень" in line for line in told)


def test_the_same_answers_after_save_and_load(router, tmp_path):
    other = Router.load(router.save(tmp_path / "model"))
    assert np.array_equal(other.score_posts(TEXTS), router.score_posts(TEXTS))
    rows = router.score_posts(TEXTS[:2])
    assert other.route(rows, region="Пермский край") == router.route(rows, region="Пермский край")
    assert other.group_set(rows) == router.group_set(rows)


def test_a_users_own_table_needs_no_rubricator():
    texts = ["нет воды", "воды нет второй день", "яма у школы", "яма на дороге"] * 3
    own = Router(folds=2).fit_texts(texts, ["Водоканал", "Водоканал", "Дорожники", "Дорожники"] * 3)
    assert own.predict(routing_features(["опять нет воды"])).tolist() == ["Водоканал"]
    assert own.groups_.tolist() == ["Водоканал", "Дорожники"]


def test_embeddings_are_used_and_checked():
    vectors = np.eye(2, dtype=np.float32)[[0, 1] * 6]
    texts = [""] * 12
    own = Router(folds=2).fit_texts(texts, ["a", "b"] * 6, embeddings=vectors)
    assert own.classes_[own.score_posts(["", ""], np.eye(2))[:, :2].argmax(axis=1)].tolist() == ["a", "b"]
    with pytest.raises(ValueError, match="encoder"):
        own.score_posts([""], np.ones((1, 3)))
    with pytest.raises(ValueError, match="one row a text"):
        text_features(["a"], np.ones((2, 3)))


def test_only_the_first_columns_of_embeddings_may_be_used(tmp_path):
    vectors = np.eye(2, dtype=np.float32)[[0, 1] * 6]
    noisy = np.hstack([vectors * 0.1, np.ones((12, 3), dtype=np.float32)])
    own = Router(folds=2, dense_columns=2).fit_texts([""] * 12, ["a", "b"] * 6, embeddings=noisy)
    plain = Router(folds=2).fit_texts([""] * 12, ["a", "b"] * 6, embeddings=vectors)
    assert np.array_equal(own.score_posts([""] * 12, noisy), plain.score_posts([""] * 12, vectors))
    other = Router.load(own.save(tmp_path / "own"))
    assert np.array_equal(own.score_posts([""] * 12, noisy), other.score_posts([""] * 12, noisy))


def test_bad_input_is_named(router):
    with pytest.raises(NotFittedError):
        Router().score_posts(["нет воды"])
    with pytest.raises(ValueError, match="single topic"):
        Router().fit(routing_features(["a", "b"]), ["x", "x"])
    with pytest.raises(ValueError, match="coverage"):
        Router(coverage=1.5).fit(routing_features(["a", "b"]), ["x", "y"])
    with pytest.raises(ValueError, match="at least one row"):
        router.route(np.zeros((0, router.heads_.width)))


def test_clone_keeps_the_settings():
    assert clone(Router(C=2.0)).get_params()["C"] == 2.0


def test_the_least_certain_fill_the_budget_and_unroutable_come_first():
    def route(certainty, executor="x"):
        return Route("ЖКХ", "a", (("a", certainty),), Level.MUNICIPAL, executor, False)

    routes = {"sure": route(0.9), "unsure": route(0.3), "nobody": route(0.99, UNROUTABLE)}
    assert within_budget(routes, 2) == ["nobody", "unsure"]
    assert within_budget(routes, 0) == []
    with pytest.raises(ValueError, match="budget"):
        within_budget(routes, -1)


def test_conformal_sets_cover_what_they_promise():
    rng = np.random.default_rng(0)
    proba = rng.dirichlet(np.ones(5), size=4000)
    truth = np.array([rng.choice(5, p=row) for row in proba])
    sets = ConformalSets(0.9).fit(proba[:2000], truth[:2000]).sets(proba[2000:])
    covered = sets[np.arange(2000), truth[2000:]].mean()
    assert 0.88 <= covered <= 0.93
    for label in range(5):
        mine = truth[2000:] == label
        assert sets[np.flatnonzero(mine), label].mean() > 0.85


TRICKY = [
    "",
    "   ",
    "!!!",
    "12345",
    "вода",
    "ВОДА",
    "İΣ",
    "🙂",
    "вода\u00ad",
    "https://t.me/x",
    "а" * 5000,
    "\ud800",
    "\x00",
]


def test_words_survive_any_text():
    rows = lexical_counts(TRICKY)
    assert rows.shape[0] == len(TRICKY)
    alone = [lexical_counts([text]) for text in TRICKY]
    for row, own in enumerate(alone):
        assert (rows[row] != own).nnz == 0
    assert (rows[4] != rows[5]).nnz == 0  # case does not count
    assert rows[0].nnz == 0
    assert rows[9].nnz == 0  # nor do links


def test_rare_words_weigh_more():
    weights = LexicalWeights(min_count=1).fit(lexical_counts(["вода дом", "вода двор", "вода сад"]))
    both = weights.transform(lexical_counts(["вода сад"]))
    water = weights.transform(lexical_counts(["вода"])).indices
    garden = weights.transform(lexical_counts(["сад"])).indices
    assert both[0, garden].max() > both[0, water].max()


VECTORS = np.random.default_rng(0).normal(size=(12, 4))
TOPICS = ["вода", "дорога", "мусор"] * 4


def test_lists_and_frames_are_features_too():
    whole = Router(folds=2).fit(VECTORS, TOPICS).predict(VECTORS).tolist()
    assert Router(folds=2).fit(VECTORS.tolist(), TOPICS).predict(VECTORS.tolist()).tolist() == whole
    frame, column = pd.DataFrame(VECTORS), pd.Series(TOPICS)
    assert Router(folds=2).fit(frame, column).predict(frame).tolist() == whole


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"X": VECTORS[:, 0]}, "Reshape your data"),
        ({"X": np.full((12, 4), np.nan)}, "contains NaN"),
        ({"y": [None, *TOPICS[1:]]}, "y holds None; topics are names"),
        ({"y": list(range(12))}, "y holds 0; topics are names"),
        ({"y": TOPICS[1:]}, "12 rows of features and 11 topics"),
        ({"levels": ["municipal"]}, "1 levels; give one for each"),
        ({"levels": ["town"] * 12}, r"levels hold \['town'\], expected"),
        ({"groups": ["a"]}, "1 groups; give one for each"),
        ({"groups": ["a"] * 12}, "groups holds 'a' alone"),
        ({"incidents": ["a"]}, "1 incidents; give one for each"),
    ],
)
def test_what_cannot_be_learnt_from_is_named(given, message):
    with pytest.raises(ValueError, match=message):
        Router(folds=2).fit(**{"X": VECTORS, "y": TOPICS, **given})


def test_before_fit_nothing_is_predicted():
    with pytest.raises(NotFittedError):
        Router().predict(VECTORS)
