"""One contract for every estimator: what a data scientist and a service may rely on, whatever the stage."""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import sparse
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

from incidentml.complaints import ComplaintClassifier
from incidentml.encoding import StaticEncoder
from incidentml.errors import DataError, ModelFormatError
from incidentml.gold import GoldPost, load_gold
from incidentml.incidents import IncidentClusterer, PostBatch
from incidentml.numeric import unit_grid
from incidentml.persistence import Persistent
from incidentml.priority import IncidentEvidence, PriorityScorer, priority_features
from incidentml.registry import load
from incidentml.routing import Router, routing_features
from incidentml.types import Kind, Place

SAMPLE = Path(__file__).parent.parent / "datasets" / "sample" / "gold.jsonl"
DIM = 12


@cache
def posts() -> tuple[GoldPost, ...]:
    """Return posts of a stream, complaints first, so that a small part holds all that is needed."""
    items = load_gold(SAMPLE)
    return tuple(sorted(items, key=lambda item: item.gold.kind is not Kind.COMPLAINT))[:150]


@cache
def complaints() -> tuple[GoldPost, ...]:
    return tuple(item for item in posts() if item.gold.kind is Kind.COMPLAINT)


def vectors(items: Sequence[GoldPost]) -> Any:
    """Return a small vector per text that depends on nothing but the text."""
    words = [[hashlib.blake2b(word[:5].encode()).digest() for word in item.text.lower().split()] for item in items]
    sums = [
        np.sum([np.frombuffer(word[:DIM], np.int8) for word in line], axis=0, dtype=np.float64) for line in words
    ]
    return unit_grid(np.array(sums).reshape(-1, DIM))


def texts(items: Sequence[GoldPost]) -> list[str]:
    return [item.text for item in items]


def place(item: GoldPost) -> tuple[Place, ...]:
    found = item.gold.mentions
    return (Place(street=found.get("street"), house=found.get("house")),) if found else ()


def batch(items: Sequence[GoldPost]) -> PostBatch:
    return PostBatch(
        keys=[item.key for item in items],
        times=np.array([item.post.published_at.timestamp() for item in items if item.post]),
        texts=texts(items),
        vectors=vectors(items),
        places=[place(item) for item in items],
        # what the clusterer chooses, it chooses by leaving regions out
        regions=[
            f"область {int(hashlib.md5((item.gold.incident or item.key.id).encode()).hexdigest(), 16) % 3}"
            for item in items
        ],
        authors=[item.author for item in items],
    )


@dataclass(frozen=True)
class Case:
    """How one estimator is built, fitted and asked; `ask` gives one value per post."""

    name: str
    make: Callable[[], Any]
    data: Callable[[], tuple[Any, ...]]
    inputs: Callable[[], Any]
    ask: Callable[[Any, Any], list[Any]]
    take: Callable[[Any, Any], Any]
    arrays: bool = False

    def fitted(self) -> Any:
        return _fitted(self.name)


@cache
def _fitted(name: str) -> Any:
    case = next(case for case in CASES if case.name == name)
    return case.make().fit(*case.data())


def rows_of(values: Any) -> list[Any]:
    return [np.asarray(row).tobytes() for row in np.ascontiguousarray(values)]


def incidents_of(model: Any, given: PostBatch) -> list[Any]:
    found = model.update(model.start(), given).incidents
    of = {key: name for name, keys in found.items() for key in keys}
    return [of[key] for key in given.keys]


def priorities_of(model: Any, given: Sequence[GoldPost]) -> list[Any]:
    scores = model.score_posts(texts(given), vectors(given))
    return [model.score(scores[row : row + 1], IncidentEvidence()) for row in range(len(given))]


def take_rows(values: Any, rows: Any) -> Any:
    return values[rows]


def take_items(values: Any, rows: Any) -> Any:
    return [values[row] for row in rows]


CASES = [
    Case(
        "ComplaintClassifier",
        lambda: ComplaintClassifier(folds=2, max_iter=50),
        lambda: (vectors(posts()), np.array([str(item.gold.kind) for item in posts()])),
        lambda: vectors(posts()),
        lambda model, X: rows_of(model.predict_proba(X)),
        take_rows,
        arrays=True,
    ),
    Case(
        "Router",
        lambda: Router(folds=2, max_features=500),
        lambda: (
            routing_features(texts(complaints()), vectors(complaints())),
            [i.gold.topic for i in complaints()],
        ),
        lambda: routing_features(texts(complaints()), vectors(complaints())),
        lambda model, X: rows_of(model.predict_proba(X)),
        take_rows,
        arrays=True,
    ),
    Case(
        "PriorityScorer",
        lambda: PriorityScorer(folds=2, max_features=500),
        lambda: (
            priority_features(texts(complaints()), vectors(complaints())),
            [int(item.gold.urgency or 0) for item in complaints()],
            [str(item.gold.scale) for item in complaints()],
        ),
        lambda: list(complaints()),
        priorities_of,
        take_items,
    ),
    Case(
        "IncidentClusterer",
        IncidentClusterer,
        lambda: (batch(complaints()), [item.gold.incident for item in complaints()]),
        lambda: batch(complaints()),
        incidents_of,
        lambda given, rows: given.take(np.asarray(rows, dtype=np.intp)),
    ),
]
each = pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
ARRAYS = [case for case in CASES if case.arrays]
each_on_arrays = pytest.mark.parametrize("case", ARRAYS, ids=lambda case: case.name)


