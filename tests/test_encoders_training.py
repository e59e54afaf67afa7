from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from incidentml.encoders.training import EncoderSettings, train_encoder
from incidentml.encoding import encoder_hash
from incidentml.errors import DataError
from incidentml.gold import Gold, GoldPost
from incidentml.types import PostKey

SMALL = EncoderSettings(semantic_dim=8, lexical_dim=16, code_dim=8, vocabulary=300)
TEXTS = {
    "вода": ["нет воды", "отключили воду", "вода пропала", "нет холодной воды", "воды нет второй день"],
    "снег": ["сугробы во дворе", "снег не убирают", "двор в снегу", "не чистят снег", "дворы завалены снегом"],
    "автобус": ["автобус опоздал", "ждём автобус", "автобуса нет час", "автобусы не ходят", "не пришёл автобус"],
}


class Letters:
    """A teacher that counts letters."""

    dim = 32

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        rows = np.zeros((len(texts), self.dim), dtype=np.float32)
        for row, text in enumerate(texts):
            for letter in text:
                rows[row, ord(letter) % self.dim] += 1
        return rows


def posts(territory: str, places: Sequence[str]) -> list[GoldPost]:
    return [
        GoldPost(
            key=PostKey("vk", f"{territory}-{topic}-{number}-{place}"),
            text=f"{place}: {text}",
            gold=Gold(topic=topic),
            post=None,
            territory=territory,
        )
        for place in places
        for topic, texts in TEXTS.items()
        for number, text in enumerate(texts)
    ]


@pytest.mark.slow
def test_training_repeats_to_the_byte_in_any_order_and_looks_at_no_excluded_territory():
    pytest.importorskip("navec")
    pytest.importorskip("natasha")
    here, there = posts("here", ["Пермь", "Лысьва"]), posts("there", ["Сочи", "Анапа"])
    first = train_encoder(here, teacher=Letters(), settings=SMALL)
    second = train_encoder([*there, *here[::-1]], exclude_territories=["there"], teacher=Letters(), settings=SMALL)
    assert encoder_hash(first) == encoder_hash(second)
    a, b, c = first.encode(["нет воды в доме", "в квартире пропала вода", "дворник не убирает снег"])
    assert a @ b > a @ c


def test_too_few_posts_are_told():
    with pytest.raises(DataError, match="5 posts cannot teach 8 semantic columns"):
        train_encoder(posts("here", ["Пермь"])[:5], teacher=Letters(), settings=SMALL)
