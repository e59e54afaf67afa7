"""The folder of a run: all of it or nothing, and never in the place of something else."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from incidentml import folders
from incidentml.errors import DataError
from incidentml.output import check_output, write_run

OLD = {"posts.jsonl": [{"id": "old"}], "run.json": {"run": "old"}}
NEW = {"posts.jsonl": [{"id": "new"}], "run.json": {"run": "new"}}


def read(folder: Path) -> dict[str, str]:
    return {file.name: file.read_text(encoding="utf-8") for file in folder.iterdir()}


def left_over(parent: Path) -> list[str]:
    return sorted(entry.name for entry in parent.iterdir() if entry.name.startswith("."))


def test_lines_and_objects_are_json_as_people_read_it(tmp_path: Path) -> None:
    write_run(tmp_path / "out", {"posts.jsonl": [{"a": "я"}, {"b": None}], "run.json": {"n": 1}})
    assert read(tmp_path / "out") == {"posts.jsonl": '{"a": "я"}\n{"b": null}\n', "run.json": '{\n "n": 1\n}\n'}
    assert left_over(tmp_path) == []


def test_parents_are_made(tmp_path: Path) -> None:
    assert (write_run(tmp_path / "a" / "b", NEW) / "run.json").is_file()


def test_earlier_run_is_replaced_as_a_whole(tmp_path: Path) -> None:
    write_run(tmp_path / "out", OLD | {"incidents.jsonl": []})
    write_run(tmp_path / "out", NEW)
    assert sorted(read(tmp_path / "out")) == ["posts.jsonl", "run.json"]
    assert '"new"' in read(tmp_path / "out")["run.json"]
    assert left_over(tmp_path) == []


def test_functions_are_called_when_their_turn_comes(tmp_path: Path) -> None:
    seen: list[str] = []

    def lines() -> Iterator[dict[str, Any]]:
        seen.append("posts")
        yield {"id": 1}

    write_run(tmp_path / "out", {"posts.jsonl": lines, "run.json": lambda: {"seen": list(seen)}})
    assert json.loads(read(tmp_path / "out")["run.json"]) == {"seen": ["posts"]}


def test_failure_in_the_middle_leaves_the_old_run(tmp_path: Path) -> None:
    write_run(tmp_path / "out", OLD)

    def breaks() -> Iterator[dict[str, Any]]:
        yield {"id": "new"}
        raise RuntimeError("stop")

    with pytest.raises(RuntimeError, match="stop"):
        write_run(tmp_path / "out", {"posts.jsonl": breaks(), "run.json": {}})
    assert '"old"' in read(tmp_path / "out")["posts.jsonl"]
    assert left_over(tmp_path) == []


def test_nan_is_not_json(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_run(tmp_path / "out", {"run.json": {"x": float("nan")}})
    assert not (tmp_path / "out").exists()


def test_half_of_a_surrogate_pair_is_written_escaped(tmp_path: Path) -> None:
    write_run(tmp_path / "out", {"posts.jsonl": [{"title": "\ud83d"}], "run.json": {}})
    assert json.loads(read(tmp_path / "out")["posts.jsonl"]) == {"title": "\ud83d"}


def test_folder_that_is_no_run_is_never_replaced(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "diploma.docx").write_text("mine")
    with pytest.raises(DataError, match="not empty and not the output of an earlier run"):
        write_run(tmp_path / "out", NEW)
    assert read(tmp_path / "out") == {"diploma.docx": "mine"}


def test_strange_file_beside_a_run_is_not_lost(tmp_path: Path) -> None:
    write_run(tmp_path / "out", OLD)
    (tmp_path / "out" / "notes.txt").write_text("mine")
    with pytest.raises(DataError, match=r"\['notes.txt'\] lies here and would be lost; move that elsewhere"):
        check_output(tmp_path / "out")


def test_stale_evaluation_goes_with_its_run(tmp_path: Path) -> None:
    write_run(tmp_path / "out", OLD)
    (tmp_path / "out" / "evaluation.json").write_text("{}")
    write_run(tmp_path / "out", NEW)
    assert sorted(read(tmp_path / "out")) == ["posts.jsonl", "run.json"]


def test_empty_folder_is_fine(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    write_run(tmp_path / "out", NEW)


def test_link_to_a_folder_stays_a_link(tmp_path: Path) -> None:
    write_run(tmp_path / "real", OLD)
    (tmp_path / "link").symlink_to(tmp_path / "real")
    write_run(tmp_path / "link", NEW)
    assert (tmp_path / "link").is_symlink()
    assert '"new"' in read(tmp_path / "real")["run.json"]


def test_file_in_the_way_is_named(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("x")
    with pytest.raises(DataError, match="this is a file; name a folder"):
        write_run(tmp_path / "out", NEW)
    with pytest.raises(DataError, match="is a file; choose another folder"):
        write_run(tmp_path / "out" / "below", NEW)


def test_unwritable_place_is_named() -> None:
    with pytest.raises(
        DataError, match=r"/proc/nowhere: (cannot be written|no permission).*choose another folder"
    ):
        write_run("/proc/nowhere", NEW)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_folder_without_permission_is_named(tmp_path: Path) -> None:
    (tmp_path / "shut").mkdir(mode=0o500)
    with pytest.raises(DataError, match="no permission to write into"):
        write_run(tmp_path / "shut" / "out", NEW)


def test_mount_point_is_refused_with_advice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os.path, "ismount", lambda path: True)
    with pytest.raises(DataError, match="name a folder inside it"):
        write_run(tmp_path / "out", NEW)


def test_names_with_a_path_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="not plain file names"):
        write_run(tmp_path / "out", {"../escape.json": {}})


def test_without_exchange_the_old_folder_is_set_aside_and_put_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(folders, "_exchange", lambda left, right: False)
    write_run(tmp_path / "out", OLD)
    write_run(tmp_path / "out", NEW)
    assert '"new"' in read(tmp_path / "out")["run.json"]
    with pytest.raises(FileNotFoundError):
        folders.replace_folder(tmp_path / "none", tmp_path / "out")
    assert '"new"' in read(tmp_path / "out")["run.json"]
    assert left_over(tmp_path) == []


WRITER = """
import itertools, sys
from incidentml.output import write_run

