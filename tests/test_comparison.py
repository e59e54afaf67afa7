"""Two models side by side: what changed, for whom, and whether it could be chance."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import incidentml
from incidentml.comparison import FIGURES, SLICES, compare, compare_models, format_comparison
from incidentml.errors import DataError
from incidentml.gold import GoldPost, load_gold
from incidentml.predictions import Joined

CORPUS = Path(__file__).parent.parent / "datasets" / "ruincidents"


@pytest.fixture(scope="module")
def gold() -> list[GoldPost]:
    return [item for name in ("perm", "stream_tver") for item in load_gold(CORPUS / f"{name}.jsonl")[:90]]


@pytest.fixture(scope="module")
def report(gold: list[GoldPost]) -> dict[str, Any]:
    """Compare the shipped model with one that splits more and drops complaints."""
    other = incidentml.load()
    other.clusterer.join_floor_ = 0.8
    other.complaints.missed_complaint = 0.1
    return compare_models(incidentml.load(), other, gold, n_boot=60, examples=3)


def test_every_figure_has_both_values_and_their_difference(report: dict[str, Any]) -> None:
    assert list(report["figures"]) == list(FIGURES)
    for row in report["figures"].values():
        assert set(row) == {"a", "b", "difference", "significant"}
        assert row["difference"]["value"] == pytest.approx(row["b"]["value"] - row["a"]["value"], abs=2e-6)
        assert row["difference"]["low"] <= row["difference"]["high"]


def test_slices_cover_networks_regions_lengths_and_kinds(report: dict[str, Any], gold: list[GoldPost]) -> None:
    assert list(report["slices"]) == list(SLICES)
    assert set(report["slices"]["region"]) == {item.region for item in gold}
    for rows in report["slices"].values():
        assert all(row["posts"] >= 8 and list(row["figures"]) == list(FIGURES) for row in rows.values())


def test_changed_posts_are_counted_by_outcome_and_shown(report: dict[str, Any]) -> None:
    changed = report["changed"]
    assert list(changed) == ["verdict", "kind", "group", "topic", "level", "scale", "urgency"]
    for row in changed.values():
        counts = [value for name, value in row.items() if name not in ("posts", "examples")]
        assert sum(counts) == row["posts"]
        assert all(one["a"] != one["b"] for one in row["examples"])
    assert changed["verdict"]["posts"] > 0
    for one in changed["verdict"]["examples"]:
        assert one["outcome"] == ("mended" if one["b"] == one["gold"] else "broken")


def test_splits_are_told_with_the_texts_of_each_part(report: dict[str, Any]) -> None:
    incidents = report["incidents"]
    assert incidents["split"]["incidents"] > 0
    assert incidents["split"]["incidents"] > incidents["merged"]["incidents"]
    assert all(len(group) > 1 and all(group) for group in incidents["split"]["examples"])
    pairs = incidents["pairs"]
    assert pairs["joined_right"] + pairs["joined_wrong"] < pairs["parted_right"] + pairs["parted_wrong"]


def test_the_report_is_plain_json_and_reads_as_text(report: dict[str, Any]) -> None:
    assert json.loads(json.dumps(report, allow_nan=False)) == report
    text = format_comparison(report)
    assert all(name in text for name in FIGURES)
    assert "incidents that B split" in text
    assert "verdict" in text


def test_the_same_model_changes_nothing(gold: list[GoldPost]) -> None:
    pipe = incidentml.load()
    report = compare_models(pipe, pipe, gold[:60], n_boot=5)
    assert not any(row["significant"] for row in report["figures"].values())
    assert all(row["posts"] == 0 for row in report["changed"].values())
    assert report["incidents"]["merged"]["incidents"] == report["incidents"]["split"]["incidents"] == 0


def run(gold: list[GoldPost], kind: str) -> Joined:
    posts = [
        {"kind": kind, "complaint_probability": float(kind == "complaint"), "incident_id": None} for _ in gold
    ]
    return Joined(gold, posts, [None] * len(gold), [], 0)


def test_without_draws_there_are_values_and_no_intervals(gold: list[GoldPost]) -> None:
    report = compare(run(gold[:20], "news"), run(gold[:20], "complaint"), n_boot=0)
    assert report["figures"]["kinds, macro F1"]["difference"]["low"] is None
    assert format_comparison(report)


def test_runs_over_different_posts_are_refused(gold: list[GoldPost]) -> None:
    with pytest.raises(DataError, match="not over the same gold posts"):
        compare(run(gold[:3], "news"), run(gold[1:4], "news"))


def test_posts_without_times_are_refused() -> None:
    pipe = incidentml.load()
    with pytest.raises(DataError, match="no gold post has 'published_at'"):
        compare_models(pipe, pipe, load_gold(CORPUS / "topics.jsonl")[:3])
