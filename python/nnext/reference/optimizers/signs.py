"""Steps that only ask which way a gradient points."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nnext.reference.arrays import Array
from nnext.reference.optimizers.base import Arrays, Optimizer

__all__ = ["Lion", "Rprop"]


@dataclass(eq=False)
class Lion(Optimizer):
    """Lion: steps of lr along the sign of a mean gradient (Chen et al., NeurIPS 2023, algorithm 2).

    Parameters
    ----------
    lr : float
        Learning rate.
    betas : tuple of two float
        How much of the mean is in the sign, and how much of it stays.
    weight_decay : float
        How much of w a step takes, times lr.
    l1, lr_scale
        As in `Optimizer`.

    Examples
    --------
    >>> w = {"w": np.array([1.0])}
    >>> Lion(lr=0.1).step(w, {"w": np.array([2.0])})
    >>> w["w"]
    array([0.9])
    """

    lr: float = 1e-4
    betas: tuple[float, float] = (0.9, 0.99)

    def change(self, w: Array, g: Array, lr: float, memory: Arrays) -> None:
        """Change a weight in place."""
        (beta1, beta2), m = self.betas, memory.get("m", np.zeros_like(w))
        w *= 1 - lr * self.weight_decay
        w -= lr * np.sign(beta1 * m + (1 - beta1) * g)
        memory["m"] = beta2 * m + (1 - beta2) * g


@dataclass(eq=False)
class Rprop(Optimizer):
    """Rprop: each weight has a step of its own (Riedmiller and Braun, ICNN 1993).

    It grows while the gradient keeps its sign; where that turns it shrinks, and the weight waits for a step.

    Parameters
    ----------
    lr : float
        What the steps start from.
    etas : tuple of two float
        The factors of a step that shrinks and of one that grows.
    step_sizes : tuple of two float
        The least and the greatest step.
    weight_decay, l1, lr_scale
        As in `Optimizer`.

    Examples
    --------
    >>> w = {"w": np.array([1.0])}
    >>> Rprop(lr=0.1).step(w, {"w": np.array([2.0])})
    >>> w["w"]
    array([0.9])
    """

    lr: float = 0.01
    etas: tuple[float, float] = (0.5, 1.2)
    step_sizes: tuple[float, float] = (1e-6, 50.0)

    def change(self, w: Array, g: Array, lr: float, memory: Arrays) -> None:
        """Change a weight in place."""
        g = g + self.weight_decay * w
        turn = np.sign(g * memory.get("g", np.zeros_like(w)))
        factor = np.where(turn > 0, self.etas[1], np.where(turn < 0, self.etas[0], 1))
        size = memory["size"] = np.clip(memory.get("size", np.full_like(w, lr)) * factor, *self.step_sizes)
        g = memory["g"] = np.where(turn < 0, 0, g)
        w -= size * np.sign(g)
