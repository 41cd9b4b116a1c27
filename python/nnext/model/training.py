"""Training by the library: compile, fit, evaluate."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal

from nnext import _check, _decision, _fit, _measure, losses
from nnext._calls import takes_hints
from nnext._compiled import Compiled, require
from nnext._decision import Seen
from nnext._samples import Samples
from nnext.callbacks import Callback, listed
from nnext.history import History
from nnext.losses import CustomLoss, Loss
from nnext.metrics import choose
from nnext.model.deciding import Deciding
from nnext.optimizers import Optimizer

if TYPE_CHECKING:
    import numpy.typing as npt


class Training(Deciding):
    """What trains a network and says how good it is."""

    @takes_hints
    def compile(
        self,
        loss: str | Loss | CustomLoss,
        optimizer: str | Optimizer = "adam",
        *,
        metrics: Any = None,
        precision: str = "float32",
        clip_norm: float | None = None,
        accumulate: int = 1,
    ) -> None:
        """Choose what to minimize, how, and what to report.

        Parameters
        ----------
        loss : str, Loss or callable
            A name of `nnext.losses`, such as "mse" or "cross_entropy", an object such as ``nn.Huber(0.5)``, or any
            ``f(y_pred, y) -> (loss, grad)`` with the gradient of y_pred's shape.
        optimizer : str or Optimizer
            A name of `nnext.optimizers`, such as "sgd" or "adam", or an object with settings. It starts with fresh
            state.
        metrics : str, callable, sequence of them, or mapping of name to one, optional
            Names from `nnext.metrics`, or functions ``f(y_true, y_pred) -> float``. A function gets the outputs, (n,
            outputs), and targets of that shape; where the network decides between several classes, labels of shape
            (n,). Under "bce_with_logits" it gets probabilities in place of the outputs.
        precision : {"float32", "bf16"}
            Of the products in training. "bf16" rounds the operands of those of `Linear` layers that are 32 or more wide
            on both sides to 8 bits of mantissa (to nearest even, subnormal numbers to zero) and sums in float32;
            parameters, gradients, activations and the optimizer's sums stay float32, and so do the products of
            `predict`, `evaluate` and validation. It needs a CPU with AMX-BF16 or AVX512-BF16
            (`nnext.runtime.available_bf16`), which have bits of their own; the number of threads changes none.
            "float32" computes in the model's dtype.
        clip_norm : float, optional
            The length, > 0, that the gradients of all trainable parameters together may have in a step of `fit` or
            `step`: longer ones are all multiplied by ``clip_norm / (norm + 1e-6)``, before weight decay is added, as by
            PyTorch's ``clip_grad_norm_``. `grads` shows them as they were.
        accumulate : int
            How many batches, >= 1, a step of `fit` takes one after the other: with batches of `batch_size` rows it has
            the bits of a step with ``accumulate * batch_size`` rows, in the memory of one batch. The last step of an
            epoch may have fewer. But `BatchNorm1d` normalizes each batch by its own statistics, and a step moves its
            running statistics once, towards the mean, weighted by rows, of those of its batches. The loss of a
            function of your own is the mean, weighted by rows, of what it says of the batches. The batches of an own
            loop are yours: each `step` takes the last gradients.

        Raises
        ------
        ValueError, TypeError
            For unknown names, two metrics of one name, a loss that does not fit the last layer, metrics of classes
            where the network gives numbers, a precision that the model's dtype or the CPU lacks, or a clip_norm that is
            no finite number greater than 0, an `accumulate` below 1, or above with precision "bf16", whose sums cannot
            go on from batch to batch. Then nothing has changed.

        Examples
        --------
        >>> import nnext as nn
        >>> model = nn.MLP([4, 3, 2])
        >>> model.compile(loss="cross_entropy", optimizer=nn.SGD(lr=0.1), metrics=["accuracy"])

        A step of SGD is lr times the gradient, so no longer than lr times `clip_norm`:

        >>> model = nn.Sequential(nn.Linear(1, 1, bias=False, weight_init="zeros"), dtype="float64")
        >>> model.compile(loss="mse", optimizer=nn.SGD(lr=0.1), clip_norm=1.0)
        >>> loss, grads = model.loss_and_grads([[1.0]], [5.0])
        >>> model.step()
        >>> grads["0.weight"], model.state_dict()["0.weight"].round(6)
        (array([[-10.]]), array([[0.1]]))
        """
        compiled = Compiled(
            loss=losses.get(loss),
            optimizer=Optimizer.find("compile", "optimizer", optimizer),
            metrics=MappingProxyType(choose(metrics)),
            precision=_check.choice("compile", "precision", precision, ("float32", "bf16")),
            clip_norm=None if clip_norm is None else _check.number("compile", "clip_norm", clip_norm, above=0),
            accumulate=_check.integer("compile", "accumulate", accumulate, low=1),
        )
        outputs = self._engine.out_features(self.in_features) if self.in_features else None
        _decision.check(self.layers, outputs, compiled.core_loss)
        seen = Seen(classes=self._seen.classes, scale=self._seen.scale)
        if outputs is not None:
            _measure.check(compiled.metrics, _decision.decide(self.layers, outputs, compiled.core_loss, seen))
        self._engine.compile(
            compiled.core_loss,
            compiled.optimizer,
            precision=compiled.precision,
            clip_norm=compiled.clip_norm,
            accumulate=compiled.accumulate,
        )
        self._compiled, self._seen = compiled, seen

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
