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

TASKS = {
    *("pipeline", "baseline", "shipped", "label_noise", "ablations"),
    *("speed", "update_latency", "memory"),
}
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
        assert suite["task"] in TASKS
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


def ask(code: str) -> Any:
    """Run code beside the benchmarks and return what it prints as JSON."""
    lines = ["import json, sys", f"sys.path.insert(0, {str(BENCHMARKS)!r})", code]
    found = subprocess.run([sys.executable, "-c", "\n".join(lines)], capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stderr
    return json.loads(found.stdout)


def test_every_task_exists() -> None:
    assert set(ask("from tasks import TASKS; print(json.dumps(list(TASKS)))")) == TASKS


def test_forked_processes_answer_in_order() -> None:
    held = "held = [3, 1, 2]; print(json.dumps(forked(lambda row: held[row] * 10, [0, 1, 2], 2)))"
    assert ask(f"from common import forked; {held}") == [30, 10, 20]


def test_every_peer_named_by_a_suite_exists() -> None:
    peers = ask("from peers import PEERS; print(json.dumps(list(PEERS)))")
    suites = tomllib.loads((BENCHMARKS / "suites.toml").read_text("utf-8"))["suite"]
    models = [suite["model"] for suite in suites if "model" in suite]
    assert {model["clusters"] for model in models if "clusters" in model} <= {"hdbscan", "graph", *peers}
    assert {model["filter"] for model in models if "filter" in model} <= {
        "logistic",
        "svm",
        "sentiment",
        "keywords",
    }


def test_every_piece_of_evidence_belongs_to_one_ablation() -> None:
    from incidentml.incidents.links import FEATURES

    blocks = ask("from ablations import LINKS; print(json.dumps(LINKS))")
    assert sorted(name for block in blocks.values() for name in block.split()) == sorted(FEATURES)


def test_every_column_of_the_filter_belongs_to_one_ablation() -> None:
    from incidentml.complaints.features import feature_names

    blocks = ask("from ablations import FILTER; print(json.dumps(FILTER))")
    for name in feature_names(2):
        assert sum(name.startswith(tuple(starts)) for starts in blocks.values()) == 1, name


def test_time_by_tenth_of_the_stream_is_per_post() -> None:
    code = "from speed import _by_decile; print(json.dumps(_by_decile([(10, 1.0)] * 10 + [(10, 2.0)] * 10)))"
    assert ask(code) == [100.0] * 5 + [200.0] * 5
