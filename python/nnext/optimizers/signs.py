"""Steps that only ask which way a gradient points."""

from __future__ import annotations

from dataclasses import KW_ONLY

from nnext._fields import number, pair
from nnext.optimizers.base import Optimizer
from nnext.schedules import Schedule

__all__ = ["Lion", "Rprop"]


class Lion(Optimizer):
    """Lion: steps of lr, whatever the gradient's size, along a mean gradient's sign. Chen et al., NeurIPS 2023.

    ``w -= lr * (sign(b1 m + (1 - b1) g) + weight_decay * w); m = b2 m + (1 - b2) g``

    Rates are 3 to 10 times smaller than Adam's, and the decay larger by as much, its authors say.

    Parameters
    ----------
    lr : float or Schedule
        Learning rate, >= 0.
    betas : tuple of two float
        b1 and b2, each 0 <= b < 1.
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
    >>> model.compile(loss="mse", optimizer=nn.Lion(lr=0.1))
    >>> loss, grads = model.loss_and_grads([[1.0]], [5.0])
    >>> model.step()
    >>> grads["0.weight"], model.state_dict()["0.weight"]
    (array([[-10.]]), array([[0.1]]))
    """

    name = "lion"

    lr: float | Schedule = number(default=1e-4, settable=True, schedule=Schedule, low=0)
    _: KW_ONLY
    betas: tuple[float, float] = pair(default=(0.9, 0.99), low=0, below=1)


class Rprop(Optimizer):
    """Rprop: each weight has a step of its own, and of its gradient counts the sign. Riedmiller and Braun, 1993.

    A step grows by ``etas[1]`` while the sign stays, and shrinks by ``etas[0]`` where it turns; there the weight stays
    where it is once. As signs of small batches say little, it wants the whole data set as one batch.

    Parameters
    ----------
    lr : float
        What all steps start from, >= 0. As it counts no more later, it is no schedule and cannot be set.
    etas : tuple of two float
        The factors, 0 < ``etas[0]`` < 1 < ``etas[1]``.
    step_sizes : tuple of two float
        The least and the greatest step, > 0.
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
    >>> model.compile(loss="mse", optimizer=nn.Rprop(lr=0.1))
    >>> loss, grads = model.loss_and_grads([[1.0]], [5.0])
    >>> model.step()
    >>> grads["0.weight"], model.state_dict()["0.weight"]
    (array([[-10.]]), array([[0.1]]))
    """

    name = "rprop"

    lr: float = number(default=1e-2, low=0)
    _: KW_ONLY
    etas: tuple[float, float] = pair(default=(0.5, 1.2), above=0)
    step_sizes: tuple[float, float] = pair(default=(1e-6, 50.0), above=0)

    def check(self) -> None:
        """Refuse factors that do not shrink and grow, and bounds in the wrong order."""
        if not self.etas[0] < 1 < self.etas[1]:
            raise ValueError(f"[Rprop] etas are {self.etas}; give one below 1 and one above, such as (0.5, 1.2)")
        if self.step_sizes[0] > self.step_sizes[1]:
            raise ValueError(f"[Rprop] step_sizes are {self.step_sizes}; give the least first, such as (1e-6, 50.0)")