def bits(model: Persistent) -> dict[str, Any]:
    """Return all that a model knows, comparable bit by bit."""

    def flat(state: Any, prefix: str = "") -> dict[str, Any]:
        known = {f"{prefix}{name}": (a.dtype.str, a.shape, a.tobytes()) for name, a in state.arrays.items()}
        known |= {f"{prefix}meta": repr(state.meta)}
        for name, part in state.parts.items():
            known |= flat(part, f"{prefix}{name}/")
        return known

    return flat(model.to_state())


@each
def test_constructor_stores_its_arguments_and_nothing_else(case: Case) -> None:
    model = case.make()
    assert vars(model) == model.get_params(deep=False)
    changed = clone(model).set_params(**model.get_params(deep=False))
    assert vars(changed) == vars(model)


@each
def test_clone_is_unfitted_and_equal_in_parameters(case: Case) -> None:
    model = clone(case.fitted())
    assert vars(model) == case.make().get_params(deep=False)


@each
def test_before_fit_it_says_that_it_is_not_fitted(case: Case) -> None:
    with pytest.raises(NotFittedError, match=case.name):
        case.ask(case.make(), case.inputs())
    with pytest.raises(NotFittedError, match=case.name):
        case.make().to_state()


@each
def test_fit_returns_self_and_leaves_parameters_alone(case: Case) -> None:
    model = case.make()
    before = dict(model.get_params(deep=False))
    assert model.fit(*case.data()) is model
    assert model.get_params(deep=False) == before


@each
def test_fitting_twice_is_fitting_once(case: Case) -> None:
    model = case.make().fit(*case.data())
    assert bits(model) == bits(case.fitted())
    assert bits(model.fit(*case.data())) == bits(case.fitted())


@each
def test_inputs_are_not_changed(case: Case) -> None:
    data, inputs = case.data(), case.inputs()
    before = copy.deepcopy((data, inputs))
    model = case.make().fit(*data)
    case.ask(model, inputs)
    for old, new in zip(before[0], data, strict=True):
        assert same(old, new)
    assert same(before[1], inputs)


def same(left: Any, right: Any) -> bool:
    if sparse.issparse(left):
        return (left != right).nnz == 0
    if isinstance(left, PostBatch):
        return all(same(getattr(left, name), getattr(right, name)) for name in vars(left))
    if isinstance(left, np.ndarray):
        return left.dtype == right.dtype and left.tobytes() == right.tobytes() if left.dtype != object else True
    return bool(left == right)


@each
def test_saved_and_loaded_it_answers_bit_by_bit_the_same(case: Case, tmp_path: Path) -> None:
    model = case.fitted()
    model.save(tmp_path / "model")
    back = type(model).load(tmp_path / "model")
    assert case.ask(back, case.inputs()) == case.ask(model, case.inputs())
    assert bits(back) == bits(model)
    assert back.get_params(deep=False).keys() == model.get_params(deep=False).keys()


@each
def test_model_of_another_kind_is_refused(case: Case, tmp_path: Path) -> None:
    other = CASES[(CASES.index(case) + 1) % len(CASES)]
    other.fitted().save(tmp_path / "model")
    with pytest.raises(ModelFormatError, match=f"is of kind '{other.make().KIND}', expected '{case.make().KIND}'"):
        type(case.make()).load(tmp_path / "model")


@each
def test_answers_do_not_depend_on_the_order_of_rows(case: Case) -> None:
    inputs = case.inputs()
    n = len(case.ask(case.fitted(), inputs))
    order = np.random.default_rng(0).permutation(n)
    answers = case.ask(case.fitted(), inputs)
    assert case.ask(case.fitted(), case.take(inputs, order)) == [answers[row] for row in order]


@each_on_arrays
def test_answers_do_not_depend_on_batches(case: Case) -> None:
    model, inputs = case.fitted(), case.inputs()
    answers = case.ask(model, inputs)
    for size in (1, 7, 64):
        starts = range(0, len(answers), size)
        parts = [case.ask(model, case.take(inputs, np.arange(s, min(s + size, len(answers))))) for s in starts]
        assert [answer for part in parts for answer in part] == answers


