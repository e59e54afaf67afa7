"""The pair model: from evidence to a calibrated probability of one incident, as plain arrays.

Two readers of the same evidence vote: a logistic regression over evidence and interactions, which extrapolates
well, and boosted trees bound to be monotone, which see combinations. Pairs that the cheap one finds hopeless skip
the trees.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from incidentml.errors import ModelFormatError
from incidentml.incidents.links import FEATURES
from incidentml.numeric import sigmoid
from incidentml.persistence import FittedState

__all__ = ["PairModel", "ceiling", "expand"]

_AT = {name: k for k, name in enumerate(FEATURES)}
#: Evidence that can only speak for one incident (1), or only against it (-1).
_FOR = {
    *("text", "topic", "top_topic", "subtopic", "top_subtopic", "problem", "one_topic"),
    *(
        "words",
        "words_share",
        "what",
        "what_share",
        "where",
        "rarest_word",
        "numbers",
        "things",
        "names",
        "copied",
        "contained",
    ),
    *("page_words", "one_page", "one_author", "place", "settlement", "street", "house", "landmark", "page_town"),
}
_AGAINST = {
    *("elsewhere", "numbers_differ", "things_differ", "routes_differ", "towns_differ", "hours"),
    *("most_alone", "least_alone", "later_alone"),
}
_CHUNK = 8192
_TREE_CHUNK = 2**14
#: The trees' share in the log-odds of pairs that they are asked about.
_TREES = 0.6
#: Below this log-odds of the linear part the trees are not asked.
_HOPELESS = -3.5


def ceiling(features: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return the highest probability that plain contradictions leave to a pair, whatever else speaks for it.

    Short posts that differ in a name or a number alone are rarer in the corpus than in life: a fitted weight
    drowns in what such pairs have in common. The ceilings are near the shares of true pairs among them: 25 of 207
    for two houses of one street, 35 of 499 for other topics; 7 of 44, 7 of 63 and 26 of 163 where two surely told
    topics of one group meet in a house, at a landmark or in a street; 6 of 36 for two known towns with one name of
    a street or nearly one text; 2 of 54 for landmarks of one kind with other numbers; none of 13 where texts that
    share half their words name no common place, number things otherwise or are about other topics in one street;
    none of 32 for two addresses told in partly the same words.
    """

    def get(name: str) -> NDArray[np.float32]:
        return features[:, _AT[name]]

    out = np.ones(len(features))
    # A number in both texts may be the house that a list or a range was read without; of lists, any may be meant.
    one_address = (get("streets") <= 1) & (get("houses") <= 1)
    out[one_address & (get("street") >= 1) & (get("house") == -1) & (get("numbers") == 0)] = 0.2
    two_faults = (get("sure") > 0.7) & (get("one_topic") < 0.02)
    out[two_faults & ((get("house") >= 1) | (get("landmark") >= 1))] = 0.2
    out[two_faults & (get("sure") > 0.9) & (get("street") >= 1)] = 0.2
    out[(get("towns_differ") > 0) & (get("street") != 0)] = 0.2
    out[(get("settlement") == -1) & (get("copied") > 0.3)] = 0.2
    two_addresses = one_address & (get("street") == -1) & (get("houses_told") == 2) & (get("elsewhere") > 0)
    out[two_addresses & (get("copied") >= 0.05)] = 0.2
    reworded = get("copied") >= 0.15
    nowhere_both = (get("settlement") < 1) & (get("street") < 1) & (get("landmark") < 1)
    out[reworded & (get("elsewhere") > 0) & nowhere_both] = 0.2
    out[reworded & (get("things_differ") > 0)] = 0.2
    out[reworded & (get("street") >= 1) & (get("sure") > 0.7) & (get("one_topic") < 0.1)] = 0.2
    # A short text has little beside the landmark that it names.
    two_marks = (get("landmarks_told") == 2) & (get("landmark") == 0) & (get("street") == 0)
    out[reworded & two_marks & (get("short") < 4.3)] = 0.2
    out[get("landmark") == -1] = 0.1
    told = features[:, [_AT["topic"], _AT["top_topic"]]].any(axis=1)
    out[told & (get("topic") < 0.05)] = 0.1
    return out


