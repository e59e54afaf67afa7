"""The command line as its user meets it: files, exit codes, messages."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import chdir, redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

from incidentml.cli import main

SAMPLE = Path(__file__).parent.parent / "datasets" / "sample"
GOOD = {"id": "1", "network": "vk", "text": "Мира 5, нет воды второй день", "published_at": "2024-02-03T08:12:00"}


def incidentml(*arguments: str | Path, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Call the command line in this process: a new one takes seconds to import all."""
    out, err, call = StringIO(), StringIO(), ["incidentml", *map(str, arguments)]
    with (
        patch.object(sys, "argv", call),
        patch.dict(os.environ, {"COLUMNS": "150"}),
        chdir(cwd or "."),
        redirect_stdout(out),
        redirect_stderr(err),
        pytest.raises(SystemExit) as ended,
    ):
        main()
    return subprocess.CompletedProcess(call, int(ended.value.code or 0), out.getvalue(), err.getvalue())


def process(*arguments: str | Path, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "incidentml", *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        cwd=cwd,
        env={**os.environ, "COLUMNS": "150"},
    )


def lines(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]


@pytest.fixture(scope="module")
def sample_run(tmp_path_factory: pytest.TempPathFactory) -> tuple[subprocess.CompletedProcess[str], Path]:
    out = tmp_path_factory.mktemp("run") / "out"
    return process("run", SAMPLE / "posts.jsonl", "--out", out), out


def test_a_run_writes_its_four_files(sample_run: tuple[subprocess.CompletedProcess[str], Path]) -> None:
    done, out = sample_run
    assert done.returncode == 0, done.stderr
    assert sorted(file.name for file in out.iterdir()) == [
        "incidents.jsonl",
        "posts.jsonl",
        "rejected.jsonl",
        "run.json",
    ]
    posts, incidents = lines(out / "posts.jsonl"), lines(out / "incidents.jsonl")
    assert len(posts) == len((SAMPLE / "posts.jsonl").read_text(encoding="utf-8").splitlines())
    assert {post["incident_id"] for post in posts} - {None} == {incident["id"] for incident in incidents}
    report = json.loads((out / "run.json").read_text(encoding="utf-8"))
    assert report["counts"]["incidents"] == len(incidents)
    assert set(report["seconds"]) >= {"read", "encoding", "places", "complaints", "incidents", "total"}
    assert report["peak_memory_mb"] > 0


def test_a_run_shows_a_table_and_no_progress_in_a_pipe(
    sample_run: tuple[subprocess.CompletedProcess[str], Path],
) -> None:
    done, _ = sample_run
    assert "инцидентов" in done.stdout
    assert done.stderr == ""


def test_evaluation_prints_and_writes_the_figures(
    sample_run: tuple[subprocess.CompletedProcess[str], Path],
) -> None:
    _, out = sample_run
    done = incidentml("evaluate", out, SAMPLE / "gold.jsonl", "--bootstrap", "20")
    assert done.returncode == 0, done.stderr
    assert "pairwise f1" in done.stdout
    assert "incidents" in json.loads((out / "evaluation.json").read_text(encoding="utf-8"))


def test_a_report_that_cannot_be_written_is_named(
    sample_run: tuple[subprocess.CompletedProcess[str], Path], tmp_path: Path
) -> None:
    done = incidentml(
        "evaluate",
        sample_run[1],
        SAMPLE / "gold.jsonl",
        "--bootstrap",
        "2",
        "--out",
        tmp_path / "absent" / "report.json",
    )
    assert done.returncode == 2
    assert "cannot be written" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_state_goes_on_where_the_last_run_stopped(tmp_path: Path) -> None:
    rows = (SAMPLE / "posts.jsonl").read_text(encoding="utf-8").splitlines(keepends=True)
    for name, part in (("day1", rows[:150]), ("day2", rows[150:])):
        (tmp_path / f"{name}.jsonl").write_text("".join(part), encoding="utf-8")
        done = incidentml(
            "run", tmp_path / f"{name}.jsonl", "--out", tmp_path / name, "--state", tmp_path / "state"
        )
        assert done.returncode == 0, done.stderr
    incidentml("run", SAMPLE / "posts.jsonl", "--out", tmp_path / "once")
    by_day = {line["id"]: line["post_ids"] for line in lines(tmp_path / "day2" / "incidents.jsonl")}
    at_once = {line["id"]: line["post_ids"] for line in lines(tmp_path / "once" / "incidents.jsonl")}
    assert by_day == at_once
    assert len(lines(tmp_path / "day2" / "posts.jsonl")) == len(rows) - 150


