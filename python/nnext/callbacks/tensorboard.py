"""The callback that shows a training in TensorBoard."""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import partial
from numbers import Real
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from nnext import _check
from nnext._calls import takes_hints
from nnext._unknown import shown
from nnext.callbacks.base import CheckedCallback, Logs
from nnext.callbacks.event_files import EventFile
from nnext.callbacks.layer_graph import layer_graph
from nnext.schedules import Schedule

if TYPE_CHECKING:
    import numpy.typing as npt


class TensorBoard(CheckedCallback):
    """Writes what TensorBoard shows: curves of the logs, histograms of weights and gradients, the graph of the layers.

    ``tensorboard --logdir logs`` draws them, also while the fit goes on. It needs tensorboardX: ``pip install
    "nnext-learn[tensorboard]"``.

    Parameters
    ----------
    log_dir : str or path-like
        The folder. Curves of the training are in "train" within it, those of the validation in "validation" and without
        "val_" before their names, so that both are drawn in one picture.
    histogram_freq : int
        Histograms of all parameters and buffers are written after every so many epochs; 0: none. It can be set later,
        too.
    write_graph : bool
        Whether the graph of the layers is written when the fit begins.
    gradient_data : (X, y) or (X, y, sample_weight), optional
        Samples whose gradients are written with the histograms: those of ``model.loss_and_grads`` after the epoch, as a
        fit keeps no gradients itself. A batch of the training data will do.

    Raises
    ------
    ValueError, TypeError
        For settings that do not fit, and for `gradient_data` without `histogram_freq`; in `fit`, for `gradient_data`
        that the network does not take.
    ImportError
        In `fit`, without tensorboardX.
    OSError
        In `fit`, when the files cannot be written.

    Notes
    -----
    The curves are "loss", the metrics, and "lr", as it is at the end of the epoch. They are drawn by the epochs of all
    fits of the model, from 0, so that a second one goes on where the first one ended. Nothing of this changes a bit of
    the training.

    Examples
    --------
    >>> import nnext as nn
    >>> X, y = nn.datasets.make_moons(100, seed=0)
    >>> model = nn.MLP([2, 8, 2])
    >>> model.compile(loss="cross_entropy", metrics=["accuracy"])
    >>> board = nn.TensorBoard("logs/first", histogram_freq=10, gradient_data=(X[:32], y[:32]))
    >>> history = model.fit(X, y, epochs=100, callbacks=board)  # doctest: +SKIP
    """

    log_dir: str
    histogram_freq: int
    write_graph: bool
    gradient_data: tuple[Any, ...] | None

    _settable: ClassVar = {"histogram_freq": partial(_check.integer, low=0)}

    @takes_hints
    def __init__(
        self,
        log_dir: str | os.PathLike[str] = "logs",
        *,
        histogram_freq: int = 0,
        write_graph: bool = True,
        gradient_data: Sequence[npt.ArrayLike] | None = None,
    ) -> None:
        self.histogram_freq = histogram_freq
        self._keep(
            log_dir=_check.path("TensorBoard", "log_dir", log_dir),
            write_graph=_check.flag("TensorBoard", "write_graph", write_graph),
            gradient_data=_samples(gradient_data),
        )
        if gradient_data is not None and histogram_freq == 0:
            raise ValueError(
                "[TensorBoard] gradient_data is given, but histogram_freq=0 writes no histograms; give histogram_freq=1"
            )
        self._files: dict[str, EventFile] = {}

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Open the file; write the graph; refuse samples that have no gradients."""
        self.close()
        engine = self.model.engine
        if self.gradient_data is not None:
            self._gradients()
        file = self._file("train")
        if self.write_graph:
            shape = self.model.input_shape
            sizes = {} if shape is None else engine.layer_table(shape)
            shapes = {path: size.output_shape for path, size in sizes.items()}
            file.graph(layer_graph(engine.layers, engine.numbering.layers, shapes))

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Write what the epoch was like."""
        step = self.model.engine.counters[1] - 1  # the epochs that have begun, of all fits
        values = {name: float(value) for name, value in (logs or {}).items() if isinstance(value, Real)}
        training = {name: value for name, value in values.items() if not name.startswith("val_")}
        validation = {name.removeprefix("val_"): values[name] for name in values.keys() - training.keys()}
        self._file("train").numbers({**training, "lr": self._lr()}, step)
        if validation:
            self._file("validation").numbers(validation, step)
        if self.histogram_freq and (epoch + 1) % self.histogram_freq == 0:
            weights = self.model.engine.weights()[0]
            self._file("train").histograms({f"weights/{path}": array for path, array in weights.items()}, step)
            if self.gradient_data is not None:
                self._file("train").histograms(self._gradients(), step)

    def close(self) -> None:
        """Close the files."""
        while self._files:
            self._files.popitem()[1].close()

    def _file(self, run: str) -> EventFile:
        if run not in self._files:
            self._files[run] = EventFile(os.path.join(self.log_dir, run))
        return self._files[run]

    def _lr(self) -> float:
        lr = self.model.optimizer.lr
        if not isinstance(lr, Schedule):
            return float(lr)
        now = np.array([self.model.engine.position.in_epochs()])
        return float(lr.at(now, now)[0])

    def _gradients(self) -> dict[str, Any]:
        _, gradients = self.model.loss_and_grads(*(self.gradient_data or ()), scale=self.model.seen.scale or 1.0)
        return {f"gradients/{path}": array for path, array in gradients.items()}


def _samples(given: Any) -> tuple[Any, ...] | None:
    if given is not None and (not isinstance(given, tuple | list) or len(given) not in (2, 3)):
        raise TypeError(f"[TensorBoard] gradient_data is {shown(given)}; give (X, y) or (X, y, sample_weight)")
    return None if given is None else tuple(given)
