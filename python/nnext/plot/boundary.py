"""Where a network changes its mind."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from nnext import _check, _pictures
from nnext._calls import takes_hints
from nnext._decision import Decision
from nnext.model import Sequential
from nnext.plot.answers import decision_of, require_model

if TYPE_CHECKING:
    import numpy.typing as npt
    from matplotlib.axes import Axes

    Array = npt.NDArray[Any]

__all__ = ["decision_boundary"]

Extent = tuple[float, float, float, float]  # left, right, below, above

_MARKERS = "osD^vPX*"  # so that colours are not all that tells classes apart


@takes_hints
def decision_boundary(
    model: Sequential,
    X: npt.ArrayLike,
    y: npt.ArrayLike | None = None,
    *,
    resolution: int = 200,
    scale: float | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw which class a network with two features says at each place of the plane, and samples in it.

    Parameters
    ----------
    model : Sequential
    X : array_like of shape (n, 2)
        Samples: the picture reaches a tenth of their range beyond them.
    y : array_like of shape (n,), optional
        Their classes; without them the samples are grey.
    resolution : int
        Into how many columns and rows the plane is divided, at most 2000.
    scale : float, optional
        A factor on X, as in ``predict``.
    ax : matplotlib.axes.Axes, optional
        Where to draw; without it a new figure of pyplot's.

    Returns
    -------
    matplotlib.axes.Axes
        Its image has the place of the class, in ``model.decision.names``, for each place of the plane.

    Raises
    ------
    ImportError
        When matplotlib is not installed.
    ValueError, TypeError
        For other than two features, or a network that decides for no class or several.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> import nnext as nn
    >>> model = nn.Sequential(nn.Linear(2, 1), nn.Sigmoid())
    >>> model.load_state_dict({"0.weight": [[1.0, 0.0]], "0.bias": [0.0]})  # class 1 to the right of 0
    >>> ax = decision_boundary(model, [[-1.0, 0.0], [1.0, 1.0]], resolution=4, ax=Figure().subplots())
    >>> ax.images[0].get_array()[0].tolist()
    [0, 0, 1, 1]
    """
    operation = "decision_boundary"
    require_model(operation, model)
    resolution = _check.integer(operation, "resolution", resolution, low=2, high=2000)
    points = np.asarray(X)
    if points.ndim != 2 or points.shape[1] != 2 or not len(points) or points.dtype.kind not in "biuf":
        raise ValueError(
            f"[{operation}] X has shape {points.shape} and dtype {points.dtype}; give numbers of shape (n, 2): a plane "
            "has two features"
        )
    decision, true = decision_of(operation, model, points, y)
    if decision.kind == "labels":
        raise ValueError(f"[{operation}] the network gives {decision.outputs} labels a sample; a place has one colour")
    extent, plane = _plane(points, resolution)
    places = decision.decided(model.predict(plane, scale=scale)).reshape(resolution, resolution)
    axes = _pictures.axes_of(operation, ax)
    _draw_plane(axes, places, extent, decision)
    _draw_samples(axes, points, true, decision)
    return axes


def _plane(points: Array, resolution: int) -> tuple[Extent, Array]:
    """Return how far a plane around points reaches, and the middles of its cells, row by row from below."""
    low, high = points.min(axis=0).astype(np.float64), points.max(axis=0).astype(np.float64)
    margin = np.where(high > low, (high - low) / 10, 0.5)
    low, high = low - margin, high + margin
    middles = (np.arange(resolution) + 0.5) / resolution
    columns, rows = np.meshgrid(low[0] + (high[0] - low[0]) * middles, low[1] + (high[1] - low[1]) * middles)
    extent = (float(low[0]), float(high[0]), float(low[1]), float(high[1]))
    return extent, np.stack([columns.ravel(), rows.ravel()], axis=1)


def _draw_plane(axes: Axes, places: Array, extent: Extent, decision: Decision) -> None:
    from matplotlib.colors import ListedColormap

    count = len(decision.names)
    axes.imshow(
        places,
        cmap=ListedColormap(list(_pictures.colours(count))),
        vmin=-0.5,
        vmax=count - 0.5,
        extent=extent,
        origin="lower",
        aspect="auto",
        interpolation="nearest",
        alpha=0.3,
    )
    axes.set(xlabel="feature 0 (units of X)", ylabel="feature 1 (units of X)")


def _draw_samples(axes: Axes, points: Array, true: Array | None, decision: Decision) -> None:
    if true is None:
        axes.scatter(points[:, 0], points[:, 1], s=16, color="0.3", linewidths=0)
        return
    for i, (name, colour) in enumerate(zip(decision.names, _pictures.colours(len(decision.names)), strict=True)):
        chosen, marker = points[true == i], _MARKERS[i % len(_MARKERS)]
        axes.scatter(chosen[:, 0], chosen[:, 1], s=24, color=colour, marker=marker, edgecolors="white", label=str(name))
    axes.legend(title="class")
