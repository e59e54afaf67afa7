from __future__ import annotations

import json
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from incidentml.encoders import model_files
from incidentml.encoders.model_files import check_files
from incidentml.encoders.transformers import TransformerEncoder
from incidentml.errors import ModelFormatError
from incidentml.fitted_state import FittedState

MODULES = [
    {"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.Transformer"},
    {"idx": 1, "name": "1", "path": "1_Pooling", "type": "sentence_transformers.models.Pooling"},
    {"idx": 2, "name": "2", "path": "2_Dense", "type": "sentence_transformers.models.Dense"},
]
GOOD = {
    "modules.json": json.dumps(MODULES).encode(),
    "config.json": b'{"model_type": "bert", "hidden_act": "gelu", "activation_function": "gelu_new"}',
    "tokenizer_config.json": b'{"tokenizer_class": "BertTokenizer", "added_tokens_decoder": {"0": {"type": "x"}}}',
    "2_Dense/config.json": b'{"activation_function": "torch.nn.modules.activation.Tanh"}',
    "vocab.txt": b"a\nb",
    "model.safetensors": b"\x00",
    "README.md": b"",
}


def check(files):
    check_files({name: np.frombuffer(content, np.uint8) for name, content in files.items()})


def module(**change):
    return json.dumps([MODULES[0] | change]).encode()


def test_a_usual_model_is_let_in():
    check(GOOD)


@pytest.mark.parametrize(
    ("name", "content", "rule"),
    [
        ("../config.json", b"{}", "not allowed"),
        ("/etc/config.json", b"{}", "not allowed"),
        ("..\\config.json", b"{}", "not allowed"),
        ("C:config.json", b"{}", "not allowed"),
        ("model.py", b"", "not allowed"),
        ("pytorch_model.bin", b"", "not allowed"),
        ("config.json", b"{", "no JSON"),
        ("config.json", b"\xff\xfe{", "no JSON"),
        ("config.json", b"[" * 200_000, "no JSON"),
        ("modules.json", b"{}", "no list of modules"),
        ("modules.json", b"[1]", "no list of modules"),
        ("modules.json", module(type="subprocess.Popen"), "'type' is 'subprocess.Popen'"),
        ("modules.json", module(path="../../other"), "'path' is '../../other'"),
        ("modules.json", module(path=None), "'path' is None"),
        ("2_Dense/config.json", b'{"activation_function": "os.abort"}', "'activation_function' is 'os.abort'"),
        ("router_config.json", b'{"types": {"query": ["os.abort"]}}', "'types' is 'os.abort'"),
    ],
)
def test_a_file_that_breaks_a_rule_is_named_with_the_rule(name, content, rule):
    with pytest.raises(ModelFormatError) as error:
        check({**GOOD, name: content})
    assert repr(name) in str(error.value)
    assert rule in str(error.value)


@pytest.mark.parametrize(
    ("name", "limit"),
    [
        ("modules.json", "_MAX_SETTINGS_BYTES"),
        ("tokenizer.json", "_MAX_WORDS_BYTES"),
        ("vocab.txt", "_MAX_WORDS_BYTES"),
    ],
)
def test_a_file_beyond_its_size_is_refused(monkeypatch, name, limit):
    monkeypatch.setattr(model_files, limit, 10)
    with pytest.raises(ModelFormatError, match=f"'{name}' has 11 bytes, allowed are 10"):
        check({name: b" " * 11})


def test_more_files_than_a_model_has_are_refused():
    with pytest.raises(ModelFormatError, match="1001 files"):
        check({f"{number}.txt": b"" for number in range(1001)})


def state(files, arrays):
    meta = {"model": "m", "prefix": "", "batch_size": 8, "half": False, "max_tokens": None, "check": False}
    return FittedState(TransformerEncoder.KIND, {**meta, "files": files}, arrays)


@pytest.mark.parametrize(
    ("files", "arrays", "rule"),
    [
        (["modules.json"], {"file0": np.frombuffer(module(type="os.abort"), np.uint8)}, "'modules.json'"),
        (["config.json"], {"file0": np.zeros(3)}, "'config.json' is stored as float64"),
        (["config.json"], {}, "'file0' is missing"),
        (["config.json", "config.json"], {"file0": np.frombuffer(b"{}", np.uint8)}, "'files'"),
        ("config.json", {}, "'files'"),
        ([1], {}, "'files'"),
    ],
)
def test_a_transformer_checks_its_files_before_it_loads_them(files, arrays, rule):
    with pytest.raises(ModelFormatError, match=rule):
        TransformerEncoder.from_state(state(files, arrays))


def test_a_transformer_gives_its_files_away_and_takes_them_back(monkeypatch, tmp_path):
    class Stub:
        """Holds the files of its folder, as the real one holds settings and weights."""

        max_seq_length = None

        def __init__(self, folder, **options):
            assert options["trust_remote_code"] is False
            root = Path(folder)
            found = [path for path in root.rglob("*") if path.is_file()]
            self.files = {path.relative_to(root).as_posix(): path.read_bytes() for path in found}

        def save(self, folder, **_options):
            for name, content in self.files.items():
                (Path(folder) / name).parent.mkdir(exist_ok=True)
                (Path(folder) / name).write_bytes(content)

    monkeypatch.setitem(sys.modules, "sentence_transformers", SimpleNamespace(SentenceTransformer=Stub))
    for name, content in GOOD.items():
        (tmp_path / "given" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "given" / name).write_bytes(content)
    encoder = TransformerEncoder(tmp_path / "given", check=False, prefix="запрос: ")
    again = TransformerEncoder.load(encoder.save(tmp_path / "model"))
    assert again.prefix == "запрос: "
    assert again._loaded.files == {**GOOD, "README.md": b"\n"}
