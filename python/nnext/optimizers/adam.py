"""Adam and its kin: steps along the mean gradient, divided by how large gradients are."""

from __future__ import annotations

from dataclasses import KW_ONLY

from nnext._fields import flag, number, pair
from nnext.optimizers.base import Optimizer
from nnext.schedules import Schedule

__all__ = ["Adam", "AdamW", "NAdam", "RAdam"]


class Adam(Optimizer):
    """Adam: steps along the running mean of g, divided by the root of the running mean of g^2. Kingma and Ba, 2015.

    ``m = b1 m + (1 - b1) g; v = b2 v + (1 - b2) g^2; w -= lr * (m / (1 - b1^t)) / (sqrt(v / (1 - b2^t)) + eps)``

    Parameters
    ----------
    lr : float or Schedule
        Learning rate, >= 0.
    betas : tuple of two float
        b1 and b2, each 0 <= b < 1.
    eps : float
        Keeps the quotient finite, > 0.
    amsgrad : bool
        Divide by the root of the largest v so far, which a third array keeps. Reddi, Kale and Kumar, ICLR 2018.
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
    >>> model.compile(loss="mse", optimizer=nn.Adam(lr=0.1))
    >>> loss, grads = model.loss_and_grads([[1.0]], [5.0])
    >>> model.step()
    >>> grads["0.weight"], model.state_dict()["0.weight"]
    (array([[-10.]]), array([[0.1]]))
    """

    name = "adam"

    lr: float | Schedule = number(default=1e-3, settable=True, schedule=Schedule, low=0)
    _: KW_ONLY
    betas: tuple[float, float] = pair(default=(0.9, 0.999), low=0, below=1)
    eps: float = number(default=1e-8, above=0)
    amsgrad: bool = flag(default=False)


class AdamW(Optimizer):
    """Adam with weight decay decoupled from the gradient: ``w -= lr * weight_decay * w``, then Adam's step.

    Loshchilov and Hutter, ICLR 2019, with lr as a factor of the decay as in PyTorch.

    Parameters
    ----------
    lr : float or Schedule
        Learning rate, >= 0.
    betas : tuple of two float
        b1 and b2, each 0 <= b < 1.
    eps : float
        Keeps the quotient finite, > 0.
    amsgrad : bool
        Divide by the root of the largest v so far, which a third array keeps. Reddi, Kale and Kumar, ICLR 2018.
    weight_decay : float or Schedule
        Takes ``lr * weight_decay * w`` from w, >= 0, whatever the gradient is.
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
    >>> model.compile(loss="mse", optimizer=nn.AdamW(lr=0.1))
    >>> loss, grads = model.loss_and_grads([[1.0]], [5.0])
    >>> model.step()
    >>> grads["0.weight"], model.state_dict()["0.weight"]
    (array([[-10.]]), array([[0.1]]))
    """

    name = "adamw"

    lr: float | Schedule = number(default=1e-3, settable=True, schedule=Schedule, low=0)
    _: KW_ONLY
    betas: tuple[float, float] = pair(default=(0.9, 0.999), low=0, below=1)
    eps: float = number(default=1e-8, above=0)
    amsgrad: bool = flag(default=False)
    weight_decay: float | Schedule = number(default=1e-2, settable=True, schedule=Schedule, low=0)


class NAdam(Optimizer):
    """Adam that looks ahead along its momentum, as Nesterov's does. Dozat, ICLR 2016 workshop.

    With ``mu_t = b1 (1 - 0.96^(t momentum_decay) / 2)``, ``M_t = mu_1 ... mu_t``, and m and v as in `Adam`,
    ``w -= lr ((1 - mu_t) / (1 - M_t) g + mu_(t+1) / (1 - M_(t+1)) m) / (sqrt(v / (1 - b2^t)) + eps)``

    Parameters
    ----------
    lr : float or Schedule
        Learning rate, >= 0.
    betas : tuple of two float
        b1 and b2, each 0 <= b < 1.
    eps : float
        Keeps the quotient finite, > 0.
    momentum_decay : float
        How quickly mu grows from ``b1 / 2`` to b1, >= 0.
    decoupled_weight_decay : bool
        Take ``lr * weight_decay * w`` from w instead, as `AdamW` does.
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
    >>> model.compile(loss="mse", optimizer=nn.NAdam(lr=0.1))
    >>> loss, grads = model.loss_and_grads([[1.0]], [5.0])
    >>> model.step()
    >>> grads["0.weight"], model.state_dict()["0.weight"].round(4)  # 0.1 of g / |g|, and the look ahead
    (array([[-10.]]), array([[0.1056]]))
    """

    name = "nadam"

    lr: float | Schedule = number(default=2e-3, settable=True, schedule=Schedule, low=0)
    _: KW_ONLY
    betas: tuple[float, float] = pair(default=(0.9, 0.999), low=0, below=1)
    eps: float = number(default=1e-8, above=0)
    momentum_decay: float = number(default=4e-3, low=0)
    decoupled_weight_decay: bool = flag(default=False)


class RAdam(Optimizer):
    """Adam that goes without its divisor while too few gradients tell how large they are. Liu et al., ICLR 2020.

    With m and v as in `Adam`, ``rho = 2 / (1 - b2) - 1``, ``rho_t = rho - 2 t b2^t / (1 - b2^t)`` and
    ``r = sqrt((rho_t - 4) (rho_t - 2) rho / ((rho - 4) (rho - 2) rho_t))``, once rho_t > 5
    ``w -= lr r * (m / (1 - b1^t)) * sqrt(1 - b2^t) / (sqrt(v) + eps)``; before, ``w -= lr * (m / (1 - b1^t))``.

    Parameters
    ----------
    lr : float or Schedule
        Learning rate, >= 0.
    betas : tuple of two float
        b1 and b2, each 0 <= b < 1.
    eps : float
        Keeps the quotient finite, > 0.
    decoupled_weight_decay : bool
        Take ``lr * weight_decay * w`` from w instead, as `AdamW` does.
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
    >>> model.compile(loss="mse", optimizer=nn.RAdam(lr=0.1))
    >>> loss, grads = model.loss_and_grads([[1.0]], [5.0])
    >>> model.step()
    >>> grads["0.weight"], model.state_dict()["0.weight"]
    (array([[-10.]]), array([[1.]]))
    """

    name = "radam"

    lr: float | Schedule = number(default=1e-3, settable=True, schedule=Schedule, low=0)
    _: KW_ONLY
    betas: tuple[float, float] = pair(default=(0.9, 0.999), low=0, below=1)
    eps: float = number(default=1e-8, above=0)
    decoupled_weight_decay: bool = flag(default=False)
