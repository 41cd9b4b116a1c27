"""Steps along the gradient, or along a velocity."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass

import numpy as np

from nnext.reference.arrays import Array
from nnext.reference.optimizers.base import Arrays, Optimizer

__all__ = ["SGD"]


@dataclass(eq=False)
class SGD(Optimizer):
    """Stochastic gradient descent with momentum: ``v = momentum * v + (1 - dampening) * g``, ``w = w - lr * v``.

    Parameters
    ----------
    lr : float
        Learning rate.
    momentum : float
        How much of the last velocity stays; 0 is plain descent. The first velocity is the gradient itself.
    dampening : float
        How little of the gradient joins the velocity.
    nesterov : bool
        Step along ``g + momentum * v`` instead (Sutskever et al., ICML 2013).
    weight_decay, l1, lr_scale
        As in `Optimizer`.

    Examples
    --------
    >>> w = {"w": np.array([1.0])}
    >>> SGD(lr=0.1).step(w, {"w": np.array([2.0])})
    >>> w["w"]
    array([0.8])
    """

    lr: float = 0.01
    momentum: float = 0.0
    _: KW_ONLY
    dampening: float = 0.0
    nesterov: bool = False

    def change(self, w: Array, g: Array, lr: float, memory: Arrays) -> None:
        """Change a weight in place."""
        g = g + self.weight_decay * w
        if self.momentum:
            v = np.array(g) if "v" not in memory else self.momentum * memory["v"] + (1 - self.dampening) * g
            memory["v"] = v
            g = g + self.momentum * v if self.nesterov else v
        w -= lr * g
