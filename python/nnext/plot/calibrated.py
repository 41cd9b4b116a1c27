"""Whether probabilities are what they say."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from nnext import _check, _pictures
from nnext._calls import takes_hints
from nnext.model import Sequential
from nnext.plot.answers import are_of_a_model, of_model, pairs

if TYPE_CHECKING:
    import numpy.typing as npt
    from matplotlib.axes import Axes

    Array = npt.NDArray[Any]

__all__ = ["calibration"]


@takes_hints
def calibration(
    model: Sequential | None = None,
    X: npt.ArrayLike | None = None,
    y: npt.ArrayLike | None = None,
    *,
    y_true: npt.ArrayLike | None = None,
    y_prob: npt.ArrayLike | None = None,
    bins: int = 10,
    scale: float | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw a reliability diagram: of predictions that are so sure, how many are right, beside how many should be.

    The confidence of a prediction is the probability of the class that it says. The expected calibration error, in the
    title, is ``sum(n_b / n * abs(accuracy_b - confidence_b))`` over bins ``(b / bins, (b + 1) / bins]``. Guo, Pleiss,
    Sun and Weinberger, ICML 2017; Naeini, Cooper and Hauskrecht, AAAI 2015.

    Parameters
    ----------
    model : Sequential, optional
        With X and y; else y_true and y_prob are given. Each label counts alone where samples have several.
    X, y : array_like, optional
        Samples and their classes, as in ``evaluate``.
    y_true : array_like of shape (n,), optional
        In place of a model: the numbers of the classes, from 0.
    y_prob : array_like of shape (n, classes), or (n,) of the class 1, optional
    bins : int
        In how many parts the confidences from 0 to 1 are divided.
    scale : float, optional
        A factor on X, as in ``predict``.
    ax : matplotlib.axes.Axes, optional
        Where to draw; without it a new figure of pyplot's.

    Returns
    -------
    matplotlib.axes.Axes
        A bar for each bin that has predictions, as high as the share that is right, with their number; a point there at
        their mean confidence; the line of perfect calibration.

    Raises
    ------
    ImportError
        When matplotlib is not installed.
    ValueError, TypeError
        Where there are no probabilities or classes, lengths differ, or an argument is not what it should be.

    Examples
    --------
    Four predictions that are 90% sure, of which three are right:

    >>> from matplotlib.figure import Figure
    >>> ax = calibration(y_true=[1, 1, 1, 0], y_prob=[0.9, 0.9, 0.9, 0.9], ax=Figure().subplots())
    >>> ax.get_title()
    'expected calibration error 0.150'
    >>> [float(bar.get_height()) for bar in ax.patches]
    [0.75]
    """
    bins = _check.integer("calibration", "bins", bins, low=1, high=1000)
    if are_of_a_model("calibration", model, (X, y), y_true=y_true, y_prob=y_prob):
        true, probabilities = _of_model(model, X, y, scale)
    else:
        true, probabilities = _of_arrays(y_true, y_prob)
    confidence, right = probabilities.max(axis=1), probabilities.argmax(axis=1) == true
    places = np.clip(np.ceil(confidence * bins).astype(int) - 1, 0, bins - 1)
    counts = np.bincount(places, minlength=bins)
    filled = np.flatnonzero(counts)
    accuracy = np.bincount(places, right, bins)[filled] / counts[filled]
    expected = np.bincount(places, confidence, bins)[filled] / counts[filled]
    error = float((counts[filled] * np.abs(accuracy - expected)).sum() / len(true))
    axes = _pictures.axes_of("calibration", ax, (4.5, 4.5))
    _draw(axes, (filled + 0.5) / bins, 1 / bins, accuracy, expected, counts[filled])
    axes.set_title(f"expected calibration error {error:.3f}")
    return axes


def _draw(axes: Axes, middles: Array, width: float, accuracy: Array, expected: Array, counts: Array) -> None:
    """Draw bins that have predictions."""
    blue, orange = _pictures.colours(2)
    axes.bar(middles, accuracy, width, color=blue, alpha=0.4, edgecolor="white", label="accuracy")
    for middle, count in zip(middles, counts, strict=True):  # a bar that is far from the line may be of few predictions
        axes.text(middle, 0.01, f"{count:,}", rotation=90, ha="center", va="bottom", fontsize="x-small")
    axes.plot([0, 1], [0, 1], color="0.4", linestyle="--", label="perfect calibration")
    axes.plot(expected, accuracy, color=orange, marker="o", linestyle="", label="at the mean confidence")
    axes.set(xlabel="confidence (probability of the predicted class)", ylabel="accuracy (share that is right)")
    axes.set(xlim=(0, 1), ylim=(0, 1), aspect="equal")
    _pictures.without_box(axes)
    axes.legend(title="numbers: predictions", fontsize="small", title_fontsize="small")


def _of_model(model: Any, X: Any, y: Any, scale: float | None) -> tuple[Array, Array]:
    """Return places of the true classes and the probabilities of all, a row for each prediction."""
    decision, outputs, true = of_model("calibration", model, X, y, scale)
    probabilities = decision.probabilities(outputs, "calibration")
    if decision.kind == "labels":
        ones = decision.rows(probabilities).reshape(-1, 1).astype(np.float64)
        return true.reshape(-1), np.hstack([1 - ones, ones])
    if not decision.space:
        return true, probabilities.astype(np.float64)
    return true, np.moveaxis(probabilities, decision.axis, -1).reshape(len(true), -1).astype(np.float64)


def _of_arrays(y_true: Any, y_prob: Any) -> tuple[Array, Array]:
    true, given = pairs("calibration", y_true, y_prob, "y_prob")
    found = given.reshape(len(given), -1).astype(np.float64)
    if found.shape[1] == 1:
        found = np.hstack([1 - found, found])
    if not ((found >= 0) & (found <= 1)).all():
        raise ValueError("[calibration] y_prob has numbers outside [0, 1]; give probabilities, as predict_proba does")
    if true.size != len(true) or not np.isin(true, np.arange(found.shape[1])).all():
        raise ValueError(
            f"[calibration] y_true has what is no class, or shape {true.shape}; give numbers from 0 to "
            f"{found.shape[1] - 1}, one a sample"
        )
    return true.reshape(-1).astype(np.int64), found
