"""How the core is asked for a loss."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from nnext import _core

if TYPE_CHECKING:
    import numpy.typing as npt

    Array = npt.NDArray[Any]


def loss_and_gradient(
    name: str, y_pred: npt.ArrayLike, y: npt.ArrayLike, sample_weight: Any, argument: float = 0.0
) -> tuple[float, Array]:
    """Return both, from one pass; 1-d predictions are one output a sample."""
    rows = np.asanyarray(y_pred)  # a mask stays, for the core to refuse
    if rows.ndim == 1 and name != "cross_entropy":
        loss, grad = _core.loss(name, rows.reshape(-1, 1), y, sample_weight, argument)
        return loss, grad.reshape(-1)
    return _core.loss(name, y_pred, y, sample_weight, argument)
