"""Adam and its kin: steps along the mean gradient, divided by how large gradients are."""

from __future__ import annotations

import numpy as np

from nnext.reference.optimizers.base import Arrays

__all__ = ["Adam", "NAdam"]


class Adam:
    """Adam: steps of about lr, whatever the gradient's size (Kingma and Ba, ICLR 2015, algorithm 1).

    ``m`` and ``v`` are moving averages of g and g^2; dividing by ``1 - beta^t`` undoes that they start at 0.

    Parameters
    ----------
    lr : float
        Learning rate.
    betas : tuple of two float
        How much of ``m`` and of ``v`` stays at each step.
    eps : float
        Keeps the divisor from 0.
    weight_decay : float
        Adds ``weight_decay * w`` to the gradient.

    Examples
    --------
    >>> w = {"w": np.array([1.0])}
    >>> Adam(lr=0.1).step(w, {"w": np.array([2.0])})
    >>> w["w"].round(6)
    array([0.9])
    """

    def __init__(
        self,
        lr: float = 0.001,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
    ) -> None:
        self.lr, self.betas, self.eps, self.weight_decay = lr, betas, eps, weight_decay
        self.t = 0
        self.m: Arrays = {}
        self.v: Arrays = {}

    def step(self, parameters: Arrays, grads: Arrays) -> None:
        """Change `parameters` in place, one step along `grads`."""
        self.t += 1
        beta1, beta2 = self.betas
        for name, w in parameters.items():
            g = grads[name] + self.weight_decay * w
            m = self.m[name] = beta1 * self.m.get(name, np.zeros_like(w)) + (1 - beta1) * g
            v = self.v[name] = beta2 * self.v.get(name, np.zeros_like(w)) + (1 - beta2) * g * g
            m_hat, v_hat = m / (1 - beta1**self.t), v / (1 - beta2**self.t)
            w -= self.lr * m_hat / (np.sqrt(v_hat) + self.eps)


class NAdam:
    """NAdam: Adam that steps along where its momentum will be next (Dozat, ICLR 2016 workshop).

    The momentum ``mu_t = beta1 (1 - 0.96^(t momentum_decay) / 2)`` grows; the product of all so far undoes that ``m``
    starts at 0.

    Parameters
    ----------
    lr : float
        Learning rate.
    betas : tuple of two float
        How much of ``m`` (in the end) and of ``v`` stays at each step.
    eps : float
        Keeps the divisor from 0.
    weight_decay : float
        Adds ``weight_decay * w`` to the gradient.
    momentum_decay : float
        How quickly the momentum grows.

    Examples
    --------
    >>> w = {"w": np.array([1.0])}
    >>> NAdam(lr=0.1).step(w, {"w": np.array([2.0])})
    >>> w["w"].round(6)
    array([0.894355])
    """

    def __init__(
        self,
        lr: float = 0.002,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        momentum_decay: float = 0.004,
    ) -> None:
        self.lr, self.betas, self.eps, self.weight_decay = lr, betas, eps, weight_decay
        self.momentum_decay = momentum_decay
        self.t, self.product = 0, 1.0
        self.m: Arrays = {}
        self.v: Arrays = {}

    def _momentum(self, t: int) -> float:
        return float(self.betas[0] * (1 - 0.5 * 0.96 ** (t * self.momentum_decay)))

    def step(self, parameters: Arrays, grads: Arrays) -> None:
        """Change `parameters` in place, one step along `grads`."""
        self.t += 1
        beta1, beta2 = self.betas
        now, ahead = self._momentum(self.t), self._momentum(self.t + 1)
        self.product *= now
        for name, w in parameters.items():
            g = grads[name] + self.weight_decay * w
            m = self.m[name] = beta1 * self.m.get(name, np.zeros_like(w)) + (1 - beta1) * g
            v = self.v[name] = beta2 * self.v.get(name, np.zeros_like(w)) + (1 - beta2) * g * g
            direction = (1 - now) / (1 - self.product) * g + ahead / (1 - self.product * ahead) * m
            w -= self.lr * direction / (np.sqrt(v / (1 - beta2**self.t)) + self.eps)
