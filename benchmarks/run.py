"""Run the suites of ``suites.toml``, write results as JSON, and the tables in ``README.md`` from them.

    python benchmarks/run.py                       # every suite that is not slow
    python benchmarks/run.py --suite end-to-end    # some; repeatable
    python benchmarks/run.py --all                 # the slow ones too
    python benchmarks/run.py --check               # compare the result files with baseline.json; exit 1 if worse
    python benchmarks/run.py --tables              # only rewrite the tables
    python benchmarks/run.py --accept              # make the result files the new baseline

Each suite runs in a process of its own, so that its peak memory is its own.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
import tomllib
from pathlib import Path
from typing import Any

from common import CORPUS, RESULTS, ROOT, environment, write_result
from tables import figures, write_readme, write_tables

HERE = Path(__file__).resolve().parent
BASELINE = HERE / "baseline.json"


def suites() -> list[dict[str, Any]]:
    return tomllib.loads((HERE / "suites.toml").read_text(encoding="utf-8"))["suite"]


def run_one(suite: dict[str, Any]) -> None:
    from tasks import TASKS

    began = time.perf_counter()
    outcome = TASKS[suite["task"]](suite)
    manifest = json.loads((CORPUS / "manifest.json").read_text(encoding="utf-8"))
    data = {name: entry["sha256"] for name, entry in manifest["files"].items()}
    content = {
        "suite": suite,
        "data": data,
        "environment": environment(),
        "wall_seconds": round(time.perf_counter() - began, 1),
        **outcome,
    }
    print(f"{suite['name']}: {write_result(suite['name'], content).relative_to(ROOT)}")


def results() -> dict[str, Any]:
    return {file.stem: json.loads(file.read_text(encoding="utf-8")) for file in sorted(RESULTS.glob("*.json"))}


def check() -> int:
    """Compare with the baseline: a figure may fall by the suite's tolerance, no more; new figures are no fault."""
    baseline = json.loads(BASELINE.read_text(encoding="utf-8")) if BASELINE.exists() else {}
    found = results()
    faults = []
    for name, expected in baseline.items():
        if name not in found:
            faults.append(f"{name}: no result; run the suite")
            continue
        tolerance = found[name]["suite"].get("tolerance", 0.01)
        now = figures(found[name])
        for metric, value in expected.items():
            if metric not in now or now[metric] < value - tolerance:
                faults.append(
                    f"{name}: {metric} is {now.get(metric)}, the baseline {value} (tolerance {tolerance})"
                )
    for fault in faults:
        print("worse:", fault)
    print(f"{len(baseline)} suites compared, {len(faults)} figures worse")
    return 1 if faults else 0


def accept() -> int:
    content = {name: figures(result) for name, result in results().items() if "report" in result}
    BASELINE.write_text(json.dumps(content, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    return 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--suite", action="append", help="name of a suite; repeatable")
    parser.add_argument("--all", action="store_true", help="the slow suites too")
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    for name in ("check", "tables", "accept"):
        parser.add_argument(f"--{name}", action="store_true")
    options = parser.parse_args()
    if options.check:
        return check()
    if options.accept:
        return accept()
    known = {suite["name"]: suite for suite in suites()}
    if unknown := sorted(set(options.suite or ()) - set(known)):
        parser.error(f"no suite {unknown}; there are {sorted(known)}")
    chosen = [known[name] for name in options.suite] if options.suite else list(known.values())
    if not options.tables:
        for suite in chosen:
            if suite.get("slow") and not options.all and not options.suite:
                continue
            if options.inside:
                run_one(suite)
            else:
                command = [sys.executable, __file__, "--inside", "--suite", suite["name"]]
                subprocess.run(command, check=True)
    if not options.inside:
        write_tables(HERE / "README.md", suites(), results())
        write_readme(ROOT / "README.md", suites(), results())
    return 0


if __name__ == "__main__":
    sys.exit(main())
