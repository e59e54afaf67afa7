"""The benchmark runner: suites make sense, figures are compared, tables are generated."""

from __future__ import annotations

import json
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parent.parent
BENCHMARKS = ROOT / "benchmarks"

PROBE = """
import json, sys
sys.path.insert(0, sys.argv[1])
import run, tables
from pathlib import Path

run.RESULTS = tables.RESULTS = Path(sys.argv[2]) / "results"
run.BASELINE = Path(sys.argv[2]) / "baseline.json"
sys.argv = ["run.py", *sys.argv[3:]]
sys.exit(run.main())
"""


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", PROBE, str(BENCHMARKS), str(folder), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def result(f1: float) -> dict[str, Any]:
    figure = {"value": f1, "low": f1 - 0.1, "high": f1 + 0.1}
    return {"suite": {"tolerance": 0.01}, "report": {"incidents": {"pairwise": {"f1": figure}}}}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "results").mkdir()
    (tmp_path / "results" / "toy.json").write_text(json.dumps(result(0.5)))
    assert run(tmp_path, "--accept").returncode == 0
    return tmp_path


def test_every_suite_names_a_task_and_territories_that_exist() -> None:
    suites = tomllib.loads((BENCHMARKS / "suites.toml").read_text("utf-8"))["suite"]
    assert len({suite["name"] for suite in suites}) == len(suites)
    for suite in suites:
        assert suite["task"] in {"pipeline", "baseline", "shipped", "speed"}
        for name in suite.get("territories", ()):
            assert (ROOT / "datasets" / suite["dataset"] / f"{name}.jsonl").is_file()


def test_figure_within_the_tolerance_passes(folder: Path) -> None:
    (folder / "results" / "toy.json").write_text(json.dumps(result(0.495)))
    assert run(folder, "--check").returncode == 0


def test_figure_that_fell_is_named(folder: Path) -> None:
    (folder / "results" / "toy.json").write_text(json.dumps(result(0.48)))
    outcome = run(folder, "--check")
    assert outcome.returncode == 1
    assert "worse: toy: incidents: pairwise F1 is 0.48, the baseline 0.5" in outcome.stdout


def test_result_that_is_missing_is_named(folder: Path) -> None:
    (folder / "results" / "toy.json").unlink()
    outcome = run(folder, "--check")
    assert outcome.returncode == 1
    assert "toy: no result; run the suite" in outcome.stdout


def test_unknown_suite_is_refused(folder: Path) -> None:
    outcome = run(folder, "--suite", "nope")
    assert outcome.returncode == 2
    assert "no suite ['nope']; there are" in outcome.stderr
