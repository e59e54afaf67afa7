"""The complaint filter: eight kinds of post, calibrated, and a threshold that follows from costs.

`ComplaintClassifier` is a linear model over `complaint_features`; what it accepts goes on to incidents.
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
from incidentml.complaints.reasons import Signals, reasons_for, signals_of
from incidentml.errors import DataError, ModelFormatError
from incidentml.numeric import exact_product, on_grid
from incidentml.persistence import FittedState, Persistent
from incidentml.types import Concreteness, Kind, Verdict

__all__ = ["ComplaintClassifier"]

_COMPLAINT = Kind.COMPLAINT.value
_KINDS = frozenset(kind.value for kind in Kind)
#: Scaled features are held inside this range: one wild value can neither dominate nor overflow the exact product.
_LIMIT = 4.0
#: A longer text far below every threshold is not read again for signals: none could change its verdict.
_SHORT = 80
_UNREAD = Signals()
#: Rows scored at a time: their copies stay in the cache of a processor.
_BLOCK = 256
#: Weights lie on the grid of the exact product, so that single precision on disk loses nothing.
_COEF_BITS = 18


class ComplaintClassifier(ClassifierMixin, BaseEstimator, Persistent):  # type: ignore[misc]
    """Tells concrete complaints from everything else that people write.

    Parameters
    ----------
    C : float, default=1.0
        Inverse strength of the L2 penalty.
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
    coef_ : ndarray of shape (n_features, n_classes)
        Weights of the scaled features.
    intercept_ : ndarray of shape (n_classes,)
    scale_ : ndarray of shape (n_features,)
        Features are divided by it.
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
        class_weight: Mapping[Any, float] | str | None = None,
        false_alarm: float = 1.0,
        missed_complaint: float = 1.0,
        missed_danger: float = 4.0,
        folds: int = 5,
        max_iter: int = 300,
    ) -> None:
        self.C = C
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
        checked, y = validate_data(self, X, y, dtype=[np.float32, np.float64])
        check_classification_targets(y)
        weight = _check_sample_weight(sample_weight, checked, dtype=np.float64, ensure_non_negative=True)
        self.classes_, codes = np.unique(y, return_inverse=True)
        if len(self.classes_) < 2:
            raise ValueError(f"y holds only one class ({self.classes_[0]!r}): give posts of at least two kinds")
        if groups is not None and len(np.asarray(groups)) != len(codes):
            raise ValueError(f"groups has {len(np.asarray(groups))} entries for {len(codes)} posts")
        self.scale_ = np.maximum(np.abs(checked).max(axis=0), 1.0).astype(np.float32)
        rows = self._scaled(checked)
        coef, self.intercept_, self.n_iter_ = self._solve(rows, codes, weight)
        self.coef_ = on_grid(coef, _COEF_BITS)
        column = np.flatnonzero(self.classes_ == _COMPLAINT)

        def scores_of(train: NDArray[np.int64], test: NDArray[np.int64]) -> NDArray[np.float64]:
            coef, intercept, _ = self._solve(rows[train], codes[train], weight[train])
            return np.asarray(rows[test] @ coef + intercept, dtype=np.float64)

        self.calibration_ = fit_calibration(
            scores_of,
            codes,
            weight,
            groups=None if groups is None else np.asarray(groups, dtype=object),
            folds=self.folds,
            column=int(column[0]) if len(column) else None,
        )
        return self

    def _check_parameters(self) -> None:
        for name in ("C", "false_alarm", "missed_complaint", "missed_danger"):
            if not getattr(self, name) > 0:
                raise ValueError(f"{name}={getattr(self, name)!r} must be a positive number")
        if not self.max_iter >= 1:
            raise ValueError(f"max_iter={self.max_iter!r} must be at least 1")

    def _scaled(self, X: NDArray[Any]) -> NDArray[Any]:
        scaled: NDArray[Any] = np.clip(X / self.scale_.astype(X.dtype), -_LIMIT, _LIMIT)
        return scaled

    def _solve(
        self, rows: NDArray[Any], codes: NDArray[np.int64], weight: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64], int]:
        """Return weights and intercepts with one column per class of the whole fit, and the steps taken."""
        from sklearn.linear_model import LogisticRegression
        from threadpoolctl import threadpool_limits

        present = np.unique(codes)
        class_weight: Any = self.class_weight
        if isinstance(class_weight, Mapping):
            class_weight = {code: class_weight.get(self.classes_[code], 1.0) for code in present}
        model = LogisticRegression(C=self.C, class_weight=class_weight, max_iter=self.max_iter)
        with threadpool_limits(limits=1, user_api="blas"):  # more threads only wait for one another
            model.fit(rows, codes, sample_weight=weight)
        coef, intercept = model.coef_.T, model.intercept_
        if len(present) == 2:  # one row for the second class: shared out, so that softmax gives the same
            coef, intercept = np.hstack([-coef / 2, coef / 2]), np.r_[-intercept / 2, intercept / 2]
        full = np.zeros((rows.shape[1], len(self.classes_)))
        bias = np.full(len(self.classes_), intercept.min() - 10.0)
        full[:, present], bias[present] = coef, intercept
        return full, bias, int(model.n_iter_.max())

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
        checked = validate_data(self, X, dtype=[np.float32, np.float64], reset=False)
        blocks = [checked[start : start + _BLOCK] for start in range(0, len(checked), _BLOCK)]
        scores = np.vstack([exact_product(self._scaled(rows), self.coef_) for rows in blocks]) + self.intercept_
        return self.calibration_.probabilities(scores)

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
            Their rows of `complaint_features`.
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
        rows = np.asarray(features)
        if not len(texts) == len(rows) == len(concreteness):
            raise DataError(
                f"{len(texts)} texts, {len(rows)} rows and {len(concreteness)} concreteness: give one each"
            )
        if not len(texts):
            return []
        probabilities = self.predict_proba(rows).tolist()
        kinds = [Kind(name) if name in _KINDS else Kind.OTHER for name in self.classes_.tolist()]
        column = kinds.index(Kind.COMPLAINT)
        lowest = min(self.thresholds)
        return [
            self._verdict(
                signals_of(text)
                if row[column] >= lowest or len(text) <= _SHORT or slots.entry_guaranteed
                else _UNREAD,
                dict(zip(kinds, row, strict=True)),
                row[column],
                slots,
            )
            for text, row, slots in zip(texts, probabilities, concreteness, strict=True)
        ]

    def _verdict(
        self, signals: Signals, by_kind: Mapping[Kind, float], probability: float, slots: Concreteness
    ) -> Verdict:
        common, danger = self.thresholds
        threshold = min(common, danger) if signals.danger and not signals.offer else common
        guaranteed = slots.entry_guaranteed and not signals.offer
        accepted = guaranteed or (probability >= threshold and not signals.empty)
        likely = sorted(by_kind, key=lambda kind: (-by_kind[kind], kind.value))
        kind = Kind.COMPLAINT if accepted else next((k for k in likely if k is not Kind.COMPLAINT), Kind.OTHER)
        return Verdict(
            kind=kind,
            kind_probabilities={name.value: p for name, p in by_kind.items()},
            complaint_probability=probability,
            accepted=accepted,
            concreteness=slots,
            reasons=reasons_for(
                signals, kind, probability, threshold, slots, lowered=threshold < common, guaranteed=guaranteed
            ),
        )

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
            },
            arrays={
                "coef": self.coef_.astype(np.float32),
                "intercept": self.intercept_,
                "scale": self.scale_,
            },
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
        model.n_features_in_ = len(model.scale_)
        model.n_iter_ = state.setting("n_iter")
        model.calibration_ = Calibration(*state.setting("calibration"))
        return model


def _jsonable(class_weight: Mapping[Any, float] | str | None) -> Any:
    return dict(class_weight) if isinstance(class_weight, Mapping) else class_weight
