"""A small filter trained on the hand-written extra posts of the corpus, without an encoder."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

import numpy as np
from scipy.sparse import csr_matrix

from incidentml.complaints import ComplaintClassifier
from incidentml.complaints.features import complaint_features, dense_features
from incidentml.concreteness import concreteness
from incidentml.types import Concreteness

_FILE = Path(__file__).parent.parent / "datasets" / "ruincidents" / "kinds_extra.jsonl"


@cache
def labelled() -> tuple[list[str], list[str]]:
    rows = [json.loads(line) for line in _FILE.read_text(encoding="utf-8").splitlines()]
    return [row["text"] for row in rows], [row["gold"]["kind"] for row in rows]


def slots_of(texts: list[str]) -> list[Concreteness]:
    return [concreteness(text, ()) for text in texts]


def features_of(texts: list[str]) -> csr_matrix:
    return complaint_features(texts, np.zeros((len(texts), 0)), slots_of(texts))


def dense_of(texts: list[str]) -> np.ndarray:
    return dense_features(texts, np.zeros((len(texts), 0)), slots_of(texts))


@cache
def small_filter() -> ComplaintClassifier:
    texts, kinds = labelled()
    return ComplaintClassifier(folds=2).fit(features_of(texts), kinds)
