"""Tables of ``benchmarks/README.md``, generated from the result files."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from more_tables import more_tables

_BLOCK = re.compile(r"(<!-- results -->\n).*?(<!-- /results -->)", re.DOTALL)
#: Title, and where the figure is in a report.
ROWS = [
    ("incidents: pairwise F1", "incidents pairwise f1"),
    ("incidents: pairwise precision", "incidents pairwise precision"),
    ("incidents: pairwise recall", "incidents pairwise recall"),
    ("incidents: B³ F1", "incidents b_cubed f1"),
    ("incidents: recall across networks", "incidents cross_network_recall"),
    ("complaints: average precision", "complaints average_precision"),
    ("complaints: F1", "complaints f1"),
    ("complaints: recall", "complaints recall"),
    ("kinds: macro F1", "kinds macro_f1"),
    ("group: accuracy", "group accuracy"),
    ("topic: accuracy", "topic accuracy"),
    ("topic: in the first three", "topic top_3"),
    ("level: accuracy", "level accuracy"),
    ("scale: accuracy", "scale accuracy"),
    ("scale: within one step", "scale within_one"),
    ("urgency: quadratic kappa", "urgency quadratic_kappa"),
    ("urgency: recall of danger", "urgency danger recall"),
    ("urgency: precision of danger", "urgency danger precision"),
    ("places: settlement F1", "places settlement f1"),
    ("places: street F1", "places street f1"),
    ("places: house F1", "places house f1"),
]
#: The figures of the table that has every model in a row.
LEADING = [
    ("pairwise F1", "incidents pairwise f1"),
    ("precision", "incidents pairwise precision"),
    ("recall", "incidents pairwise recall"),
    ("B³ F1", "incidents b_cubed f1"),
    ("complaints: AP", "complaints average_precision"),
    ("complaints: F1", "complaints f1"),
    ("topic", "topic accuracy"),
]


def _at(report: Mapping[str, Any], path: str) -> Any:
    value: Any = report
    for name in path.split():
        value = value.get(name) if isinstance(value, Mapping) else None
    return value


def figures(result: Mapping[str, Any]) -> dict[str, float]:
    """Return the figures that `--check` compares."""
    found = {}
    for title, path in ROWS:
        value = _at(result.get("report", {}), path)
        value = value.get("value") if isinstance(value, Mapping) else value
        if value is not None:
            found[title] = value
    return found


def _cell(value: Any) -> str:
    if isinstance(value, Mapping):
        if value["value"] is None:
            return "—"
        return f"{value['value']:.3f} ({value['low']:.3f}–{value['high']:.3f})"
    return "—" if value is None else f"{value:.3f}"


def _quality(results: Mapping[str, Any], names: Sequence[str]) -> str:
    lines = ["| figure | " + " | ".join(names) + " |\n", "|---|" + "---|" * len(names) + "\n"]
    for title, path in ROWS:
        cells = [_cell(_at(results[name]["report"], path)) for name in names]
        lines.append(f"| {title} | " + " | ".join(cells) + " |\n")
    incidents = [results[name]["report"]["incidents"] for name in names]
    merges = [f"{found['false_merges']} / {found['false_splits']}" for found in incidents]
    lines.append("| incidents: false merges / false splits | " + " | ".join(merges) + " |\n")
    near = [found["hard_negatives"] for found in incidents]
    merges = [f"{found['merged']} of {found['total']}" for found in near]
    return "".join(lines) + "| incidents: hard negatives merged | " + " | ".join(merges) + " |\n"


def _leading(results: Mapping[str, Any], names: Sequence[str]) -> str:
    """Return all models in one table, a row each; the first figure with its interval."""
    titles = [title for title, _ in LEADING]
    lines = [
        "| model | " + " | ".join(titles) + " | hard negatives merged |\n",
        "|---|" + "---:|" * (len(titles) + 1) + "\n",
    ]
    for name in names:
        report = results[name]["report"]
        first, *others = [_at(report, path) for _, path in LEADING]
        plain = [_cell(other and other["value"]) for other in others]
        near = report["incidents"]["hard_negatives"]
        lines.append(f"| {name} | {_cell(first)} | {' | '.join(plain)} | {near['merged']} of {near['total']} |\n")
    return "".join(lines)


def _slices(result: Mapping[str, Any], by: str) -> str:
    rows = result["slices"][by]
    names = list(next(iter(rows.values())))
    lines = [
        f"| {by} | " + " | ".join(name.replace("_", " ") for name in names) + " |\n",
        "|---|" + "---:|" * len(names) + "\n",
    ]
    for key, row in rows.items():
        cells = [str(row[name]) if isinstance(row[name], int) else _cell(row[name]) for name in names]
        lines.append(f"| {key} | " + " | ".join(cells) + " |\n")
    return "".join(lines)


def _speed(results: Mapping[str, Any], names: Sequence[str]) -> str:
    lines = [
        "| suite | processes | posts | seconds | posts/s | slowest update, s | peak MB | last tenth to first |\n",
        "|---|" + "---:|" * 7 + "\n",
    ]
    for name in names:
        for workers, row in results[name].get("workers", {"1": results[name]}).items():
            deciles = row.get("ms_per_post_by_decile", [])
            growth = f"{deciles[-1] / deciles[0]:.2f}" if len(deciles) > 1 else "—"
            lines.append(
                f"| {name} | {workers} | {row['posts']} | {row['total_seconds']} | {row['posts_per_second']} "
                f"| {row['slowest_update_seconds']} | {row['peak_memory_mb']} | {growth} |\n"
            )
    return "".join(lines)


def _quality_names(suites: Sequence[Mapping[str, Any]], results: Mapping[str, Any]) -> list[str]:
    """Return the suites measured on territories not seen."""
    return [
        suite["name"] for suite in suites if "territories" in suite and "report" in results.get(suite["name"], {})
    ]


def write_readme(file: Path, suites: Sequence[Mapping[str, Any]], results: Mapping[str, Any]) -> None:
    """Rewrite the two tables of the project's README: all models in one, and speed."""
    quality = _quality_names(suites, results)
    speeds = [suite["name"] for suite in suites if suite["task"] == "speed" and suite["name"] in results]
    blocks = {"quality": _leading(results, quality) if quality else "", "speed": _speed(results, speeds)}
    text = file.read_text(encoding="utf-8")
    for mark, content in blocks.items():
        block = re.compile(rf"(<!-- {mark} -->\n).*?(<!-- /{mark} -->)", re.DOTALL)
        text = block.sub(lambda match, content=content: match[1] + content + match[2], text)
    file.write_text(text, encoding="utf-8", newline="\n")


