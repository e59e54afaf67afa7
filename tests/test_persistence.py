"""Model folders: what comes back is what went in, and whatever was changed is named."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from incidentml import persistence
from incidentml.errors import DataError, ModelFormatError
from incidentml.persistence import FORMAT, FittedState, Persistent, load_state, pack_json, save_state, unpack_json

GOLDEN = Path(__file__).parent / "golden"


def state() -> FittedState:
    inner = FittedState("inner", {"step": 0.1}, {"w": np.arange(4, dtype=np.int16)})
    arrays = {"coef": np.arange(12, dtype=np.float64).reshape(3, 4), "mask": np.array([True, False])}
    return FittedState("outer", {"names": ["да", "нет"], "limit": None}, arrays, {"part": inner})


def same(left: FittedState, right: FittedState) -> bool:
    return (
        (left.kind, left.meta, set(left.arrays), set(left.parts))
        == (right.kind, right.meta, set(right.arrays), set(right.parts))
        and all(
            value.dtype == right.arrays[name].dtype
            and value.shape == right.arrays[name].shape
            and np.ascontiguousarray(value).tobytes() == right.arrays[name].tobytes()
            for name, value in left.arrays.items()
        )
        and all(same(part, right.parts[name]) for name, part in left.parts.items())
    )


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    return save_state(state(), tmp_path / "model", texts={"CARD.md": "# Card\n"})


def rewrite(folder: Path, change: Callable[[dict[str, Any]], Any]) -> None:
    """Change the manifest and nothing else."""
    file = folder / "manifest.json"
    manifest = json.loads(file.read_text("utf-8"))
    change(manifest)
    file.write_text(json.dumps(manifest), "utf-8")


def test_state_comes_back(saved: Path) -> None:
    assert same(state(), load_state(saved))
    assert sorted(entry.name for entry in saved.iterdir()) == ["CARD.md", "arrays.safetensors", "manifest.json"]
    assert [entry.name for entry in saved.parent.iterdir()] == ["model"]


def test_model_may_be_read_by_others(saved: Path) -> None:
    assert {entry.stat().st_mode & 0o444 for entry in [saved, *saved.iterdir()]} == {0o444}


def test_saving_twice_gives_the_same_bytes(saved: Path, tmp_path: Path) -> None:
    again = save_state(state(), tmp_path / "again", texts={"CARD.md": "# Card\n"})
    for file in saved.iterdir():
        assert file.read_bytes() == (again / file.name).read_bytes()


@pytest.mark.parametrize(
    "view",
    [
        np.asfortranarray,
        np.transpose,
        lambda a: a[::2],
        lambda a: a[:, ::-1],
        lambda a: a[1:2, 1:3],
        lambda a: np.broadcast_to(a[:1], (5, 4)),
        lambda a: a[:0],
        lambda a: a.reshape(-1)[::-3],
        lambda a: a.astype(">f4"),
        lambda a: a[1, 2, ...],
    ],
    ids=[
        "fortran",
        "transposed",
        "strided",
        "reversed",
        "window",
        "broadcast",
        "empty",
        "negative",
        "big-endian",
        "scalar",
    ],
)
def test_array_comes_back_however_it_lies_in_memory(tmp_path: Path, view: Callable[[Any], Any]) -> None:
    array = view(np.arange(12, dtype=np.float32).reshape(3, 4))
    before = array.copy()
    back = load_state(save_state(FittedState("x", {}, {"a": array}), tmp_path / "m")).array("a")
    assert np.array_equal(back, before)
    assert back.shape == before.shape
    assert np.array_equal(array, before)


@given(
    hnp.arrays(
        st.sampled_from(["bool", "int8", "uint16", "int64", "float16", "float32", "float64"]),
        hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4),
        elements={"allow_nan": False, "allow_infinity": False},
    )
)
@settings(max_examples=40, deadline=None)
def test_any_array_comes_back(tmp_path_factory: pytest.TempPathFactory, array: Any) -> None:
    given_state = FittedState("x", {}, {"a": array})
    assert same(given_state, load_state(save_state(given_state, tmp_path_factory.mktemp("any") / "m")))


@given(st.lists(st.recursive(st.none() | st.booleans() | st.integers() | st.text(), st.lists, max_leaves=4)))
@settings(max_examples=50, deadline=None)
def test_packed_json_comes_back(values: list[Any]) -> None:
    assert unpack_json(pack_json(values)) == values


def test_broken_packed_json_is_named() -> None:
    with pytest.raises(ModelFormatError, match="packed JSON cannot be read"):
        unpack_json(np.frombuffer(b'{"a"', dtype=np.uint8))


# What is refused at save


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_nan_is_refused_and_the_old_model_kept(saved: Path, value: float) -> None:
    bad = FittedState("outer", {}, {"coef": np.array([1.0, value])})
    with pytest.raises(ModelFormatError, match="array 'coef' holds NaN or infinity"):
        save_state(bad, saved)
    assert same(state(), load_state(saved))


@pytest.mark.parametrize(
    "array", [np.array(["a"]), np.array([object()]), np.array([1j]), np.array(["2024"], "M8[D]")]
)
def test_array_that_is_no_number_is_refused(tmp_path: Path, array: Any) -> None:
    with pytest.raises(ModelFormatError, match="'a' has dtype"):
        save_state(FittedState("x", {}, {"a": array}), tmp_path / "m")


def test_nan_in_settings_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        save_state(FittedState("x", {"p": float("nan")}), tmp_path / "m")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["../evil", "manifest.json", "arrays.safetensors", "a/b"])
def test_extra_file_must_have_a_plain_and_free_name(tmp_path: Path, name: str) -> None:
    with pytest.raises(ModelFormatError, match="is not allowed as the name"):
        save_state(state(), tmp_path / "m", texts={name: "x"})


def test_only_a_model_folder_is_replaced(saved: Path, tmp_path: Path) -> None:
    save_state(state(), saved)
    (tmp_path / "models").mkdir()
    saved.rename(tmp_path / "models" / "mine")
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "diary.txt").write_text("dear diary", encoding="utf-8")
    for folder in (tmp_path / "models", tmp_path / "notes", tmp_path / "notes" / "diary.txt"):
        with pytest.raises(DataError, match="name a folder of its own"):
            save_state(state(), folder)
    assert (tmp_path / "models" / "mine" / "manifest.json").is_file()
    assert (tmp_path / "notes" / "diary.txt").is_file()


def test_copy_that_differs_replaces_nothing(saved: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    honest = persistence.load_state

    def lies(path: Any) -> FittedState:
        found = honest(path)
        return FittedState(found.kind, found.meta, found.arrays | {"coef": found.arrays["coef"] + 1}, found.parts)

    monkeypatch.setattr(persistence, "load_state", lies)
    with pytest.raises(ModelFormatError, match="'coef' came back different from disk; nothing was replaced"):
        save_state(state(), saved)
    assert same(state(), honest(saved))


# What is refused at load


@pytest.mark.parametrize("name", ["arrays.safetensors", "CARD.md"])
def test_one_flipped_byte_is_found(saved: Path, name: str) -> None:
    content = bytearray((saved / name).read_bytes())
    content[len(content) // 2] ^= 1
    (saved / name).write_bytes(content)
    with pytest.raises(ModelFormatError, match=rf"{name}: sha256 is \w{{64}}, manifest.json says \w{{64}}"):
        load_state(saved)


def test_missing_file_is_named(saved: Path) -> None:
    (saved / "CARD.md").unlink()
    with pytest.raises(ModelFormatError, match=r"missing \['CARD.md'\], which manifest.json lists"):
        load_state(saved)


def test_extra_file_is_named(saved: Path) -> None:
    (saved / "run.py").write_text("print('hello')")
    with pytest.raises(ModelFormatError, match=r"\['run.py'\] is not listed in manifest.json"):
        load_state(saved)


def test_missing_folder_and_missing_manifest_are_told_apart(tmp_path: Path, saved: Path) -> None:
    with pytest.raises(ModelFormatError, match="no such model folder"):
        load_state(tmp_path / "none")
    (saved / "manifest.json").unlink()
    with pytest.raises(ModelFormatError, match="not a model folder"):
        load_state(saved)


def test_newer_format_asks_for_an_upgrade(saved: Path) -> None:
    rewrite(saved, lambda manifest: manifest.update(format=FORMAT + 1))
    with pytest.raises(ModelFormatError, match=rf"format {FORMAT + 1} is newer than {FORMAT}.*upgrade incidentml"):
        load_state(saved)


@pytest.mark.parametrize("value", [0, -1, "1", None, 1.5])
def test_format_must_be_a_number_that_exists(saved: Path, value: Any) -> None:
    rewrite(saved, lambda manifest: manifest.update(format=value))
    with pytest.raises(ModelFormatError, match="format"):
        load_state(saved)


def test_link_is_no_plain_file(saved: Path, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    (saved / "CARD.md").rename(secret)
    (saved / "CARD.md").symlink_to(secret)
    with pytest.raises(ModelFormatError, match="expected a plain file"):
        load_state(saved)


def test_deep_json_is_refused(saved: Path) -> None:
    (saved / "manifest.json").write_text('{"format": 1, "model": ' + "[" * 200_000, "utf-8")
    with pytest.raises(ModelFormatError, match="not valid JSON"):
        load_state(saved)


def test_huge_manifest_is_refused_unread(saved: Path) -> None:
    with (saved / "manifest.json").open("wb") as stream:
        stream.truncate(65 * 2**20)  # a sparse file: nothing is written
    with pytest.raises(ModelFormatError, match="the limit is"):
        load_state(saved)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda m: m["model"].pop("kind"), "expected the keys"),
        (lambda m: m["model"].update(meta=[]), "'meta' must be dict"),
        (
            lambda m: m["model"].update(arrays=["coef", "mask", "more"]),
            r"arrays \['more'\] are named but not stored",
        ),
        (lambda m: m["model"].update(arrays=["coef"]), r"arrays \['mask'\] are not named"),
        (lambda m: m["model"]["parts"].update(part=5), r"model/part: expected the keys"),
        (lambda m: m["files"].pop("arrays.safetensors"), "arrays.safetensors"),
        (lambda m: m["files"].update({"../x": "0"}), "plain file names"),
        (lambda m: m.update(files=[]), "plain file names"),
    ],
)
def test_manifest_that_makes_no_sense_is_named(saved: Path, change: Callable[[Any], Any], message: str) -> None:
    rewrite(saved, change)
    with pytest.raises(ModelFormatError, match=message):
        load_state(saved)


def test_arrays_that_are_no_safetensors_are_named(saved: Path) -> None:
    content = b"\x80\x04\x95 a pickle, say"
    (saved / "arrays.safetensors").write_bytes(content)
    digest = hashlib.sha256(content).hexdigest()
    rewrite(saved, lambda m: m["files"].update({"arrays.safetensors": digest}))
    with pytest.raises(ModelFormatError, match="not a safetensors file"):
        load_state(saved)


def test_nan_that_came_in_later_is_found(saved: Path) -> None:
    from safetensors.numpy import load_file, save_file

    arrays = load_file(saved / "arrays.safetensors")
    save_file(arrays | {"coef": np.full((3, 4), np.nan)}, saved / "arrays.safetensors")
    digest = hashlib.sha256((saved / "arrays.safetensors").read_bytes()).hexdigest()
    rewrite(saved, lambda m: m["files"].update({"arrays.safetensors": digest}))
    with pytest.raises(ModelFormatError, match="'coef' holds NaN"):
        load_state(saved)


@given(st.binary(max_size=200))
@settings(max_examples=100, deadline=None)
def test_no_bytes_as_manifest_break_the_reader(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    folder = tmp_path_factory.mktemp("fuzz")
    (folder / "manifest.json").write_bytes(content)
    with pytest.raises(ModelFormatError):
        load_state(folder)


# States and objects


def test_state_names_what_it_lacks() -> None:
    given_state = state()
    with pytest.raises(ModelFormatError, match="outer: array 'x' is missing; found"):
        given_state.array("x")
    with pytest.raises(ModelFormatError, match="'coef' has 2 axes, expected 1"):
        given_state.array("coef", ndim=1)
    with pytest.raises(ModelFormatError, match="outer: setting 'x' is missing"):
        given_state.setting("x")
    with pytest.raises(ModelFormatError, match="outer: part 'x' is missing"):
        given_state.part("x")
    with pytest.raises(ModelFormatError, match="is of kind 'outer', expected 'other'"):
        given_state.require("other")


class Toy(Persistent):
    """The smallest thing that can be saved."""

    KIND = "toy"

    def __init__(self, values: Any) -> None:
        self.values = values

    def to_state(self) -> FittedState:
        return FittedState(self.KIND, {}, {"values": self.values})

    @classmethod
    def from_state(cls, state: FittedState) -> Self:
        return cls(state.array("values", ndim=1))


@pytest.mark.parametrize("meta", [{"length": "x"}, {"length": [1]}, {"length": None}])
def test_settings_of_a_wrong_kind_are_a_damaged_model(tmp_path: Path, meta: dict[str, Any]) -> None:
    class Sized(Toy):
        @classmethod
        def from_state(cls, state: FittedState) -> Self:
            return cls(state.array("values")[: int(state.setting("length"))])

    folder = save_state(FittedState(Toy.KIND, meta, {"values": np.arange(3.0)}), tmp_path / "m")
    with pytest.raises(ModelFormatError, match="do not fit this version"):
        Sized.load(folder)


def test_object_comes_back_and_only_as_its_own_kind(tmp_path: Path, saved: Path) -> None:
    assert Toy.load(Toy(np.arange(3.0)).save(tmp_path / "toy")).values.tolist() == [0, 1, 2]
    with pytest.raises(ModelFormatError, match="kind 'outer', expected 'toy'"):
        Toy.load(saved)


# Old folders and killed writers


@pytest.mark.parametrize("number", range(1, FORMAT + 1))
def test_golden_folder_of_every_format_still_loads(number: int) -> None:
    found = load_state(GOLDEN / f"format-{number}")
    assert found.kind == "golden"
    assert found.setting("слова") == ["вода", "свет"]
    assert found.array("coef").tolist() == [[0.5, -1.25], [3.0, 0.0]]
    assert found.part("inner").array("codes").tolist() == [-3, 0, 7]
    assert found.part("inner").array("codes").dtype == np.int16


def test_golden_folder_is_what_is_written_today(tmp_path: Path) -> None:
    golden = load_state(GOLDEN / f"format-{FORMAT}")
    fresh = save_state(
        golden, tmp_path / "fresh", texts={"CARD.md": (GOLDEN / f"format-{FORMAT}/CARD.md").read_text()}
    )
    assert same(golden, load_state(fresh))
    assert (fresh / "manifest.json").read_bytes() == (GOLDEN / f"format-{FORMAT}/manifest.json").read_bytes()


WRITER = """
import itertools, sys
import numpy as np
from incidentml.persistence import FittedState, save_state

for n in itertools.count(1):
    save_state(FittedState("x", {"n": n}, {"a": np.full(50_000, n)}), sys.argv[1])
    if n == 1:
        print("first", flush=True)
"""


@pytest.mark.parametrize("delay", [0.0, 0.011, 0.029, 0.053])
def test_killed_writer_leaves_one_whole_model(tmp_path: Path, delay: float) -> None:
    process = subprocess.Popen([sys.executable, "-c", WRITER, tmp_path / "m"], stdout=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.readline()
    time.sleep(delay)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    found = load_state(tmp_path / "m")
    assert set(found.array("a").tolist()) == {found.setting("n")}
    save_state(state(), tmp_path / "m")
    assert os.listdir(tmp_path) == ["m"]


def test_copied_folder_loads(saved: Path, tmp_path: Path) -> None:
    shutil.copytree(saved, tmp_path / "copy")
    assert same(state(), load_state(tmp_path / "copy"))