def test_a_feed_unlike_the_training_data_is_told_in_russian(tmp_path: Path) -> None:
    posts = tmp_path / "posts.jsonl"
    rows = [GOOD | {"id": str(number), "text": f"люблю {number} песни и музыку, грустно"} for number in range(150)]
    posts.write_text("\n".join(json.dumps(row, ensure_ascii=False) for row in rows), encoding="utf-8")
    done = incidentml("run", posts, "--out", tmp_path / "out")
    assert done.returncode == 0
    assert "\nДанные изменились: сдвиг" in done.stdout
    shifts = json.loads((tmp_path / "out" / "run.json").read_text(encoding="utf-8"))["drift"]["shifts"]
    assert shifts
    assert not any(letter.isascii() and letter.isalpha() for name in shifts for letter in name)


def test_deadlines_follow_the_policy_that_is_asked_for(tmp_path: Path) -> None:
    posts, own = tmp_path / "posts.jsonl", tmp_path / "own.json"
    posts.write_text(json.dumps(GOOD, ensure_ascii=False) + "\n", encoding="utf-8")
    hours = {"unit": "hours", "amount": 3}
    terms = {"reply": hours, "forward": hours, "after_interim": hours}
    own.write_text(json.dumps({"own": {"title": "three hours", "clock_start": "published", **terms}}))
    due = {}
    for policy in ("default", "appeal_59fz", own):
        done = incidentml("run", posts, "--out", tmp_path / "out", "--policy", policy)
        assert done.returncode == 0, done.stderr
        (incident,) = lines(tmp_path / "out" / "incidents.jsonl")
        due[policy] = incident["deadline"]
    assert len(set(due.values())) == 3


def test_rejected_rows_fail_a_strict_run_only(tmp_path: Path) -> None:
    file = tmp_path / "posts.jsonl"
    file.write_text(json.dumps(GOOD, ensure_ascii=False) + "\n{broken\n", encoding="utf-8")
    done = incidentml("run", file, "--out", tmp_path / "a")
    assert done.returncode == 0
    assert "Rejected: bad_json 1; line by line in" in done.stdout
    assert incidentml("run", file, "--out", tmp_path / "b", "--strict").returncode == 1
    assert [line["line"] for line in lines(tmp_path / "b" / "rejected.jsonl")] == [2]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["run", "absent.jsonl", "--out", "out"], "absent.jsonl"),
        (["run", ".", "--out", "out"], "director|folder"),
        (["run", "posts.jsonl", "--out", "posts.jsonl"], "this is a file"),
        (["run", "posts.jsonl", "--out", "full"], "not empty"),
        (["run", "posts.jsonl", "--out", "out", "--model", "nobody@9.9.9"], "no model 'nobody@9.9.9'"),
        (["run", "posts.jsonl", "--out", "out", "--policy", "next_week"], "neither a file nor one of the shipped"),
        (["run", "posts.jsonl", "--out", "out", "--policy", "posts.jsonl"], "policies|policy"),
        (["run", "posts.jsonl", "--out", "out", "--state", "out"], "lie in one another"),
        (["run", "posts.jsonl", "--out", "state/out", "--state", "state"], "lie in one another"),
        (["run", "posts.jsonl", "--out", "out", "--state", "out/state"], "lie in one another"),
        (["run", "posts.jsonl", "--out", "out", "--state", "posts.jsonl/state"], "cannot be used"),
        (["evaluate", "absent", "posts.jsonl"], "absent"),
        (["train", "--datasets", "full", "--figures", "absent.json"], "absent.json: no result of a benchmark"),
        (["models", "show", "nobody"], "no model 'nobody'"),
        (["train", "--datasets", "absent"], "absent: no such folder"),
        (["train", "--datasets", "full"], "no *.jsonl in this folder"),
        (["train", "--datasets", "."], "posts.jsonl, line 1: no 'gold' object"),
        (["models", "install", "absent-1.0.0.zip"], "absent-1.0.0.zip: no such file or folder"),
        (["models", "install", "posts.jsonl"], "give --name and --version"),
        (["models", "pack", "nobody", "--out", "a.zip"], "no model 'nobody'"),
    ],
)
def test_unusable_calls_exit_with_2_and_say_why(tmp_path: Path, arguments: list[str], message: str) -> None:
    (tmp_path / "posts.jsonl").write_text(json.dumps(GOOD, ensure_ascii=False) + "\n", encoding="utf-8")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "diary.txt").write_text("dear diary", encoding="utf-8")
    done = incidentml(*arguments, cwd=tmp_path)
    assert done.returncode == 2
    assert any(part in done.stderr for part in message.split("|")), done.stderr
    assert "Traceback" not in done.stderr
    assert (tmp_path / "full" / "diary.txt").exists()


