"""Windows of a time series, and what comes after each: samples for a forecast."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from nnext import _check
from nnext._calls import takes_hints

Numbers = npt.NDArray[Any]


@takes_hints
def windows(series: npt.ArrayLike, width: int, horizon: int = 1, *, step: int = 1) -> tuple[Numbers, Numbers]:
    """Cut a time series into windows, each with the values that come after it as its target.

    What a series will do follows from its last values, if they are enough of them: time-delay embedding (Packard et
    al., Physical Review Letters 45, 1980; Takens, Lecture Notes in Mathematics 898, 1981).

    Parameters
    ----------
    series : array of shape (time,) or (time, features)
        Numbers in the order of time, one row a point of it.
    width : int
        Points of a window.
    horizon : int
        Points after it that are its target.
    step : int
        From the start of a window to that of the next.

    Returns
    -------
    X : array of shape (n, width, features)
        The windows, a series without an axis of features having one: sequences as recurrent layers take them; for
        others there are `Flatten` and `Reshape`.
    y : array of shape (n, horizon) or (n, horizon, features)
        Of window i the points ``i step + width`` to ``i step + width + horizon - 1``; ``n = floor((time - width -
        horizon) / step) + 1``.

    Raises
    ------
    ValueError, TypeError
        When the series has other axes, or too few points for one window and its target; when it holds no numbers, or
        width, horizon or step is no whole number of at least 1.

    Notes
    -----
    Both are views that cannot be written to: no number is copied, and a change of `series` shows in them. Windows
    overlap, so a random choice of them for a test knows its answers: divide the series in two, then take the windows of
    each part.

    Examples
    --------
    >>> X, y = windows([1, 2, 3, 4, 5], width=3)
    >>> X[:, :, 0], y
    (array([[1, 2, 3],
           [2, 3, 4]]), array([[4],
           [5]]))
    """
    width, horizon, step = (
        _check.integer("windows", name, value, low=1)
        for name, value in (("width", width), ("horizon", horizon), ("step", step))
    )
    points = _points(series)
    if len(points) < width + horizon:
        raise ValueError(
            f"[windows] series has {len(points)} points but a window of {width} and its target of {horizon} need "
            f"{width + horizon}; give a longer series, or a smaller width or horizon"
        )
    seen = points[:-horizon] if points.ndim == 2 else points[:-horizon, None]
    return _sliding(seen, width)[::step], _sliding(points[width:], horizon)[::step]


def _points(series: npt.ArrayLike) -> Numbers:
    """Return the series as an array, the same one if it is one."""
    try:
        points = np.asarray(series)
    except ValueError:
        points = np.empty(0, object)  # lists of several lengths
    if points.dtype.kind not in "biuf":
        raise TypeError(f"[windows] series has dtype {points.dtype}; give an array of real numbers")
    if points.ndim not in (1, 2) or 0 in points.shape[1:]:
        raise ValueError(
            f"[windows] series has shape {points.shape}; give one of shape (time,) or (time, features), for several "
            "series one after the other"
        )
    return points


def _sliding(points: Numbers, width: int) -> Numbers:
    """(time, ...) -> (time - width + 1, width, ...): a view, not to be written to."""
    return np.moveaxis(np.lib.stride_tricks.sliding_window_view(points, width, axis=0), -1, 1)
