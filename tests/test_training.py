"""Training of the whole pipeline: one command, the same model every time."""

from __future__ import annotations

from pathlib import Path

import pytest

import incidentml
from incidentml.errors import DataError
from incidentml.gold import GoldPost, load_gold
from incidentml.model_card import model_card
from incidentml.training import train_pipeline

CORPUS = Path(__file__).parent.parent / "datasets" / "ruincidents"


def some_posts() -> list[GoldPost]:
    """Return parts of three territories and of the single texts: enough for every stage, quick to learn."""
    parts = [("perm", 160), ("krasnodar", 160), ("stream_samara", 200), ("topics", 300)]
    return [item for name, count in parts for item in load_gold(CORPUS / f"{name}.jsonl")[:count]]


@pytest.mark.slow
def test_training_twice_gives_the_same_model_and_a_card_without_gaps() -> None:
    encoder = incidentml.load().encoder
    first, second = (train_pipeline(some_posts(), encoder=encoder) for _ in range(2))
    assert first.fingerprint == second.fingerprint
    result = first.process([item.post for item in load_gold(CORPUS / "stream_samara.jsonl")[200:] if item.post])
    assert result.incidents
    card = model_card(first, some_posts())
    assert first.fingerprint in card
    assert "None" not in card
    assert all(f"| {name} |" in card for name in ("perm", "krasnodar", "stream_samara", "topics"))


def test_posts_without_labels_are_refused_by_the_stage_that_needs_them() -> None:
    encoder = incidentml.load().encoder
    items = load_gold(CORPUS / "topics.jsonl")[:40]
    with pytest.raises(DataError, match="no post has the labels"):
        train_pipeline(items, encoder=encoder)
