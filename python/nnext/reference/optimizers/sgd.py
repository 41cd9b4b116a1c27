"""Steps along the gradient, or along a velocity."""

from __future__ import annotations

from nnext.reference.optimizers.base import Arrays

__all__ = ["SGD"]


class SGD:
    """Stochastic gradient descent with momentum: ``v = momentum * v + g``, ``w = w - lr * v``.

    Parameters
    ----------
    lr : float
        Learning rate.
    momentum : float
        How much of the last velocity stays; 0 is plain descent. The first velocity is the gradient itself.
    nesterov : bool
        Step along ``g + momentum * v`` instead (Sutskever et al., ICML 2013).
    weight_decay : float
        Adds ``weight_decay * w`` to the gradient.

    Examples
    --------
    >>> w = {"w": np.array([1.0])}
    >>> SGD(lr=0.1).step(w, {"w": np.array([2.0])})
    >>> w["w"]
    array([0.8])
    """

    def __init__(
        self, lr: float = 0.01, momentum: float = 0.0, nesterov: bool = False, weight_decay: float = 0.0
    ) -> None:
        self.lr, self.momentum, self.nesterov, self.weight_decay = lr, momentum, nesterov, weight_decay
        self.velocity: Arrays = {}

    def step(self, parameters: Arrays, grads: Arrays) -> None:
        """Change `parameters` in place, one step along `grads`."""
        for name, w in parameters.items():
            g = grads[name] + self.weight_decay * w
            if self.momentum:
                v = self.momentum * self.velocity[name] + g if name in self.velocity else g
                self.velocity[name] = v
                g = g + self.momentum * v if self.nesterov else v
            w -= self.lr * g
