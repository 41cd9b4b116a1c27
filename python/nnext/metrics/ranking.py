"""Metrics of scores: where the right class stands among the others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from nnext._calls import takes_hints
from nnext.metrics.arguments import both, labels_with_scores, of_rows, or_nan, weights
from nnext.metrics.scores import Scores

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["roc_auc", "top_k_accuracy"]


def _scores(metric: str, y_true: npt.ArrayLike, y_pred: npt.ArrayLike, sample_weight: npt.ArrayLike | None) -> Scores:
    """Check the arguments of a metric."""
    true, scores, shape = labels_with_scores(metric, *both(metric, y_true, y_pred))
    if scores.ndim > 2:
        raise ValueError(
            f"[{metric}] y_pred has shape {scores.shape} but y_true {shape}; pass scores of shape (n, classes), or a "
            "label for each place"
        )
    return Scores(true, scores, of_rows(weights(metric, sample_weight, shape), len(true)))


@takes_hints
def top_k_accuracy(
    y_true: npt.ArrayLike, y_pred: npt.ArrayLike, sample_weight: npt.ArrayLike | None = None, *, k: int = 5
) -> float:
    """Share of rows whose true label is among the k largest scores. Of equal scores the first column counts as larger.

    Parameters
    ----------
    y_true : integers of shape (n,) or (n, 1), or one-hot rows of shape (n, classes)
        The right labels; of places as in `accuracy`.
    y_pred : array of shape (n, classes)
        Scores.
    sample_weight : array_like of shape (n,), or of that of the labels, optional
        How much each row counts, >= 0.
    k : int
        How many guesses count, 1 to classes.

    Returns
    -------
    float
        0 to 1.

    Raises
    ------
    TypeError
        When an argument holds no numbers.
    ValueError
        As `accuracy`; when y_pred has no columns to choose from, a label has no column, or k does not fit.

    Examples
    --------
    >>> top_k_accuracy([0, 1], [[0.5, 0.3, 0.2], [0.6, 0.1, 0.3]], k=2)
    0.5
    """
    return _scores("top_k_accuracy", y_true, y_pred, sample_weight).top_k_accuracy(k)


@takes_hints
def roc_auc(
    y_true: npt.ArrayLike,
    y_pred: npt.ArrayLike,
    sample_weight: npt.ArrayLike | None = None,
    *,
    average: Literal["macro", "micro", "weighted"] | None = "macro",
) -> Any:
    """Area under the ROC curve: how probably a row of a class scores above one of the others.

    Computed from ranks, equal scores sharing theirs (Mann and Whitney, Ann. Math. Stat. 18, 1947). Of more than two
    classes each is taken against the rest, as by scikit-learn's ``multi_class="ovr"``.

    Parameters
    ----------
    y_true : integers of shape (n,) or (n, 1), or one-hot rows of shape (n, classes)
        Two different labels; with more than two columns of y_pred the numbers of the columns. Of places as in
        `accuracy`.
    y_pred : array of shape (n,), (n, 1), (n, 2) or (n, classes)
        Scores: of two classes probabilities, logits or any number that grows with the higher label, of two columns the
        difference counts; of more classes numbers that can be compared between rows, such as probabilities.
    sample_weight : array_like of shape (n,), or of that of the labels, optional
        How much each row counts, >= 0.
    average : {"macro", "micro", "weighted"} or None
        Of more than two classes. "macro": the mean over them. "weighted": the mean weighted by how often each is true.
        "micro": of all rows and classes as if of one. None: an array, one number a class.

    Returns
    -------
    float, or array of shape (classes,) with ``average=None``
        0.5 for guessing, 1 for a perfect order; NaN, with a RuntimeWarning, where y_true lacks a class, or has no
        other. "weighted" leaves those out that it lacks.

    Raises
    ------
    TypeError
        When an argument holds no numbers.
    ValueError
        When the lengths differ, a shape does not fit, a value is NaN, a label has no column, or `average` is unknown.

    Examples
    --------
    >>> roc_auc([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8])
    0.75
    >>> roc_auc([0, 1, 2, 2], [[0.7, 0.2, 0.1], [0.3, 0.5, 0.2], [0.2, 0.6, 0.2], [0.0, 0.1, 0.9]], average=None)
    array([1.        , 0.66666667, 0.875     ])
    """
    scores = _scores("roc_auc", y_true, y_pred, sample_weight)
    return or_nan(lambda: scores.roc_auc(average))
