"""Values that fall with every step."""

from __future__ import annotations

from dataclasses import KW_ONLY
from typing import TYPE_CHECKING

import numpy as np

from nnext._fields import number
from nnext.schedules.base import Schedule
from nnext.schedules.curves import power

if TYPE_CHECKING:
    import numpy.typing as npt

    Array = npt.NDArray[np.float64]


class Exponential(Schedule):
    """A value that is multiplied by `gamma` in every epoch, a little in each step: ``value gamma^t`` at t epochs.

    t is taken where a step begins. After whole epochs the values are those of PyTorch's ``ExponentialLR``, which keeps
    them for an epoch, as ``nn.Step(value, every=1, gamma=gamma)`` does; between them those of Keras'
    ``ExponentialDecay``.

    Parameters
    ----------
    value : float
        The value at the start.
    gamma : float
        The part of it that an epoch leaves, 0 < gamma <= 1.

    Raises
    ------
    ValueError, TypeError
        For values out of range.

    Notes
    -----
    Powers are made of sums and products that round alike everywhere, so the values have the same bits on every CPU.

    Examples
    --------
    >>> import nnext as nn
    >>> schedule = nn.Exponential(0.8, gamma=0.25)
    >>> schedule.values(0, 2), schedule.values(1, 2)
    (array([0.8, 0.4]), array([0.2, 0.1]))
    """

    name = "exponential"

    value: float = number()
    gamma: float = number(above=0, high=1)

    def at(self, begin: Array, end: Array) -> Array:
        """Return the values of steps that begin and end at so many epochs."""
        return self.value * power(self.gamma, begin)

    def bounds(self) -> tuple[float, float]:
        """Return the least and the greatest number that a value can come near to."""
        last = self.value if self.gamma == 1 else 0.0
        return min(self.value, last), max(self.value, last)


class InvScaling(Schedule):
    """A value divided by a power of time: ``value / t^power``. Robbins and Monro, 1951, for ``0.5 < power <= 1``.

    t begins with 1 and grows by `per_epoch` in an epoch, a little in each step; it is taken where a step begins. By
    default it counts epochs.

    Parameters
    ----------
    value : float
        The value at the start.
    power : float
        >= 0.
    per_epoch : float
        How much t grows in an epoch, > 0: as many as there are steps to count these, or samples.

    Raises
    ------
    ValueError, TypeError
        For values out of range.

    Notes
    -----
    scikit-learn's ``learning_rate="invscaling"`` counts samples, and keeps the value for an epoch; its ``power_t`` is
    0.5. Keras' ``InverseTimeDecay`` is that with a power of 1, and ``decay_rate / decay_steps`` a step.

    Powers are made of sums and products that round alike everywhere, so the values have the same bits on every CPU.

    Examples
    --------
    >>> import nnext as nn
    >>> nn.InvScaling(0.6, power=1).values(0, 2), nn.InvScaling(0.6, power=1).values(1, 2)
    (array([0.6, 0.4]), array([0.3 , 0.24]))
    >>> nn.InvScaling(0.6, per_epoch=16).values(0, 2).round(3)  # 9 in the middle of the epoch
    array([0.6, 0.2])
    """

    name = "inv_scaling"

    value: float = number()
    power: float = number(default=0.5, low=0)
    _: KW_ONLY
    per_epoch: float = number(default=1.0, above=0)

    def at(self, begin: Array, end: Array) -> Array:
        """Return the values of steps that begin and end at so many epochs."""
        return self.value * power(1 / (1 + self.per_epoch * begin), self.power)

    def bounds(self) -> tuple[float, float]:
        """Return the least and the greatest number that a value can come near to."""
        last = self.value if self.power == 0 else 0.0
        return min(self.value, last), max(self.value, last)
