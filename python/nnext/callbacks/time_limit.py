"""The callback that ends a fit after some time."""

from __future__ import annotations

import time
from functools import partial
from typing import ClassVar

from nnext import _check
from nnext._calls import takes_hints
from nnext.callbacks.base import CheckedCallback, Logs


class TimeLimit(CheckedCallback):
    """Ends a fit after the step in which its time is over, in the middle of an epoch too.

    ``model.fit(X, y, max_time=60)`` is short for it.

    Parameters
    ----------
    seconds : float
        How long the fit may take, > 0, from when callbacks hear of its begin. Set later, it acts from the next fit on.

    Raises
    ------
    ValueError, TypeError
        When `seconds` is no finite number greater than 0.

    Notes
    -----
    ``history.stop_reason`` says after which step. An epoch that is cut off so has no entry in the history, no
    validation and no ``on_epoch_end``, but its steps count: the model is where the last of them left it, a schedule
    goes on from there, and so does a later fit, with an epoch of its own. What a step, a validation or a callback has
    begun is not cut short; of batches that are handed over the one that is waited for is read.

    Examples
    --------
    >>> import nnext as nn
    >>> X, y = nn.datasets.make_moons(100, seed=0)
    >>> model = nn.MLP([2, 8, 2])
    >>> model.compile(loss="cross_entropy")
    >>> history = model.fit(X, y, epochs=10**9, callbacks=nn.TimeLimit(0.05), verbose=0)
    >>> history.stop_reason.startswith("TimeLimit")
    True
    """

    seconds: float
    deadline: float

    _settable: ClassVar = {"seconds": partial(_check.number, above=0)}

    @takes_hints
    def __init__(self, seconds: float) -> None:
        self.seconds = seconds

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Start the clock."""
        self._keep(deadline=time.monotonic() + self.seconds)
