"""The code of the documentation and the README runs as it stands there, and prints what the page says."""

from __future__ import annotations

import contextlib
import csv
import io
import json
import os
import re
import shutil
import subprocess
import sys
from doctest import ELLIPSIS, NORMALIZE_WHITESPACE, OutputChecker
from pathlib import Path
from typing import Any

import pytest

import incidentml

ROOT = Path(__file__).parent.parent
CORPUS = ROOT / "datasets" / "ruincidents"
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
#: ``python`` blocks of a page share one namespace, ``sh`` blocks run in bash, ``console`` blocks do not run. A
#: ``text`` block right after one of the first two is what it prints, ``...`` standing for anything.
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$(?:\n\n```text\n(.*?)^```$)?", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\(([^)\s#]+)[^)]*\)")
#: Pages that train a whole pipeline.
SLOW = ["docs/how-to/retrain.md"]
LABELLED = {"stream_tver": 200, "stream_rostov": 200, "stream_samara": 200, "topics": 200}


def blocks(page: Path) -> list[tuple[str, str, str]]:
    return [match for match in BLOCK.findall(page.read_text(encoding="utf-8")) if match[0] in ("python", "sh")]


def name(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What a reader has at hand: a feed of two days, a gold set, labels of the own region."""
    sample = ROOT / "datasets" / "sample"
    feed = (sample / "posts.jsonl").read_text(encoding="utf-8").splitlines(keepends=True)
    (tmp_path / "posts.jsonl").write_text("".join(feed[:150]), encoding="utf-8")
    (tmp_path / "next_day.jsonl").write_text("".join(feed[150:]), encoding="utf-8")
    shutil.copy(sample / "gold.jsonl", tmp_path / "gold.jsonl")
    (tmp_path / "my-labels").mkdir()
    for territory, count in LABELLED.items():
        lines = (CORPUS / f"{territory}.jsonl").read_text(encoding="utf-8").splitlines(keepends=True)[:count]
        (tmp_path / "my-labels" / f"{territory.removeprefix('stream_')}.jsonl").write_text("".join(lines), "utf-8")
    with (tmp_path / "labels.csv").open("w", encoding="utf-8", newline="") as stream:
        rows = csv.writer(stream)
        rows.writerow(["text", "kind", "source", "city"])
        for file in sorted((tmp_path / "my-labels").glob("*.jsonl")):
            for line in map(json.loads, file.read_text(encoding="utf-8").splitlines()):
                if line["gold"]["kind"]:
                    rows.writerow([line["text"], line["gold"]["kind"], line["source"], file.stem])
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("INCIDENTML_MODELS", raising=False)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))  # where models are installed
    return tmp_path


def run(kind: str, code: str, names: dict[str, Any], where: str) -> str:
    if kind == "sh":
        package = str(Path(incidentml.__file__).parents[1])
        path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
        env = {**os.environ, "PATH": path, "PYTHONPATH": package, "COLUMNS": "150"}
        done = subprocess.run(["bash", "-euc", code], check=False, capture_output=True, text=True, env=env)
        assert done.returncode == 0, done.stderr
        return done.stdout
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        exec(compile(code, where, "exec"), names)
    return out.getvalue()


@pytest.mark.parametrize(
    "page",
    [
        pytest.param(page, id=name(page), marks=pytest.mark.slow if name(page) in SLOW else ())
        for page in PAGES
        if blocks(page)
    ],
)
def test_code_of_a_page_runs(page: Path, desk: Path) -> None:
    names: dict[str, Any] = {"__name__": "__main__"}
    for number, (kind, code, expected) in enumerate(blocks(page), start=1):
        where = f"{name(page)}, block {number}"
        printed = run(kind, code, names, where)
        if expected:
            same = OutputChecker().check_output(expected, printed, ELLIPSIS | NORMALIZE_WHITESPACE)
            assert same, f"{where} printed:\n{printed}"


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_links_of_a_page_lead_somewhere(page: Path) -> None:
    targets = [link for link in LINK.findall(page.read_text(encoding="utf-8")) if "://" not in link]
    assert [link for link in targets if not (page.parent / link).exists()] == []
