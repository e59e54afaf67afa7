"""Why a post was taken for a complaint or not: the words and the facts that carried the decision."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from incidentml.complaints.facts import fact_name
from incidentml.complaints.features import dense_features, feature_names
from incidentml.text import tokens
from incidentml.types import Concreteness, Kind, Span, Verdict

if TYPE_CHECKING:
    from incidentml.complaints import ComplaintClassifier

__all__ = ["Explanation", "explain_post"]

_MOST_WORDS = 120


@dataclass(frozen=True, slots=True)
class Explanation:
    """A verdict with its grounds; positive effects speak for a complaint, in units of log-odds.

    `words` are ``(word, span in the original text, effect)``: how much the log-odds fall without that word.
    `facts` are ``(fact in Russian, effect)``.
    """

    verdict: Verdict
    words: tuple[tuple[str, Span, float], ...]
    facts: tuple[tuple[str, float], ...]


def explain_post(
    classifier: ComplaintClassifier,
    text: str,
    encode: Callable[[Sequence[str]], NDArray[np.float32]],
    slots: Concreteness,
    source: str | None = None,
    top: int = 8,
) -> Explanation:
    """Explain one verdict; see `ComplaintClassifier.explain`."""
    found = [token for token in tokens(text) if token.kind == "word"][:_MOST_WORDS]
    variants = [text, *(text[: token.start] + " " + text[token.end :] for token in found)]
    features = dense_features(variants, encode(variants), [slots] * len(variants), [source] * len(variants))
    column = classifier.classes_.tolist().index(Kind.COMPLAINT.value)
    probabilities = classifier.probabilities_of(variants, features)
    odds = _log_odds(probabilities[:, column])
    effects = [
        (token.text, Span(token.start, token.end), round(float(odds[0] - without), 3))
        for token, without in zip(found, odds[1:], strict=True)
    ]
    return Explanation(
        verdict=classifier.judge([text], features[:1], [slots])[0],
        words=tuple(_strongest(effects, top)),
        facts=tuple(_strongest(_facts(classifier, features[0], probabilities[0], column), top)),
    )


def _strongest(effects: list[Any], top: int) -> list[Any]:
    ranked = sorted((effect for effect in effects if abs(effect[-1]) >= 0.01), key=lambda e: (-abs(e[-1]), e[:-1]))
    return ranked[:top]


def _facts(
    classifier: ComplaintClassifier, row: NDArray[np.float32], probabilities: NDArray[np.float64], column: int
) -> list[tuple[str, float]]:
    """Return the effects of evidence: weight for complaint less the mean weight for the likely other kinds."""
    rest = np.delete(probabilities, column)
    share = rest / max(float(rest.sum()), 1e-12)
    against = np.delete(classifier.coef_, column, axis=1) @ share
    effects = (
        row / classifier.scale_ * (classifier.coef_[:, column] - against) / classifier.calibration_.temperature
    )
    names = feature_names(len(row) - len(feature_names(0)))
    out: dict[str, float] = {}
    for name, effect in zip(names, effects.tolist(), strict=True):
        if effect and (label := fact_name(name)) != name:
            out[label] = round(out.get(label, 0.0) + effect, 3)
    return list(out.items())


def _log_odds(p: NDArray[np.float64]) -> NDArray[np.float64]:
    clipped = np.clip(p, 1e-9, 1 - 1e-9)
    return np.asarray(np.log(clipped) - np.log1p(-clipped))
