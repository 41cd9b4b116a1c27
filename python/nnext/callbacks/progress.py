"""The callback that shows how a training goes."""

from __future__ import annotations

import math
import sys
import time
from numbers import Integral, Real
from typing import Any, ClassVar, Literal

from nnext._calls import takes_hints
from nnext._streams import Stream
from nnext.callbacks.base import CheckedCallback, Logs

_LINES = 20  # in a fit, about, where nobody asked for each


def _verbose(operation: str, name: str, value: Any) -> Any:
    if not isinstance(value, str | Integral) or value not in ("auto", 0, 1, 2):
        raise ValueError(f"[{operation}] {name} is {value!r}; use 'auto', 0, 1 or 2")
    return value


class ProgressBar(CheckedCallback):
    """Shows how the training goes: a bar on a terminal, quiet lines elsewhere.

    Parameters
    ----------
    verbose : {"auto", 0, 1, 2}
        0: nothing. 1: one bar over the epochs (tqdm, on stderr). 2: a line after every epoch (on stdout). "auto": the
        bar when stderr is a terminal, else lines, of which a long fit prints about 20. Set later, it acts from the next
        fit on.

    Raises
    ------
    ValueError
        When `verbose` is something else.

    Notes
    -----
    The speed is samples trained on in an epoch by the time that the epoch took, its validation included. A stream that
    is not there, closed or broken ends no fit: what cannot be shown is left out.

    Examples
    --------
    >>> bar = ProgressBar(verbose=2)
    >>> bar.set_params({"epochs": 10})
    >>> bar.on_train_begin()
    >>> bar.on_epoch_end(0, {"loss": 0.12345, "accuracy": 0.9})
    epoch  1/10  loss 0.1235  accuracy 0.9000
    """

    _settable: ClassVar = {"verbose": _verbose}

    @takes_hints
    def __init__(self, verbose: Literal["auto", 0, 1, 2] = "auto") -> None:
        self.verbose = verbose
        self._reset(None)

    def _reset(self, show: Literal["bar", "lines"] | None) -> None:
        self._show = show
        self._every = 1 if self.verbose == 2 else math.ceil((self.params.get("epochs") or 0) / _LINES) or 1
        self._bar: Any = None
        self._done = 0
        self._started: float | None = None
        self._last_line = ""  # not printed yet

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Choose bar or lines, and open the bar."""
        if self.verbose == "auto":
            self._reset("bar" if Stream(sys.stderr).isatty() else "lines")
        else:
            self._reset({0: None, 1: "bar", 2: "lines"}[self.verbose])
        if self._show == "bar":
            self._bar = _open_bar(self.params.get("epochs"))

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        """Start the clock."""
        self._started = time.perf_counter()

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Move the bar, or print the line when it is due."""
        self._done = epoch + 1
        parts = [_shown(name, float(value)) for name, value in (logs or {}).items() if isinstance(value, Real)]
        parts += self._speed()
        if self._bar is not None:
            self._bar.set_postfix_str("  ".join(parts), refresh=False)
            self._bar.update(self._done - self._bar.n)
        elif self._show == "lines":
            epochs = self.params.get("epochs")
            count = f"epoch {self._done}" if epochs is None else f"epoch {self._done:{len(str(epochs))}}/{epochs}"
            self._last_line = "  ".join([count, *parts])
            if self._is_due():
                self._print_line()

    def on_train_end(self, logs: Logs | None = None) -> None:
        """Give the terminal back."""
        self.close()

    def close(self) -> None:
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
        return self._done in (1, self.params.get("epochs")) or self._done % self._every == 0

    def _print_line(self) -> None:
        if self._last_line:
            print(self._last_line, file=Stream(sys.stdout), flush=True)
            self._last_line = ""


def _open_bar(epochs: int | None) -> Any:
    from tqdm import tqdm  # type: ignore[import-untyped]

    # Without a monitor interval tqdm starts no thread of its own, which a fork during the fit would leave behind.
    bar = type("Bar", (tqdm,), {"monitor_interval": 0})
    return bar(total=epochs, desc="training", unit="epoch", file=Stream(sys.stderr), dynamic_ncols=True)


def _shown(name: str, value: float) -> str:
    """Four decimals where they tell something, else three digits."""
    return f"{name} {value:.4f}" if value == 0 or 0.01 <= abs(value) < 1e5 else f"{name} {value:.3g}"
