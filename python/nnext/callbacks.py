"""Callbacks: what happens between the epochs of a fit.

``model.fit`` calls, in this order: ``set_params`` and ``set_model``, ``on_train_begin``, then for every epoch
``on_epoch_begin`` and ``on_epoch_end``, at last ``on_train_end``. The logs of ``on_epoch_end`` hold the loss, the
metrics and, with validation, both again with "val_" before the name.
"""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Callable, Mapping
from numbers import Real
from typing import Any, Literal

Logs = Mapping[str, Any]


class Callback:
    """Base class; override what you need.

    ``self.model.stop_training = True`` ends the fit after the current epoch. An exception ends it as well, and reaches
    the caller of ``fit``.

    Attributes
    ----------
    model
        The model in training.
    params : mapping
        "epochs" and "samples": how many of each this fit goes through.

    Examples
    --------
    >>> class StopAt(Callback):
    ...     def on_epoch_end(self, epoch, logs=None):
    ...         if logs["loss"] < 0.1:
    ...             self.model.stop_training = True
    """

    model: Any = None
    params: Mapping[str, Any] = {}

    def set_params(self, params: Mapping[str, Any]) -> None:
        """Take the numbers of the fit."""
        self.params = params

    def set_model(self, model: Any) -> None:
        """Take the model."""
        self.model = model

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Before the first epoch."""

    def on_train_end(self, logs: Logs | None = None) -> None:
        """After the last epoch."""

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        """Before an epoch; they count from 0."""

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """After an epoch, with its loss and metrics."""


class LambdaCallback(Callback):
    """A callback from functions, for short ones.

    Parameters
    ----------
    on_epoch_begin, on_epoch_end : callable, optional
        Called with the epoch and the logs.
    on_train_begin, on_train_end : callable, optional
        Called with the logs.

    Raises
    ------
    TypeError
        When one of them is not callable.

    Examples
    --------
    >>> callback = LambdaCallback(on_epoch_end=lambda epoch, logs: print(epoch, logs["loss"]))
    >>> callback.on_epoch_end(0, {"loss": 0.5})
    0 0.5
    """

    def __init__(
        self,
        *,
        on_epoch_begin: Callable[[int, Any], object] | None = None,
        on_epoch_end: Callable[[int, Any], object] | None = None,
        on_train_begin: Callable[[Any], object] | None = None,
        on_train_end: Callable[[Any], object] | None = None,
    ) -> None:
        functions = {
            "on_epoch_begin": on_epoch_begin,
            "on_epoch_end": on_epoch_end,
            "on_train_begin": on_train_begin,
            "on_train_end": on_train_end,
        }
        for name, function in functions.items():
            if function is None:
                continue
            if not callable(function):
                raise TypeError(f"[LambdaCallback] {name} is {function!r}; pass a function")
            setattr(self, name, function)


class ProgressBar(Callback):
    """Shows how the training goes: a bar on a terminal, quiet lines elsewhere.

    Parameters
    ----------
    verbose : {"auto", 0, 1, 2}
        0: nothing. 1: one bar over the epochs (tqdm, on stderr). 2: a line after every epoch (on stdout). "auto": the
        bar when stderr is a terminal, else lines, of which a long fit prints about 20.

    Raises
    ------
    ValueError
        When `verbose` is something else.

    Notes
    -----
    The speed is samples trained on in an epoch by the time that the epoch took, its validation included.

    Examples
    --------
    >>> bar = ProgressBar(verbose=2)
    >>> bar.set_params({"epochs": 10})
    >>> bar.on_train_begin()
    >>> bar.on_epoch_end(0, {"loss": 0.12345, "accuracy": 0.9})
    epoch  1/10  loss 0.1235  accuracy 0.9000
    """

    LINES = 20  # in a fit, about

    def __init__(self, verbose: Literal["auto", 0, 1, 2] = "auto") -> None:
        if verbose not in ("auto", 0, 1, 2):
            raise ValueError(f"[ProgressBar] verbose is {verbose!r}; use 'auto', 0, 1 or 2")
        self.verbose = verbose
        self._reset(None)

    def _reset(self, show: Literal["bar", "lines"] | None) -> None:
        self._show = show
        self._bar: Any = None
        self._done = 0
        self._started: float | None = None
        self._last_line = ""  # not printed yet

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Choose bar or lines, and open the bar."""
        if self.verbose == "auto":
            self._reset("bar" if sys.stderr.isatty() else "lines")
        else:
            self._reset({0: None, 1: "bar", 2: "lines"}[self.verbose])
        if self._show == "bar":
            self._bar = _open_bar(self.params.get("epochs"))

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        """Start the clock."""
        self._started = time.perf_counter()

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Move the bar, or print the line when it is due."""
        self._done += 1
        parts = [_shown(name, float(value)) for name, value in (logs or {}).items() if isinstance(value, Real)]
        parts += self._speed()
        if self._bar is not None:
            self._bar.set_postfix_str("  ".join(parts), refresh=False)
            self._bar.update(1)
        elif self._show == "lines":
            epochs = self.params.get("epochs")
            count = f"epoch {self._done}" if epochs is None else f"epoch {self._done:{len(str(epochs))}}/{epochs}"
            self._last_line = "  ".join([count, *parts])
            if self._is_due():
                self._print_line()

    def on_train_end(self, logs: Logs | None = None) -> None:
        """Close the bar; print the last epoch's line if it was not due."""
        if self._bar is not None:
            self._bar.close()
            self._bar = None
        self._print_line()

    def _speed(self) -> list[str]:
        samples = self.params.get("samples")
        if samples is None or self._started is None:
            return []
        return [f"{samples / max(time.perf_counter() - self._started, 1e-9):.0f} samples/s"]

    def _is_due(self) -> bool:
        epochs = self.params.get("epochs") or 0
        every = 1 if self.verbose == 2 else math.ceil(epochs / self.LINES) or 1
        return self._done in (1, epochs) or self._done % every == 0

    def _print_line(self) -> None:
        if self._last_line:
            print(self._last_line, flush=True)
            self._last_line = ""


def _open_bar(epochs: int | None) -> Any:
    from tqdm import tqdm  # type: ignore[import-untyped]

    # Without a monitor interval tqdm starts no thread of its own, which a fork during the fit would leave behind.
    bar = type("Bar", (tqdm,), {"monitor_interval": 0})
    return bar(total=epochs, desc="training", unit="epoch", file=sys.stderr, dynamic_ncols=True)


def _shown(name: str, value: float) -> str:
    """Four decimals where they tell something, else three digits."""
    return f"{name} {value:.4f}" if value == 0 or 0.01 <= abs(value) < 1e5 else f"{name} {value:.3g}"


def listed(callbacks: Any, operation: str = "fit") -> tuple[Callback, ...]:
    """TEMPORARY"""
    if callbacks is None:
        return ()
    return (callbacks,) if isinstance(callbacks, Callback) else tuple(callbacks)
