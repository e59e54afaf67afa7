"""Processes that hold fitted stages: kept, replaced, ended."""

from __future__ import annotations

import math
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from incidentml import processes
from incidentml.errors import IncidentMLError

SAMPLE = Path(__file__).parent.parent / "datasets" / "sample" / "posts.jsonl"
STAGES = ("what", "is", "fitted")


@pytest.fixture(autouse=True)
def ended() -> Iterator[None]:
    yield
    processes.close()


def test_results_come_in_order_and_the_processes_stay() -> None:
    assert not processes.running(STAGES, 2)
    assert list(processes.in_processes(STAGES, 2, math.pow, range(5), [2] * 5)) == [0, 1, 4, 9, 16]
    kept = processes._kept
    assert processes.running(STAGES, 2)
    assert list(processes.spread_over(STAGES, 2)(abs, range(-20, 0))) == list(range(20, 0, -1))
    assert processes._kept is kept


def test_other_stages_get_processes_of_their_own() -> None:
    first = list(processes.in_processes(STAGES, 1, _held, [0]))
    second = list(processes.in_processes(("others",), 1, _held, [0]))
    assert (first, second) == ([STAGES], [("others",)])


def test_jobs_stay_here_where_no_process_runs() -> None:
    here = processes.spread_over(STAGES, 2)(lambda _: os.getpid(), [1, 2])
    assert set(here) == {os.getpid()}
    assert processes._kept is None


def _held(_: int) -> Any:
    return processes.stages()


class Deadly:
    """Ends the process that it is copied to."""

    def __reduce__(self) -> Any:
        return os._exit, (1,)


def test_a_dead_process_is_told_and_replaced() -> None:
    with pytest.raises(IncidentMLError, match="one of 2 reading processes died"):
        list(processes.in_processes(Deadly(), 2, abs, [-1]))
    assert processes._kept is None
    assert list(processes.in_processes(STAGES, 2, abs, [-1])) == [1]


READS_IN_A_CHILD = """
import multiprocessing, sys
from incidentml import load, reading

def work(path):
    reading._WORTH_STARTING = 1
    return len(load().process(path, workers=2).incidents)

if __name__ == "__main__":
    child = multiprocessing.get_context("spawn").Process(target=work, args=(sys.argv[1],))
    child.start()
    child.join(120)
    sys.exit(child.exitcode if child.exitcode is not None else "the child waits for its workers")
"""


@pytest.mark.slow
def test_a_process_of_a_users_pool_ends_though_its_workers_stay(tmp_path) -> None:
    script = tmp_path / "reads.py"
    script.write_text(READS_IN_A_CHILD, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, script, SAMPLE], capture_output=True, text=True, timeout=180, check=False
    )
    assert done.returncode == 0, done.stderr
