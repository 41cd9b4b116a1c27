"""Half a cosine, after a warmup."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from nnext._fields import number
from nnext.schedules.base import Schedule
from nnext.schedules.curves import anneal

if TYPE_CHECKING:
    import numpy.typing as npt

    Array = npt.NDArray[np.float64]


class Cosine(Schedule):
    """Half a cosine from one value to another, after a linear warmup. Loshchilov and Hutter, ICLR 2017 (SGDR).

    At t epochs, ``final + (value - final) (1 + cos(pi (t - warmup) / (epochs - warmup))) / 2``, taken where a step
    begins; `final` for ever when all epochs are over. The warmup is taken where a step ends, ``value t / warmup``: of
    its S steps step k, from 0, has ``value (k + 1) / S``, so the first is not lost and the last has `value`. That is
    equation 5 of the paper without restarts.

    Parameters
    ----------
    value : float
        The value after the warmup.
    epochs : float
        How long all takes, > 0, the warmup included.
    warmup : float
        How long the value grows from 0, 0 <= warmup < epochs.
    final : float
        Where the cosine ends.

    Raises
    ------
    ValueError, TypeError
        For values out of range.

    Notes
    -----
    The cosine is summed up from products that round alike everywhere, so the values have the same bits on every CPU.

    Examples
    --------
    >>> import nnext as nn
    >>> schedule = nn.Cosine(1.0, epochs=2, warmup=1)
    >>> schedule.values(0, 4), schedule.values(1, 4).round(3)
    (array([0.25, 0.5 , 0.75, 1.  ]), array([1.   , 0.854, 0.5  , 0.146]))
    >>> X, y = nn.datasets.make_moons(200, noise=0.1, seed=0)
    >>> model = nn.MLP([2, 16, 2])
    >>> model.compile(loss="cross_entropy", optimizer=nn.Adam(lr=nn.Cosine(0.05, epochs=40, warmup=0.5)))
    >>> history = model.fit(X, y, epochs=40, verbose=0)
    >>> history.history["loss"][-1] < 0.1
    True
    """

    name = "cosine"

    value: float = number()
    epochs: float = number(above=0)
    warmup: float = number(default=0.0, low=0)
    final: float = number(default=0.0)

    def check(self) -> None:
        """Refuse a warmup that leaves no room for the cosine."""
        if self.warmup >= self.epochs:
            raise ValueError(
                f"[Cosine] warmup is {self.warmup:g} of {self.epochs:g} epochs; give a warmup that ends before they do"
            )

    def at(self, begin: Array, end: Array) -> Array:
        """Return the values of steps that begin and end at so many epochs."""
        share = (begin - self.warmup) / (self.epochs - self.warmup)
        values = anneal(self.value, self.final, np.clip(share, 0, 1))
        if self.warmup > 0:
            values = np.where(begin < self.warmup, self.value * np.minimum(end / self.warmup, 1), values)
        return values

    def bounds(self) -> tuple[float, float]:
        """Return the least and the greatest number that a value can come near to."""
        ends = [self.value, self.final, *([0.0] if self.warmup > 0 else [])]
        return min(ends), max(ends)
