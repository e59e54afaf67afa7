from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from incidentml.encoding import TransformerEncoder
from incidentml.errors import DataError, ModelFormatError


def build_tiny(folder: Path, letters: str) -> Path:
    """Save a two-layer transformer with random weights and a vocabulary of letters."""
    pytest.importorskip("sentence_transformers", reason="needs the extra 'transformers'")
    import torch
    from sentence_transformers import SentenceTransformer
    from transformers import BertConfig, BertModel, BertTokenizerFast

    try:
        from sentence_transformers.sentence_transformer.modules import Pooling, Transformer
    except ImportError:
        from sentence_transformers.models import Pooling, Transformer

    lines = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *letters, *("##" + letter for letter in letters)]
    (folder / "vocab.txt").write_text("\n".join(lines), encoding="utf-8")
    BertTokenizerFast(str(folder / "vocab.txt"), model_max_length=64).save_pretrained(folder / "bert")
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=len(lines),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=64,
    )
    BertModel(config).save_pretrained(folder / "bert")
    words = Transformer(str(folder / "bert"), max_seq_length=64)
    SentenceTransformer(modules=[words, Pooling(32)], device="cpu").save(str(folder / "model"))
    return folder / "model"


@pytest.fixture(scope="module")
def tiny(tmp_path_factory) -> Path:
    return build_tiny(tmp_path_factory.mktemp("tiny"), "абвгдежзийклмнопрстуфхцчшщъыьэюя0123456789.,:")


def make_tiny(tiny: Path, **settings: object) -> TransformerEncoder:
    return TransformerEncoder(tiny, device="cpu", check=False, **settings)


def test_transformer_rows_do_not_depend_on_their_neighbours(tiny):
    encoder = make_tiny(tiny, batch_size=2)
    texts = ["нет воды", "", "яма на дороге у дома 12", "🙂", "снег"]
    vectors = encoder.encode(texts)
    assert vectors.shape == (5, 32)
    assert np.allclose(np.linalg.norm(vectors, axis=1), [1, 0, 1, 0, 1], atol=1e-5)
    assert np.allclose(vectors[2], encoder.encode([texts[2]])[0], atol=1e-5)


def test_a_transformer_without_russian_is_refused(tmp_path):
    english = build_tiny(tmp_path, "abcdefghijklmnopqrstuvwxyz")
    with pytest.raises(ModelFormatError, match="cannot tell Russian texts apart"):
        TransformerEncoder(english, device="cpu").encode(["нет воды"])


def test_prefix_and_precision_change_vectors_and_hash(tiny):
    plain, prefixed, half = make_tiny(tiny), make_tiny(tiny, prefix="запрос: "), make_tiny(tiny, half=True)
    base = plain.encode(["нет воды"])
    assert not np.allclose(prefixed.encode(["нет воды"]), base, atol=1e-3)
    assert np.allclose(half.encode(["нет воды"]), base, atol=0.05)
    assert len({plain.hash, prefixed.hash, half.hash}) == 3


def test_cut_texts_are_told(tiny):
    with pytest.warns(UserWarning, match="1 of 2 texts are longer than the 16 tokens"):
        make_tiny(tiny, max_tokens=16).encode(["нет воды", "очень длинный рассказ о воде"])


def test_a_transformer_is_saved_and_loaded_through_a_model_folder(tiny, tmp_path):
    encoder = make_tiny(tiny, prefix="запрос: ")
    encoder.save(tmp_path / "model")
    again = TransformerEncoder.load(tmp_path / "model")
    assert again.prefix == "запрос: "
    assert np.array_equal(again.encode(["нет воды"]), encoder.encode(["нет воды"]))
    assert again.hash == encoder.hash


def margin(encoder: TransformerEncoder, pair: tuple[str, str], other: tuple[str, str]) -> float:
    """Return how much nearer a text is to its own than to another's."""
    text, own, strange = encoder.encode([*pair, other[1]])
    return float(text @ own - text @ strange)


@pytest.mark.slow
def test_fine_tuning_learns_and_resumes(tiny, tmp_path):
    pytest.importorskip("datasets", reason="needs the extra 'transformers'")
    pairs = [("нет воды", "вода пропала"), ("яма на дороге", "разбита дорога"), ("не горит фонарь", "темно")] * 8
    encoder = make_tiny(tiny)
    before = margin(encoder, *pairs[:2])
    encoder.fine_tune(pairs, output=tmp_path, epochs=4, batch_size=3, learning_rate=5e-3, save_steps=8)
    assert margin(encoder, *pairs[:2]) > before + 0.1
    newest = max(int(path.name.split("-")[1]) for path in tmp_path.glob("checkpoint-*"))
    make_tiny(tiny).fine_tune(pairs, output=tmp_path, epochs=5, batch_size=3, learning_rate=5e-3, save_steps=8)
    assert max(int(path.name.split("-")[1]) for path in tmp_path.glob("checkpoint-*")) > newest


def test_fine_tuning_wants_examples_of_one_width(tiny, tmp_path):
    with pytest.raises(DataError, match=r"found widths \[2, 3\]"):
        make_tiny(tiny).fine_tune([("а", "б"), ("а", "б", "в")], output=tmp_path)
