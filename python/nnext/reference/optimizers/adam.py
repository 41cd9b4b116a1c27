"""Adam and its kin: steps along the mean gradient, divided by how large gradients are."""

from __future__ import annotations

import math
from dataclasses import KW_ONLY, dataclass, field
from typing import ClassVar

import numpy as np

from nnext.reference.arrays import Array
from nnext.reference.optimizers.base import Arrays, Optimizer

__all__ = ["Adam", "AdamW", "NAdam", "RAdam"]


@dataclass(eq=False)
class _ByMoments(Optimizer):
    """``m`` and ``v`` are moving averages of g and g^2; dividing by ``1 - beta^t`` undoes that they start at 0."""

    lr: float = 0.001
    betas: tuple[float, float] = (0.9, 0.999)
    eps: float = 1e-8

    def moments(self, w: Array, g: Array, lr: float, memory: Arrays, decoupled: bool) -> tuple[Array, Array, Array]:
        """Let the weight decay, by a share of w where that is `decoupled` from the gradient; return g, m and v."""
        if decoupled:
            w *= 1 - lr * self.weight_decay
        else:
            g = g + self.weight_decay * w
        beta1, beta2 = self.betas
        m = memory["m"] = beta1 * memory.get("m", np.zeros_like(w)) + (1 - beta1) * g
        v = memory["v"] = beta2 * memory.get("v", np.zeros_like(w)) + (1 - beta2) * g * g
        return g, m, v


@dataclass(eq=False)
class Adam(_ByMoments):
    """Adam: steps of about lr, whatever the gradient's size (Kingma and Ba, ICLR 2015, algorithm 1).

    Parameters
    ----------
    lr : float
        Learning rate.
    betas : tuple of two float
        How much of ``m`` and of ``v`` stays at each step.
    eps : float
        Keeps the divisor from 0.
    amsgrad : bool
        Divide by the largest ``v`` so far (Reddi, Kale and Kumar, ICLR 2018).
    weight_decay, l1, lr_scale
        As in `Optimizer`.

    Examples
    --------
    >>> w = {"w": np.array([1.0])}
    >>> Adam(lr=0.1).step(w, {"w": np.array([2.0])})
    >>> w["w"].round(6)
    array([0.9])
    """

    _: KW_ONLY
    amsgrad: bool = False
    decouples: ClassVar[bool] = False  # weight decay from the gradient

    def change(self, w: Array, g: Array, lr: float, memory: Arrays) -> None:
        """Change a weight in place."""
        beta1, beta2 = self.betas
        _, m, v = self.moments(w, g, lr, memory, self.decouples)
        if self.amsgrad:
            v = memory["largest"] = np.maximum(v, memory.get("largest", v))
        m_hat, v_hat = m / (1 - beta1**self.t), v / (1 - beta2**self.t)
        w -= lr * m_hat / (np.sqrt(v_hat) + self.eps)


@dataclass(eq=False)
class AdamW(Adam):
    """Adam whose weight decay is decoupled from the gradient (Loshchilov and Hutter, ICLR 2019).

    Before Adam's step, ``w -= lr * weight_decay * w``.

    Parameters
    ----------
    lr : float
        Learning rate.
    betas : tuple of two float
        How much of ``m`` and of ``v`` stays at each step.
    eps : float
        Keeps the divisor from 0.
    weight_decay : float
        How much of w a step takes, times lr.
    amsgrad, l1, lr_scale
        As in `Adam`.

    Examples
    --------
    >>> w = {"w": np.array([1.0])}
    >>> AdamW(lr=0.1).step(w, {"w": np.array([2.0])})
    >>> w["w"].round(6)
    array([0.899])
    """

    _: KW_ONLY
    weight_decay: float = 0.01
    decouples: ClassVar[bool] = True


@dataclass(eq=False)
class NAdam(_ByMoments):
    """NAdam: Adam that steps along where its momentum will be next (Dozat, ICLR 2016 workshop).

    The momentum ``mu_t = beta1 (1 - 0.96^(t momentum_decay) / 2)`` grows; the product of all so far undoes that ``m``
    starts at 0.

    Parameters
    ----------
    lr : float
        Learning rate.
    betas : tuple of two float
        How much of ``m`` and of ``v`` stays at each step.
    eps : float
        Keeps the divisor from 0.
    momentum_decay : float
        How quickly the momentum grows.
    decoupled_weight_decay : bool
        Take ``lr * weight_decay * w`` from w instead of adding to the gradient.
    weight_decay, l1, lr_scale
        As in `Optimizer`.

    Examples
    --------
    >>> w = {"w": np.array([1.0])}
    >>> NAdam(lr=0.1).step(w, {"w": np.array([2.0])})
    >>> w["w"].round(6)
    array([0.894355])
    """

    lr: float = 0.002
    _: KW_ONLY
    momentum_decay: float = 0.004
    decoupled_weight_decay: bool = False
    product: float = field(default=1.0, init=False)

    def _momentum(self, t: int) -> float:
        return float(self.betas[0] * (1 - 0.5 * 0.96 ** (t * self.momentum_decay)))

    def step(self, parameters: Arrays, grads: Arrays) -> None:
        """Change `parameters` in place, one step along `grads`."""
        self.product *= self._momentum(self.t + 1)
        super().step(parameters, grads)

    def change(self, w: Array, g: Array, lr: float, memory: Arrays) -> None:
        """Change a weight in place."""
        now, ahead = self._momentum(self.t), self._momentum(self.t + 1)
        g, m, v = self.moments(w, g, lr, memory, self.decoupled_weight_decay)
        direction = (1 - now) / (1 - self.product) * g + ahead / (1 - self.product * ahead) * m
        w -= lr * direction / (np.sqrt(v / (1 - self.betas[1] ** self.t)) + self.eps)


@dataclass(eq=False)
class RAdam(_ByMoments):
    """RAdam: Adam without its divisor until the variance of that is finite, then rectified (Liu et al., ICLR 2020).

    Parameters
    ----------
    lr : float
        Learning rate.
    betas : tuple of two float
        How much of ``m`` and of ``v`` stays at each step.
    eps : float
        Keeps the divisor from 0.
    decoupled_weight_decay : bool
        Take ``lr * weight_decay * w`` from w instead of adding to the gradient.
    weight_decay, l1, lr_scale
        As in `Optimizer`.

    Examples
    --------
    >>> w = {"w": np.array([1.0])}
    >>> RAdam(lr=0.1).step(w, {"w": np.array([2.0])})
    >>> w["w"].round(6)
    array([0.8])
    """

    _: KW_ONLY
    decoupled_weight_decay: bool = False

    def change(self, w: Array, g: Array, lr: float, memory: Arrays) -> None:
        """Change a weight in place."""
        (beta1, beta2), t = self.betas, self.t
        _, m, v = self.moments(w, g, lr, memory, self.decoupled_weight_decay)
        m_hat = m / (1 - beta1**t)
        last = 2 / (1 - beta2) - 1
        rho = last - 2 * t * beta2**t / (1 - beta2**t)
        if rho > 5:
            rectified = math.sqrt((rho - 4) * (rho - 2) * last / ((last - 4) * (last - 2) * rho))
            m_hat = rectified * m_hat * math.sqrt(1 - beta2**t) / (np.sqrt(v) + self.eps)
        w -= lr * m_hat
