"""Training by the library: fit, evaluate."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

from nnext import _check, _fit
from nnext._calls import takes_hints
from nnext._compiled import require
from nnext._samples import Samples
from nnext.callbacks import Callback, listed
from nnext.history import History
from nnext.model.compiling import Compiling

if TYPE_CHECKING:
    import numpy.typing as npt


class Training(Compiling):
    """What trains a network and says how good it is."""

    @takes_hints
    def fit(
        self,
        X: npt.ArrayLike,
        y: npt.ArrayLike,
        *,
        epochs: int = 1,
        batch_size: int | None = None,
        validation_data: Sequence[Any] | None = None,
        validation_split: float = 0.0,
        validation_order: Literal["shuffled", "last"] = "shuffled",
        shuffle: bool = True,
        sample_weight: npt.ArrayLike | None = None,
        class_weight: Mapping[Any, float] | str | None = None,
        callbacks: Callback | Iterable[Callback] | None = None,
        verbose: Any = "auto",
        scale: float | None = None,
    ) -> History:
        """Train: go through all samples `epochs` times, in batches, with a step of the optimizer after each.

        Parameters
        ----------
        X : array_like of shape (n, features)
            Samples; (n, ...) when the first layer is Flatten. Real numbers of any dtype and layout. float32, float64
            and uint8 whose rows lie in one piece, also in a file (`numpy.memmap`), are read where they lie, batch by
            batch, and must not change meanwhile; everything else is converted to the model's dtype first.
        y : array_like of shape (n,), (n, 1) or (n, outputs)
            Class labels or one-hot rows for cross_entropy, targets of the output's shape for the other losses. Classes
            may have names: as many different strings as the network decides between, which `predict_classes` gives
            back.
        epochs : int
            At least 1.
        batch_size : int, optional
            At least 1, by default 32. The last batch of an epoch may be smaller. A step takes as many batches as
            `compile` was told to accumulate, usually one.
        validation_data : (X, y) or (X, y, sample_weight), optional
            Evaluated after each epoch.
        validation_split : float
            The part of X and y to hold out for validation instead, 0 <= split < 1. Both parts are copies.
        validation_order : {"shuffled", "last"}
            Which part: rows chosen at random by the model's seed, of each class its share, or the last ones.
            ``history.validation_rows`` says which they were.
        shuffle : bool
            Take the samples in a new order in each epoch, a function of seed and epoch.
        sample_weight : array_like of shape (n,), or (n, outputs) for a weight a label, optional
            How much each sample counts, >= 0: the loss of a batch of B samples is ``sum(w_i l_i) / (B mean(w))``, where
            the mean is over all samples of the fit. What has weight 0 counts for nothing, whatever stands in its row:
            such samples are left out before batches are made.
        class_weight : mapping of label to float, or "balanced", optional
            A factor on the weights of each class's samples, by labels as they are in y; "balanced" makes all classes
            count alike: ``n / (classes * n_of_class)``.
        callbacks : Callback, iterable of Callback, or None
            See `nnext.callbacks`.
        verbose : {"auto", 0, 1, 2}
            Progress: "auto" shows a bar in a terminal, a few lines elsewhere; 0 nothing, 1 a bar, 2 a line an epoch.
        scale : float, optional
            A factor on X and on the X of validation, not 0: the network sees ``X * scale``, rounded as by
            ``X.astype(dtype) * dtype.type(scale)`` with the model's dtype, but no such array is made. 1/255 suits
            images in bytes. `evaluate` and `predict` need the same, and warn where it is missing.

        Returns
        -------
        History
            Loss and metrics of each epoch, told from the outputs during training; also ``model.history``. A metric that
            cannot be computed in some epoch is NaN there, with one RuntimeWarning.

        Raises
        ------
        ValueError, TypeError
            For arrays or values that do not fit; the message names both sides and the cure. Nothing has changed then.
        DivergenceError
            When a loss or weight becomes NaN or infinite.
        RuntimeError
            Without ``compile``, or while another fit of this model runs.

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
        """
        compiled = require(self._compiled, "fit")
        options = _fit.FitOptions(
            epochs=_check.integer("fit", "epochs", epochs, low=1),
            batch_size=32 if batch_size is None else _check.integer("fit", "batch_size", batch_size, low=1),
            validation_data=validation_data,
            validation_split=_check.number("fit", "validation_split", validation_split, low=0, below=1),
            validation_order=_check.choice("fit", "validation_order", validation_order, ("shuffled", "last")),
            shuffle=_check.flag("fit", "shuffle", shuffle),
            sample_weight=sample_weight,
            class_weight=class_weight,
            callbacks=listed(callbacks),
            verbose=verbose,
            scale=self._scale("fit", scale),
        )
        return _fit.fit(self, compiled, X, y, options)

    @takes_hints
    def evaluate(
        self,
        X: npt.ArrayLike,
        y: npt.ArrayLike,
        *,
        batch_size: int | None = None,
        sample_weight: npt.ArrayLike | None = None,
        scale: float | None = None,
    ) -> dict[str, float]:
        """Return loss and metrics on data, in evaluation mode.

        Parameters
        ----------
        X, y, sample_weight, scale
            As in ``fit``.
        batch_size : int, optional
            Taken for Keras' sake; the core chooses its own blocks, and results do not depend on them.

        Returns
        -------
        dict of str to float
            "loss" and the compiled metrics. It cannot be unpacked as a list: ``scores["loss"]``, ``scores.items()``.

        Examples
        --------
        >>> import nnext as nn
        >>> model = nn.MLP([4, 3, 2])
        >>> model.compile(loss="cross_entropy", metrics=["accuracy"])
        >>> sorted(model.evaluate([[1, 2, 3, 4]], [1]).keys())
        ['accuracy', 'loss']
        """
        if batch_size is not None:
            _check.integer("evaluate", "batch_size", batch_size, low=1)
        compiled = require(self._compiled, "evaluate")
        return _fit.evaluate(self, compiled, Samples(X, y, sample_weight), self._scale("evaluate", scale))