def expand(features: NDArray[np.float32]) -> list[NDArray[np.float32]]:
    """Return the columns of evidence and those of what speaks only together: place with topic, time with place."""

    def get(name: str) -> NDArray[np.float32]:
        return features[:, _AT[name]]

    settlement, street, house, landmark = (get(part) for part in ("settlement", "street", "house", "landmark"))
    topic, hours, place, placed = get("topic"), get("hours"), get("place"), get("placed")
    settled, housed, alone = get("settlements_told"), get("houses_told"), get("most_alone")
    extra = [
        settlement == -1, street == -1, house == -1, landmark == -1,
        settlement == 2, street == 2, street == 1, house == 2, house >= 1, landmark == 2,
        placed == 0, placed == 1, get("streets_told") == 2, get("copied") * (settlement == -1),
        topic * place, topic * (street > 0), topic * (settlement > 0), topic * hours,
        get("problem") * place, get("problem") * (street > 0), get("problem") * hours,
        get("top_topic") * (placed < 2), hours * place, hours * (placed < 2), hours * get("reply"),
        get("text") * place, get("reply") * get("top_topic"), get("one_page") * get("reply"),
        get("one_page") * hours, get("one_page") * topic, get("one_author") * topic, get("words") * topic,
        hours > 2.5, hours > 3.9, hours > 4.6, get("short") * topic, settled == 1, (settled == 1) * (street > 0),
        housed == 1, housed == 2, housed * hours, get("later_reply") * (placed < 2),
        alone * place, alone * (placed < 2), alone * get("reply"), alone * topic,
    ]  # fmt: skip
    return [*features.T, *(column.astype(np.float32) for column in extra)]