def write_tables(file: Path, suites: Sequence[Mapping[str, Any]], results: Mapping[str, Any]) -> None:
    """Rewrite the block between the marks."""
    known = [suite for suite in suites if suite["name"] in results]
    quality = _quality_names(suites, results)
    speeds = [suite["name"] for suite in known if suite["task"] == "speed"]
    parts = [f"- **{suite['name']}**: {suite['title']}\n" for suite in known]
    if quality:
        full = [suite["name"] for suite in suites if suite["name"] in quality and not suite.get("brief")]
        parts += ["\n", _leading(results, quality), "\nEvery figure, with intervals:\n\n", _quality(results, full)]
    for name in quality[:1]:
        for by in results[name]["slices"]:
            parts += [f"\n{name} by {by}:\n\n", _slices(results[name], by)]
    if speeds:
        parts += ["\n", _speed(results, speeds)]
    parts += more_tables(results)
    for suite in known[:1]:
        where = results[suite["name"]]["environment"]
        versions = ", ".join(f"{name} {value}" for name, value in where["versions"].items() if value)
        parts.append(
            f"\nMeasured at commit {where['commit']} on {where['cpu']}, {where['cores']} cores; {versions}.\n"
        )
    text = file.read_text(encoding="utf-8")
    file.write_text(
        _BLOCK.sub(lambda match: match[1] + "".join(parts) + match[2], text), encoding="utf-8", newline="\n"
    )
