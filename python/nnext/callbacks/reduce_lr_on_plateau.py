"""The callback that lowers the learning rate when a fit no longer gets better."""

from __future__ import annotations

from functools import partial
from typing import ClassVar

from nnext import _check
from nnext._calls import takes_hints
from nnext.callbacks.base import Logs
from nnext.callbacks.monitor import SETTABLE, MonitorCallback
from nnext.callbacks.rates import learning_rate


class ReduceLROnPlateau(MonitorCallback):
    """Lowers the learning rate when a number no longer gets better: ``lr = max(factor lr, min_lr)``.

    Parameters
    ----------
    monitor : str
        The number to watch, by its name in the logs: "loss", a metric, or one of these of the validation, with "val_"
        before it.
    factor : float
        What the learning rate is multiplied by, 0 < factor < 1.
    patience : int
        After how many epochs in a row without improvement; 0 is as 1: after the first one. From each reduction on they
        are counted anew.
    min_delta : float
        By how much more than this, >= 0, an epoch must be better than the best to be an improvement.
    mode : {"auto", "min", "max"}
        Whether low or high is better. "auto" knows it of the loss and of the metrics that `nnext.metrics` has by name.
    cooldown : int
        How many epochs after a reduction are not counted, >= 0.
    min_lr : float
        What the learning rate never goes below, >= 0; one that is there already stays.

    Attributes
    ----------
    best : float or None
        The best value of this fit; None before the first one. NaN is none.
    best_epoch : int or None
        Its epoch.
    reductions : tuple of (int, float)
        The epochs of this fit after which the rate was lowered, and to what.

    Raises
    ------
    ValueError, TypeError
        For settings that do not fit, for "auto" where it does not know, and, in `fit`, when the logs lack `monitor` or
        the optimizer's ``lr`` is a schedule.

    Notes
    -----
    Improvements and patience count as in Keras; PyTorch reduces an epoch later. A cooldown leaves all its epochs out as
    in PyTorch; Keras counts the last one. All numbers can be set later, too.

    Examples
    --------
    >>> import nnext as nn
    >>> X, y = nn.datasets.make_moons(200, noise=0.2, seed=0)
    >>> model = nn.MLP([2, 32, 2])
    >>> model.compile(loss="cross_entropy", optimizer=nn.Adam(lr=0.5))
    >>> plateau = nn.ReduceLROnPlateau("loss", factor=0.5, patience=3, min_lr=0.01)
    >>> history = model.fit(X, y, epochs=40, callbacks=[plateau], verbose=0)
    >>> [lr for epoch, lr in plateau.reductions][:2], model.optimizer.lr == plateau.reductions[-1][1]
    ([0.25, 0.125], True)
    """

    factor: float
    cooldown: int
    min_lr: float
    reductions: tuple[tuple[int, float], ...]

    _settable: ClassVar = {
        **SETTABLE,
        "factor": partial(_check.number, above=0, below=1),
        "cooldown": partial(_check.integer, low=0),
        "min_lr": partial(_check.number, low=0),
    }

    @takes_hints
    def __init__(
        self,
        monitor: str = "val_loss",
        factor: float = 0.1,
        patience: int = 10,
        *,
        min_delta: float = 1e-4,
        mode: str = "auto",
        cooldown: int = 0,
        min_lr: float = 0.0,
    ) -> None:
        super().__init__(monitor, patience, min_delta, mode)
        self.factor, self.cooldown, self.min_lr = factor, cooldown, min_lr

    def _start_afresh(self) -> None:
        super()._start_afresh()
        self._waited = self._cooling = 0  # epochs
        self._keep(reductions=())

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Forget the last fit; refuse a rate that cannot be lowered, and a number that there will not be."""
        learning_rate("ReduceLROnPlateau", self.model)
        super().on_train_begin(logs)

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Lower the rate when the last improvement lies too far back."""
        is_better = self._improves(epoch, logs)
        if self._cooling > 0:
            self._cooling -= 1
        else:
            self._waited = 0 if is_better else self._waited + 1
        if self._waited >= max(self.patience, 1):
            self._reduce(epoch)

    def _reduce(self, epoch: int) -> None:
        before = learning_rate("ReduceLROnPlateau", self.model)
        lr = max(self.factor * before, self.min_lr)
        if lr < before:
            self.model.optimizer.lr = lr
            self._waited, self._cooling = 0, self.cooldown
            self._keep(reductions=(*self.reductions, (epoch, lr)))
