"""Cards tell everything that they promise: no section, cell or value is empty."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import incidentml
from incidentml.gold import load_gold
from incidentml.model_card import empty_fields, model_card
from incidentml.training_data import Source

ROOT = Path(__file__).parent.parent
SECTIONS = ["Purpose", "What it must not be used for", "Data", "Figures", "Settings", "Versions", "Limits"]


@pytest.fixture(scope="module")
def figures() -> dict[str, Any]:
    text = (ROOT / "benchmarks" / "results" / "end-to-end.json").read_text(encoding="utf-8")
    result: dict[str, Any] = json.loads(text)
    return result


def card(figures: dict[str, Any] | None = None, sources: tuple[Source, ...] = ()) -> str:
    items = load_gold(ROOT / "datasets" / "sample" / "gold.jsonl")
    return model_card(incidentml.load(), items, figures, sources=sources)


def test_the_card_has_every_section_and_none_is_empty(figures: dict[str, Any]) -> None:
    text = card(figures, (Source("ruincidents", "Apache-2.0", "written by hand"), Source("own")))
    assert [line.removeprefix("## ") for line in text.splitlines() if line.startswith("## ")] == SECTIONS
    assert empty_fields(text) == []
    assert "| ruincidents | Apache-2.0 | written by hand |" in text
    assert "| own | not stated | not stated |" in text


def test_the_card_tells_figures_by_slice_with_the_posts_behind_them(figures: dict[str, Any]) -> None:
    text = card(figures)
    for by, rows in figures["slices"].items():
        assert f"### By {by}" in text
        for name, row in rows.items():
            assert f"| {name} | {row['posts']} |" in text


def test_the_card_names_every_version(figures: dict[str, Any]) -> None:
    for name in (
        "model format",
        "python",
        "incidentml",
        "numpy",
        "scipy",
        "scikit-learn",
        "hdbscan",
        "safetensors",
    ):
        assert f"\n| {name} | " in card(figures)


def test_a_model_that_was_not_measured_says_so() -> None:
    text = card()
    assert "Not measured for this model" in text
    assert empty_fields(text) == []


def test_a_figure_that_is_undefined_is_told_in_words(figures: dict[str, Any]) -> None:
    changed = json.loads(json.dumps(figures))
    changed["slices"]["network"]["vk"]["pairwise_f1"] = None
    changed["report"]["group"]["accuracy"].update(low=None, high=None)
    text = card(changed)
    assert "| vk | 765 | undefined |" in text
    assert empty_fields(text) == []


@pytest.mark.parametrize(
    ("text", "gap"),
    [
        ("# A\n\n## B\n\n## C\n\ntext", "section 'B' is empty"),
        ("# A\n\ntext\n\n## B\n", "section 'B' is empty"),
        ("| a | | c |", "empty cell"),
        ("value: None", "no value"),
        ("| nan |", "no value"),
        ("TODO: tell", "no value"),
        ("model {name}", "no value"),
    ],
)
def test_a_gap_is_found(text: str, gap: str) -> None:
    assert [found for found in empty_fields(text) if found.startswith(gap)]


def test_a_section_may_begin_with_one_below_it() -> None:
    assert empty_fields("# A\n\n## B\n\n### C\n\ntext") == []


def test_cards_of_the_repository_are_whole() -> None:
    cards = sorted([*ROOT.glob("datasets/*/CARD.md"), *ROOT.glob("models/*/*/CARD.md")])
    assert len(cards) >= 3
    assert [(file, gap) for file in cards for gap in empty_fields(file.read_text(encoding="utf-8"))] == []
