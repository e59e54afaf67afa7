from __future__ import annotations

from copy import deepcopy
from pathlib import Path

import numpy as np
import pytest
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV
from sklearn.utils.estimator_checks import parametrize_with_checks

from complaint_fixtures import dense_of, features_of, labelled, slots_of, small_filter
from incidentml.complaints import ComplaintClassifier, complaint_features
from incidentml.complaints.reasons import signals_of
from incidentml.concreteness import concreteness
from incidentml.errors import DataError, ModelFormatError
from incidentml.places import PlaceExtractor
from incidentml.types import Concreteness, Kind, Span

_FOLDS = (
    "calibration deals rows out to folds: a row repeated is not a row of double weight there, exactly as in "
    "CalibratedClassifierCV"
)
_EXPECTED = {f"check_sample_weight_equivalence_on_{data}_data": _FOLDS for data in ("dense", "sparse")}


@parametrize_with_checks(
    [ComplaintClassifier(), ComplaintClassifier(folds=0)],
    expected_failed_checks=lambda estimator: _EXPECTED if estimator.folds else {},
)
def test_keeps_the_contract_of_scikit_learn(estimator, check):
    check(estimator)


def _judge(text, slots=None):
    slots = slots or slots_of([text])
    return small_filter().judge([text], features_of([text]), slots)[0]


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("Пятый день нет горячей воды, в управляющей не берут трубку", Kind.COMPLAINT),
        ("На переходе у школы не горит ни один фонарь, дети идут в темноте", Kind.COMPLAINT),
        ("Продам детскую кроватку, 3000 руб, самовывоз, торг", Kind.ADVERT),
        ("Спасибо бригаде за тёплые батареи, молодцы, низкий поклон", Kind.GRATITUDE),
        ("Возбуждено уголовное дело, подозреваемый задержан, сообщили в полиции", Kind.NEWS),
    ],
)
def test_tells_the_kinds_apart(text, kind):
    verdict = _judge(text)
    assert verdict.kind is kind
    assert verdict.accepted is (kind is Kind.COMPLAINT)
    assert verdict.reasons


def test_probabilities_name_all_kinds_and_sum_to_one():
    verdict = _judge("Когда уберут снег?")
    assert set(verdict.kind_probabilities) == {kind.value for kind in Kind}
    assert sum(verdict.kind_probabilities.values()) == pytest.approx(1)
    assert verdict.complaint_probability == verdict.kind_probabilities["complaint"]


def test_place_contact_and_problem_are_never_dropped():
    spans = (Span(0, 1),)
    slots = Concreteness(1.0, {"what": spans, "where": spans, "contact": spans})
    verdict = _judge("Анекдот про сантехника", [slots])
    assert verdict.accepted
    assert verdict.kind is Kind.COMPLAINT
    assert "принимается всегда" in verdict.reasons[0]


def test_threshold_follows_from_costs():
    assert ComplaintClassifier(false_alarm=1, missed_complaint=3, missed_danger=9).thresholds == (0.25, 0.1)


def test_danger_lowers_the_threshold():
    model = deepcopy(small_filter()).set_params(missed_complaint=1e-6, missed_danger=1e6)
    text = "Во дворе искрит провод, дети рядом"
    verdict = model.judge([text], features_of([text]), slots_of([text]))[0]
    assert verdict.accepted
    assert "речь об опасности: порог снижен" in verdict.reasons


_LINES = (Path(__file__).parent / "data" / "complaint_signals.txt").read_text(encoding="utf-8").splitlines()


@pytest.mark.parametrize("line", [line for line in _LINES if not line.startswith("#")])
def test_signals(line):
    expected, text = line.split("|", 1)
    signals = signals_of(text)
    found = {name for name in ("empty", "echo", "danger", "language", "claims") if getattr(signals, name)}
    assert found >= ({expected} - {"none"})
    if expected == "none":
        assert not found


@pytest.mark.parametrize("text", ["Сообщение без текста", "Здравствуйте!"])
def test_nothing_said_is_not_a_complaint(text):
    verdict = _judge(text)
    assert not verdict.accepted
    assert "нет содержания" in verdict.reasons[0]


@pytest.mark.parametrize("text", ["+1", "123", "👍", "Добрый день"])
def test_what_says_too_little_is_of_no_special_kind(text):
    assert _judge(text).kind is Kind.OTHER


def test_an_echo_is_told_what_is_missing():
    assert any("не сказано" in reason for reason in _judge("у нас так же").reasons)


def test_bits_do_not_depend_on_batch_or_order():
    texts = labelled()[0][:200]
    model = small_filter()
    whole = model.predict_proba(features_of(texts))
    order = np.random.RandomState(0).permutation(len(texts))
    shuffled = model.predict_proba(features_of([texts[i] for i in order]))
    assert np.array_equal(whole[order], shuffled)
    single = np.vstack([model.predict_proba(features_of([text])) for text in texts[:20]])
    assert np.array_equal(whole[:20], single)