for n in itertools.count(1):
    lines = [{"run": n}] * 2000
    write_run(sys.argv[1], {"posts.jsonl": lines, "incidents.jsonl": lines, "run.json": {"run": n}})
    if n == 1:
        print("first", flush=True)
"""


@pytest.mark.parametrize("delay", [0.0, 0.013, 0.031, 0.057, 0.083])
def test_killed_run_leaves_one_whole_run(tmp_path: Path, delay: float) -> None:
    process = subprocess.Popen([sys.executable, "-c", WRITER, tmp_path / "out"], stdout=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.readline()
    time.sleep(delay)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    files = read(tmp_path / "out")
    run = json.loads(files["run.json"])["run"]
    assert files["posts.jsonl"] == files["incidents.jsonl"] == f'{{"run": {run}}}\n' * 2000
    write_run(tmp_path / "out", NEW)
    assert left_over(tmp_path) == []


READER = """
import json, sys, time
from pathlib import Path

end = time.monotonic() + 1.0
while time.monotonic() < end:
    json.loads((Path(sys.argv[1]) / "run.json").read_text())
"""


def test_reader_never_finds_the_folder_missing(tmp_path: Path) -> None:
    write_run(tmp_path / "out", OLD)
    if not folders._exchange(*[_folder(tmp_path / name) for name in ("x", "y")]):
        pytest.skip("this file system cannot exchange two names")
    reader = subprocess.Popen([sys.executable, "-c", READER, tmp_path / "out"], stderr=subprocess.PIPE)
    while reader.poll() is None:
        write_run(tmp_path / "out", NEW)
    assert reader.returncode == 0, reader.communicate()[1].decode()


def _folder(path: Path) -> Path:
    path.mkdir()
    return path
