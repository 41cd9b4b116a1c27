"""The learning rate range test: which rate a training can begin with."""

from __future__ import annotations

import copy
import os
from collections.abc import Generator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from nnext import _check, _samples
from nnext._batches import Batches, handed_over
from nnext._calls import takes_hints
from nnext._compiled import require
from nnext._figures import new_figure, save
from nnext._objective import Data
from nnext._prepare import Preparer
from nnext._samples import Samples
from nnext._unknown import shown
from nnext.model import Sequential
from nnext.model.deciding import warn_of_scale
from nnext.schedules.curves import power

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
        figure = new_figure((5.5, 3.5), path)
        axes = figure.subplots()
        axes.plot(self.lrs, self.losses, color="0.8", label="loss")
        axes.plot(self.lrs, self.smoothed, color="C0", label="smoothed")
        if self.suggestion is not None:
            axes.axvline(self.suggestion, color="0.6", linestyle=":", label=f"suggestion: {self.suggestion:.2g}")
        axes.set(xlabel="learning rate", ylabel="loss", xscale="log")
        axes.set_ylim(self._limits())
        axes.spines[["top", "right"]].set_visible(False)
        axes.legend(frameon=False)
        save(figure, path)
        return axes

    def _limits(self) -> tuple[float, float]:
        """Return what of the losses to show: not all of an explosion, beside which the rest would be a flat line."""
        usual = self.smoothed[:-1] if len(self.lrs) > 1 else self.smoothed
        low, high = float(self.losses.min()), max(2 * usual.max() - usual.min(), np.quantile(self.losses, 0.9))
        margin = 0.05 * (high - low) or 1.0
        return low - margin, high + margin


@takes_hints
def lr_find(
    model: Sequential,
    X: Any,
    y: npt.ArrayLike | None = None,
    *,
    min_lr: float = 1e-7,
    max_lr: float = 10.0,
    steps: int = 100,
    batch_size: int | None = None,
    sample_weight: npt.ArrayLike | None = None,
    smoothing: float = 0.98,
    stop_factor: float = 4.0,
    scale: float | None = None,
) -> LRFindResult:
    """Try learning rates: train a copy with one that grows from step to step, until its loss explodes.

    The model stays as it is, to the last bit; the copy goes on from there, with the state of its optimizer, in as many
    epochs as the steps need. Smith, WACV 2017 (range test); how losses are smoothed and what counts as an explosion is
    as in fastai and PyTorch Lightning.

    Parameters
    ----------
    model : Sequential
        Compiled. The optimizer's own ``lr`` does not matter.
    X, y, sample_weight, scale
        As in ``fit``, also batches. Weights are divided by their mean over the samples of a step, not of all.
    min_lr, max_lr : float
        The first and the last learning rate, 0 < min_lr < max_lr. From each step to the next it grows by the same
        factor.
    steps : int
        How many steps there are at most, >= 2.
    batch_size : int, optional
        As in ``fit``: by default 32.
    smoothing : float
        The decay, 0 <= smoothing < 1, of the moving average of the losses, which is divided by
        ``1 - smoothing^steps`` as Adam's are.
    stop_factor : float
        The loss has exploded when its average is more than this, > 1, times the least one so far. That step is the last
        one of the result.

    Returns
    -------
    LRFindResult
        With a `suggestion`: the middle of that tenth of the steps in which the average falls most on its way to the
        least one, the first tenth left out. A loss or weight that is no longer finite ends the test as well, without an
        error; that step is not in the result.

    Raises
    ------
    RuntimeError
        Without ``compile``.
    ValueError, TypeError
        For samples that `fit` refuses, too, and values out of range.

    Examples
    --------
    >>> import nnext as nn
    >>> X, y = nn.datasets.make_moons(500, noise=0.2, seed=0)
    >>> model = nn.MLP([2, 32, 32, 2])
    >>> model.compile(loss="cross_entropy", optimizer="sgd")
    >>> result = nn.lr_find(model, X, y)
    >>> 0.01 < result.suggestion < 10
    True
    >>> model.optimizer.lr = result.suggestion
    """
    if not isinstance(model, Sequential):
        raise TypeError(
            f"[lr_find] model is {shown(model)}; give a compiled model first, as in nn.lr_find(model, X, y)"
        )
    require(model.compiled, "lr_find")
    min_lr = _check.number("lr_find", "min_lr", min_lr, above=0)
    max_lr = _check.number("lr_find", "max_lr", max_lr, above=min_lr)
    steps = _check.integer("lr_find", "steps", steps, low=2)
    batch_size = 32 if batch_size is None else _check.integer("lr_find", "batch_size", batch_size, low=1)
    curve = _Curve(
        _check.number("lr_find", "smoothing", smoothing, low=0, below=1),
        _check.number("lr_find", "stop_factor", stop_factor, above=1),
    )
    if scale is None and model.seen.scale is not None:
        warn_of_scale("lr_find", model.seen.scale)
    trial = _Trial(copy.copy(model), 1.0 if scale is None else scale)
    if handed_over("lr_find", X, y, sample_weight):
        data = trial.batches(X)
    else:
        data = trial.rows(Samples(X, y, sample_weight), batch_size)
    trial.run(max_lr * power(min_lr / max_lr, np.linspace(1, 0, steps)), data, curve)
    return curve.result()


