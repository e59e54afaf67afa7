from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from incident_fixtures import batch_of
from incidentml.errors import ModelFormatError
from incidentml.incidents.columns import Columns
from incidentml.incidents.company import Company, said
from incidentml.incidents.derive import columns_of
from incidentml.incidents.training import fit_company
from incidentml.incidents.wording import Vocabulary

TOGETHER = [
    "подтверждаю, третий день без воды",
    "и у нас тоже третий день",
    "подтверждаю, тоже сидим",
    "тоже ждём",
]
ALONE = [
    "зато у нас лампа горит",
    "наоборот, лампа моргает",
    "лампа в подъезде, зато тихо",
    "наоборот, горит днём",
]
TEXTS = st.lists(st.sampled_from([*TOGETHER, *ALONE, "", "🙂", "дом 5 дом 7"]), min_size=1, max_size=8)


def columns_for(texts: list[str]) -> Columns:
    batch = batch_of([(str(k), 0.0, text, (), "Омская") for k, text in enumerate(texts)])
    return columns_of(batch, Vocabulary.learn([]))


@cache
def learnt() -> Company:
    texts = [*TOGETHER * 3, *ALONE * 3]
    return Company.learn(said(texts), columns_for(texts), np.repeat([False, True], len(texts) // 2))


def solitude(*texts: str) -> list[float]:
    return learnt().solitude(said(texts), columns_for(list(texts))).tolist()


def test_words_of_posts_that_stood_alone_tell_of_solitude():
    joining, setting_off = solitude("тоже ждём, подтверждаю", "а у нас наоборот, зато лампа цела")
    assert joining < 0 < setting_off


@given(TEXTS)
def test_a_post_is_as_alone_in_a_batch_as_by_itself(texts):
    assert solitude(*texts) == [solitude(text)[0] for text in texts]
    columns = columns_for(texts)
    backwards = [list(reversed(row)) for row in said(texts)]
    assert learnt().solitude(backwards, columns).tolist() == learnt().solitude(said(texts), columns).tolist()


@pytest.mark.parametrize("alone", [True, False])
def test_posts_of_one_kind_teach_nothing(alone):
    columns = columns_for(ALONE * 3)
    company = Company.learn(said(ALONE * 3), columns, np.full(12, alone))
    assert not company.solitude(said(ALONE * 3), columns).any()


def test_a_saved_one_knows_the_same_words():
    again = Company.from_state(learnt().to_state())
    assert again.solitude(said(ALONE), columns_for(ALONE)).tolist() == solitude(*ALONE)


def test_weights_without_stems_are_refused():
    state = learnt().to_state()
    broken = type(state)(state.kind, state.meta, {**state.arrays, "hashes": state.arrays["hashes"][:-1]})
    with pytest.raises(ModelFormatError, match=r"company: \d+ weights for \d+ stems"):
        Company.from_state(broken)


def posts(*regions: str) -> tuple[list[tuple[str, float, str, tuple[()], str]], list[str | None]]:
    """Two incidents and posts that are alone in each region, all alone ones with a word of the region."""
    rows: list[tuple[str, float, str, tuple[()], str]] = []
    labels: list[str | None] = []
    for region in regions:
        for k, text in enumerate([*TOGETHER * 2, *(f"{text} {region}" for text in ALONE * 2)]):
            rows.append((f"{region}{k}", 3600.0 * k, text, (), region))
            labels.append(f"{region}{k % 2}" if k < 2 * len(TOGETHER) else None)
    return rows, labels


def fitted(rows, labels):
    batch = batch_of(rows)
    return fit_company(said(batch.texts), columns_of(batch, Vocabulary.learn([])), labels)


@pytest.mark.parametrize("regions", [["Омская", "Тверская"], ["Омская"]])
def test_no_post_is_judged_by_words_learnt_from_it(regions):
    rows, labels = posts(*regions)
    company, unseen = fitted(rows, labels)
    known = company.solitude(said([row[2] for row in rows]), columns_of(batch_of(rows), Vocabulary.learn([])))
    alone = np.array([label is None for label in labels])
    assert unseen[alone].mean() > unseen[~alone].mean()
    assert not np.array_equal(unseen, known)


def test_the_order_of_posts_does_not_matter_for_learning():
    rows, labels = posts("Омская", "Тверская")
    company, unseen = fitted(rows, labels)
    order = np.random.default_rng(0).permutation(len(rows))
    other, others = fitted([rows[k] for k in order], [labels[k] for k in order])
    assert other.weights.tolist() == company.weights.tolist()
    assert others.tolist() == unseen[order].tolist()


def test_columns_hold_how_alone_a_post_is():
    rows, _ = posts("Омская")
    batch = batch_of(rows)
    columns = columns_of(batch, Vocabulary.learn([]), learnt())
    assert columns.solitude.tolist() == learnt().solitude(said(batch.texts), columns).tolist()
    assert not columns_of(batch, Vocabulary.learn([])).solitude.any()
