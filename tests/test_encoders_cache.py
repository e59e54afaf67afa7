from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from incidentml.encoders.cache import EmbeddingCache
from incidentml.errors import DataError


class Counting:
    """Encodes a text as its length and counts what it was asked for."""

    dim = 2

    def __init__(self, name: str = "counting") -> None:
        self.hash = name
        self.asked: list[str] = []

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        self.asked += texts
        return np.array([[len(text), 1.0] for text in texts], dtype=np.float32).reshape(-1, 2)


def test_a_text_is_encoded_once_in_a_process_and_across_processes(tmp_path):
    encoder = Counting()
    cache = EmbeddingCache(encoder, tmp_path)
    first = cache.encode(["а", "бб", "а"])
    assert encoder.asked == ["а", "бб"]
    assert first.tolist() == [[1, 1], [2, 1], [1, 1]]
    later = Counting()
    second = EmbeddingCache(later, tmp_path).encode(["ввв", "бб"])
    assert later.asked == ["ввв"]
    assert second.tolist() == [[3, 1], [2, 1]]


def test_vectors_of_another_encoder_are_not_taken(tmp_path):
    EmbeddingCache(Counting("one"), tmp_path).encode(["а"])
    other = Counting("two")
    EmbeddingCache(other, tmp_path).encode(["а"])
    assert other.asked == ["а"]


def test_two_writers_of_one_folder_see_each_others_files(tmp_path):
    one, two = Counting(), Counting()
    first, second = EmbeddingCache(one, tmp_path), EmbeddingCache(two, tmp_path)
    first.encode(["а"])
    second.encode(["а", "б"])
    first.encode(["б"])
    assert (one.asked, two.asked) == (["а"], ["б"])


def test_nothing_to_encode_gives_no_rows_and_no_files(tmp_path):
    cache = EmbeddingCache(Counting(), tmp_path)
    assert cache.encode([]).shape == (0, 2)
    assert not list(tmp_path.rglob("*.npy"))


def test_a_damaged_file_is_named(tmp_path):
    EmbeddingCache(Counting(), tmp_path).encode(["а"])
    (file,) = tmp_path.rglob("*.npy")
    file.write_bytes(b"rubbish")
    with pytest.raises(DataError, match=file.name):
        EmbeddingCache(Counting(), tmp_path).encode(["а"])


def test_files_that_do_not_fit_together_are_named(tmp_path):
    EmbeddingCache(Counting(), tmp_path).encode(["а"])
    (file,) = tmp_path.rglob("*.npy")
    np.save(file, np.zeros((3, 2), dtype=np.float32))
    with pytest.raises(DataError, match=r"1 keys for vectors of shape \(3, 2\)"):
        EmbeddingCache(Counting(), tmp_path).encode(["а"])


def test_an_encoder_without_a_name_is_refused(tmp_path):
    class Nameless:
        dim = 1

        def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
            return np.zeros((len(texts), 1), dtype=np.float32)

    with pytest.raises(TypeError, match="Nameless has no property 'hash'"):
        EmbeddingCache(Nameless(), tmp_path)


def test_a_wrong_type_is_named_before_anything_is_encoded(tmp_path):
    encoder = Counting()
    with pytest.raises(TypeError, match=r"texts\[1\] must be a string, found NoneType"):
        EmbeddingCache(encoder, tmp_path).encode(["а", None])
    assert encoder.asked == []
