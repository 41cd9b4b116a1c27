"""Which classes are taken for which."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from nnext import _check, _pictures, metrics
from nnext._calls import takes_hints
from nnext.model import Sequential
from nnext.plot.answers import are_of_a_model, of_model, pairs

if TYPE_CHECKING:
    import numpy.typing as npt
    from matplotlib.axes import Axes

    Array = npt.NDArray[Any]

__all__ = ["confusion_matrix"]

_OF = {"true": "share of the true class", "pred": "share of the predicted class", "all": "share of all samples"}
_MOST_NUMBERS = 30  # classes of which a cell still has room for its number


@takes_hints
def confusion_matrix(
    model: Sequential | None = None,
    X: npt.ArrayLike | None = None,
    y: npt.ArrayLike | None = None,
    *,
    y_true: npt.ArrayLike | None = None,
    y_pred: npt.ArrayLike | None = None,
    normalize: str | None = None,
    class_names: Sequence[Any] | None = None,
    scale: float | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw how often each true class got each prediction: true classes downwards, predicted ones to the right.

    Parameters
    ----------
    model : Sequential, optional
        With X and y; else y_true and y_pred are given.
    X, y : array_like, optional
        Samples and their classes, as in ``evaluate``.
    y_true, y_pred : array_like of shape (n,), optional
        In place of a model: classes as numbers or names, by these names.
    normalize : {"true", "pred", "all"}, optional
        Shares of the true class (a row adds up to 1), of the predicted class (a column does) or of all samples, in
        place of counts; 0 where there is nothing to divide by. As in scikit-learn.
    class_names : sequence, optional
        What to call the classes, in their order; without it the model's names or the numbers.
    scale : float, optional
        A factor on X, as in ``predict``.
    ax : matplotlib.axes.Axes, optional
        Where to draw; without it a new figure of pyplot's.

    Returns
    -------
    matplotlib.axes.Axes
        Its image has the numbers.

    Raises
    ------
    ImportError
        When matplotlib is not installed.
    ValueError, TypeError
        Where there are no classes or several labels a sample, lengths differ, or an argument is not what it should be.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> ax = confusion_matrix(y_true=["cat", "dog", "dog"], y_pred=["cat", "cat", "dog"], ax=Figure().subplots())
    >>> ax.images[0].get_array().tolist()
    [[1, 0], [1, 1]]
    >>> [text.get_text() for text in ax.get_yticklabels()]
    ['cat', 'dog']
    """
    operation = "confusion_matrix"
    if normalize is not None:
        _check.choice(operation, "normalize", normalize, _OF)
    if are_of_a_model(operation, model, (X, y), y_true=y_true, y_pred=y_pred):
        true, said, names = _of_model(model, X, y, scale)
    else:
        true, said, names = _of_arrays(y_true, y_pred)
    if class_names is not None:
        if len(class_names) != len(names):
            raise ValueError(
                f"[{operation}] class_names has {len(class_names)} names but there are {len(names)} classes"
            )
        names = list(class_names)
    counts = metrics.confusion_matrix(true, said, labels=np.arange(len(names)))
    axes = _pictures.axes_of(operation, ax, (2 + 0.45 * len(names), 1.2 + 0.42 * len(names)))
    _draw(axes, _shares(counts, normalize), names, "samples" if normalize is None else _OF[normalize])
    return axes


def _of_model(model: Any, X: Any, y: Any, scale: float | None) -> tuple[Array, Array, list[Any]]:
    answers = of_model("confusion_matrix", model, X, y, scale)
    if answers.decision.kind == "labels":
        raise ValueError(
            f"[confusion_matrix] the network gives {answers.decision.outputs} labels a sample, any number of which may "
            "be right; draw one label, with y_true=y[:, 0] and y_pred=model.predict_classes(X)[:, 0]"
        )
    return answers.true, answers.decision.decided(answers.outputs).reshape(-1), list(answers.decision.names)


def _of_arrays(y_true: Any, y_pred: Any) -> tuple[Array, Array, list[Any]]:
    """Return places of classes in their order, and the classes."""
    true, said = pairs("confusion_matrix", y_true, y_pred, "y_pred")
    if true.size != len(true) or said.size != len(said):
        raise ValueError(
            f"[confusion_matrix] y_true has shape {true.shape} and y_pred {said.shape}; give a class for each sample, "
            "such as y_pred.argmax(axis=1) of scores"
        )
    names, places = np.unique(np.concatenate([true.reshape(-1), said.reshape(-1)]), return_inverse=True)
    return places[: len(true)], places[len(true) :], names.tolist()


def _shares(counts: Array, normalize: str | None) -> Array:
    if normalize is None:
        return counts
    whole: Array = counts.sum(axis={"true": 1, "pred": 0, "all": None}[normalize], keepdims=True)
    return np.asarray(np.divide(counts, whole, out=np.zeros(counts.shape), where=whole > 0))


def _draw(axes: Axes, values: Array, names: Sequence[Any], unit: str) -> None:
    image = axes.imshow(values, cmap="Blues", vmin=0, interpolation="nearest")
    axes.figure.colorbar(image, ax=axes, label=unit)
    places = range(len(names))
    upright = max(len(str(name)) for name in names) <= 3
    axes.set_xticks(places, [str(name) for name in names], rotation=0 if upright else 90)
    axes.set_yticks(places, [str(name) for name in names])
    axes.set(xlabel="predicted class", ylabel="true class")
    if len(names) > _MOST_NUMBERS:
        return
    half = values.max() / 2
    for (row, column), value in np.ndenumerate(values):
        text = f"{value:d}" if values.dtype.kind == "i" else f"{value:.2f}"
        colour = "white" if value > half else "black"
        axes.text(column, row, text, ha="center", va="center", color=colour, fontsize="small")
