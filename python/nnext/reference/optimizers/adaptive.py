"""Steps divided by how large the gradients of each weight have been."""

from __future__ import annotations

import numpy as np

from nnext.reference.optimizers.base import Arrays

__all__ = ["Adagrad"]


class Adagrad:
    """Adagrad: each weight's steps shrink with the gradients it has seen (Duchi, Hazan and Singer, JMLR 12, 2011).

    ``s = s + g^2``, ``w = w - lr * g / (sqrt(s) + eps)``.

    Parameters
    ----------
    lr : float
        Learning rate.
    eps : float
        Keeps the divisor from 0.
    weight_decay : float
        Adds ``weight_decay * w`` to the gradient.

    Examples
    --------
    >>> w = {"w": np.array([1.0])}
    >>> Adagrad(lr=0.1).step(w, {"w": np.array([2.0])})
    >>> w["w"]
    array([0.9])
    """

    def __init__(self, lr: float = 0.01, eps: float = 1e-10, weight_decay: float = 0.0) -> None:
        self.lr, self.eps, self.weight_decay = lr, eps, weight_decay
        self.sum: Arrays = {}

    def step(self, parameters: Arrays, grads: Arrays) -> None:
        """Change `parameters` in place, one step along `grads`."""
        for name, w in parameters.items():
            g = grads[name] + self.weight_decay * w
            s = self.sum[name] = self.sum.get(name, np.zeros_like(w)) + g * g
            w -= self.lr * g / (np.sqrt(s) + self.eps)
