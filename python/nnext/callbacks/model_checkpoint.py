"""The callback that saves the model while the training goes on."""

from __future__ import annotations

import os
import string
from collections.abc import Iterable
from functools import partial
from typing import ClassVar

from nnext import _check, _files
from nnext._calls import takes_hints
from nnext.callbacks.base import CheckedCallback, Logs
from nnext.callbacks.monitor import Monitor


class ModelCheckpoint(CheckedCallback):
    """Saves the model after epochs: the newest state, all of them, or the best one.

    Parameters
    ----------
    path : str or path-like
        The file. It may hold ``{epoch}``, which counts from 1 as progress lines do, and names of the logs, with a
        format: ``"{epoch:03d}-{val_loss:.3f}.safetensors"``. Without such fields the file is replaced each time. "~" is
        the home folder; folders that are not there are made.
    monitor : str
        What `save_best_only` watches: "loss", a metric, or one of these of the validation, with "val_" before it.
    mode : {"auto", "min", "max"}
        Whether low or high is better. "auto" knows it of the loss and of the metrics that `nnext.metrics` has by name.
    save_best_only : bool
        Whether only an epoch that is better than all before is saved.
    every : int
        Save, or look, after every so many epochs, >= 1: after the epochs `every`, ``2 * every`` and so on, counted from
        1. It can be set later, too.

    Attributes
    ----------
    best : float or None
        With `save_best_only` the value of the best epoch that was saved, in all fits that this callback was given to.
        Set it where a file of an earlier program has a state that only a better one may replace.
    best_epoch : int or None
        That epoch, counted from 0 in its fit.
    latest : str or None
        The path of the file that was written last.

    Raises
    ------
    ValueError, TypeError
        For settings that do not fit, for "auto" where it does not know, and, in `fit`, when the logs lack `monitor` or
        a name of `path`.
    OSError
        In `fit`, when the file cannot be written; it names the path.

    Notes
    -----
    Files are those of ``model.save``, whole at any moment. `nnext.load` gives a model whose `fit` goes on with the bits
    that this one would have had; ``fit(..., resume_from=path)`` does so in a model that was built by the same program,
    and counts the epochs on.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> import nnext as nn
    >>> folder = pathlib.Path(tempfile.mkdtemp())
    >>> X, y = nn.datasets.make_moons(100, seed=0)
    >>> model = nn.MLP([2, 8, 2])
    >>> model.compile(loss="cross_entropy")
    >>> checkpoint = nn.ModelCheckpoint(folder / "{epoch:02d}.safetensors", every=2)
    >>> history = model.fit(X, y, epochs=5, callbacks=checkpoint, verbose=0)
    >>> sorted(file.name for file in folder.iterdir())
    ['02.safetensors', '04.safetensors']
    >>> history = nn.load(checkpoint.latest).fit(X, y, epochs=1, verbose=0)  # the fifth epoch once more
    """

    path: str
    monitor: str
    mode: str
    save_best_only: bool
    every: int
    best: float | None
    best_epoch: int | None
    latest: str | None

    _settable: ClassVar = {"every": partial(_check.integer, low=1), "best": _check.number}

    @takes_hints
    def __init__(
        self,
        path: str | os.PathLike[str],
        monitor: str = "val_loss",
        *,
        mode: str = "auto",
        save_best_only: bool = False,
        every: int = 1,
    ) -> None:
        self._keep(
            path=_check.path("ModelCheckpoint", "path", path),
            monitor=monitor,
            mode=mode,
            save_best_only=_check.flag("ModelCheckpoint", "save_best_only", save_best_only),
            best=None,
            best_epoch=None,
            latest=None,
        )
        if not save_best_only and (monitor, mode) != ("val_loss", "auto"):
            raise ValueError(
                f"[ModelCheckpoint] monitor is {monitor!r} and mode is {mode!r}, but without save_best_only=True all "
                "epochs are saved; give it, or leave both out"
            )
        self._watched = Monitor("ModelCheckpoint", monitor, mode)
        self._names = _names(self.path)
        self.every = every

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Refuse a loss or metric that this fit will not have, where it tells."""
        if self.save_best_only:
            self._watched.check(self.params)
        for name in self._names:
            if name.removeprefix("val_") in self.params.get("metrics", ()):  # others may come from other callbacks
                self._require(name, self.params["metrics"])

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Save the model where that is due."""
        if (epoch + 1) % self.every:
            return
        if not self.save_best_only:
            return self._save(epoch, logs or {})
        value = self._watched.value(logs)
        if self._watched.improves(value, self.best):
            self._save(epoch, logs or {})
            self._keep(best=value, best_epoch=epoch)

    def _save(self, epoch: int, logs: Logs) -> None:
        known = {**logs, "epoch": epoch + 1}
        for name in self._names:
            self._require(name, known)
        path = self.path.format_map(known)
        self.model.save(_files.in_its_folder(path))
        self._keep(latest=path)

    def _require(self, name: str, known: Iterable[str]) -> None:
        if name not in known:
            cure = "use {epoch}, one of these, or, for val_loss, give fit validation_data"
            raise ValueError(
                f"[ModelCheckpoint] path is {self.path!r}, but the logs have {', '.join(known)} and no {name}; {cure}"
            )


def _names(path: str) -> list[str]:
    """Return the names of the fields in a path, each of which is a number."""
    try:
        names = [name for _, name, _, _ in string.Formatter().parse(path) if name is not None]
        path.format_map({**dict.fromkeys(names, 0.5), "epoch": 1})
    except (ValueError, LookupError, AttributeError) as error:
        raise ValueError(
            f"[ModelCheckpoint] path is {path!r}, whose fields cannot be filled in: {error}; write them as "
            "{epoch:02d} and {val_loss:.3f}, and double a brace that is meant as such"
        ) from None
    return names
