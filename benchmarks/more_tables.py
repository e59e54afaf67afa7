"""Tables of single suites in ``benchmarks/README.md``: ablations, label noise, latency and memory."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

#: Rows of ``incidents.json`` that tell what HDBSCAN and the steps around it are worth, on the same links.
_CLUSTERING = (
    "shipped",
    "average linkage, streets apart",
    "the same on HDBSCAN cores everywhere",
    "average linkage",
    "components",
    "raw HDBSCAN",
)


def more_tables(results: Mapping[str, Any]) -> list[str]:
    """Return a paragraph and a table for each result that there is."""
    tables: dict[str, Callable[[Mapping[str, Any]], list[str]]] = {
        "ablations": _ablations,
        "incidents": _clustering,
        "label-noise": _noise,
        "update-latency": _latency,
        "memory": _memory,
    }
    return [part for name, table in tables.items() if name in results for part in table(results[name])]


def _table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    lines = ["| " + " | ".join(head) + " |\n", "|---|" + "---:|" * (len(head) - 1) + "\n"]
    return "".join([*lines, *("| " + " | ".join(map(str, row)) + " |\n" for row in rows)])


def _ablations(result: Mapping[str, Any]) -> list[str]:
    parts = []
    for title, key in (
        ("What each piece of evidence is worth to the links between complaints", "links"),
        ("What each block of features is worth to the filter", "filter"),
    ):
        rows = result[key]
        names = list(rows["everything"])
        table = _table(
            ["", *(name.replace("_", " ") for name in names)],
            ([part, *(_with_loss(row, rows["everything"], name) for name in names)] for part, row in rows.items()),
        )
        parts.append(f"\n{title}, means over left-out territories (and the difference to everything):\n\n{table}")
    return parts


def _with_loss(row: Mapping[str, float], whole: Mapping[str, float], name: str) -> str:
    change = row[name] - whole[name]
    return f"{row[name]:.3f}" + ("" if row is whole else f" ({change:+.3f})")


def _clustering(result: Mapping[str, Any]) -> list[str]:
    names = ("pairwise_f1", "pairwise_precision", "pairwise_recall", "b_cubed_f1")
    means = result["means"]
    rows = ([part, *(f"{means[part][name]:.3f}" for name in names)] for part in _CLUSTERING if part in means)
    table = _table(["grouping", *(name.replace("_", " ") for name in names)], rows)
    return [f"\nWhat HDBSCAN and the steps around it are worth, on the same links of gold complaints:\n\n{table}"]


def _noise(result: Mapping[str, Any]) -> list[str]:
    rows = (
        [label, row["rows"], row["classes"], f"{row['accuracy_of_the_judge']:.3f}", row["suspects"],
         f"{row['noise_rate']:.1%}"]
        for label, row in result["labels"].items()
    )  # fmt: skip
    head = ["label", "posts", "classes", "accuracy of the judge", "suspects", "estimated noise"]
    return [
        "\nLabels that are likely wrong, by confident learning on left-out territories. What the judge gets wrong "
        "and is sure of counts as noise too: where the judge is weak, the share is far too high; "
        f"`results/label-noise.json` lists the first suspects:\n\n{_table(head, rows)}"
    ]


def _latency(result: Mapping[str, Any]) -> list[str]:
    row = [result["posts"], result["held"], result["median_seconds"], max(result["update_seconds"])]
    head = ["posts of an update", "posts before", "median s", "slowest s", "peak MB"]
    return [f"\nLatency of an update:\n\n{_table(head, [[*row, result['peak_memory_mb']]])}"]


def _memory(result: Mapping[str, Any]) -> list[str]:
    names = ("posts", "complaints_held", "loaded_mb", "peak_memory_mb", "state_mb_on_disk")
    rows = ([row[name] for name in names] for row in result["sizes"].values())
    return [f"\nMemory:\n\n{_table([name.replace('_', ' ') for name in names], rows)}"]