@pytest.mark.parametrize("size", [1, 7, 64])
def test_incidents_do_not_depend_on_batches(size: int) -> None:
    model, everything = _fitted("IncidentClusterer"), batch(complaints())
    state, n = model.start(), len(everything)
    for start in range(0, n, size):
        update = model.update(state, everything.take(np.arange(start, min(start + size, n))))
        state = update.state
    assert update.incidents == model.update(model.start(), everything).incidents


@each
def test_no_posts_give_no_answers_or_a_clear_refusal(case: Case) -> None:
    inputs = case.take(case.inputs(), np.arange(0))
    if case.name == "ComplaintClassifier":  # scikit-learn's own rule for arrays; its `judge` takes no posts
        with pytest.raises(ValueError, match="minimum of 1 is required"):
            case.ask(case.fitted(), inputs)
        assert case.fitted().judge([], inputs, []) == []
    else:
        assert case.ask(case.fitted(), inputs) == []


@each
def test_one_post_is_answered_as_among_others(case: Case) -> None:
    answer = case.ask(case.fitted(), case.take(case.inputs(), np.arange(1)))
    assert len(answer) == 1
    if case.name != "IncidentClusterer":
        assert answer == case.ask(case.fitted(), case.inputs())[:1]


@each_on_arrays
def test_nan_is_refused_by_name(case: Case) -> None:
    inputs = case.inputs()[:3].copy()
    inputs[1, 0] = np.nan
    with pytest.raises(ValueError, match="NaN"):
        case.fitted().predict_proba(inputs)


@each_on_arrays
def test_wrong_width_names_what_was_found_and_expected(case: Case) -> None:
    with pytest.raises(ValueError, match=rf"\b{DIM - 1}\b.*\b{DIM}\b"):
        case.fitted().predict_proba(case.inputs()[:, 1:])


def test_wrong_width_of_vectors_names_the_column() -> None:
    given = batch(complaints())
    narrow = PostBatch(given.keys, given.times, given.texts, given.vectors[:, 1:], given.places)
    model = _fitted("IncidentClusterer")
    with pytest.raises(DataError, match="vectors have 11 columns, the clusterer was fitted with 12"):
        model.update(model.start(), narrow)


@pytest.mark.parametrize(
    ("make", "data"),
    [
        (lambda: ComplaintClassifier(C=-1), 0),
        (lambda: Router(C=0), 1),
        (lambda: Router(coverage=2), 1),
        (lambda: PriorityScorer(danger_recall=0), 2),
        (lambda: IncidentClusterer(link_floor=2), 3),
    ],
)
def test_wrong_parameter_is_named_in_fit_not_in_the_constructor(make: Callable[[], Any], data: int) -> None:
    model = make()
    with pytest.raises((ValueError, DataError), match=r"C|coverage|danger_recall|link_floor"):
        model.fit(*CASES[data].data())


@each
def test_labels_of_another_length_are_refused(case: Case) -> None:
    first, *others = case.data()
    with pytest.raises(ValueError, match=r"\d+"):
        case.make().fit(first, *[labels[:-1] for labels in others])


def test_one_class_is_refused_by_name() -> None:
    X = vectors(posts())
    with pytest.raises(ValueError, match="only one class"):
        ComplaintClassifier().fit(X, ["complaint"] * len(X))
    features = routing_features(["нет воды", "нет света"])
    with pytest.raises(ValueError, match="single topic"):
        Router().fit(features, ["Вода", "Вода"])


# The encoder is no scikit-learn estimator, but the same promises hold


@cache
def encoder() -> StaticEncoder:
    shipped = load().encoder
    assert isinstance(shipped, StaticEncoder)
    return shipped


def test_encoder_gives_unit_or_zero_rows() -> None:
    rows = encoder().encode([*texts(posts()), "", "!!!"])
    assert rows.dtype == np.float32
    assert rows.shape == (len(posts()) + 2, encoder().dim)
    norms = np.linalg.norm(rows, axis=1)
    assert np.all((np.abs(norms - 1) < 5e-3) | (norms == 0))
    assert norms[-2:].tolist() == [0, 0]


def test_encoder_does_not_depend_on_order_or_batches() -> None:
    given = texts(posts())
    rows = rows_of(encoder().encode(given))
    assert rows_of(encoder().encode(given[::-1])) == rows[::-1]
    assert [rows_of(encoder().encode([text]))[0] for text in given] == rows


def test_encoder_answers_the_same_after_load(tmp_path: Path) -> None:
    encoder().save(tmp_path / "model")
    back = StaticEncoder.load(tmp_path / "model")
    assert rows_of(back.encode(texts(posts()))) == rows_of(encoder().encode(texts(posts())))


@pytest.mark.parametrize("given", ["нет воды", ["нет воды", None], [5]])
def test_encoder_names_what_is_no_text(given: Any) -> None:
    with pytest.raises(TypeError, match="texts"):
        encoder().encode(given)


def test_encoder_of_no_texts_is_empty() -> None:
    assert encoder().encode([]).shape == (0, encoder().dim)