@dataclass(frozen=True)
class Trees:
    """Boosted trees, all nodes one after the other; a leaf is its own child."""

    feature: NDArray[np.int32]
    threshold: NDArray[np.float64]
    children: NDArray[np.int32]
    value: NDArray[np.float64]
    roots: NDArray[np.int32]
    depth: int
    baseline: float

    @classmethod
    def fit(cls, features: NDArray[np.float32], same: NDArray[np.bool_]) -> Self:
        """Fit and take the trees out of the estimator."""
        from sklearn.ensemble import HistGradientBoostingClassifier

        booster = HistGradientBoostingClassifier(
            max_iter=90, learning_rate=0.1, max_depth=4, max_leaf_nodes=16, min_samples_leaf=20,
            l2_regularization=3.0, early_stopping=False, random_state=0,
            monotonic_cst=[(name in _FOR) - (name in _AGAINST) for name in FEATURES],
        ).fit(features, same)  # fmt: skip
        parts: dict[str, list[NDArray[Any]]] = {"feature": [], "threshold": [], "children": [], "value": []}
        roots, size, depth = [], 0, 0
        for (tree,) in booster._predictors:
            nodes = tree.nodes
            leaf = nodes["is_leaf"].astype(bool)
            own = np.arange(len(nodes))
            children = [np.where(leaf, own, nodes[side].astype(np.int64)) + size for side in ("left", "right")]
            parts["feature"].append(np.where(leaf, 0, nodes["feature_idx"]))
            parts["threshold"].append(np.where(leaf, 0.0, nodes["num_threshold"]))
            parts["children"].append(np.stack(children, axis=1))
            parts["value"].append(np.where(leaf, nodes["value"], 0.0))
            roots.append(size)
            size += len(nodes)
            depth = max(depth, int(nodes["depth"].max()))
        return cls(
            feature=np.concatenate(parts["feature"]).astype(np.int32),
            threshold=np.concatenate(parts["threshold"]).astype(np.float64),
            children=np.concatenate(parts["children"]).astype(np.int32),
            value=np.round(np.concatenate(parts["value"]), 9),
            roots=np.array(roots, dtype=np.int32),
            depth=depth,
            baseline=float(np.ravel(booster._baseline_prediction)[0]),
        )

    def log_odds(self, features: NDArray[np.float32]) -> NDArray[np.float64]:
        """Return the sum over the trees, row by row."""
        out = np.full(len(features), self.baseline)
        questions, trees = self._compiled
        for first in range(0, len(features), _TREE_CHUNK):
            columns = np.ascontiguousarray(features[first : first + _TREE_CHUNK].T)
            answers = [np.negative((columns[k] > floor).view(np.uint8)) for k, floor in questions]  # 0 or 255
            total = out[first : first + _TREE_CHUNK]
            for tree, value in trees:
                total += value.take(_leaf(tree, answers))
        return out

    @cached_property
    def _compiled(self) -> tuple[list[tuple[int, np.float32]], list[tuple[Any, NDArray[np.float64]]]]:
        """Different questions, and each tree as (question, tree below for no, for yes) with its leaves' values."""
        floors = self.threshold.astype(np.float32)  # the same answers for float32 evidence, at half the width
        floors = np.where(floors > self.threshold, np.nextafter(floors, np.float32(-np.inf)), floors)
        numbers: dict[tuple[int, np.float32], int] = {}

        def tree(node: int, root: int) -> Any:
            low, high = self.children[node].tolist()
            if low == node:
                return np.uint8(node - root)
            question = numbers.setdefault((int(self.feature[node]), floors[node]), len(numbers))
            return question, tree(low, root), tree(high, root)

        bounds = [*self.roots.tolist(), len(self.feature)]
        trees = [(tree(root, root), self.value[root:stop]) for root, stop in pairwise(bounds)]
        return list(numbers), trees

    def to_state(self) -> FittedState:
        """Return the node arrays."""
        names = ("feature", "threshold", "children", "value", "roots")
        return FittedState(
            "pair-trees",
            {"depth": self.depth, "baseline": self.baseline},
            {name: getattr(self, name) for name in names},
        )

    @classmethod
    def from_state(cls, state: FittedState) -> Self:
        """Undo `to_state`; raises `ModelFormatError` if nodes point outside the trees."""
        trees = cls(
            feature=state.array("feature", 1),
            threshold=state.array("threshold", 1),
            children=state.array("children", 2),
            value=state.array("value", 1),
            roots=state.array("roots", 1),
            depth=int(state.setting("depth")),
            baseline=float(state.setting("baseline")),
        )
        n = len(trees.feature)
        inside = all(
            not len(rows.ravel()) or (int(rows.min()) >= 0 and int(rows.max()) < limit)
            for rows, limit in ((trees.children, n), (trees.roots, n), (trees.feature, len(FEATURES)))
        )
        if not inside or not len(trees.threshold) == len(trees.value) == len(trees.children) == n:
            raise ModelFormatError(f"{state.kind}: nodes point outside the trees")
        own, sizes = np.arange(n)[:, None], np.diff(np.append(trees.roots, n))
        below = (trees.children > own).all(axis=1) | (trees.children == own).all(axis=1)
        if not below.all() or not ((sizes > 0) & (sizes <= 256)).all():
            raise ModelFormatError(f"{state.kind}: expected trees of up to 256 nodes, each before its children")
        return trees


def _leaf(tree: Any, answers: Sequence[NDArray[np.uint8]]) -> Any:
    """Return the leaf that each row reaches: bytes chosen by masks, from the leaves up, without a jump."""
    if not isinstance(tree, tuple):
        return tree
    question, *below = tree
    low, high = (_leaf(part, answers) for part in below)
    return low ^ ((low ^ high) & answers[question])


