"""The complaint filter: eight kinds of post, calibrated, and a threshold that follows from costs.

`ComplaintClassifier` adds up two linear models, one of meaning and evidence and one of words and letter n-grams;
what it accepts goes on to incidents.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data

from incidentml.complaints.calibration import Calibration, fit_calibration
from incidentml.complaints.explain import Explanation, explain_post
from incidentml.complaints.features import PAGE, split_features
from incidentml.complaints.solving import solve
from incidentml.complaints.verdicts import verdict_of
from incidentml.errors import DataError, ModelFormatError
from incidentml.lexical import ROW_UNIT, LexicalWeights
from incidentml.numeric import exact_product, on_grid
from incidentml.persistence import FittedState, Persistent
from incidentml.types import Concreteness, Kind, Verdict
from incidentml.word_scores import WordScores

__all__ = ["ComplaintClassifier"]

_COMPLAINT = Kind.COMPLAINT.value
_KINDS = frozenset(kind.value for kind in Kind)
#: Scaled features are held inside this range: one wild value can neither dominate nor overflow the exact product.
_LIMIT = 4.0
#: Rows scored at a time: their copies stay in the cache of a processor.
_BLOCK = 256
#: Weights lie on the grid of the exact product, so that single precision on disk loses nothing.
_COEF_BITS = 18
#: The mean of the two models: each was fitted alone, and each sees what the other overrates.
_SHARE = 0.5


class ComplaintClassifier(ClassifierMixin, BaseEstimator, Persistent):  # type: ignore[misc]
    """Tells concrete complaints from everything else that people write.

    Parameters
    ----------
    C : float, default=1.0
        Inverse strength of the L2 penalty on meaning and evidence.
    C_words : float, default=15.0
        The same for words and letter n-grams.
    max_words : int, default=30000
        Buckets of words and n-grams to keep, the most frequent first.
    class_weight : dict, "balanced" or None, default=None
        As in scikit-learn; calibration brings the probabilities back to the shares in the data.
    false_alarm, missed_complaint, missed_danger : float
        Costs. A post is accepted if its complaint probability reaches ``false_alarm / (false_alarm + missed)``,
        where ``missed`` is `missed_danger` for a text that speaks of danger and `missed_complaint` for others.
    folds : int, default=5
        Folds of the calibration; below 2 there is none.
    max_iter : int, default=300
        Limit of the optimiser.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Names of the kinds learnt from, sorted.
    coef_ : ndarray of shape (n_dense, n_classes)
        Weights of the scaled dense features.
    intercept_ : ndarray of shape (n_classes,)
    scale_ : ndarray of shape (n_dense,)
        Dense features are divided by it.
    words_ : WordScores or None
        Words and n-grams; None if the rows learnt from were no `complaint_features`, or no two shared a word.
    calibration_ : Calibration
    n_iter_ : int

    Examples
    --------
    >>> X = [[1.0, 0.0], [0.9, 0.1], [0.0, 1.0], [0.1, 0.8]] * 5
    >>> y = ["complaint", "complaint", "news", "news"] * 5
    >>> model = ComplaintClassifier(C=100.0).fit(X, y)
    >>> model.predict([[1.0, 0.0], [0.0, 1.0]]).tolist()
    ['complaint', 'news']
    >>> model.thresholds
    (0.5, 0.2)
    """

    KIND = "complaint-classifier"

    def __init__(
        self,
        C: float = 1.0,
        *,
        C_words: float = 15.0,
        max_words: int = 30_000,
        class_weight: Mapping[Any, float] | str | None = None,
        false_alarm: float = 1.0,
        missed_complaint: float = 1.0,
        missed_danger: float = 4.0,
        folds: int = 5,
        max_iter: int = 300,
    ) -> None:
        self.C = C
        self.C_words = C_words
        self.max_words = max_words
        self.class_weight = class_weight
        self.false_alarm = false_alarm
        self.missed_complaint = missed_complaint
        self.missed_danger = missed_danger
        self.folds = folds
        self.max_iter = max_iter

    def fit(
        self,
        X: ArrayLike,
        y: ArrayLike,
        *,
        sample_weight: ArrayLike | None = None,
        groups: ArrayLike | None = None,
    ) -> Self:
        """Learn from labelled posts.

        Parameters
        ----------
        X : array of shape (n, d)
            Rows of `complaint_features`, or any embeddings.
        y : array of shape (n,)
            Names of kinds. Any part of the eight will do, two at least.
        sample_weight : array of shape (n,), optional
            How often each post counts, 0 or more.
        groups : array of shape (n,), optional
            Territory or stream of each post, None for posts of no territory. The calibration then leaves whole
            groups out, so that probabilities stay honest on territories never seen.

        Returns
        -------
        ComplaintClassifier

        Raises
        ------
        ValueError
            If a parameter, a shape or a value is wrong, or `y` holds a single kind.
        """
        self._check_parameters()
        checked, y = validate_data(self, X, y, accept_sparse="csr", dtype=[np.float32, np.float64])
        check_classification_targets(y)
        weight = _check_sample_weight(sample_weight, checked, dtype=np.float64, ensure_non_negative=True)
        self.classes_, codes = np.unique(y, return_inverse=True)
        if len(self.classes_) < 2:
            raise ValueError(f"y holds only one class ({self.classes_[0]!r}): give posts of at least two kinds")
        if groups is not None and len(np.asarray(groups)) != len(codes):
            raise ValueError(f"groups has {len(np.asarray(groups))} entries for {len(codes)} posts")
        dense, counts = split_features(checked)
        self.scale_ = np.maximum(np.abs(dense).max(axis=0), 1.0).astype(np.float32)
        rows, pages = self._scaled(dense), None
        if counts is not None:  # the weight of this column comes from the calibration
            pages, rows[:, PAGE] = rows[:, PAGE] > 0, 0.0
        coef, self.intercept_, self.n_iter_ = self._solve(rows, codes, weight, self.C)
        self.words_, words = None, None
        # Which buckets count is chosen without labels: for the folds of the calibration as well.
        chosen = None if counts is None else LexicalWeights(self.max_words).fit(counts[weight > 0])
        if chosen is not None and len(chosen.kept_):
            words = chosen.transform(counts) / ROW_UNIT
            word_coef, bias, _ = self._solve(words, codes, weight, self.C_words)
            self.words_ = WordScores.from_weights(chosen, word_coef * _SHARE)
            coef, self.intercept_ = coef * _SHARE, (self.intercept_ + bias) * _SHARE
        column = np.flatnonzero(self.classes_ == _COMPLAINT)

        def scores_of(train: NDArray[np.int64], test: NDArray[np.int64]) -> NDArray[np.float64]:
            coef, intercept, _ = self._solve(rows[train], codes[train], weight[train], self.C)
            scores = np.asarray(rows[test] @ coef + intercept, dtype=np.float64)
            if words is not None:
                coef, intercept, _ = self._solve(words[train], codes[train], weight[train], self.C_words)
                scores = (scores + np.asarray(words[test] @ coef + intercept)) * _SHARE
            return scores

        self.calibration_, page = fit_calibration(
            scores_of,
            codes,
            weight,
            groups=None if groups is None else np.asarray(groups, dtype=object),
            folds=self.folds,
            column=int(column[0]) if len(column) else None,
            pages=pages,
        )
        if pages is not None:
            coef[PAGE, column] = page * self.calibration_.temperature
        self.coef_ = on_grid(coef, _COEF_BITS)
        return self

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags

    def _check_parameters(self) -> None:
        for name in ("C", "C_words", "false_alarm", "missed_complaint", "missed_danger"):
            if not getattr(self, name) > 0:
                raise ValueError(f"{name}={getattr(self, name)!r} must be a positive number")
        for name in ("max_iter", "max_words"):
            if not getattr(self, name) >= 1:
                raise ValueError(f"{name}={getattr(self, name)!r} must be at least 1")

    def _scaled(self, X: NDArray[Any]) -> NDArray[Any]:
        scaled: NDArray[Any] = np.clip(X / self.scale_.astype(X.dtype), -_LIMIT, _LIMIT)
        return scaled

    def _solve(
        self, rows: Any, codes: NDArray[np.int64], weight: NDArray[np.float64], strength: float
    ) -> tuple[NDArray[np.float64], NDArray[np.float64], int]:
        return solve(rows, codes, weight, self.classes_, strength, self.class_weight, self.max_iter)

    def predict_proba(self, X: ArrayLike) -> NDArray[np.float64]:
        """Return calibrated probabilities of `classes_`, bit-equal for any batch and row order.

        Parameters
        ----------
        X : array of shape (n, n_features)

        Returns
        -------
        ndarray of shape (n, n_classes)
        """
        check_is_fitted(self)
        checked = validate_data(self, X, accept_sparse="csr", dtype=[np.float32, np.float64], reset=False)
        dense, counts = split_features(checked)
        return self._probabilities(dense, None if self.words_ is None else self.words_.scores(counts))

    def probabilities_of(self, texts: Sequence[str], dense: NDArray[Any]) -> NDArray[np.float64]:
        """Return the same as `predict_proba` from texts and their `dense_features`, faster."""
        if dense.shape[1:] != self.scale_.shape:
            raise DataError(
                f"features have {dense.shape[1]} dense columns, the model was fitted on {len(self.scale_)}: use "
                "the encoder and the version that it was trained with"
            )
        return self._probabilities(dense, None if self.words_ is None else self.words_.score_texts(texts))

    def _probabilities(self, dense: NDArray[Any], words: NDArray[np.float64] | None) -> NDArray[np.float64]:
        blocks = [dense[start : start + _BLOCK] for start in range(0, len(dense), _BLOCK)]
        scores = np.vstack([exact_product(self._scaled(rows), self.coef_) for rows in blocks]) + self.intercept_
        return self.calibration_.probabilities(scores if words is None else scores + words)

    def predict(self, X: ArrayLike) -> NDArray[Any]:
        """Return the most probable class of each row; `judge` decides by cost instead."""
        probabilities = self.predict_proba(X)
        return np.asarray(self.classes_[probabilities.argmax(axis=1)])

    @property
    def thresholds(self) -> tuple[float, float]:
        """Complaint probability needed for acceptance: of a common text, and of one that speaks of danger."""
        return (
            self.false_alarm / (self.false_alarm + self.missed_complaint),
            self.false_alarm / (self.false_alarm + self.missed_danger),
        )

    def judge(
        self, texts: Sequence[str], features: ArrayLike, concreteness: Sequence[Concreteness]
    ) -> list[Verdict]:
        """Decide which posts are concrete claims, with reasons in Russian.

        Parameters
        ----------
        texts : sequence of str
            Posts as published.
        features : array of shape (n, d)
            Their rows of `complaint_features`; `dense_features` are enough, as the words stand in `texts`.
        concreteness : sequence of Concreteness
            Filled slots; a post with place, contact and problem is accepted whatever its probability, unless it
            reads like an advert or an official notice.

        Returns
        -------
        list of Verdict

        Raises
        ------
        DataError
            If the lengths differ, or the model was not trained on complaints.
        """
        check_is_fitted(self)
        if _COMPLAINT not in self.classes_.tolist():
            raise DataError(
                f"judge needs a model trained with the label 'complaint'; it knows {list(self.classes_)}"
            )
        dense, _ = split_features(features)
        if not len(texts) == len(dense) == len(concreteness):
            raise DataError(
                f"{len(texts)} texts, {len(dense)} rows and {len(concreteness)} concreteness: give one each"
            )
        if not len(texts):
            return []
        probabilities = self.probabilities_of(texts, dense).tolist()
        kinds = [Kind(name) if name in _KINDS else Kind.OTHER for name in self.classes_.tolist()]
        return [
            verdict_of(text, dict(zip(kinds, row, strict=True)), slots, self.thresholds)
            for text, row, slots in zip(texts, probabilities, concreteness, strict=True)
        ]

    def explain(
        self,
        text: str,
        encode: Callable[[Sequence[str]], NDArray[np.float32]],
        concreteness: Concreteness,
        source: str | None = None,
        top: int = 8,
    ) -> Explanation:
        """Return the words and facts that carried the decision about one post.

        Parameters
        ----------
        text : str
            The post as published.
        encode : callable
            ``Encoder.encode``: the effect of a word is measured by leaving it out.
        concreteness : Concreteness
            Its filled slots.
        source : str, optional
            Its page or channel.
        top : int, default=8
            Most words and facts to return.

        Returns
        -------
        Explanation
        """
        check_is_fitted(self)
        return explain_post(self, text, encode, concreteness, source, top)

    def to_state(self) -> FittedState:
        """Return settings, arrays and calibration."""
        check_is_fitted(self)
        return FittedState(
            self.KIND,
            meta={
                "parameters": {**self.get_params(), "class_weight": _jsonable(self.class_weight)},
                "classes": self.classes_.tolist(),
                "calibration": list(self.calibration_),
                "n_iter": self.n_iter_,
                "n_features_in": self.n_features_in_,
            },
            arrays={
                "coef": self.coef_.astype(np.float32),
                "intercept": self.intercept_,
                "scale": self.scale_,
            },
            parts={} if self.words_ is None else {"words": self.words_.to_state()},
        )

    @classmethod
    def from_state(cls, state: FittedState) -> Self:
        """Build a fitted classifier."""
        model = cls(**state.setting("parameters"))
        model.classes_ = np.array(state.setting("classes"))
        model.coef_ = state.array("coef", 2).astype(np.float64)
        model.intercept_, model.scale_ = state.array("intercept", 1), state.array("scale", 1)
        if model.coef_.shape != (len(model.scale_), len(model.classes_)):
            raise ModelFormatError(
                f"{cls.KIND}: coef has shape {model.coef_.shape}, but there are {len(model.scale_)} scales and "
                f"{len(model.classes_)} classes"
            )
        model.words_ = WordScores.from_state(state.part("words")) if "words" in state.parts else None
        model.n_features_in_ = state.setting("n_features_in")
        model.n_iter_ = state.setting("n_iter")
        model.calibration_ = Calibration(*state.setting("calibration"))
        return model


def _jsonable(class_weight: Mapping[Any, float] | str | None) -> Any:
    return dict(class_weight) if isinstance(class_weight, Mapping) else class_weight
