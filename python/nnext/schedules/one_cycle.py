"""Up to a peak, and down to nearly nothing."""

from __future__ import annotations

from dataclasses import KW_ONLY
from typing import TYPE_CHECKING

import numpy as np

from nnext._fields import number
from nnext.schedules.base import Schedule
from nnext.schedules.curves import anneal

if TYPE_CHECKING:
    import numpy.typing as npt

    Array = npt.NDArray[np.float64]


class OneCycle(Schedule):
    """Half a cosine up to a peak, then half a cosine down to nearly nothing. Smith and Topin, 2018 (super-convergence).

    It begins at ``peak / div_factor``, has the peak after ``pct_start * epochs`` epochs and ends at
    ``peak / div_factor / final_div_factor``, where it stays. All three are values of steps: of the first one, of the
    last one on the way up, and of the last one of all.

    Parameters
    ----------
    peak : float
        The greatest value, such as `nnext.lr_find` suggests.
    epochs : float
        How long all takes, > 0.
    pct_start : float
        The part of it that goes up, 0 <= pct_start <= 1.
    div_factor : float
        How many times the peak is the first value, >= 1.
    final_div_factor : float
        How many times the first value is the last one, >= 1.

    Raises
    ------
    ValueError, TypeError
        For values out of range.

    Notes
    -----
    PyTorch's ``OneCycleLR`` with its defaults, but for the momentum, which stays as it is. The cosine is summed up from
    products that round alike everywhere, so the values have the same bits on every CPU.

    Examples
    --------
    >>> import nnext as nn
    >>> schedule = nn.OneCycle(1.0, epochs=2, pct_start=0.5)
    >>> schedule.values(0, 5).round(3), schedule.values(1, 4).round(3)
    (array([0.04 , 0.181, 0.52 , 0.859, 1.   ]), array([0.854, 0.5  , 0.146, 0.   ]))
    """

    name = "one_cycle"

    peak: float = number()
    epochs: float = number(above=0)
    _: KW_ONLY
    pct_start: float = number(default=0.3, low=0, high=1)
    div_factor: float = number(default=25.0, low=1)
    final_div_factor: float = number(default=1e4, low=1)

    def at(self, begin: Array, end: Array) -> Array:
        """Return the values of steps that begin and end at so many epochs."""
        first, last = self._ends()
        rise = self.pct_start * self.epochs
        # Shares of the way from the first step's begin to the last one's begin, and from that one's end to the end.
        up = _share(begin, rise - (end - begin))
        down = _share(end - rise, np.asarray(self.epochs - rise))
        return np.where(end <= rise, anneal(first, self.peak, up), anneal(self.peak, last, down))

    def _ends(self) -> tuple[float, float]:
        first = self.peak / self.div_factor
        return first, first / self.final_div_factor

    def bounds(self) -> tuple[float, float]:
        """Return the least and the greatest number that a value can come near to."""
        ends = [self.peak, *self._ends()]
        return min(ends), max(ends)


def _share(done: Array, of: Array) -> Array:
    """Return the shares, within 0 and 1; where there is no way to go, all of it."""
    return np.clip(np.divide(done, of, out=np.ones(done.shape), where=of > 0), 0, 1)