@dataclass(frozen=True)
class PairModel:
    """Weighted mean of the log-odds of both parts, then scaled and shifted to be calibrated on unseen regions.

    Attributes
    ----------
    weights : ndarray
        Linear part, one for each column of `expand`.
    intercept : float
    trees : Trees
    scale, shift : float
    """

    weights: NDArray[np.float64]
    intercept: float
    trees: Trees
    scale: float = 1.0
    shift: float = 0.0

    @classmethod
    def fit(cls, features: NDArray[np.float32], same: NDArray[np.bool_], *, strength: float = 0.3) -> Self:
        """Fit on pairs; `strength` is the inverse of the linear part's penalty."""
        from sklearn.linear_model import LogisticRegression

        wide = np.column_stack(expand(features)).astype(np.float64)
        mean, scale = wide.mean(axis=0), wide.std(axis=0)
        scale[scale < 1e-6] = 1.0
        head = LogisticRegression(C=strength, max_iter=1000).fit((wide - mean) / scale, same)
        weights = head.coef_[0] / scale
        return cls(weights, float(head.intercept_[0] - weights @ mean), Trees.fit(features, same))

    def calibrated(self, log_odds: NDArray[np.float64], same: NDArray[np.bool_]) -> Self:
        """Return this model with scale and shift fitted on log-odds of pairs that it has not learnt from."""
        from sklearn.linear_model import LogisticRegression

        line = LogisticRegression(C=100.0).fit(log_odds[:, None], same)
        return replace(self, scale=float(line.coef_[0, 0]), shift=float(line.intercept_[0]))

    def log_odds(self, features: NDArray[np.float32]) -> NDArray[np.float64]:
        """Return log-odds before calibration."""
        if not len(features):
            return np.zeros(0)
        linear = np.concatenate(
            [self._linear(features[first : first + _CHUNK]) for first in range(0, len(features), _CHUNK)]
        )
        out = np.clip(linear, -12.0, 12.0)
        asked = np.flatnonzero(linear > _HOPELESS)
        # Columns stay whole in memory: evidence is read column by column.
        trees = self.trees.log_odds(features.T.take(asked, axis=1).T)
        out[asked] = (1.0 - _TREES) * out[asked] + _TREES * trees
        return np.asarray(out)

    def _linear(self, features: NDArray[np.float32]) -> NDArray[np.float64]:
        # Column by column: every row is summed in the same order however rows are batched.
        total = np.full(len(features), self.intercept)
        for weight, column in zip(self.weights.tolist(), expand(features), strict=True):
            total += weight * column.astype(np.float64)
        return total

    def probability(self, features: NDArray[np.float32]) -> NDArray[np.float64]:
        """Return P(one incident) of each row of evidence."""
        return self.of_log_odds(self.log_odds(features), features)

    def of_log_odds(self, log_odds: NDArray[np.float64], features: NDArray[np.float32]) -> NDArray[np.float64]:
        """Return the calibrated probability of log-odds, under the `ceiling` of the evidence."""
        return np.minimum(sigmoid(log_odds * self.scale + self.shift), ceiling(features))

    def to_state(self) -> FittedState:
        """Return weights and trees."""
        meta = {
            "features": list(FEATURES),
            "intercept": self.intercept,
            "scale": self.scale,
            "shift": self.shift,
        }
        return FittedState("pair-model", meta, {"weights": self.weights}, {"trees": self.trees.to_state()})

    @classmethod
    def from_state(cls, state: FittedState) -> Self:
        """Undo `to_state`; raises `ModelFormatError` if the evidence is not the one that this version computes."""
        if state.setting("features") != list(FEATURES):
            raise ModelFormatError(
                f"{state.kind}: made for other evidence than this version computes; train it again"
            )
        return cls(
            weights=state.array("weights", 1),
            intercept=float(state.setting("intercept")),
            trees=Trees.from_state(state.part("trees")),
            scale=float(state.setting("scale")),
            shift=float(state.setting("shift")),
        )
