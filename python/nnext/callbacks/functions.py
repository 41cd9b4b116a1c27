"""A callback from functions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from nnext._calls import takes_hints
from nnext.callbacks.base import CheckedCallback


def _function(operation: str, name: str, value: Any) -> Callable[..., object]:
    if value is not None and not callable(value):
        raise TypeError(f"[{operation}] {name} is {value!r}; pass a function")
    return _nothing if value is None else value


def _nothing(*_: Any) -> None:
    """In place of a function that was taken away."""


class LambdaCallback(CheckedCallback):
    """A callback from functions, for short ones. They can be set later, too.

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

    _settable: ClassVar = dict.fromkeys(("on_epoch_begin", "on_epoch_end", "on_train_begin", "on_train_end"), _function)

    @takes_hints
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
            if function is not None:  # else the method stays, which a subclass may have
                setattr(self, name, function)