def test_texts_and_dense_features_give_the_same_as_complaint_features():
    texts = labelled()[0][:100]
    model = small_filter()
    expected = model.predict_proba(features_of(texts))
    assert np.array_equal(model.probabilities_of(texts, dense_of(texts)), expected)
    told = [model.judge(texts, rows, slots_of(texts)) for rows in (features_of(texts), dense_of(texts))]
    assert told[0] == told[1]


def test_words_are_learnt_beside_the_evidence():
    texts, kinds = ["ёлка", "палка"] * 10, ["complaint", "other"] * 10
    model = ComplaintClassifier(folds=0).fit(features_of(texts), kinds)
    assert model.predict(features_of(["ёлка", "палка"])).tolist() == ["complaint", "other"]
    assert model.words_ is not None
    assert ComplaintClassifier(folds=0).fit(dense_of(texts), kinds).words_ is None


def test_texts_that_share_no_word_are_judged_by_evidence_alone(tmp_path):
    model = ComplaintClassifier(folds=0).fit(features_of(["яма!", "кот"]), ["complaint", "other"])
    assert model.words_ is None
    loaded = ComplaintClassifier.load(model.save(tmp_path / "m"))
    assert np.array_equal(loaded.predict_proba(features_of(["яма!"])), model.predict_proba(features_of(["яма!"])))


def test_posts_of_no_weight_teach_no_words():
    texts, kinds = ["яма", "шкаф", "лужа", "стол"] * 5, ["complaint", "other"] * 10
    few = ComplaintClassifier(folds=0).fit(features_of(texts), kinds)
    weight = np.repeat([1.0, 0.0], [20, 4])
    more = ComplaintClassifier(folds=0).fit(
        features_of(texts + ["пальто"] * 4), kinds + ["other"] * 4, sample_weight=weight
    )
    assert np.array_equal(more.words_.weights.kept_, few.words_.weights.kept_)


def test_features_of_another_encoder_are_refused():
    with pytest.raises(DataError, match="dense columns"):
        small_filter().judge(["а"], np.zeros((1, 3)), slots_of(["а"]))


def test_same_verdicts_after_save_and_load(tmp_path):
    texts = labelled()[0][:50]
    model = small_filter()
    loaded = ComplaintClassifier.load(model.save(tmp_path / "m"))
    assert loaded.get_params() == model.get_params()
    assert np.array_equal(loaded.predict_proba(features_of(texts)), model.predict_proba(features_of(texts)))


def test_the_model_folder_is_small(tmp_path):
    folder = small_filter().save(tmp_path / "m")
    assert sum(file.stat().st_size for file in folder.iterdir()) < 5e6


def test_damaged_state_is_refused():
    state = small_filter().to_state()
    broken = {**state.arrays, "coef": state.arrays["coef"][1:]}
    with pytest.raises(ModelFormatError, match="coef has shape"):
        ComplaintClassifier.from_state(type(state)(state.kind, state.meta, broken, state.parts))
    words = state.part("words")
    cut = type(state)(words.kind, words.meta, {**words.arrays, "whole": words.arrays["whole"][1:]}, words.parts)
    with pytest.raises(ModelFormatError, match="whole has shape"):
        ComplaintClassifier.from_state(type(state)(state.kind, state.meta, state.arrays, {"words": cut}))


def test_only_two_labels_are_enough():
    texts, kinds = labelled()
    y = ["complaint" if kind == "complaint" else "rest" for kind in kinds]
    model = ComplaintClassifier(folds=0).fit(features_of(texts), y)
    verdict = model.judge(["Продам гараж"], features_of(["Продам гараж"]), slots_of(["Продам гараж"]))[0]
    assert verdict.kind is Kind.OTHER
    assert not verdict.accepted


def test_judging_needs_the_complaint_label():
    model = ComplaintClassifier(folds=0).fit([[0.0], [1.0]] * 3, ["news", "other"] * 3)
    with pytest.raises(DataError, match="label 'complaint'"):
        model.judge(["текст"], [[0.0]], [Concreteness(0.0)])


def test_judging_checks_lengths():
    with pytest.raises(DataError, match="2 texts, 1 rows"):
        small_filter().judge(["а", "б"], features_of(["а"]), slots_of(["а", "б"]))
    assert small_filter().judge([], np.zeros((0, 3)), []) == []


def test_not_fitted_says_so():
    with pytest.raises(NotFittedError):
        ComplaintClassifier().predict([[1.0]])


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"C": 0}, "C=0"),
        ({"C_words": 0}, "C_words=0"),
        ({"max_words": 0}, "max_words=0"),
        ({"false_alarm": -1}, "false_alarm=-1"),
        ({"max_iter": 0}, "max_iter=0"),
    ],
)
def test_bad_parameters_are_named(parameters, message):
    with pytest.raises(ValueError, match=message):
        ComplaintClassifier(**parameters).fit([[0.0], [1.0]], ["complaint", "news"])


