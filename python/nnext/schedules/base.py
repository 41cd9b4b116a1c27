"""What all schedules have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np

from nnext._described import Described

if TYPE_CHECKING:
    import numpy.typing as npt

    Array = npt.NDArray[np.float64]


class Schedule(Described, kind="schedule"):
    """Base of what stands in place of a number of an optimizer: of ``nn.Adam(lr=nn.Cosine(...))``, momentum, and so on.

    Lengths are in epochs, also fractions of them, so they mean the same for every batch size. What counts is how many
    epochs of `fit` there were since `compile`, however many calls they came in: a step of an epoch of n steps is one
    n-th of it. Files and copies of a model keep that number. When a fit ends within an epoch, by an exception, Ctrl-C
    or a time limit, the next epoch goes on from the step that was reached, and is one epoch long from there.

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