class _Trial:
    """A model that is trained and forgotten."""

    def __init__(self, model: Sequential, scale: float) -> None:
        self._engine, self._compiled = model.engine, require(model.compiled, "lr_find")
        self._preparer = Preparer(self._engine, self._compiled, model.seen, scale)

    def rows(self, given: Samples, batch_size: int) -> Generator[tuple[Data, int]]:
        """Give the samples of one step after the other, and how many a batch has: in a new order in every epoch."""
        preparer, size = self._preparer, batch_size * self._compiled.accumulate
        samples = _samples.counted("lr_find", preparer.settle("lr_find", given))
        samples = _samples.sequences("lr_find", samples)
        preparer.data("lr_find", samples)  # what is wrong with any of them is told before the first step
        while True:
            order = self._engine.begin_epoch(len(samples.y), True)
            for first in range(0, len(order), size):
                yield preparer.data("lr_find", _samples.rows_of(samples, order[first : first + size])), batch_size

    def batches(self, given: Any) -> Generator[tuple[Data, int]]:
        """Give one batch after the other, and its size: again from the first one after the last, if that can be."""
        if self._compiled.accumulate > 1:
            raise ValueError(
                f"[lr_find] accumulate is {self._compiled.accumulate}, which cannot be obeyed with batches; each of "
                "them is a step; compile with accumulate=1, or give X and y"
            )
        batches = Batches("lr_find", given)
        try:
            if batches.peek() is None:
                raise ValueError("[lr_find] there are no batches; give at least one (X, y)")
            while batches.peek() is not None:
                for operation, samples in batches.read():
                    data = self._preparer.data(operation, self._preparer.settle(operation, samples, is_batch=True))
                    yield data, data.rows
        finally:
            batches.close()

    def run(self, rates: Array, steps: Generator[tuple[Data, int]], curve: _Curve) -> None:
        """Take a step with each rate, until the loss explodes."""
        try:
            self._engine.begin_fit(id(self))
            for lr, (data, batch_size) in zip(rates.tolist(), steps, strict=False):
                self._compiled.optimizer.lr = lr
                done = self._preparer.objective.epoch(data, batch_size, shuffle=False)
                if done.diverged or curve.explodes(lr, done.loss):
                    break
        finally:
            self._engine.end_fit(id(self))
            steps.close()


class _Curve:
    """Losses over learning rates, and their moving average."""

    def __init__(self, smoothing: float, stop_factor: float) -> None:
        self._smoothing, self._stop_factor = smoothing, stop_factor
        self._lrs: list[float] = []
        self._losses: list[float] = []
        self._smoothed: list[float] = []
        self._sum = self._weight = 0.0

    def explodes(self, lr: float, loss: float) -> bool:
        """Take the loss of a step; tell whether it is the last one that is worth it."""
        self._sum += (1 - self._smoothing) * (loss - self._sum)
        self._weight += (1 - self._smoothing) * (1 - self._weight)
        average = self._sum / self._weight
        for values, value in ((self._lrs, lr), (self._losses, loss), (self._smoothed, average)):
            values.append(value)
        least = min(self._smoothed)
        return average > least + (self._stop_factor - 1) * abs(least)  # losses may be negative

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
        inner = np.array(self._smoothed[tenth : int(np.argmin(self._smoothed or [0.0])) + 1])
        falls = inner[:-tenth] - inner[tenth:]
        if not (falls > 0).any():
            return None
        return self._lrs[tenth + int(falls.argmax()) + tenth // 2]
