"""The callback that asks a function for the learning rate of each epoch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from nnext import _check
from nnext._calls import takes_hints
from nnext._unknown import shown
from nnext.callbacks.base import CheckedCallback, Logs
from nnext.callbacks.rates import learning_rate


def _function(operation: str, name: str, value: Any) -> Callable[[int, float], float]:
    if not callable(value) or isinstance(value, type):
        raise TypeError(
            f"[{operation}] {name} is {shown(value)}; give a function of epoch and lr that returns the new lr. Objects "
            "such as nn.Cosine(0.1, epochs=10) go to the optimizer, as lr"
        )
    function: Callable[[int, float], float] = value
    return function


class LearningRateScheduler(CheckedCallback):
    """Sets the learning rate before every epoch to what a function says; Keras' callback.

    A `Schedule`, such as ``nn.Adam(lr=nn.Cosine(0.1, epochs=10))``, gives every step a rate of its own, and goes on in
    the next `fit`.

    Parameters
    ----------
    schedule : callable
        ``f(epoch, lr) -> lr``, with the epoch of this fit, from 0, and the learning rate so far. It can be set later,
        too.

    Raises
    ------
    TypeError
        When it is no function, or returns no number.
    ValueError
        In `fit`, when it returns what is no learning rate, or while the optimizer's ``lr`` is a schedule.

    Examples
    --------
    >>> import nnext as nn
    >>> model = nn.MLP([1, 1])
    >>> model.compile(loss="mse", optimizer=nn.SGD(lr=0.5))
    >>> halve = nn.LearningRateScheduler(lambda epoch, lr: lr if epoch < 2 else lr / 2)
    >>> history = model.fit([[0.0], [1.0]], [1.0, 2.0], epochs=4, callbacks=[halve], verbose=0)
    >>> model.optimizer.lr
    0.125
    """

    schedule: Callable[[int, float], float]

    _settable: ClassVar = {"schedule": _function}

    @takes_hints
    def __init__(self, schedule: Callable[[int, float], float]) -> None:
        self.schedule = schedule

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        """Set the rate of the epoch."""
        lr = learning_rate("LearningRateScheduler", self.model)
        name = f"what schedule({epoch}, {lr:g}) returned"
        self.model.optimizer.lr = _check.number("LearningRateScheduler", name, self.schedule(epoch, lr), low=0)
