"""Values that stay, and change at some moments."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from nnext._fields import number, numbers
from nnext.schedules.base import Schedule
from nnext.schedules.curves import power

if TYPE_CHECKING:
    import numpy.typing as npt

    Array = npt.NDArray[np.float64]

# A step that begins at a moment has reached it, also where that is 3 * 0.1 and the step begins at 0.3: both are some
# roundings off.
_REACHED = 1 + 8 * float(np.finfo(np.float64).eps)


class Constant(Schedule):
    """One value for ever, for code that wants a schedule.

    Parameters
    ----------
    value : float

    Raises
    ------
    ValueError, TypeError
        For what is no finite number.

    Examples
    --------
    >>> import nnext as nn
    >>> nn.Constant(0.1).values(start=7, steps=3)
    array([0.1, 0.1, 0.1])
    """

    name = "constant"

    value: float = number()

    def at(self, begin: Array, end: Array) -> Array:
        """Return the values of steps that begin and end at so many epochs."""
        return np.full(begin.shape, self.value)

    def bounds(self) -> tuple[float, float]:
        """Return the least and the greatest number that a value can come near to."""
        return self.value, self.value


class Step(Schedule):
    """A value that is multiplied by `gamma` after every so many epochs: ``value gamma^floor(t / every)``.

    t is taken where a step begins. PyTorch's ``StepLR``, as used by He et al., CVPR 2016 (ResNet).

    Parameters
    ----------
    value : float
        The value at the start.
    every : float
        After how many epochs, > 0, it is multiplied.
    gamma : float
        By what, 0 < gamma <= 1.

    Raises
    ------
    ValueError, TypeError
        For values out of range.

    Examples
    --------
    >>> import nnext as nn
    >>> schedule = nn.Step(0.8, every=0.5, gamma=0.5)
    >>> schedule.values(0, 4), schedule.values(1, 4)
    (array([0.8, 0.8, 0.4, 0.4]), array([0.2, 0.2, 0.1, 0.1]))
    """

    name = "step"

    value: float = number()
    every: float = number(above=0)
    gamma: float = number(default=0.1, above=0, high=1)

    def at(self, begin: Array, end: Array) -> Array:
        """Return the values of steps that begin and end at so many epochs."""
        return self.value * power(self.gamma, np.floor(begin * _REACHED / self.every))

    def bounds(self) -> tuple[float, float]:
        """Return the least and the greatest number that a value can come near to."""
        last = self.value if self.gamma == 1 else 0.0
        return min(self.value, last), max(self.value, last)


class Piecewise(Schedule):
    """A value for each of several stretches: ``values[i]`` from ``boundaries[i - 1]`` epochs on.

    The first value is that of the start, and the last one stays. A step has the value of where it begins; one that
    begins at a boundary has the next.

    Parameters
    ----------
    boundaries : sequence of float
        Where the value changes, in epochs, > 0 and increasing.
    values : sequence of float
        One more than there are boundaries.

    Attributes
    ----------
    levels : tuple of float
        The values: as everywhere, ``schedule.values(start, steps)`` gives those of steps.

    Raises
    ------
    ValueError, TypeError
        For values out of range, or another number of them.

    Notes
    -----
    As PyTorch's ``MultiStepLR``; Keras' ``PiecewiseConstantDecay`` keeps the old value in the step at a boundary.

    Examples
    --------
    >>> import nnext as nn
    >>> schedule = nn.Piecewise([1, 1.5], [0.1, 0.01, 0.001])
    >>> schedule.values(0, 2), schedule.values(1, 4)
    (array([0.1, 0.1]), array([0.01 , 0.01 , 0.001, 0.001]))
    """

    name = "piecewise"

    boundaries: tuple[float, ...] = numbers(above=0)
    levels: tuple[float, ...] = numbers(called="values")  # for values() is every schedule's

    def __init__(self, boundaries: Sequence[float], values: Sequence[float]) -> None:
        self.settle({"boundaries": boundaries, "levels": values})

    def check(self) -> None:
        """Refuse boundaries that do not increase, and more or fewer values than there are stretches."""
        if any(later <= earlier for earlier, later in pairwise(self.boundaries)):
            raise ValueError(f"[Piecewise] boundaries is {self.boundaries}; give numbers that increase")
        if len(self.levels) != len(self.boundaries) + 1:
            raise ValueError(
                f"[Piecewise] there are {len(self.levels)} values for {len(self.boundaries)} boundaries; give one more "
                "than boundaries"
            )

    def at(self, begin: Array, end: Array) -> Array:
        """Return the values of steps that begin and end at so many epochs."""
        return np.array(self.levels)[np.searchsorted(self.boundaries, begin * _REACHED, side="right")]

    def bounds(self) -> tuple[float, float]:
        """Return the least and the greatest number that a value can come near to."""
        return min(self.levels), max(self.levels)
