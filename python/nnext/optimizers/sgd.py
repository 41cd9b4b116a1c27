"""Steps along the gradient, or along a velocity."""

from __future__ import annotations

from dataclasses import KW_ONLY
from typing import Any

from nnext._fields import flag, number
from nnext.optimizers.base import Optimizer, greatest, refuse_another_memory
from nnext.schedules import Schedule

__all__ = ["SGD"]


class SGD(Optimizer):
    """Stochastic gradient descent: ``v = momentum * v + (1 - dampening) * g; w -= lr * v``. Sutskever et al., 2013.

    The first velocity is the gradient itself, as in PyTorch.

    Parameters
    ----------
    lr : float or Schedule
        Learning rate, >= 0.
    momentum : float or Schedule
        0 <= momentum; 0 keeps no velocity. It cannot be set from 0 to more, nor back.
    dampening : float or Schedule
        How little of the gradient joins the velocity, 0 <= dampening <= 1. Needs momentum > 0.
    nesterov : bool
        Look ahead: ``w -= lr * (g + momentum * v)``. Needs momentum > 0 and no dampening.
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
    >>> model.compile(loss="mse", optimizer=nn.SGD(lr=0.1))
    >>> loss, grads = model.loss_and_grads([[1.0]], [5.0])
    >>> model.step()
    >>> grads["0.weight"], model.state_dict()["0.weight"]
    (array([[-10.]]), array([[1.]]))
    """

    name = "sgd"

    lr: float | Schedule = number(default=1e-2, settable=True, schedule=Schedule, low=0)
    momentum: float | Schedule = number(default=0.0, settable=True, schedule=Schedule, low=0)
    _: KW_ONLY
    dampening: float | Schedule = number(default=0.0, settable=True, schedule=Schedule, low=0, high=1)
    nesterov: bool = flag(default=False)

    def check(self) -> None:
        """Refuse what acts on a velocity where there is none, and dampening beside nesterov."""
        acting = {"nesterov": self.nesterov, "dampening": greatest(self.dampening) > 0}
        for name in [name for name, acts in acting.items() if acts and greatest(self.momentum) == 0]:
            raise ValueError(f"[SGD] {name} needs momentum, which is 0; give momentum > 0, for example 0.9")
        _refuse_both(self.nesterov, self.dampening)

    def check_change(self, name: str, value: Any) -> None:
        """Refuse another need of a velocity, and what does not go with the other settings."""
        if name == "momentum":
            refuse_another_memory("SGD", self.momentum, value)
        if name == "dampening":
            if greatest(value) > 0 and greatest(self.momentum) == 0:
                raise ValueError("[SGD] dampening needs momentum, which is 0; make a new SGD(momentum=0.9)")
            _refuse_both(self.nesterov, value)


def _refuse_both(nesterov: bool, dampening: float | Schedule) -> None:
    if nesterov and greatest(dampening) > 0:
        raise ValueError(f"[SGD] nesterov is True and dampening {dampening!r}; leave one of them out")
