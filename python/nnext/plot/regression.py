"""What numbers are missed by."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from nnext import _pictures
from nnext._calls import takes_hints
from nnext.model import Sequential
from nnext.plot.answers import are_of_a_model, pairs

if TYPE_CHECKING:
    import numpy.typing as npt
    from matplotlib.axes import Axes

__all__ = ["residuals"]


@takes_hints
def residuals(
    model: Sequential | None = None,
    X: npt.ArrayLike | None = None,
    y: npt.ArrayLike | None = None,
    *,
    y_true: npt.ArrayLike | None = None,
    y_pred: npt.ArrayLike | None = None,
    scale: float | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw what is left of the targets, ``y - prediction``, over the prediction: of a good fit no pattern is left.

    Parameters
    ----------
    model : Sequential, optional
        With X and y; else y_true and y_pred are given.
    X, y : array_like, optional
        Samples and their targets, as in ``evaluate``.
    y_true, y_pred : array_like of shape (n,) or (n, outputs), optional
        In place of a model: targets and predictions.
    scale : float, optional
        A factor on X, as in ``predict``.
    ax : matplotlib.axes.Axes, optional
        Where to draw; without it a new figure of pyplot's.

    Returns
    -------
    matplotlib.axes.Axes
        Points of one colour for each output, and a line at 0.

    Raises
    ------
    ImportError
        When matplotlib is not installed.
    ValueError, TypeError
        When targets and predictions differ in shape, or are no numbers.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> ax = residuals(y_true=[1.0, 2.0], y_pred=[1.5, 2.0], ax=Figure().subplots())
    >>> ax.collections[0].get_offsets().tolist()
    [[1.5, -0.5], [2.0, 0.0]]
    """
    if are_of_a_model("residuals", model, (X, y), y_true=y_true, y_pred=y_pred):
        y_true, y_pred = y, _predictions(model, X, scale)
    true, said = pairs("residuals", np.asarray(y_true), np.asarray(y_pred), "y_pred")
    if true.size != said.size or true.dtype.kind not in "biuf" or said.dtype.kind not in "biuf":
        raise ValueError(
            f"[residuals] y_true has shape {true.shape} and dtype {true.dtype}, but the predictions {said.shape} and "
            f"{said.dtype}; residuals are of numbers: for classes use confusion_matrix"
        )
    said = said.reshape(len(said), -1)
    left = true.reshape(said.shape) - said
    axes = _pictures.axes_of("residuals", ax)
    axes.axhline(0, color="0.4", linestyle="--")
    for i, colour in enumerate(_pictures.colours(said.shape[1])):
        axes.scatter(said[:, i], left[:, i], s=14, color=colour, alpha=0.6, linewidths=0, label=f"output {i}")
    axes.set(xlabel="prediction (units of y)", ylabel="residual: y - prediction (units of y)")
    _pictures.without_box(axes)
    if said.shape[1] > 1:
        axes.legend(frameon=False)
    return axes


def _predictions(model: Any, X: Any, scale: float | None) -> npt.NDArray[Any]:
    return np.asarray(model.predict(X, scale=scale))
