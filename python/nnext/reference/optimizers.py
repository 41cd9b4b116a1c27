"""Update rules: how a gradient changes the weights. All follow PyTorch's definitions.

An optimizer works on dicts of arrays, parameter name -> array, and changes the arrays in place. What it remembers of
earlier steps (velocity, moments) it keeps under the same names.
"""

from __future__ import annotations

import math
from typing import Protocol

import numpy as np

from nnext.reference.arrays import Array

__all__ = ["SGD", "Adagrad", "Adam", "NAdam"]

Arrays = dict[str, Array]


class Optimizer(Protocol):
    """What `Network` asks of an update rule."""

    lr: float

    def step(self, parameters: Arrays, grads: Arrays) -> None:
        """Change `parameters` in place, one step along `grads`, which has the same names and shapes."""
        ...


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
