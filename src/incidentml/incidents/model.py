"""The pair model: from evidence to a calibrated probability of one incident, as plain arrays."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from incidentml.errors import ModelFormatError
from incidentml.incidents.links import FEATURES
from incidentml.numeric import exact_product, sigmoid
from incidentml.persistence import FittedState

__all__ = ["PairModel", "expand"]

_AT = {name: k for k, name in enumerate(FEATURES)}


def expand(features: NDArray[np.float32]) -> NDArray[np.float32]:
    """Add the interactions in which evidence speaks only together: place with topic, time with place, replies."""

    def get(name: str) -> NDArray[np.float32]:
        return features[:, _AT[name]]

    settlement, street, house, landmark = (get(part) for part in ("settlement", "street", "house", "landmark"))
    topic, hours, place, placed = get("topic"), get("hours"), get("place"), get("placed")
    extra = [
        settlement == -1, street == -1, house == -1, landmark == -1,
        settlement == 2, street == 2, street == 1, house == 2, house >= 1, landmark == 2,
        placed == 0, placed == 1, get("streets_told") == 2,
        topic * place, topic * (street > 0), topic * (settlement > 0), topic * hours,
        get("top_topic") * (placed < 2), hours * place, hours * (placed < 2), hours * get("reply"),
        get("text") * place, get("reply") * get("top_topic"), get("one_page") * get("reply"),
        get("one_page") * hours, get("one_page") * topic, get("one_author") * topic, get("words") * topic,
        hours > 2.5, hours > 3.9, hours > 4.6, get("short") * topic,
    ]  # fmt: skip
    return np.column_stack([features, *(column.astype(np.float32) for column in extra)])


@dataclass(frozen=True)
class PairModel:
    """Logistic regression over evidence and its interactions.

    Attributes
    ----------
    weights : ndarray
        One for each column of `expand`.
    intercept : float
    """

    weights: NDArray[np.float64]
    intercept: float

    @classmethod
    def fit(cls, features: NDArray[np.float32], same: NDArray[np.bool_], *, strength: float = 0.3) -> Self:
        """Fit on pairs; `strength` is the inverse of the penalty."""
        from sklearn.linear_model import LogisticRegression

        wide = expand(features).astype(np.float64)
        mean, scale = wide.mean(axis=0), wide.std(axis=0)
        scale[scale == 0] = 1.0
        head = LogisticRegression(C=strength, max_iter=1000).fit((wide - mean) / scale, same)
        weights = head.coef_[0] / scale
        return cls(weights, float(head.intercept_[0] - weights @ mean))

    def probability(self, features: NDArray[np.float32]) -> NDArray[np.float64]:
        """Return P(one incident) of each row of evidence."""
        if not len(features):
            return np.zeros(0)
        return sigmoid(exact_product(expand(features), self.weights) + self.intercept)

    def to_state(self) -> FittedState:
        """Return the weights."""
        return FittedState(
            "pair-model", {"features": list(FEATURES), "intercept": self.intercept}, {"weights": self.weights}
        )

    @classmethod
    def from_state(cls, state: FittedState) -> Self:
        """Undo `to_state`; raises `ModelFormatError` if the evidence is not the one that this version computes."""
        if state.setting("features") != list(FEATURES):
            raise ModelFormatError(
                f"{state.kind}: made for other evidence than this version computes; train it again"
            )
        return cls(state.array("weights", 1), float(state.setting("intercept")))
