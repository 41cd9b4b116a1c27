"""The callback that ends a fit which no longer gets better."""

from __future__ import annotations

from typing import Any

from nnext import _check
from nnext._calls import takes_hints
from nnext.callbacks.base import Logs
from nnext.callbacks.monitor import MonitorCallback


class EarlyStopping(MonitorCallback):
    """Ends a fit that no longer gets better, and gives the model its best weights back.

    Parameters
    ----------
    monitor : str
        The number to watch, by its name in the logs: "loss", a metric, or one of these of the validation, with "val_"
        before it.
    patience : int
        After how many epochs in a row without improvement the fit ends; 0 is as 1: after the first one. It can be set
        later, too.
    min_delta : float
        By how much more than this, >= 0, an epoch must be better than the best to be an improvement. It can be set
        later, too.
    mode : {"auto", "min", "max"}
        Whether low or high is better. "auto" knows it of the loss and of the metrics that `nnext.metrics` has by name.
    restore_best_weights : bool
        Whether the model has the state after its best epoch when the fit is over, also when its epochs were used up or
        another callback stopped it: parameters, their averages and buffers, such as the statistics of batch norm. The
        optimizer goes on from where it stood. After an exception the model is where that left it.

    Attributes
    ----------
    best : float or None
        The best value of this fit; None before the first one. NaN is none.
    best_epoch : int or None
        Its epoch.
    stopped_epoch : int or None
        After which epoch this callback ended the fit; None when it did not.

    Raises
    ------
    ValueError, TypeError
        For settings that do not fit, for "auto" where it does not know, and, in `fit`, when the logs lack `monitor`.

    Notes
    -----
    Improvements and patience count as in Keras, but for a NaN in the first epoch, which is not the best there either.

    Examples
    --------
    >>> import nnext as nn
    >>> X, y = nn.datasets.make_moons(200, noise=0.2, seed=0)
    >>> model = nn.MLP([2, 32, 2])
    >>> model.compile(loss="cross_entropy", optimizer=nn.Adam(lr=0.01))
    >>> early = nn.EarlyStopping(patience=5)
    >>> history = model.fit(X, y, epochs=1000, validation_split=0.25, callbacks=[early], verbose=0)
    >>> early.stopped_epoch - early.best_epoch, early.best == min(history.history["val_loss"])
    (5, True)
    """

    restore_best_weights: bool
    stopped_epoch: int | None

    @takes_hints
    def __init__(
        self,
        monitor: str = "val_loss",
        patience: int = 10,
        *,
        min_delta: float = 0.0,
        mode: str = "auto",
        restore_best_weights: bool = True,
    ) -> None:
        super().__init__(monitor, patience, min_delta, mode)
        self._keep(restore_best_weights=_check.flag("EarlyStopping", "restore_best_weights", restore_best_weights))

    def _start_afresh(self) -> None:
        super()._start_afresh()
        self._weights: Any = None
        self._first: int | None = None
        self._keep(stopped_epoch=None)

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Keep the weights of the best epoch; end the fit when it lies too far back."""
        if self._improves(epoch, logs):
            self._weights = self.model.engine.weights() if self.restore_best_weights else None
        elif epoch - self._since(epoch) >= max(self.patience, 1):
            self._stop(epoch)

    def on_train_end(self, logs: Logs | None = None) -> None:
        """Give the best weights back."""
        if self._weights is not None:
            self.model.engine.set_weights(*self._weights)
        self._weights = None

    def _since(self, epoch: int) -> int:
        """Return the best epoch or, before there is one, the first: that of a fit that goes on has another number."""
        if self._first is None:
            self._first = epoch
        return self._first if self.best_epoch is None else self.best_epoch

    def _stop(self, epoch: int) -> None:
        self._keep(stopped_epoch=epoch)
        self.model.stop_training = True
        since = "was never a number" if self.best is None else f"is best in epoch {self.best_epoch}: {self.best:.6g}"
        history = self.model.history
        if history is not None and history.stop_reason is None:  # else an earlier fit's, or another one's reason
            history.stop_reason = f"EarlyStopping after epoch {epoch}: {self.monitor} {since}"
