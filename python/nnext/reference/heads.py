"""The end of a network: its loss, computed together with the last layer where that is stabler."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from nnext import layers as descriptions
from nnext.losses import Loss
from nnext.reference import losses
from nnext.reference.layers import Activation, Layer

_Function = Callable[..., Any]  # y_pred, y, sample_weight


def head(layers: Sequence[Layer], loss: Loss) -> tuple[_Function, _Function, int]:
    """Return loss and gradient as functions of the outputs of the first so many layers."""
    last = layers[-1] if layers else None
    kind = descriptions.Layer.names().get(last.function.__name__) if isinstance(last, Activation) else None
    fused = loss.fused(kind.__name__) if kind is not None else None
    chosen, count = (loss, len(layers)) if fused is None else (fused, len(layers) - 1)
    settings = {key: value for key, value in chosen.config().items() if key != "type"}
    value, gradient = getattr(losses, chosen.name), getattr(losses, f"{chosen.name}_grad")
    return partial(value, **settings), partial(gradient, **settings), count
