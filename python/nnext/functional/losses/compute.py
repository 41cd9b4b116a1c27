"""How the core is asked for a loss."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from nnext import _core

if TYPE_CHECKING:
    import numpy.typing as npt

    Array = npt.NDArray[Any]

OF_CLASSES = ("cross_entropy", "kl_div")  # these need several outputs a sample


def loss_and_gradient(
    name: str, y_pred: npt.ArrayLike, y: npt.ArrayLike, sample_weight: Any, **settings: Any
) -> tuple[float, Array]:
    """Return both, from one pass; 1-d predictions are one output a sample. Settings are checked before."""
    described = {"type": name, **settings}
    rows = np.asanyarray(y_pred)  # a mask stays, for the core to refuse
    if rows.ndim == 1 and name not in OF_CLASSES:
        loss, grad = _core.loss(described, rows.reshape(-1, 1), y, sample_weight)
        return loss, grad.reshape(-1)
    return _core.loss(described, y_pred, y, sample_weight)
