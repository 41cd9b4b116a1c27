"""The number of the logs that a callback watches, which end of it is better, and callbacks that wait for it to be."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from numbers import Real
from typing import Any, ClassVar

from nnext import _check
from nnext._fields import Check
from nnext.callbacks.base import CheckedCallback, Logs

# What nnext itself may put into the logs, here and with "val_" before it, and which end of it is better.
_BETTER = dict.fromkeys(("loss", "mse", "rmse", "mae"), "min") | dict.fromkeys(
    ("accuracy", "f1", "precision", "recall", "r2", "roc_auc", "top_k_accuracy"), "max"
)


@dataclass(frozen=True)
class Monitor:
    """A number of the logs that a callback watches.

    Parameters
    ----------
    operation : str
        The callback, for messages.
    name : str
        In the logs.
    mode : {"auto", "min", "max"}
        Whether low or high is better; "auto" knows it of what nnext itself puts into the logs.

    Raises
    ------
    TypeError, ValueError
        For what is no name, an unknown mode, and "auto" where it does not know.

    Examples
    --------
    >>> monitor = Monitor("EarlyStopping", "val_accuracy", "auto")
    >>> monitor.improves(0.9, best=0.8), monitor.improves(0.9, best=0.8, min_delta=0.2), monitor.improves(0.9, None)
    (True, False, True)
    """

    operation: str
    name: str
    mode: str

    def __post_init__(self) -> None:
        if not isinstance(self.name, str):
            raise TypeError(f"[{self.operation}] monitor is {self.name!r}; give a name of the logs, such as 'val_loss'")
        if _check.choice(self.operation, "mode", self.mode, ("auto", "min", "max")) == "auto":
            self._better()

    def check(self, params: Mapping[str, Any]) -> None:
        """Refuse a loss or metric that a fit with these `params` will not have, where they tell."""
        names = params.get("metrics")
        if names is not None and self.name.removeprefix("val_") in _BETTER:  # others may come from other callbacks
            self._require(names)

    def value(self, logs: Mapping[str, Any] | None) -> float:
        """Return the number; ValueError where the logs lack it, TypeError where it is none."""
        logs = logs or {}
        self._require(logs)
        value = logs[self.name]
        if not isinstance(value, Real):
            raise TypeError(f"[{self.operation}] {self.name} is {value!r} in the logs; monitor a number")
        return float(value)

    def improves(self, value: float, best: float | None, min_delta: float = 0.0) -> bool:
        """Tell whether a value is better than the best so far, by more than `min_delta`. NaN never is."""
        if math.isnan(value):
            return False
        sign = -1 if self._better() == "min" else 1
        return best is None or sign * value - min_delta > sign * best

    def _better(self) -> str:
        if self.mode != "auto":
            return self.mode
        plain = self.name.removeprefix("val_")
        if plain not in _BETTER:
            raise ValueError(
                f"[{self.operation}] monitor is {self.name!r}, but mode='auto' only knows {', '.join(_BETTER)}; "
                "give mode='min' if low is better, else mode='max'"
            )
        return _BETTER[plain]

    def _require(self, names: Iterable[str]) -> None:
        if self.name in names:
            return
        plain = self.name.removeprefix("val_")
        if plain != self.name and not any(name.startswith("val_") for name in names):
            instead = plain if plain in names else "loss"
            cure = f"give fit validation_data or validation_split, or use monitor={instead!r}"
        else:
            cure = f"use one of these, or compile(metrics=[...]) with {plain}"
        raise ValueError(f"[{self.operation}] monitor is {self.name!r} but the logs have {', '.join(names)}; {cure}")


SETTABLE: Mapping[str, Check] = {"patience": partial(_check.integer, low=0), "min_delta": partial(_check.number, low=0)}


class MonitorCallback(CheckedCallback):
    """One of nnext's own that waits for a number to get better."""

    monitor: str
    patience: int
    min_delta: float
    mode: str
    best: float | None
    best_epoch: int | None

    _settable: ClassVar = SETTABLE

    def __init__(self, monitor: str, patience: int, min_delta: float, mode: str) -> None:
        self._watched = Monitor(type(self).__name__, monitor, mode)
        self.patience, self.min_delta = patience, min_delta
        self._keep(monitor=monitor, mode=mode)
        self._start_afresh()

    def _start_afresh(self) -> None:
        self._keep(best=None, best_epoch=None)

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Forget the last fit; refuse a loss or metric that this one will not have, where it tells."""
        self._watched.check(self.params)
        self._start_afresh()

    def _improves(self, epoch: int, logs: Logs | None) -> bool:
        """Tell whether the number of an epoch is the best so far by more than min_delta; then keep it as that."""
        value = self._watched.value(logs)
        if not self._watched.improves(value, self.best, self.min_delta):
            return False
        self._keep(best=value, best_epoch=epoch)
        return True