def test_a_console_without_cyrillic_ends_no_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "posts.jsonl").write_text(json.dumps(GOOD, ensure_ascii=False) + "\n", encoding="utf-8")
    monkeypatch.setenv("PYTHONIOENCODING", "ascii")
    done = process("run", tmp_path / "posts.jsonl", "--out", tmp_path / "out")
    assert done.returncode == 0, done.stderr


def test_an_empty_file_gives_an_empty_output(tmp_path: Path) -> None:
    (tmp_path / "posts.jsonl").write_text("", encoding="utf-8")
    done = incidentml("run", tmp_path / "posts.jsonl", "--out", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    assert lines(tmp_path / "out" / "incidents.jsonl") == []


def test_a_run_imports_no_torch(tmp_path: Path) -> None:
    code = (
        "import sys; from incidentml.run import run_files; "
        f"run_files({str(SAMPLE / 'posts.jsonl')!r}, {str(tmp_path / 'out')!r}); "
        "print(sorted({'torch', 'transformers', 'sentence_transformers'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_models_are_listed_and_shown() -> None:
    assert "ru-base@" in process("models", "list").stdout
    assert "# " in incidentml("models", "show").stdout


def test_a_process_ends_as_its_call_does(tmp_path: Path) -> None:
    done = process("models", "show", "nobody", cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr.startswith("incidentml: no model 'nobody'")
    assert "Traceback" not in done.stderr


def test_a_packed_model_can_be_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INCIDENTML_MODELS", str(tmp_path / "mine"))
    packed = incidentml("models", "pack", "ru-base", "--out", tmp_path / "other-2.0.0.zip")
    assert packed.returncode == 0, packed.stderr
    done = incidentml("models", "install", tmp_path / "other-2.0.0.zip")
    assert done.returncode == 0, done.stderr
    assert "other@2.0.0" in incidentml("models", "list").stdout


@pytest.mark.slow
def test_training_takes_several_folders_and_tells_its_stages(tmp_path: Path) -> None:
    corpus = SAMPLE.parent / "ruincidents"
    for name in ("perm", "krasnodar", "topics"):
        folder = tmp_path / ("own" if name == "krasnodar" else "corpus")
        folder.mkdir(exist_ok=True)
        rows = (corpus / f"{name}.jsonl").read_text(encoding="utf-8").splitlines(keepends=True)[:60]
        (folder / f"{name}.jsonl").write_text("".join(rows), encoding="utf-8")
    call = ["train", "--datasets", "corpus", "--datasets", "own", "--encoder", "ru-base", "--work", "work"]
    done = incidentml(*call, "--out", "models", "--name", "mine", "--version", "0.1.0", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    stages = [line.split(":")[0] for line in done.stderr.splitlines() if line.endswith(" s")]
    assert sorted(stages) == ["complaints", "incidents", "places", "priority", "routing"]
    model = tmp_path / "models" / "mine" / "0.1.0"
    before = (model / "manifest.json").read_bytes()
    assert "| own | not stated | not stated |" in (model / "CARD.md").read_text(encoding="utf-8")
    again = incidentml(*call, "--out", "models", "--name", "mine", "--version", "0.1.0", cwd=tmp_path)
    assert again.returncode == 0, again.stderr
    assert (model / "manifest.json").read_bytes() == before


def test_two_models_are_compared_on_a_gold_set(tmp_path: Path) -> None:
    rows = (SAMPLE / "gold.jsonl").read_text(encoding="utf-8").splitlines(keepends=True)[:60]
    (tmp_path / "gold.jsonl").write_text("".join(rows), encoding="utf-8")
    call = ("models", "compare", "ru-base", "ru-base", "gold.jsonl", "--bootstrap", "10")
    done = incidentml(*call, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "incidents, pairwise F1" in done.stdout
    report = json.loads((tmp_path / "comparison.json").read_text(encoding="utf-8"))
    assert report["models"]["a"] == report["models"]["b"]
    assert incidentml(*call, "--out", "absent/c.json", cwd=tmp_path).returncode == 2
