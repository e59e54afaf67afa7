from __future__ import annotations

import numpy as np
import pytest

from incident_fixtures import batch_of, clusterer, complaints, fresh, place
from incidentml.incidents.copies import SKETCH_SIZE, copy_text, core_text, hash64, overlap, sketch
from incidentml.types import Place, PostKey

HOUR = 3600.0
TEXT = "На Лодыгина фонтан кипятка из-под земли, пар такой, что машин не видно"


@pytest.mark.parametrize(
    "told",
    [
        "Подписчики сообщают: {}",
        "Нам пишут: {}",
        "Пишет подписчица: «{}»",
        "{}\n\nПрислать новость — @chp63_bot | Подписаться",
        "{}\nПрислать новость — @vdk_signal_bot\nПодписаться",
        "Пересылаю из чата: {}!!!",
        "{} (с) телега",
        "{} #пермь #авария",
    ],
)
def test_frames_and_footers_are_peeled_off(told):
    assert copy_text(told.format(TEXT)) == copy_text(TEXT)


@pytest.mark.parametrize("text", ["@chp_bot", "Подписчики сообщают:", "", "💧", "Прислать новость — @a_bot"])
def test_a_text_that_is_all_frame_keeps_its_words(text):
    assert core_text(text)[0] == text


def test_sketches_estimate_shared_text():
    rows, sizes = sketch([copy_text(TEXT), copy_text(TEXT)[:40], copy_text(TEXT), "совсем о другом, про лифт"])
    left, right = np.array([0, 0, 0]), np.array([1, 2, 3])
    equal = (rows[left] == rows[right]).sum(axis=1)
    jaccard, contained = overlap(equal, sizes[left], sizes[right])
    assert jaccard[1] == 1.0
    assert contained[0] > 0.75 > jaccard[0] > 0.3
    assert contained[2] < 0.15
    assert rows.shape == (4, SKETCH_SIZE)


def test_sketches_do_not_hang_on_the_batch():
    texts = [f"{TEXT} {i}" for i in range(40)] + ["", "а"]
    together, sizes = sketch(texts)
    apart = [sketch([text]) for text in texts]
    assert (together == np.concatenate([row for row, _ in apart])).all()
    assert (sizes == np.concatenate([size for _, size in apart])).all()


def test_hashes_tell_parts_apart():
    assert hash64("a", "b") != hash64("ab") != 0


def test_fifty_copies_among_strangers_are_one_incident():
    rows = [(f"c{i}", i * 600.0, TEXT + "!" * (i % 3), (), "Пермский край") for i in range(50)]
    strangers = [item for item in complaints("krasnodar") if item.gold.incident is None][:30]
    rows += [(f"s{i}", i * 5 * HOUR, item.text, place(item), "Пермский край") for i, item in enumerate(strangers)]
    state = fresh(batch_of(rows)).state
    assert len({state.incident_of(PostKey("vk", f"c{i}")) for i in range(50)}) == 1
    assert len(state.incidents) > 15


def test_copies_on_three_networks_are_one_incident():
    batch = batch_of([(f"c{i}", i * HOUR, TEXT, (), None) for i in range(3)])
    batch = type(batch)(
        **{
            **vars(batch),
            "keys": [type(k)(n, k.id) for k, n in zip(batch.keys, ("vk", "ok", "telegram"), strict=True)],
        }
    )
    assert len(fresh(batch).incidents) == 1


def test_the_same_text_about_two_towns_does_not_fall_together():
    text = "люди! Который день свет дают по два часа, лекарства без холодильника пропадают"
    rows = [
        ("a", 0.0, f"Тимашевск, {text}", (Place("тимашевск"),), "Краснодарский край"),
        ("b", 600.0, f"Кореновск, {text}", (Place("кореновск"),), "Краснодарский край"),
        ("c", 900.0, text, (), "Краснодарский край"),
        ("d", 900.0, text, (), "Самарская область"),
    ]
    batch = batch_of(rows)
    owner = {key.id: id_ for id_, keys in fresh(batch).incidents.items() for key in keys}
    assert owner["c"] != owner["d"]


def test_a_flood_of_one_text_builds_no_pairs():
    n = 20_000
    batch = batch_of([(str(i), i * 0.5, "Нет воды на Мира", (), None) for i in range(2)])
    rows = np.zeros(n, dtype=np.intp)
    flood = type(batch)(
        keys=[type(batch.keys[0])("vk", str(i)) for i in range(n)],
        times=np.arange(n) * 0.5,
        texts=["Нет воды на Мира"] * n,
        vectors=batch.vectors[rows],
        places=[()] * n,
        topics=batch.topics[rows],
    )
    model = clusterer()
    update = model.update(model.start(), flood)
    assert len(update.incidents) == 1
    assert len(update.state.edges.left) < 10
