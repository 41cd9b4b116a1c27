"""Schedules: settings that change from step to step, by how far the training has come."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from nnext._described import Described
from nnext._fields import number
from nnext._unknown import attributes_of

if TYPE_CHECKING:
    import numpy.typing as npt

    Array = npt.NDArray[np.float64]

__all__ = ["Cosine", "Schedule"]


class Schedule(Described, kind="schedule"):
    """Base of what stands in place of a number of an optimizer: of ``nn.Adam(lr=nn.Cosine(...))``, momentum, and so on.

    Lengths are in epochs, also fractions of them, so they mean the same for every batch size. What counts is how many
    epochs of `fit` there were since `compile`, however many calls they came in: a step of an epoch of n steps is one
    n-th of it. Files and copies of a model keep that number. When a fit ends within an epoch, by an exception or
    Ctrl-C, the next epoch goes on from the step that was reached, and is one epoch long from there.

    Examples
    --------
    >>> import nnext as nn
    >>> optimizer = nn.Adam(lr=nn.Cosine(2e-3, epochs=12))
    >>> isinstance(optimizer.lr, nn.Schedule)
    True
    """

    example: ClassVar[str] = "nn.Cosine(0.1, epochs=10)"

    def values(self, start: float, steps: int) -> Array:
        """Return the values that the steps of an epoch have.

        Parameters
        ----------
        start : float
            How many epochs there were before.
        steps : int
            Of this epoch.

        Returns
        -------
        ndarray of float64 of shape (steps,)

        Examples
        --------
        >>> import nnext as nn
        >>> nn.Cosine(1.0, epochs=1, final=0.5).values(0, 2), nn.Cosine(1.0, epochs=1, final=0.5).values(1, 2)
        (array([1.  , 0.75]), array([0.5, 0.5]))
        """
        edges = start + np.arange(steps + 1) / steps
        return self.at(edges[:-1], edges[1:])

    def at(self, begin: Array, end: Array) -> Array:
        """Return the values of steps that begin and end at so many epochs; for subclasses."""
        raise NotImplementedError

    def bounds(self) -> tuple[float, float]:
        """Return the least and the greatest number that a value can come near to; for subclasses."""
        raise NotImplementedError


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
        left = _half_cosine(np.clip((begin - self.warmup) / (self.epochs - self.warmup), 0, 1))
        values = self.value * left + self.final * (1 - left)
        if self.warmup > 0:
            values = np.where(begin < self.warmup, self.value * np.minimum(end / self.warmup, 1), values)
        return values

    def bounds(self) -> tuple[float, float]:
        """Return the least and the greatest number that a value can come near to."""
        ends = [self.value, self.final, *([0.0] if self.warmup > 0 else [])]
        return min(ends), max(ends)


def _half_cosine(t: Array) -> Array:
    """Return (1 + cos(pi t)) / 2 of 0 <= t <= 1.

    It is ``sin(x)^2`` with ``x = pi (1 - t) / 2``, or 1 less that with ``pi t / 2``: x is at most pi / 4, where nine
    terms of the sine's series leave less than half an ulp. np.cos differs from CPU to CPU in the last bits.
    """
    x = math.pi / 2 * np.minimum(t, 1 - t)
    square, term = x * x, x
    terms = [term]
    for n in range(3, 19, 2):
        term = term * square / (-n * (n - 1))
        terms.append(term)
    sine = sum(reversed(terms), start=np.zeros_like(x))  # the small ones first
    return np.where(t < 0.5, 1 - sine * sine, sine * sine)


if not TYPE_CHECKING:
    __getattr__ = attributes_of(__name__)
