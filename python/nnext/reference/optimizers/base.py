"""What all update rules have in common, and what limits a gradient before them."""

from __future__ import annotations

import math
from typing import Protocol

from nnext.reference.arrays import Array

Arrays = dict[str, Array]


class Optimizer(Protocol):
    """What `Network` asks of an update rule."""

    lr: float

    def step(self, parameters: Arrays, grads: Arrays) -> None:
        """Change `parameters` in place, one step along `grads`, which has the same names and shapes."""
        ...


def clipped(grads: dict[str, Array], clip_norm: float) -> dict[str, Array]:
    """Scale gradients down that are longer together than `clip_norm`: ``g min(1, clip_norm / (norm + 1e-6))``.

    Source: Pascanu, Mikolov and Bengio, ICML 2013; the factor is PyTorch's.

    Examples
    --------
    >>> clipped({"w": np.array([3.0, 4.0])}, clip_norm=1.0)["w"].round(5)
    array([0.6, 0.8])
    """
    norm = math.sqrt(sum(float((g * g).sum()) for g in grads.values()))
    factor = min(1.0, clip_norm / (norm + 1e-6))
    return {name: factor * g for name, g in grads.items()}
