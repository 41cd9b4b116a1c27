"""One batch at a time: train_on_batch and test_on_batch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from nnext import _check, _fit, _sequences
from nnext._calls import takes_hints
from nnext._compiled import require
from nnext._samples import Samples
from nnext.model.deciding import Deciding

if TYPE_CHECKING:
    import numpy.typing as npt


class OnBatches(Deciding):
    """What takes the batches of a loop of one's own."""

    @takes_hints
    def train_on_batch(
        self,
        X: npt.ArrayLike,
        y: npt.ArrayLike,
        sample_weight: npt.ArrayLike | None = None,
        *,
        class_weight: Mapping[Any, float] | None = None,
        scale: float | None = None,
        steps_per_epoch: int | None = None,
        lengths: npt.ArrayLike | None = None,
    ) -> dict[str, float]:
        """Take one step of the optimizer with a batch: with the bits that the step would have in a `fit` of batches.

        Parameters
        ----------
        X, y, sample_weight, class_weight, scale, lengths
            As of a batch in `fit`.
        steps_per_epoch : int, optional
            How many of these steps are an epoch, >= 1. A schedule, whose lengths are in epochs, needs it. Without it
            steps are in no epoch, as those of `step`.

        Returns
        -------
        dict of str to float
            "loss" and the compiled metrics, told from the outputs in training, before the step.

        Raises
        ------
        ValueError, TypeError
            For what a batch in `fit` must not be; for a schedule without `steps_per_epoch`; and when compiled to
            accumulate: each call is a step.
        DivergenceError
            When the loss or a weight becomes NaN or infinite; the step is taken back.
        RuntimeError
            Without ``compile``, or while a fit of this model runs.

        Notes
        -----
        No callback is called, and ``model.history`` stays. What a step needs beside the parameters, as much as they and
        the optimizer's sums once more, is kept for the next call, until `fit` or another change of the model. `fit`
        costs less a step: it works out of Python's sight.

        Examples
        --------
        >>> import nnext as nn
        >>> X, y = nn.datasets.make_moons(64, seed=0)
        >>> model, twin = nn.MLP([2, 8, 2]), nn.MLP([2, 8, 2])
        >>> for network in (model, twin):
        ...     network.compile("cross_entropy", nn.Adam(lr=nn.Cosine(0.1, epochs=2)), metrics=["accuracy"])
        >>> for epoch in range(2):
        ...     for first in (0, 32):
        ...         logs = model.train_on_batch(X[first : first + 32], y[first : first + 32], steps_per_epoch=2)
        >>> sorted(logs.keys())
        ['accuracy', 'loss']
        >>> history = twin.fit(X, y, epochs=2, batch_size=32, shuffle=False, verbose=0)
        >>> bool((model.predict(X) == twin.predict(X)).all())
        True
        """
        operation = "train_on_batch"
        compiled = require(self._compiled, operation)
        steps = (
            None if steps_per_epoch is None else _check.integer(operation, "steps_per_epoch", steps_per_epoch, low=1)
        )
        factor = self._scale(operation, scale)
        samples = Samples(_sequences.in_one_array(operation, self._engine, X, lengths), y, sample_weight)
        return _fit.train_on_batch(self, compiled, samples, class_weight, factor, steps)

    @takes_hints
    def test_on_batch(
        self,
        X: npt.ArrayLike,
        y: npt.ArrayLike,
        sample_weight: npt.ArrayLike | None = None,
        *,
        scale: float | None = None,
        lengths: npt.ArrayLike | None = None,
    ) -> dict[str, float]:
        """Return loss and metrics on a batch, in evaluation mode: what `evaluate` says of it.

        Parameters
        ----------
        X, y, sample_weight, scale, lengths
            As in `evaluate`.

        Returns
        -------
        dict of str to float
            "loss" and the compiled metrics.

        Examples
        --------
        >>> import nnext as nn
        >>> model = nn.MLP([4, 3, 2])
        >>> model.compile(loss="cross_entropy", metrics=["accuracy"])
        >>> model.test_on_batch([[1, 2, 3, 4]], [1]) == model.evaluate([[1, 2, 3, 4]], [1])
        True
        """
        compiled = require(self._compiled, "test_on_batch")
        given = Samples(_sequences.in_one_array("test_on_batch", self._engine, X, lengths), y, sample_weight)
        return _fit.evaluate(self, compiled, given, self._scale("test_on_batch", scale), "test_on_batch")
