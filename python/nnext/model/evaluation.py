"""How good a network is, on data."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from nnext import _check, _fit, _sequences
from nnext._calls import takes_hints
from nnext._compiled import require
from nnext._samples import Samples
from nnext.metrics import choose
from nnext.model.deciding import Deciding

if TYPE_CHECKING:
    import numpy.typing as npt


class Evaluation(Deciding):
    """What says how good a network is."""

    @takes_hints
    def evaluate(
        self,
        X: Any,
        y: npt.ArrayLike | None = None,
        *,
        batch_size: int | None = None,
        sample_weight: npt.ArrayLike | None = None,
        metrics: Any = None,
        scale: float | None = None,
        lengths: npt.ArrayLike | None = None,
    ) -> dict[str, float]:
        """Return loss and metrics on data, in evaluation mode.

        Parameters
        ----------
        X, y, sample_weight, scale, lengths
            As in ``fit``, also batches. Loss and metrics are weighted by sample_weight.
        metrics : str, callable, sequence of them, or mapping of name to one, optional
            In place of those that were compiled; see ``compile``. [] is none.
        batch_size : int, optional
            Taken for Keras' sake; the core chooses its own blocks, and results do not depend on them.

        Returns
        -------
        dict of str to float
            "loss" and the metrics. It cannot be unpacked as a list: ``scores["loss"]``, ``scores.items()``. A
            metric that has no value for such targets, as "roc_auc" of one class, is NaN, with a RuntimeWarning.

        Examples
        --------
        >>> import nnext as nn
        >>> model = nn.MLP([4, 3, 2])
        >>> model.compile(loss="cross_entropy", metrics=["accuracy"])
        >>> sorted(model.evaluate([[1, 2, 3, 4]], [1]).keys())
        ['accuracy', 'loss']
        >>> sorted(model.evaluate([[1, 2, 3, 4]], [1], metrics=["mae", "rmse"]).keys())
        ['loss', 'mae', 'rmse']
        """
        if batch_size is not None:
            _check.integer("evaluate", "batch_size", batch_size, low=1)
        compiled = require(self._compiled, "evaluate")
        if metrics is not None:
            compiled = replace(compiled, metrics=MappingProxyType(choose(metrics, "evaluate")))
        samples = Samples(_sequences.beside("evaluate", self._engine, X, y, lengths), y, sample_weight)
        return _fit.evaluate(self, compiled, samples, self._scale("evaluate", scale))
