"""What a training was like, epoch by epoch: as numbers, as a table, as a picture."""

from __future__ import annotations

import csv
import math
import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, NoReturn

from nnext import _pictures

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    from matplotlib.figure import Figure


class History:
    """The record that ``model.fit`` returns.

    ``history["loss"]`` is the list of the losses, one an epoch; ``"val_loss" in history`` tells whether there is one.
    ``pandas.DataFrame(history.history, index=history.epoch)`` makes a table of it.

    Attributes
    ----------
    history : dict of str to list of float
        One list a quantity, "loss" and the metrics, and with validation the same with "val_" before the name. All lists
        are as long as `epoch`; NaN stands where an epoch has no value.
    epoch : list of int
        The epochs, from 0, or on from those of a file that the fit resumed from.
    members : list of float
        How many threads worked in each epoch, on average over its work: fewer than `runtime.get_num_threads` while
        other programs compute, and where there is not enough to share. NaN where nobody knows.
    stop_reason : str or None
        Why the training ended, in the words of the callback that ended it if it has some, after which step its time was
        over, or that batches had ended; None before its end.
    validation_rows : ndarray of int, or None
        Which rows of X ``validation_split`` held out, in increasing order; None without.

    Examples
    --------
    >>> history = History()
    >>> history.append(0, {"loss": 0.9, "val_loss": 1.0})
    >>> history.append(1, {"loss": 0.5, "val_loss": 0.7})
    >>> history.append(2, {"loss": 0.3, "val_loss": 0.8})
    >>> history["loss"], history.best_epoch
    ([0.9, 0.5, 0.3], 1)
    >>> history
    History(3 epochs: loss, val_loss; best epoch 1)
    """

    # So that a misspelt attribute is an error.
    __slots__ = ("__weakref__", "epoch", "history", "members", "stop_reason", "validation_rows")

    def __init__(self) -> None:
        self.history: dict[str, list[float]] = {}
        self.epoch: list[int] = []
        self.members: list[float] = []
        self.stop_reason: str | None = None
        self.validation_rows: npt.NDArray[np.int64] | None = None

    def __getstate__(self) -> object:
        """Let old protocols of pickle, too, take a class with slots."""
        return super().__getstate__()

    def append(self, epoch: int, logs: Mapping[str, float], members: float = math.nan) -> None:
        """Add an epoch.

        Parameters
        ----------
        epoch : int
            Its number, from 0.
        logs : mapping of str to float
            Its loss and metrics.
        members : float
            How many threads worked in it.

        Examples
        --------
        >>> history = History()
        >>> history.append(0, {"loss": 0.9})
        >>> history.append(1, {"loss": 0.5, "val_loss": 0.7})
        >>> history.history
        {'loss': [0.9, 0.5], 'val_loss': [nan, 0.7]}
        """
        for name in logs:
            self.history.setdefault(name, [math.nan] * len(self.epoch))
        self.epoch.append(epoch)
        self.members.append(float(members))
        for name, values in self.history.items():
            values.append(float(logs.get(name, math.nan)))

    def __getitem__(self, name: str) -> list[float]:
        if name not in self.history:
            known = ", ".join(self.history) or "nothing yet"
            raise KeyError(f"[History] there is no {name!r}; history.history has {known}")
        return self.history[name]

    def __contains__(self, name: object) -> bool:
        return name in self.history

    def __iter__(self) -> NoReturn:  # over names, epochs or rows? pandas would take it for yet another thing
        raise TypeError("[History] go through history.history, a dict of lists, or through history.epoch")

    @property
    def best_epoch(self) -> int | None:
        """The epoch of the lowest validation loss or, without validation, of the lowest loss; None when there is none.

        Examples
        --------
        >>> print(History().best_epoch)
        None
        """
        losses = self.history.get("val_loss", self.history.get("loss", []))
        known = [(loss, epoch) for loss, epoch in zip(losses, self.epoch, strict=True) if not math.isnan(loss)]
        return min(known)[1] if known else None

    def to_csv(self, path: str | os.PathLike[str]) -> None:
        """Write a table with the column "epoch" and one column a quantity; numbers in full precision.

        Parameters
        ----------
        path : path
            The file; an old one is replaced.

        Raises
        ------
        OSError
            When the file cannot be written.

        Examples
        --------
        >>> import pathlib, tempfile
        >>> history = History()
        >>> history.append(0, {"loss": 0.5})
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     history.to_csv(folder + "/history.csv")
        ...     print(pathlib.Path(folder, "history.csv").read_text(), end="")
        epoch,loss
        0,0.5
        """
        with open(path, "w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(["epoch", *self.history])
            writer.writerows(zip(self.epoch, *self.history.values(), strict=True))

    def plot(self, path: str | os.PathLike[str] | None = None) -> Figure:
        """Draw the learning curves: one panel a quantity, training and validation in the same panel.

        Parameters
        ----------
        path : path, optional
            Where to save the picture; its ending decides the format (.png, .svg, .pdf). Without it the figure belongs
            to pyplot, so that notebooks and ``pyplot.show()`` show it.

        Returns
        -------
        matplotlib.figure.Figure

        Raises
        ------
        ImportError
            When matplotlib is not installed.
        ValueError
            When there is nothing to draw.

        Examples
        --------
        >>> history = History()
        >>> history.append(0, {"loss": 0.5, "val_loss": 0.6, "accuracy": 0.8})
        >>> figure = history.plot("curves.png")  # doctest: +SKIP
        """
        if not self.history:
            raise ValueError("[plot] the history has no epochs; fit the model first")
        names = list(dict.fromkeys(name.removeprefix("val_") for name in self.history))
        figure = _pictures.new_figure((1 + 4.5 * len(names), 3.5), path)
        for axes, name in zip(figure.subplots(1, len(names), squeeze=False)[0], names, strict=True):
            _pictures.draw_curves(axes, self.epoch, self.history, name, self.best_epoch)
        _pictures.save(figure, path)
        return figure

    def __repr__(self) -> str:
        count = f"{len(self.epoch)} epoch" + ("" if len(self.epoch) == 1 else "s")
        best = "" if self.best_epoch is None else f"; best epoch {self.best_epoch}"
        return f"History({count}: {', '.join(self.history) or 'empty'}{best})"
