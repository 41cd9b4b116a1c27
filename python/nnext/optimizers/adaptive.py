"""Steps divided by how large the gradients of each weight have been."""

from __future__ import annotations

from dataclasses import KW_ONLY

from nnext._fields import number
from nnext.optimizers.base import Optimizer
from nnext.schedules import Schedule

__all__ = ["Adagrad"]


class Adagrad(Optimizer):
    """Adagrad: ``s += g^2; w -= lr / (1 + (t - 1) lr_decay) * g / (sqrt(s) + eps)``. Duchi, Hazan and Singer, 2011.

    Parameters
    ----------
    lr : float or Schedule
        Learning rate.
    lr_decay : float
        >= 0.
    eps : float
        Keeps the quotient finite, > 0.
    initial_accumulator_value : float
        What s starts from, >= 0.
    weight_decay : float
        Adds ``weight_decay * w`` to the gradient.

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
    weight_decay: float = number(default=0.0, low=0)
