"""The callback that writes a table while the training goes on."""

from __future__ import annotations

import csv
import math
import os
from collections.abc import Iterable

from nnext import _check, _files
from nnext._calls import takes_hints
from nnext.callbacks.base import CheckedCallback, Logs


class CSVLogger(CheckedCallback):
    """Writes the logs into a table, a row after each epoch: the one that ``history.to_csv`` writes at the end.

    Parameters
    ----------
    path : str or path-like
        The file. "~" is the home folder; folders that are not there are made.
    append : bool
        Whether rows go below those of a file that is there already, as for a training that goes on in several fits.
        Without it an old file is replaced when the fit begins.

    Raises
    ------
    OSError
        In `fit`, when the file cannot be written: before the first step, where that is known then.
    ValueError
        In `fit`, when the file has other columns, or the logs of an epoch a name that has no column.

    Notes
    -----
    Epochs count from 0 in each fit, or on from those of the file that it resumes from. Numbers are in full precision;
    NaN stands where an epoch has no value. The file is closed between two epochs, so that it is complete at any time.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> import nnext as nn
    >>> path = pathlib.Path(tempfile.mkdtemp(), "log.csv")
    >>> X, y = nn.datasets.make_moons(100, seed=0)
    >>> model = nn.MLP([2, 8, 2])
    >>> model.compile(loss="cross_entropy", metrics=["accuracy"])
    >>> history = model.fit(X, y, epochs=3, callbacks=nn.CSVLogger(path), verbose=0)
    >>> path.read_text().splitlines()[0], len(path.read_text().splitlines())
    ('epoch,loss,accuracy', 4)
    """

    path: str
    append: bool

    @takes_hints
    def __init__(self, path: str | os.PathLike[str], *, append: bool = False) -> None:
        self._keep(path=_check.path("CSVLogger", "path", path), append=_check.flag("CSVLogger", "append", append))
        self._columns: list[str] = []

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Begin the file, or look at the columns of the one that is there."""
        with open(_files.in_its_folder(self.path), "a+" if self.append else "w+", newline="", encoding="utf-8") as file:
            file.seek(0)
            self._columns = next(csv.reader(file), [])
        if self._columns and (names := self.params.get("metrics")) is not None:
            self._check(names)

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Write a row, after that of the names where there is none."""
        values = {"epoch": epoch, **{name: float(value) for name, value in (logs or {}).items()}}
        with open(os.path.expanduser(self.path), "a", newline="", encoding="utf-8") as file:
            writer = csv.writer(file, lineterminator="\n")
            if not self._columns:
                self._columns = list(values)
                writer.writerow(self._columns)
            self._check(values)
            writer.writerow([values.get(name, math.nan) for name in self._columns])

    def _check(self, names: Iterable[str]) -> None:
        unknown = [name for name in names if name not in self._columns]
        if unknown or self._columns[0] != "epoch":
            raise ValueError(
                f"[CSVLogger] {self.path} has the columns {', '.join(self._columns)}, but the logs have "
                f"{', '.join(unknown or names)}; give another path, or append=False"
            )
