"""The learning rate range test: which rate a training can begin with."""

from __future__ import annotations

import contextlib
import copy
from collections.abc import Generator
from typing import TYPE_CHECKING, Any

import numpy as np

from nnext import _check, _samples
from nnext._batches import Batches, handed_over
from nnext._calls import takes_hints
from nnext._compiled import require
from nnext._lr_curve import Curve, LRFindResult
from nnext._objective import Data
from nnext._prepare import Preparer
from nnext._samples import Samples
from nnext._unknown import shown
from nnext.model import Sequential
from nnext.model.deciding import warn_of_scale
from nnext.schedules.curves import power

if TYPE_CHECKING:
    import numpy.typing as npt

    Array = npt.NDArray[np.float64]


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
    curve = Curve(
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
        samples = preparer.settle("lr_find", given, together=True)
        if (loss := self._compiled.core_loss) is not None:
            samples = _samples.counted("lr_find", samples, loss.any_target)
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

    def run(self, rates: Array, steps: Generator[tuple[Data, int]], curve: Curve) -> None:
        """Take a step with each rate, until the loss explodes."""
        with self._engine.claim_fit(), contextlib.closing(steps):
            self._engine.require_record(self._compiled, "lr_find")
            for lr, (data, batch_size) in zip(rates.tolist(), steps, strict=False):
                self._compiled.optimizer.lr = lr
                done = self._preparer.objective.epoch(data, batch_size, shuffle=False)
                if done.diverged or curve.explodes(lr, done.loss):
                    break
