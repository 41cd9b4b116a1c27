"""Steps divided by how large the gradients of each weight have been."""

from __future__ import annotations

from dataclasses import KW_ONLY
from typing import Any

from nnext._fields import flag, number
from nnext.optimizers.base import Optimizer, refuse_another_memory
from nnext.schedules import Schedule

__all__ = ["Adadelta", "Adagrad", "RMSprop"]


class Adagrad(Optimizer):
    """Adagrad: ``s += g^2; w -= lr / (1 + (t - 1) lr_decay) * g / (sqrt(s) + eps)``. Duchi, Hazan and Singer, 2011.

    Parameters
    ----------
    lr : float or Schedule
        Learning rate, >= 0.
    lr_decay : float
        >= 0.
    eps : float
        Keeps the quotient finite, > 0.
    initial_accumulator_value : float
        What s starts from, >= 0.
    weight_decay : float or Schedule
        Adds ``weight_decay * w`` to the gradient, >= 0.
    l1 : float or Schedule
        Adds ``l1 * sign(w)`` to the gradient, >= 0.
    lr_scale : mapping of str to float
        Factors on lr by layers, such as ``{"0": 0.1}``: see `Optimizer`.

    Raises
    ------
    ValueError, TypeError
        For values out of range.

    Examples
    --------
    >>> import nnext as nn
    >>> model = nn.Sequential(nn.Linear(1, 1, bias=False, weight_init="zeros"), dtype="float64")
    >>> model.compile(loss="mse", optimizer=nn.Adagrad(lr=0.1))
    >>> loss, grads = model.loss_and_grads([[1.0]], [5.0])
    >>> model.step()
    >>> grads["0.weight"], model.state_dict()["0.weight"]
    (array([[-10.]]), array([[0.1]]))
    """

    name = "adagrad"

    lr: float | Schedule = number(default=1e-2, settable=True, schedule=Schedule, low=0)
    _: KW_ONLY
    lr_decay: float = number(default=0.0, low=0)
    eps: float = number(default=1e-10, above=0)
    initial_accumulator_value: float = number(default=0.0, low=0)


class Adadelta(Optimizer):
    """Adadelta: steps as large as the last ones were, for gradients as large as the last ones were. Zeiler, 2012.

    ``s = rho s + (1 - rho) g^2; d = sqrt(a + eps) / sqrt(s + eps) * g; a = rho a + (1 - rho) d^2; w -= lr * d``

    Parameters
    ----------
    lr : float or Schedule
        Learning rate, >= 0.
    rho : float or Schedule
        How much of s and a stays, 0 <= rho <= 1.
    eps : float
        What the first step is made of, > 0.
    weight_decay : float or Schedule
        Adds ``weight_decay * w`` to the gradient, >= 0.
    l1 : float or Schedule
        Adds ``l1 * sign(w)`` to the gradient, >= 0.
    lr_scale : mapping of str to float
        Factors on lr by layers, such as ``{"0": 0.1}``: see `Optimizer`.

    Raises
    ------
    ValueError, TypeError
        For values out of range.

    Examples
    --------
    >>> import nnext as nn
    >>> model = nn.Sequential(nn.Linear(1, 1, bias=False, weight_init="zeros"), dtype="float64")
    >>> model.compile(loss="mse", optimizer=nn.Adadelta())
    >>> loss, grads = model.loss_and_grads([[1.0]], [5.0])
    >>> model.step()
    >>> grads["0.weight"], model.state_dict()["0.weight"].round(5)  # sqrt(eps / 0.1)
    (array([[-10.]]), array([[0.00316]]))
    """

    name = "adadelta"

    lr: float | Schedule = number(default=1.0, settable=True, schedule=Schedule, low=0)
    _: KW_ONLY
    rho: float | Schedule = number(default=0.9, settable=True, schedule=Schedule, low=0, high=1)
    eps: float = number(default=1e-6, above=0)


class RMSprop(Optimizer):
    """RMSprop: ``s = alpha s + (1 - alpha) g^2; w -= lr * g / (sqrt(s) + eps)``. Tieleman and Hinton, 2012.

    Parameters
    ----------
    lr : float or Schedule
        Learning rate, >= 0.
    alpha : float or Schedule
        How much of s stays, 0 <= alpha < 1.
    eps : float
        Keeps the quotient finite, > 0.
    momentum : float or Schedule
        Steps along a velocity of such moves, ``v = momentum * v + g / (sqrt(s) + eps); w -= lr * v``, where it is
        > 0. It cannot be set from 0 to more, nor back.
    centered : bool
        Take the square of the running mean of g from s, so that it is a variance; at least 0. Graves, 2013.
    weight_decay : float or Schedule
        Adds ``weight_decay * w`` to the gradient, >= 0.
    l1 : float or Schedule
        Adds ``l1 * sign(w)`` to the gradient, >= 0.
    lr_scale : mapping of str to float
        Factors on lr by layers, such as ``{"0": 0.1}``: see `Optimizer`.

    Raises
    ------
    ValueError, TypeError
        For values out of range.

    Examples
    --------
    >>> import nnext as nn
    >>> model = nn.Sequential(nn.Linear(1, 1, bias=False, weight_init="zeros"), dtype="float64")
    >>> model.compile(loss="mse", optimizer=nn.RMSprop(lr=0.1))
    >>> loss, grads = model.loss_and_grads([[1.0]], [5.0])
    >>> model.step()
    >>> grads["0.weight"], model.state_dict()["0.weight"].round(6)  # sqrt(0.01 * 100) = 1
    (array([[-10.]]), array([[1.]]))
    """

    name = "rmsprop"

    lr: float | Schedule = number(default=1e-2, settable=True, schedule=Schedule, low=0)
    _: KW_ONLY
    alpha: float | Schedule = number(default=0.99, settable=True, schedule=Schedule, low=0, below=1)
    eps: float = number(default=1e-8, above=0)
    momentum: float | Schedule = number(default=0.0, settable=True, schedule=Schedule, low=0)
    centered: bool = flag(default=False)

    def check_change(self, name: str, value: Any) -> None:
        """Refuse another need of a velocity."""
        if name == "momentum":
            refuse_another_memory("RMSprop", self.momentum, value)
