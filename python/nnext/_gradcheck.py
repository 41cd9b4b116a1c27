"""Gradients checked against central differences, in float64."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from nnext import _fit
from nnext._compiled import require
from nnext._samples import Samples
from nnext.model import Sequential
from nnext.model.sequential import of_engine

if TYPE_CHECKING:
    import numpy.typing as npt

    Array = npt.NDArray[Any]

_SMALLEST = 1e-3  # of the largest gradient of all
# The step balances truncation, O(h^2), against rounding, O(eps / h): h is near the cube root of eps.
_STEP = float(np.finfo(np.float64).eps) ** (1 / 3)


@dataclass(frozen=True)
class GradcheckResult:
    """What `gradcheck` found.

    Attributes
    ----------
    max_relative_error : float
        Over all parameters: the largest difference between a computed gradient and the central difference, divided by
        the largest magnitude of a gradient in the same array, or by a thousandth of the largest of all where that
        is more: of smaller gradients, such as 0 for a bias before `BatchNorm1d`, the differences keep too few digits.
    worst : str
        Where: the parameter with its index, and both numbers.

    Examples
    --------
    >>> import nnext as nn
    >>> model = nn.Sequential(nn.Linear(1, 1, bias=False), seed=1)
    >>> model.compile(loss="mse")
    >>> nn.gradcheck(model, [[0.0]], [1.0])
    GradcheckResult(max_relative_error=0.0, worst='0.weight[0, 0]: computed 0, central difference 0')
    """

    max_relative_error: float
    worst: str


def gradcheck(model: Sequential, X: npt.ArrayLike, y: npt.ArrayLike, sample_weight: Any = None) -> GradcheckResult:
    """Compare the gradients of a compiled model with central differences of its loss.

    The check runs on a float64 copy; the model does not change. Dropout keeps one mask throughout.

    Parameters
    ----------
    model : Sequential
        Compiled. Costs two passes a parameter, so it should be small.
    X, y, sample_weight
        As in ``fit``; a few rows are enough.

    Returns
    -------
    GradcheckResult
        At most 1e-6 for right gradients, unless an activation's kink lies within the step.

    Raises
    ------
    RuntimeError
        Without ``compile``.

    Notes
    -----
    ``dL/dw ~ (L(w + h) - L(w - h)) / 2h`` with ``h = eps^(1/3) max(1, abs(w))``: Numerical Recipes, 5.7.

    Examples
    --------
    >>> import nnext as nn
    >>> model = nn.MLP([3, 4, 2], activation="tanh")
    >>> model.compile(loss="cross_entropy")
    >>> nn.gradcheck(model, [[0.1, -0.2, 0.3]], [1]).max_relative_error < 1e-6
    True
    """
    twin = _float64_copy(model)
    _, grads = twin.loss_and_grads(X, y, sample_weight)
    trainable = {name: g for name, g in grads.items() if name.rpartition(".")[0] not in twin.engine.frozen}
    worst = GradcheckResult(0.0, "no parameters")
    largest = max((float(np.abs(g).max()) for g in trainable.values()), default=0.0)
    for name, analytic in trainable.items():
        numeric = _central_differences(twin, name, X, y, sample_weight)
        own = max(float(np.abs(analytic).max()), float(np.abs(numeric).max()))
        scale = max(own, _SMALLEST * largest, np.finfo(np.float64).tiny)
        errors = np.abs(analytic - numeric) / scale
        at = np.unravel_index(np.nanargmax(errors) if not np.isnan(errors).all() else 0, errors.shape)
        error = float(errors[at]) if not np.isnan(errors).any() else float("nan")
        if not error <= worst.max_relative_error or worst.worst == "no parameters":
            index = ", ".join(str(int(i)) for i in at)
            found = f"{name}[{index}]: computed {analytic[at]:.10g}, central difference {numeric[at]:.10g}"
            worst = GradcheckResult(error, found)
    return worst


def _float64_copy(model: Sequential) -> Sequential:
    compiled = require(model.compiled, "gradcheck")
    twin = of_engine(model.engine.twin(np.dtype("float64")))
    twin.load_state_dict(model.state_dict())
    twin.compile(compiled.loss, optimizer=compiled.optimizer)
    twin.remember(replace(model.seen, scale=None))  # X is taken as it is
    twin.engine.set_counters(model.engine.counters[:2])  # the same dropout masks
    twin.freeze(*model.engine.frozen)
    return twin


def _central_differences(twin: Sequential, name: str, X: Any, y: Any, sample_weight: Any) -> Array:
    engine, compiled = twin.engine, require(twin.compiled, "gradcheck")
    values = twin.state_dict()[name]
    numeric = np.empty_like(values)
    for i in np.ndindex(values.shape):
        before = values[i]
        step = _STEP * max(1.0, abs(before))
        losses = []
        for moved in (before + step, before - step):
            values[i] = moved
            engine.set({name: values})
            losses.append(_fit.loss_and_gradients(twin, compiled, Samples(X, y, sample_weight), 1.0))
        values[i] = before
        numeric[i] = (losses[0] - losses[1]) / ((before + step) - (before - step))
    engine.set({name: values})
    return numeric
