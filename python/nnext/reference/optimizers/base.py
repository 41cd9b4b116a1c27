"""What all update rules have in common, and what limits a gradient before them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass, field

import numpy as np

from nnext.reference.arrays import Array

Arrays = dict[str, Array]


@dataclass(eq=False)
class Optimizer:
    """A rule that changes weights along gradients.

    Parameters
    ----------
    lr : float
        Learning rate.
    weight_decay : float
        Adds ``weight_decay * w`` to the gradient, unless the rule says otherwise.
    l1 : float
        Adds ``l1 * sign(w)`` to the gradient.
    lr_scale : mapping of str to float
        Factors on lr for the layers of these names, or those within.
    """

    lr: float
    _: KW_ONLY
    weight_decay: float = 0.0
    l1: float = 0.0
    lr_scale: Mapping[str, float] = field(default_factory=dict)
    t: int = field(default=0, init=False)  # steps so far
    memory: dict[str, Arrays] = field(default_factory=dict, init=False)  # what is remembered of each weight

    def step(self, parameters: Arrays, grads: Arrays) -> None:
        """Change `parameters` in place, one step along `grads`, which has the same names and shapes."""
        self.t += 1
        for name, w in parameters.items():
            memory = self.memory.setdefault(name, {})
            self.change(w, grads[name] + self.l1 * np.sign(w), self.lr * self._scale(name), memory)

    def change(self, w: Array, g: Array, lr: float, memory: Arrays) -> None:
        """Change a weight in place; for subclasses."""
        raise NotImplementedError

    def _scale(self, name: str) -> float:
        """Return the factor of the longest name that holds the weight."""
        holding = [holder for holder in self.lr_scale if name.startswith(f"{holder}.")]
        return self.lr_scale[max(holding, key=len)] if holding else 1.0


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


def limited(grads: dict[str, Array], clip_value: float) -> dict[str, Array]:
    """Set elements outside of [-clip_value, clip_value] to the nearer end.

    Examples
    --------
    >>> limited({"w": np.array([3.0, -0.5, -4.0])}, clip_value=1.0)["w"]
    array([ 1. , -0.5, -1. ])
    """
    return {name: np.clip(g, -clip_value, clip_value) for name, g in grads.items()}
