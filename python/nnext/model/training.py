"""Training by the library: fit."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Literal

from nnext import _check, _files, _fit, _sequences
from nnext._calls import takes_hints
from nnext._compiled import require
from nnext._given import FitOptions
from nnext.callbacks import Callback, listed
from nnext.history import History
from nnext.model.compiling import Compiling
from nnext.model.evaluation import Evaluation
from nnext.model.resuming import read_checkpoint

if TYPE_CHECKING:
    import numpy.typing as npt


class Training(Compiling, Evaluation):
    """What trains a network."""

    @takes_hints
    def fit(
        self,
        X: Any,
        y: npt.ArrayLike | None = None,
        *,
        epochs: int = 1,
        steps_per_epoch: int | None = None,
        batch_size: int | None = None,
        validation_data: Any = None,
        validation_split: float = 0.0,
        validation_order: Literal["shuffled", "last"] = "shuffled",
        shuffle: bool | None = None,
        sample_weight: npt.ArrayLike | None = None,
        class_weight: Mapping[Any, float] | str | None = None,
        callbacks: Callback | Iterable[Callback] | None = None,
        verbose: Any = "auto",
        scale: float | None = None,
        max_time: float | None = None,
        resume_from: _files.Path | _files.Readable | None = None,
        lengths: npt.ArrayLike | None = None,
    ) -> History:
        """Train: go through all samples `epochs` times, in batches, with a step of the optimizer after each.

        Parameters
        ----------
        X : array_like of shape (n, features), (n, steps, features) or (n, channels, height, width); or batches
            Samples, of the network's `input_shape` where that is known; (n, height, width) are images of one channel,
            and a first layer Flatten takes any. Real numbers of any dtype and layout. float32, float64 and uint8 whose
            rows lie in one piece, also in a file (`numpy.memmap`), are read where they lie, batch by batch, and must
            not change meanwhile; everything else is converted to the model's dtype first. Sparse matrices such as
            SciPy's are read where they lie, too: as CSR, of which only the rows of a batch are ever made dense.
            Or, without y, an iterable of batches (X, y) or (X, y, sample_weight), as PyTorch's DataLoader is, or a
            function that returns an iterator of them for each epoch; see the notes.
        y : array_like of shape (n,), (n, 1) or (n, outputs)
            Class labels or one-hot rows for cross_entropy, targets of the output's shape for the other losses. Where
            the network gives something at each step or pixel, so does y: labels (n, steps) or (n, height, width), or
            numbers of the outputs' shape; the loss is the mean over all. Classes may have names: as many different
            strings as the network decides between, which `predict_classes` gives back.
        epochs : int
            At least 1.
        steps_per_epoch : int, optional
            Of batches: how many make an epoch, instead of all.
        batch_size : int, optional
            At least 1, by default 32, and all samples for LBFGS. The last batch of an epoch may be smaller. A step
            takes as many batches as `compile` was told to accumulate, usually one.
        validation_data : (X, y), (X, y, sample_weight) or batches, optional
            Evaluated after each epoch. Batches must be such as can be read again.
        validation_split : float
            The part of X and y to hold out for validation instead, 0 <= split < 1. X is not copied for it.
        validation_order : {"shuffled", "last"}
            Which part: rows chosen at random by the model's seed, of each class its share, or the last ones.
            ``history.validation_rows`` says which they were.
        shuffle : bool, optional
            Take the samples in a new order in each epoch, a function of seed and epoch; by default they are. Batches
            come in their own order.
        sample_weight : array_like of shape (n,), (n, outputs) for a weight a label, (n, steps) for one a step, optional
            How much each sample counts, >= 0: the loss of a batch of B samples is ``sum(w_i l_i) / (B mean(w))``, where
            the mean is over all samples of the fit. What has weight 0 counts for nothing, whatever stands in its row:
            such samples are left out before batches are made. Metrics are weighted as well.
        class_weight : mapping of label to float, or "balanced", optional
            A factor on the weights of each class's samples, by labels as they are in y; "balanced" makes all classes
            count alike: ``n / (classes * n_of_class)``. It is for the loss of training alone, not for metrics. Each
            label of a step or pixel is weighed by its own class.
        callbacks : Callback, iterable of Callback, or None
            See `nnext.callbacks`.
        verbose : {"auto", 0, 1, 2}
            Progress: "auto" shows a bar in a terminal, a few lines elsewhere; 0 nothing, 1 a bar, 2 a line an epoch.
        scale : float, optional
            A factor on X and on the X of validation, not 0: the network sees ``X * scale``, rounded as by
            ``X.astype(dtype) * dtype.type(scale)`` with the model's dtype, but no such array is made. 1/255 suits
            images in bytes. `evaluate` and `predict` need the same, and warn where it is missing.
        max_time : float, optional
            Seconds, > 0, that the fit may take: it ends after the step in which they are over, by the callback
            `TimeLimit`.
        resume_from : str, path-like or file, optional
            A file of `save` or `ModelCheckpoint`, from which the training goes on, in place of where the model is:
            with its parameters, the optimizer's state and its ``lr``. `epochs` is then how many there are in all, those
            before the file included, and they count on from there. The model must be built and compiled as the one that
            was saved, but for metrics; with the same data the bits are those of a training that never stopped.
        lengths : array_like of int of shape (n,), optional
            Of padded sequences (n, steps, features): how many steps of each count, at least 1. What stands after them
            does not matter, a layer such as `LSTM` gives the last step that counts, and a loss of steps is the mean
            over those that count. Elsewhere, as in validation_data, give ``nn.padded(X, lengths)`` for X.

        Returns
        -------
        History
            Loss and metrics of each epoch, told from the outputs during training; also ``model.history``. A metric that
            cannot be computed in some epoch is NaN there, with one RuntimeWarning.

        Raises
        ------
        ValueError, TypeError
            For arrays or values that do not fit; the message names both sides and the cure. Nothing has changed then.
        ModelFormatError, OSError
            When `resume_from` is no usable model file, or cannot be read.
        DivergenceError
            When a loss or weight becomes NaN or infinite; with the callback `TerminateOnNaN` the fit ends without it.
        RuntimeError
            Without ``compile``, or while another fit of this model runs.

        Notes
        -----
        Batches are checked as they come, the first one before anything begins, so that one that does not fit ends the
        fit after a whole step. Weights count within their batch, and the loss of an epoch is the mean over its samples.
        Class names must have been seen before: fit arrays first, or give numbers.

        Sequences of different lengths may be given as a list of arrays (steps, features), with targets of steps in a
        list, too. Of 16 batches at a time they are sorted by length, and each batch is padded to its longest when it
        comes: an order that seed and epoch decide, other than that of one padded array. Weights count within their
        batch there, too. A weight of a sequence is one of each of its steps, where the loss is one of steps. Masks of
        Dropout are drawn for a batch as it is padded.

        What is no list or tuple is read in a thread, one batch ahead. NumPy's arrays are copied there, as the next
        batch may be written into them. The thread ends with the fit, and closes the iterator. An iterator goes on from
        epoch to epoch; where it ends early, so does the fit, with a warning and ``history.stop_reason``. Everything
        else starts again in each epoch.

        Examples
        --------
        >>> import nnext as nn
        >>> X, y = nn.datasets.make_moons(200, noise=0.1, seed=0)
        >>> model = nn.MLP([2, 16, 2])
        >>> model.compile(loss="cross_entropy", optimizer=nn.Adam(lr=0.01), metrics=["accuracy"])
        >>> history = model.fit(X, y, epochs=100, verbose=0)
        >>> history.history["accuracy"][-1] > 0.9
        True

        Numbers of 0 to 16 in bytes, taken as 0 to 1:

        >>> X, y = nn.datasets.load_digits()
        >>> model = nn.MLP([64, 32, 10])
        >>> model.compile(loss="cross_entropy", optimizer=nn.Adam(lr=0.01), metrics=["accuracy"])
        >>> history = model.fit(X.astype("uint8"), y, epochs=10, scale=1 / 16, verbose=0)
        >>> model.evaluate(X / 16, y, scale=1.0)["accuracy"] > 0.95
        True

        Batches of any size, made while the fit goes on:

        >>> def batches():
        ...     for first in range(0, len(X), 100):
        ...         yield X[first : first + 100], y[first : first + 100]
        >>> history = model.fit(batches, epochs=3, validation_data=batches, scale=1 / 16, verbose=0)
        >>> len(history["val_loss"])
        3
        """
        compiled = require(self._compiled, "fit")
        options = FitOptions(
            epochs=_check.integer("fit", "epochs", epochs, low=1),
            steps_per_epoch=_optional("steps_per_epoch", steps_per_epoch),
            batch_size=_optional("batch_size", batch_size),
            validation_data=validation_data,
            validation_split=_check.number("fit", "validation_split", validation_split, low=0, below=1),
            validation_order=_check.choice("fit", "validation_order", validation_order, ("shuffled", "last")),
            shuffle=None if shuffle is None else _check.flag("fit", "shuffle", shuffle),
            sample_weight=sample_weight,
            class_weight=class_weight,
            callbacks=listed(callbacks),
            verbose=verbose,
            max_time=None if max_time is None else _check.number("fit", "max_time", max_time, above=0),
            scale=self._scale("fit", scale),
            resume=None if resume_from is None else read_checkpoint(self._engine, compiled, resume_from),
        )
        return _fit.fit(self, compiled, _sequences.beside("fit", self._engine, X, y, lengths), y, options)


def _optional(name: str, value: Any) -> int | None:
    return None if value is None else _check.integer("fit", name, value, low=1)
