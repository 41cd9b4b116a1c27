"""What a callback is, what those of nnext have in common, and what `fit` takes for some."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from nnext._fields import Check
from nnext.errors import DivergenceError

Logs = Mapping[str, Any]


class Callback:
    """Base class; override what you need.

    ``self.model.stop_training = True`` ends the fit after the current epoch; the reason may be said before, in
    ``self.model.history.stop_reason``. An exception ends the fit as well, and reaches its caller.

    Attributes
    ----------
    model
        The model in training.
    params : mapping
        "epochs" and "samples": how many of each this fit goes through, None where it takes batches; "metrics": the
        names that the logs of an epoch will have.
    deadline : float
        The value of ``time.monotonic()`` at which the fit ends, after a whole step, in the middle of an epoch too;
        infinity is none. It is asked after ``on_epoch_begin``.

    Examples
    --------
    >>> class StopAt(Callback):
    ...     def on_epoch_end(self, epoch, logs=None):
    ...         if logs["loss"] < 0.1:
    ...             self.model.stop_training = True
    """

    model: Any = None
    params: Mapping[str, Any] = {}
    deadline: float = math.inf

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

    def on_divergence(self, error: DivergenceError) -> bool:
        """When the fit has diverged: return True to let it end as if it were done; else it raises the error."""
        return False

    def close(self) -> None:
        """When all is over, also after an exception: give back files and threads."""


class CheckedCallback(Callback):
    """One of nnext's own: what can be set is checked as by the constructor, and nothing else can be set.

    Names that begin with an underscore are its own. A subclass outside of nnext may keep what it likes beside.
    """

    _settable: ClassVar[Mapping[str, Check]] = {}

    def __setattr__(self, name: str, value: Any) -> None:
        kind = type(self).__name__
        if name in self._settable:
            value = self._settable[name](kind, name, value)
        elif not name.startswith("_") and type(self).__module__.startswith("nnext."):
            instead = f"set {', '.join(self._settable)}, or make" if self._settable else "make"
            raise AttributeError(f"[{kind}] {name} cannot be set; {instead} a new {kind}")
        super().__setattr__(name, value)

    def _keep(self, **values: Any) -> None:
        """Set what others can only read."""
        vars(self).update(values)

    def set_params(self, params: Mapping[str, Any]) -> None:
        """Take the numbers of the fit."""
        self._keep(params=params)

    def set_model(self, model: Any) -> None:
        """Take the model."""
        self._keep(model=model)


def listed(callbacks: Any, operation: str = "fit") -> tuple[Callback, ...]:
    """Return the callbacks that a user means.

    Parameters
    ----------
    callbacks : Callback, iterable of Callback, or None
        None means none.
    operation : str
        What takes them, for messages.

    Returns
    -------
    tuple of Callback

    Raises
    ------
    TypeError
        For anything else, also a class in place of an object.

    Examples
    --------
    >>> listed(None)
    ()
    >>> len(listed(Callback())), len(listed([Callback(), Callback()]))
    (1, 2)
    """
    if callbacks is None:
        return ()
    several = isinstance(callbacks, Iterable) and not isinstance(callbacks, Callback | str | type)
    given = tuple(callbacks) if several else (callbacks,)
    for callback in given:
        if isinstance(callback, type) and issubclass(callback, Callback):
            name = callback.__name__
            raise TypeError(f"[{operation}] callbacks: {name} is a class; give {name}()")
        if not isinstance(callback, Callback):
            raise TypeError(
                f"[{operation}] callbacks has {callback!r}; give objects derived from nnext.callbacks.Callback"
            )
    return given
