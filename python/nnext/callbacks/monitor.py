"""What callbacks have in common that watch a number of the logs."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from functools import partial
from numbers import Real
from typing import ClassVar

from nnext import _check
from nnext._fields import Check
from nnext.callbacks.base import CheckedCallback, Logs

# What nnext itself may put into the logs, here and with "val_" before it, and which end of it is better.
_BETTER = dict.fromkeys(("loss", "mse", "rmse", "mae"), "min") | dict.fromkeys(
    ("accuracy", "f1", "precision", "recall", "r2", "roc_auc", "top_k_accuracy"), "max"
)

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
        kind = type(self).__name__
        if not isinstance(monitor, str):
            raise TypeError(f"[{kind}] monitor is {monitor!r}; give a name of the logs, such as 'val_loss'")
        self.patience, self.min_delta = patience, min_delta
        self._keep(monitor=monitor, mode=_check.choice(kind, "mode", mode, ("auto", "min", "max")))
        self._sign = {"min": -1, "max": 1}[_better(kind, monitor) if mode == "auto" else mode]
        self._start_afresh()

    def _start_afresh(self) -> None:
        self._keep(best=None, best_epoch=None)

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Forget the last fit; refuse a loss or metric that this one will not have, where it tells."""
        names = self.params.get("metrics")
        if names is not None and self.monitor.removeprefix("val_") in _BETTER:  # others may come from other callbacks
            self._require(names)
        self._start_afresh()

    def _improves(self, epoch: int, logs: Logs) -> bool:
        """Tell whether the number of an epoch is the best so far by more than min_delta; then keep it as that."""
        value = self._value(logs)
        if math.isnan(value):
            return False
        if self.best is not None and self._sign * value - self.min_delta <= self._sign * self.best:
            return False
        self._keep(best=value, best_epoch=epoch)
        return True

    def _value(self, logs: Logs) -> float:
        self._require(logs)
        value = logs[self.monitor]
        if not isinstance(value, Real):
            raise TypeError(f"[{type(self).__name__}] {self.monitor} is {value!r} in the logs; monitor a number")
        return float(value)

    def _require(self, names: Iterable[str]) -> None:
        if self.monitor in names:
            return
        plain = self.monitor.removeprefix("val_")
        if plain != self.monitor and not any(name.startswith("val_") for name in names):
            instead = plain if plain in names else "loss"
            cure = f"give fit validation_data or validation_split, or use monitor={instead!r}"
        else:
            cure = f"use one of these, or compile(metrics=[...]) with {plain}"
        raise ValueError(
            f"[{type(self).__name__}] monitor is {self.monitor!r} but the logs have {', '.join(names)}; {cure}"
        )


def _better(kind: str, monitor: str) -> str:
    """Return "min" or "max" for what nnext knows."""
    name = monitor.removeprefix("val_")
    if name not in _BETTER:
        raise ValueError(
            f"[{kind}] monitor is {monitor!r}, but mode='auto' only knows {', '.join(_BETTER)}; "
            "give mode='min' if low is better, else mode='max'"
        )
    return _BETTER[name]
