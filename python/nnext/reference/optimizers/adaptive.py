"""Steps divided by how large the gradients of each weight have been."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass

import numpy as np

from nnext.reference.arrays import Array
from nnext.reference.optimizers.base import Arrays, Optimizer

__all__ = ["Adadelta", "Adagrad", "RMSprop"]


@dataclass(eq=False)
class Adagrad(Optimizer):
    """Adagrad: each weight's steps shrink with the gradients it has seen (Duchi, Hazan and Singer, JMLR 12, 2011).

    ``s = s + g^2``, ``w = w - lr * g / (sqrt(s) + eps)``.

    Parameters
    ----------
    lr : float
        Learning rate.
    eps : float
        Keeps the divisor from 0.
    weight_decay, l1, lr_scale
        As in `Optimizer`.

    Examples
    --------
    >>> w = {"w": np.array([1.0])}
    >>> Adagrad(lr=0.1).step(w, {"w": np.array([2.0])})
    >>> w["w"]
    array([0.9])
    """

    lr: float = 0.01
    eps: float = 1e-10

    def change(self, w: Array, g: Array, lr: float, memory: Arrays) -> None:
        """Change a weight in place."""
        g = g + self.weight_decay * w
        s = memory["s"] = memory.get("s", np.zeros_like(w)) + g * g
        w -= lr * g / (np.sqrt(s) + self.eps)


@dataclass(eq=False)
class Adadelta(Optimizer):
    """Adadelta: steps as large as the last ones, in units of the last gradients (Zeiler, arXiv:1212.5701).

    Parameters
    ----------
    lr : float
        Factor on each step.
    rho : float
        How much of the means of g^2 and of the steps' squares stays.
    eps : float
        What the first step is made of.
    weight_decay, l1, lr_scale
        As in `Optimizer`.

    Examples
    --------
    >>> w = {"w": np.array([1.0])}
    >>> Adadelta().step(w, {"w": np.array([2.0])})
    >>> w["w"].round(6)
    array([0.996838])
    """

    lr: float = 1.0
    rho: float = 0.9
    eps: float = 1e-6

    def change(self, w: Array, g: Array, lr: float, memory: Arrays) -> None:
        """Change a weight in place."""
        g, old = g + self.weight_decay * w, memory.get("moves", np.zeros_like(w))
        s = memory["s"] = self.rho * memory.get("s", np.zeros_like(w)) + (1 - self.rho) * g * g
        move = np.sqrt(old + self.eps) / np.sqrt(s + self.eps) * g
        memory["moves"] = self.rho * old + (1 - self.rho) * move * move
        w -= lr * move


@dataclass(eq=False)
class RMSprop(Optimizer):
    """RMSprop: steps divided by the root of a running mean of g^2 (Tieleman and Hinton, lecture 6.5, 2012).

    Parameters
    ----------
    lr : float
        Learning rate.
    alpha : float
        How much of the mean stays.
    eps : float
        Keeps the divisor from 0.
    momentum : float
        How much of the last move stays in the next.
    centered : bool
        Divide by a standard deviation instead (Graves, arXiv:1308.0850).
    weight_decay, l1, lr_scale
        As in `Optimizer`.

    Examples
    --------
    >>> w = {"w": np.array([1.0])}
    >>> RMSprop(lr=0.1).step(w, {"w": np.array([2.0])})
    >>> w["w"].round(6)
    array([0.])
    """

    lr: float = 0.01
    alpha: float = 0.99
    eps: float = 1e-8
    _: KW_ONLY
    momentum: float = 0.0
    centered: bool = False

    def change(self, w: Array, g: Array, lr: float, memory: Arrays) -> None:
        """Change a weight in place."""
        g, zero = g + self.weight_decay * w, np.zeros_like(w)
        s = memory["s"] = self.alpha * memory.get("s", zero) + (1 - self.alpha) * g * g
        if self.centered:
            mean = memory["mean"] = self.alpha * memory.get("mean", zero) + (1 - self.alpha) * g
            s = np.maximum(s - mean * mean, 0)
        move = g / (np.sqrt(s) + self.eps)
        if self.momentum:
            move = memory["v"] = self.momentum * memory.get("v", zero) + move
        w -= lr * move
