"""Steps along the gradient, or along a velocity."""

from __future__ import annotations

from dataclasses import KW_ONLY

from nnext._fields import flag, number
from nnext.optimizers.base import Optimizer
from nnext.schedules import Schedule

__all__ = ["SGD"]


class SGD(Optimizer):
    """Stochastic gradient descent: ``v = momentum * v + g; w -= lr * v``. Sutskever et al., 2013.

    Parameters
    ----------
    lr : float or Schedule
        Learning rate.
    momentum : float
        0 <= momentum; 0 keeps no velocity.
    nesterov : bool
        Look ahead: ``w -= lr * (g + momentum * v)``. Needs momentum > 0.
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
    >>> model.compile(loss="mse", optimizer=nn.SGD(lr=0.1))
    >>> loss, grads = model.loss_and_grads([[1.0]], [5.0])
    >>> model.step()
    >>> grads["0.weight"], model.state_dict()["0.weight"]
    (array([[-10.]]), array([[1.]]))
    """

    name = "sgd"

    lr: float | Schedule = number(default=1e-2, settable=True, schedule=Schedule, low=0)
    momentum: float = number(default=0.0, low=0)
    _: KW_ONLY
    nesterov: bool = flag(default=False)
    weight_decay: float = number(default=0.0, low=0)

    def check(self) -> None:
        """Refuse to look ahead along no velocity."""
        if self.nesterov and self.momentum == 0:
            raise ValueError("[SGD] nesterov needs momentum, which is 0; give momentum > 0, for example 0.9")
