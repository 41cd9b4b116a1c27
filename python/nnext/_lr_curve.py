"""Losses over learning rates: how they are smoothed, what they suggest, and their picture."""

from __future__ import annotations

import math
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from nnext import _pictures

if TYPE_CHECKING:
    import numpy.typing as npt
    from matplotlib.axes import Axes

    Array = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False, repr=False)
class LRFindResult:
    """What `lr_find` found.

    Attributes
    ----------
    lrs : ndarray of float64 of shape (steps,)
        The learning rates of the steps that were taken, in increasing order.
    losses : ndarray of float64 of shape (steps,)
        The loss of each step's samples, before the step.
    smoothed : ndarray of float64 of shape (steps,)
        Their moving averages.
    suggestion : float or None
        The rate about which the smoothed losses fall most steeply; None where they do not fall.

    Examples
    --------
    >>> import nnext as nn
    >>> model = nn.MLP([1, 1], seed=1)
    >>> model.compile(loss="mse", optimizer="sgd")
    >>> nn.lr_find(model, [[0.0], [1.0]], [1.0, 2.0], min_lr=0.5, max_lr=1e20, steps=10)
    LRFindResult(3 steps, lr from 0.5 to 1.62e+04; suggestion None)
    """

    lrs: Array
    losses: Array
    smoothed: Array
    suggestion: float | None

    def __repr__(self) -> str:
        lrs = f", lr from {self.lrs[0]:.3g} to {self.lrs[-1]:.3g}" if len(self.lrs) else ""
        suggestion = None if self.suggestion is None else f"{self.suggestion:.3g}"
        return f"LRFindResult({len(self.lrs)} steps{lrs}; suggestion {suggestion})"

    def plot(self, path: str | os.PathLike[str] | None = None) -> Axes:
        """Draw the losses over the learning rates, and the suggestion.

        Parameters
        ----------
        path : path, optional
            Where to save the picture; its ending decides the format (.png, .svg, .pdf). Without it the figure belongs
            to pyplot, so that notebooks and ``pyplot.show()`` show it.

        Returns
        -------
        matplotlib.axes.Axes
            Its figure is ``axes.figure``.

        Raises
        ------
        ImportError
            When matplotlib is not installed.
        ValueError
            When there is nothing to draw.

        Examples
        --------
        >>> import numpy as np
        >>> result = LRFindResult(np.array([0.1, 1.0]), np.array([2.0, 1.0]), np.array([2.0, 1.5]), 0.1)
        >>> axes = result.plot("range.png")  # doctest: +SKIP
        """
        if not len(self.lrs):
            raise ValueError("[plot] there are no losses, since the first step diverged; use lr_find with less min_lr")
        figure = _pictures.new_figure((5.5, 3.5), path)
        axes = figure.subplots()
        axes.plot(self.lrs, self.losses, color="0.8", label="loss")
        axes.plot(self.lrs, self.smoothed, color="C0", label="smoothed")
        if self.suggestion is not None:
            axes.axvline(self.suggestion, color="0.6", linestyle=":", label=f"suggestion: {self.suggestion:.2g}")
        axes.set(xlabel="learning rate", ylabel="loss", xscale="log")
        axes.set_ylim(self._limits())
        _pictures.without_box(axes)
        axes.legend(frameon=False)
        _pictures.save(figure, path)
        return axes

    def _limits(self) -> tuple[float, float]:
        """Return what of the losses to show: not all of an explosion, beside which the rest would be a flat line."""
        usual = self.smoothed[:-1] if len(self.lrs) > 1 else self.smoothed
        low, high = float(self.losses.min()), max(2 * usual.max() - usual.min(), np.quantile(self.losses, 0.9))
        margin = 0.05 * (high - low) or 1.0
        return low - margin, high + margin


class Curve:
    """Losses over learning rates, and their moving average."""

    def __init__(self, smoothing: float, stop_factor: float) -> None:
        self._smoothing, self._stop_factor = smoothing, stop_factor
        self._lrs: list[float] = []
        self._losses: list[float] = []
        self._smoothed: list[float] = []
        self._sum = self._weight = 0.0
        self._least = math.inf

    def explodes(self, lr: float, loss: float) -> bool:
        """Take the loss of a step; tell whether it is the last one that is worth it."""
        self._sum += (1 - self._smoothing) * (loss - self._sum)
        self._weight += (1 - self._smoothing) * (1 - self._weight)
        average = self._sum / self._weight
        for values, value in ((self._lrs, lr), (self._losses, loss), (self._smoothed, average)):
            values.append(value)
        self._least = min(self._least, average)
        return average > self._least + (self._stop_factor - 1) * abs(self._least)  # losses may be negative

    def result(self) -> LRFindResult:
        """Return what was found."""
        curves = np.array(self._lrs), np.array(self._losses), np.array(self._smoothed)
        return LRFindResult(*curves, self._suggestion())

    def _suggestion(self) -> float | None:
        """Return the rate in the middle of that tenth of the steps in which the average falls most.

        From one step to the next it would be the noise of single batches that falls most, of which the first averages
        have much: the first tenth is left out. So is what comes after the least average, where losses jump and fall.
        """
        tenth = max(len(self._lrs) // 10, 1)
        later = np.array(self._smoothed[tenth:])
        if len(later) == 0:
            return None
        falling = later[: int(later.argmin()) + 1]
        falls = falling[:-tenth] - falling[tenth:]
        return self._lrs[tenth + int(falls.argmax()) + tenth // 2] if (falls > 0).any() else None