def test_groups_leave_territories_out_of_calibration():
    rng = np.random.RandomState(0)
    X = rng.normal(size=(300, 5))
    y = np.where(X[:, 0] + rng.normal(size=300) > 0, "complaint", "news")
    groups = np.array(["a", "b", "c", None] * 75, dtype=object)
    X[groups == "c", 1] += 3
    grouped = ComplaintClassifier(C=10).fit(X, y, groups=groups)
    plain = ComplaintClassifier(C=10, folds=0).fit(X, y)
    assert plain.calibration_.temperature == 1
    assert grouped.calibration_.temperature != 1
    assert np.array_equal(grouped.coef_, plain.coef_)
    with pytest.raises(ValueError, match="groups has 2 entries"):
        ComplaintClassifier().fit(X, y, groups=["a", "b"])


def test_posts_of_pages_are_held_to_the_share_of_complaints_among_them():
    texts, kinds = (rows[::4] for rows in labelled())
    rng = np.random.default_rng(0)
    page = rng.random(len(texts)) < np.where(np.array(kinds) == "complaint", 0.2, 0.8)
    slots, bare = slots_of(texts), np.zeros((len(texts), 0))
    X = complaint_features(texts, bare, slots, ["Наш город" if given else None for given in page])
    model = ComplaintClassifier(folds=2).fit(X, kinds)
    column = model.classes_.tolist().index("complaint")
    alone, given = (
        model.predict_proba(complaint_features(texts[:50], bare[:50], slots[:50], [source] * 50))[:, column]
        for source in (None, "страница")
    )
    assert (given < alone).all()
    assert ComplaintClassifier(folds=0).fit(X, kinds).coef_[-1].tolist() == [0.0] * len(model.classes_)


def test_class_weight_by_name_and_sample_weight_move_the_balance():
    rng = np.random.RandomState(1)
    X = rng.normal(size=(200, 3))
    y = np.where(X[:, 0] + rng.normal(size=200) > 0.7, "complaint", "news")
    plain = ComplaintClassifier(folds=0).fit(X, y).predict_proba(X)[:, 0].mean()
    heavy = ComplaintClassifier(folds=0, class_weight={"complaint": 5.0}).fit(X, y)
    weighted = ComplaintClassifier(folds=0).fit(X, y, sample_weight=np.where(y == "complaint", 5.0, 1.0))
    assert heavy.predict_proba(X)[:, 0].mean() > plain
    np.testing.assert_allclose(heavy.predict_proba(X), weighted.predict_proba(X), atol=1e-3)


def test_grid_search_works():
    X, y = np.repeat(np.eye(4), 6, axis=0), ["complaint", "news", "complaint", "other"] * 6
    search = GridSearchCV(ComplaintClassifier(folds=0), {"C": [0.1, 1.0]}, cv=2).fit(X, sorted(y))
    assert search.best_params_["C"] in (0.1, 1.0)


def test_explanation_names_words_and_facts():
    text = "Третий день нет воды, управляющая молчит"

    def encode(texts):
        return np.zeros((len(texts), 0), dtype=np.float32)

    found = small_filter().explain(text, encode, slots_of([text])[0], top=20)
    assert found.verdict.accepted
    assert {"нет", "воды"} & {word for word, _, effect in found.words if effect > 0}
    assert all(text[span.start : span.end] == word for word, span, _ in found.words)
    assert any("отрицание" in fact for fact, effect in found.facts if effect > 0)


OFFERS = [
    "Прорвало трубу? Сантехник Олег, выезд по городу за час, Мира 5, тел. 8 900 000-11-22",
    "Уважаемые жители! 5 мая на улице Мира 5–12 будет отключена холодная вода. Диспетчер +7 900 000-11-22",
    "Течёт крыша? Перекроем за день, договор, ул. Ленина 4. +7 900 000-11-22",
]
CLAIMS = [
    "Мира 5, прорвало трубу в подвале, третий день топит. Мой телефон 8 900 000-11-22",
    "На Ленина 4 не горит фонарь у школы, темно, тел. 89000001122",
    "Диспетчер бросает трубку, у нас на Мира 5 отключение света второй день. Звоните 8-900-000-11-22",
]


@pytest.mark.parametrize(("texts", "guaranteed"), [(OFFERS, False), (CLAIMS, True)])
def test_a_contact_guarantees_entry_to_residents_not_to_adverts_and_notices(texts, guaranteed):
    places = PlaceExtractor()
    slots = [concreteness(text, places.extract(text)) for text in texts]
    assert all(found.entry_guaranteed for found in slots)
    rows = complaint_features(texts, np.zeros((len(texts), 0)), slots)
    for verdict in small_filter().judge(texts, rows, slots):
        assert verdict.accepted or not guaranteed
        assert verdict.reasons[0].startswith("есть место, контакт и проблема") is guaranteed
