"""Sequential and MLP: a network, its parameters and its predictions. How it is trained is in training.py.

Long because each public method carries its documentation; the code is a few lines a method.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from nnext import _check, _core, losses, optimizers, training
from nnext.history import History
from nnext.layers import ACTIVATIONS, Dropout, Flatten, Layer, Linear, Sigmoid, Softmax
from nnext.losses import CustomLoss, Loss
from nnext.optimizers import Optimizer

if TYPE_CHECKING:
    import numpy.typing as npt

    Array = npt.NDArray[Any]

# Losses that are computed in one stable form together with a last layer of that type.
_FUSED = {("cross_entropy", Softmax): "cross_entropy", ("bce", Sigmoid): "bce_with_logits"}


class Sequential:
    """A network: layers, one after the other.

    Parameters
    ----------
    *layers : Layer
        At least one.
    seed : int
        Of all random numbers: start values, sample order, dropout. The same seed gives the same bits.
    dtype : {"float32", "float64"}
        Of parameters and computations.

    Attributes
    ----------
    layers : tuple of Layer
    seed : int
    dtype : numpy.dtype
    optimizer : Optimizer or None
        After ``compile``. Its ``lr`` may be changed.
    history : History or None
        Of the last ``fit``.
    stop_training : bool
        A callback sets it to end the fit after the present epoch.

    Raises
    ------
    ValueError, TypeError
        When the layers do not fit together, or a value is out of range.

    Examples
    --------
    >>> import numpy as np
    >>> import nnext as nn
    >>> model = nn.Sequential(nn.Linear(2, 8), nn.Tanh(), nn.Linear(8, 2), seed=0)
    >>> model.compile(loss="cross_entropy", optimizer=nn.Adam(lr=0.1))
    >>> X = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], dtype="float32")
    >>> history = model.fit(X, [0, 1, 1, 0], epochs=60, batch_size=4, verbose=0)
    >>> model.predict_classes(X)
    array([0, 1, 1, 0])
    """

    def __init__(self, *layers: Layer, seed: int = 0, dtype: npt.DTypeLike = "float32") -> None:
        if not layers:
            raise ValueError("[Sequential] there are no layers; give at least one, for example Linear(2, 1)")
        for i, layer in enumerate(layers):
            if not isinstance(layer, Layer):
                raise TypeError(f"[Sequential] layer {i} is {layer!r}; give layers such as Linear(2, 1) or ReLU()")
        name = _check.float_dtype("Sequential", dtype)
        self.layers = tuple(layers)
        self.seed = _check.integer("Sequential", "seed", seed, low=0, high=2**64 - 1)
        self.dtype = np.dtype(name)
        self._core: _core._Network[Any] = (_core.Network32 if name == "float32" else _core.Network64)(self.seed)
        for layer in layers:
            layer.add_to(self._core)
        self._flatten = isinstance(layers[0], Flatten)
        self._frozen: set[int] = set()
        self._compiled: dict[str, Any] = {}
        self.optimizer: Optimizer | None = None
        self.history: History | None = None
        self.stop_training = False
        in_features = self._core.in_features()
        self._core.out_features(in_features if in_features else 1)  # the layers fit together

    # ---- description -------------------------------------------------------------------------------------------

    def __repr__(self) -> str:
        return (
            f"{type(self).__name__}({', '.join(map(repr, self.layers))}, seed={self.seed}, dtype={self.dtype.name!r})"
        )

    @property
    def in_features(self) -> int | None:
        """Features of a sample; None where any number is taken.

        Examples
        --------
        >>> import nnext as nn
        >>> nn.MLP([784, 10]).in_features
        784
        """
        return self._core.in_features() or None

    def count_params(self) -> int:
        """Return the number of parameters.

        Examples
        --------
        >>> import nnext as nn
        >>> nn.MLP([784, 128, 10]).count_params()
        101770
        """
        return sum(int(np.prod(shape)) for _, _, shape in self._core.parameters())

    def summary(self) -> None:
        """Print a table of the layers with their output shapes and numbers of parameters.

        Examples
        --------
        >>> import nnext as nn
        >>> nn.Sequential(nn.Linear(4, 3), nn.ReLU()).summary()
        layer      output   params
        0 Linear   (n, 3)       15
        1 ReLU     (n, 3)        0
        total                   15
        """
        print(training.summary_table(self))

    # ---- parameters --------------------------------------------------------------------------------------------

    def _parameter_names(self) -> list[str]:
        return [f"{layer}.{name}" for layer, name, _ in self._core.parameters()]

    def state_dict(self) -> dict[str, Array]:
        """Return copies of all parameters under PyTorch's names and shapes.

        Returns
        -------
        dict of str to ndarray
            "0.weight" of shape (out_features, in_features), "0.bias" of shape (out_features,), and so on.

        Examples
        --------
        >>> import nnext as nn
        >>> {name: array.shape for name, array in nn.MLP([4, 3, 2]).state_dict().items()}
        {'0.weight': (3, 4), '0.bias': (3,), '2.weight': (2, 3), '2.bias': (2,)}
        """
        return dict(zip(self._parameter_names(), self._core.get_parameters(), strict=True))

    def load_state_dict(self, sd: Mapping[str, npt.ArrayLike], strict: bool = True) -> None:
        """Set parameters from arrays. Everything is checked before anything changes.

        Parameters
        ----------
        sd : mapping of str to array_like
            As ``state_dict`` gives it.
        strict : bool
            Whether the names must be exactly the model's; otherwise others are ignored and missing ones kept.

        Raises
        ------
        ValueError, TypeError
            For missing or unexpected names, wrong shapes, or values that are not real numbers.

        Examples
        --------
        >>> import nnext as nn
        >>> a, b = nn.MLP([4, 3, 2], seed=1), nn.MLP([4, 3, 2], seed=2)
        >>> b.load_state_dict(a.state_dict())
        """
        names = self._parameter_names()
        missing, unexpected = [n for n in names if n not in sd], [n for n in sd if n not in names]
        if strict and (missing or unexpected):
            raise ValueError(
                f"[load_state_dict] missing {missing}, unexpected {unexpected}; the model has {names}. "
                "Give exactly those, or strict=False"
            )
        self._core.set_parameters({i: sd[name] for i, name in enumerate(names) if name in sd})

    def freeze(self, *names: str) -> None:
        """Keep layers as they are in training.

        Parameters
        ----------
        *names : str
            Positions of layers, as in the names of ``state_dict``: "0" for "0.weight" and "0.bias".

        Raises
        ------
        ValueError
            For a name that no layer with parameters has.

        Examples
        --------
        >>> import nnext as nn
        >>> model = nn.MLP([4, 3, 2])
        >>> model.freeze("0")
        """
        self._set_trainable("freeze", names, False)

    def unfreeze(self, *names: str) -> None:
        """Let layers change again; the inverse of ``freeze``.

        Parameters
        ----------
        *names : str
            As in ``freeze``.

        Examples
        --------
        >>> import nnext as nn
        >>> model = nn.MLP([4, 3, 2])
        >>> model.freeze("0", "2")
        >>> model.unfreeze("2")
        """
        self._set_trainable("unfreeze", names, True)

    def _set_trainable(self, operation: str, names: Sequence[str], trainable: bool) -> None:
        known = {str(layer): layer for layer, _, _ in self._core.parameters()}
        chosen = [known[_check.choice(operation, "layer", str(name), known)] for name in names]
        for layer in chosen:
            self._core.set_trainable(layer, trainable)
            (self._frozen.discard if trainable else self._frozen.add)(layer)

    # ---- compile and fit ---------------------------------------------------------------------------------------

    def compile(
        self,
        loss: str | Loss | CustomLoss,
        optimizer: str | Optimizer = "adam",
        metrics: Sequence[str | Callable[[Any, Any], float]] = (),
        precision: str = "float32",
    ) -> None:
        """Choose what to minimize, how, and what to report.

        Parameters
        ----------
        loss : str, Loss or callable
            "mse", "bce", "bce_with_logits" or "cross_entropy", an object such as ``nn.CrossEntropy()``, or any
            ``f(y_pred, y) -> (loss, grad)`` with the gradient of y_pred's shape.
        optimizer : str or Optimizer
            "sgd", "adam", "adagrad", or an object with settings. It starts with fresh state.
        metrics : sequence of str or callable
            Names from `nnext.metrics`, or ``f(y_true, y_pred) -> float``.
        precision : {"float32", "bf16"}
            Of the products in training. "bf16" rounds the operands of those of `Linear` layers that are 32 or more wide
            on both sides to 8 bits of mantissa (to nearest even, subnormal numbers to zero) and sums in float32;
            parameters, gradients, activations and the optimizer's sums stay float32, and so do the products of
            `predict`, `evaluate` and validation. It needs a CPU with AMX-BF16 or AVX512-BF16
            (`nnext.runtime.available_bf16`), which have bits of their own; the number of threads changes none.
            "float32" computes in the model's dtype.

        Raises
        ------
        ValueError, TypeError
            For unknown names, a loss that does not fit the last layer, or a precision that the model's dtype or the CPU
            lacks.

        Examples
        --------
        >>> import nnext as nn
        >>> model = nn.MLP([4, 3, 2])
        >>> model.compile(loss="cross_entropy", optimizer=nn.SGD(lr=0.1), metrics=["accuracy"])
        """
        chosen_loss, chosen_optimizer = losses.get(loss), optimizers.get(optimizer)
        chosen_metrics = training.named_metrics(metrics)
        _check.choice("compile", "precision", precision, ("float32", "bf16"))
        if precision == "bf16":
            self._core.find_bf16()  # or it refuses
        fused = None
        if isinstance(chosen_loss, Loss):
            outputs = self._core.out_features(self._core.in_features() or 1)
            if chosen_loss.name == "cross_entropy" and self.in_features and outputs < 2:
                raise ValueError(
                    "[compile] cross_entropy needs an output for each class but the network has 1; give it 2 or more, "
                    "or use loss='bce_with_logits'"
                )
            fused = _FUSED.get((chosen_loss.name, type(self.layers[-1])))
        chosen_optimizer.set_on(self._core)  # first: it may refuse
        if isinstance(chosen_loss, Loss):
            self._core.set_loss(fused or chosen_loss.name, fused is not None)
        self._core.set_precision(precision)
        self._compiled = {"loss": chosen_loss, "metrics": chosen_metrics, "precision": precision}
        self.optimizer = chosen_optimizer

    def fit(
        self,
        X: npt.ArrayLike,
        y: npt.ArrayLike,
        epochs: int = 1,
        batch_size: int = 32,
        validation_data: Sequence[Any] | None = None,
        validation_split: float = 0.0,
        shuffle: bool = True,
        sample_weight: npt.ArrayLike | None = None,
        class_weight: Mapping[int, float] | str | None = None,
        callbacks: Sequence[Any] = (),
        verbose: Any = "auto",
        scale: float = 1.0,
    ) -> History:
        """Train: go through all samples `epochs` times, in batches, with one step of the optimizer a batch.

        Parameters
        ----------
        X : array_like of shape (n, features)
            Samples; (n, ...) when the first layer is Flatten. Real numbers of any dtype and layout. float32, float64
            and uint8 whose rows lie in one piece, also in a file (`numpy.memmap`), are read where they lie, batch by
            batch, and must not change meanwhile; everything else is converted to the model's dtype first.
        y : array_like of shape (n,), (n, 1) or (n, outputs)
            Class labels or one-hot rows for cross_entropy, targets of the output's shape for the other losses.
        epochs, batch_size : int
            At least 1. The last batch of an epoch may be smaller.
        validation_data : (X, y) or (X, y, sample_weight), optional
            Evaluated after each epoch.
        validation_split : float
            The last part of X and y to hold out for validation instead, 0 <= split < 1.
        shuffle : bool
            Take the samples in a new order in each epoch, a function of seed and epoch.
        sample_weight : array_like of shape (n,), optional
            How much each sample counts, >= 0: the loss of a batch is the weighted mean of its samples' losses.
        class_weight : mapping of int to float, or "balanced", optional
            A factor on the weights of each class's samples; "balanced" makes all classes count alike.
        callbacks : sequence of Callback
            See `nnext.callbacks`.
        verbose : {"auto", 0, 1, 2}
            Progress: "auto" shows a bar in a terminal, a few lines elsewhere; 0 nothing, 1 a bar, 2 a line an epoch.
        scale : float
            A factor on X and on the X of validation, not 0: the network sees ``X * scale``, rounded as by
            ``X.astype(dtype) * dtype.type(scale)`` with the model's dtype, but no such array is made. 1/255 suits
            images in bytes. `evaluate` and `predict` need the same.

        Returns
        -------
        History
            Loss and metrics of each epoch, told from the outputs during training; also ``model.history``.

        Raises
        ------
        ValueError, TypeError
            For arrays or values that do not fit; the message names both sides and the cure.
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
        >>> model.evaluate(X / 16, y)["accuracy"] > 0.95
        True
        """
        options = training.FitOptions(
            epochs=_check.integer("fit", "epochs", epochs, low=1),
            batch_size=_check.integer("fit", "batch_size", batch_size, low=1),
            validation_data=validation_data,
            validation_split=_check.number("fit", "validation_split", validation_split, low=0, high=1, below=True),
            shuffle=bool(shuffle),
            sample_weight=sample_weight,
            class_weight=class_weight,
            callbacks=tuple(callbacks),
            verbose=verbose,
            scale=scale,
        )
        return training.fit(self, X, y, options)

    def evaluate(
        self,
        X: npt.ArrayLike,
        y: npt.ArrayLike,
        batch_size: int | None = None,
        sample_weight: Any = None,
        scale: float = 1.0,
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
            "loss" and the compiled metrics.

        Examples
        --------
        >>> import nnext as nn
        >>> model = nn.MLP([4, 3, 2])
        >>> model.compile(loss="cross_entropy", metrics=["accuracy"])
        >>> sorted(model.evaluate([[1, 2, 3, 4]], [1]))
        ['accuracy', 'loss']
        """
        _check_batch_size("evaluate", batch_size)
        return training.evaluate(self, X, y, sample_weight, scale)

    # ---- predictions -------------------------------------------------------------------------------------------

    def predict(
        self,
        X: npt.ArrayLike,
        batch_size: int | None = None,
        out: Array | None = None,
        check: bool = True,
        scale: float = 1.0,
    ) -> Array:
        """Return what the last layer gives for each row of X. Changes nothing, so any number of threads may call it.

        Parameters
        ----------
        X : array_like of shape (n, features)
        batch_size : int, optional
            Taken for Keras' sake; the core chooses its own blocks, and results do not depend on them.
        out : ndarray of shape (n, outputs), optional
            Where to write the result: of the model's dtype, C-contiguous.
        check : bool
            Refuse NaN and infinite values in X. Without it NaN in gives NaN out.
        scale : float
            A factor on X, not 0: the network sees ``X * scale``.

        Returns
        -------
        ndarray of shape (n, outputs)
            Of the model's dtype.

        Examples
        --------
        >>> import nnext as nn
        >>> nn.MLP([4, 3, 2]).predict([[1, 2, 3, 4]]).shape
        (1, 2)

        Bytes, taken as numbers from 0 to 1:

        >>> X = np.array([[0, 51, 255]], dtype="uint8")
        >>> nn.Sequential(nn.Identity()).predict(X, scale=1 / 255).round(3)
        array([[0. , 0.2, 1. ]], dtype=float32)
        """
        _check_batch_size("predict", batch_size)
        return self._core.predict(X, out, bool(check), self._flatten, scale)

    def compile_inference(self) -> _core.Predictor:
        """Return the network as it is now, frozen, for predictions of one sample in a microsecond.

        Returns
        -------
        Predictor
            Call it with a sample of shape (features,) or rows of shape (n, features), and ``out=`` to write into an
            array of your own. It never changes, also when the model is trained on; any number of threads may call it.

        Raises
        ------
        ValueError
            When the network takes any number of features, that is, has no Linear layer.

        Examples
        --------
        >>> import nnext as nn
        >>> predictor = nn.MLP([4, 3, 2]).compile_inference()
        >>> predictor(np.ones(4, dtype="float32")).shape
        (2,)
        """
        if self.in_features is None:
            raise ValueError(
                "[compile_inference] the network takes any number of features; give it a layer such as Linear(4, 2)"
            )
        frozen = type(self._core)(self.seed)
        for layer in self.layers:
            layer.add_to(frozen)
        frozen.set_parameters(dict(enumerate(self._core.get_parameters())))
        return _core.make_predictor(frozen, self._flatten)

    def predict_proba(self, X: npt.ArrayLike, scale: float = 1.0) -> Array:
        """Return the probability of each class.

        The outputs themselves after a last Softmax or Sigmoid layer, else their softmax, or their sigmoid with a loss
        on logits. A single output stands for two classes and gives two columns.

        Parameters
        ----------
        X : array_like of shape (n, features)
        scale : float
            A factor on X, not 0: the network sees ``X * scale``.

        Returns
        -------
        ndarray of shape (n, classes)

        Examples
        --------
        >>> import nnext as nn
        >>> nn.MLP([4, 3, 2]).predict_proba([[1, 2, 3, 4]]).sum(axis=1).round(6)
        array([1.], dtype=float32)
        """
        outputs = training.probabilities(self, self.predict(X, scale=scale))
        return np.hstack([1 - outputs, outputs]) if outputs.shape[1] == 1 else outputs

    def predict_classes(self, X: npt.ArrayLike, scale: float = 1.0) -> Array:
        """Return the most probable class of each sample.

        With several outputs and a binary loss, where a sample may have several labels, 0 or 1 for each output.

        Parameters
        ----------
        X : array_like of shape (n, features)
        scale : float
            A factor on X, not 0: the network sees ``X * scale``.

        Returns
        -------
        ndarray of int, of shape (n,), or (n, outputs) for several labels a sample

        Examples
        --------
        >>> import nnext as nn
        >>> nn.MLP([4, 3, 2]).predict_classes([[1, 2, 3, 4]]).shape
        (1,)
        """
        probabilities = self.predict_proba(X, scale)
        if training.is_multilabel(self, probabilities.shape[1]):
            return (probabilities > 0.5).astype(np.int64)
        classes: Array = probabilities.argmax(axis=1)
        return classes

    # ---- own loops ---------------------------------------------------------------------------------------------

    def forward(self, X: npt.ArrayLike, training: bool = True, scale: float = 1.0) -> Array:
        """Return the network's output and remember what ``backward`` needs.

        Parameters
        ----------
        X : array_like of shape (n, features)
        training : bool
            Whether Dropout acts. ``backward`` needs True.
        scale : float
            A factor on X, not 0: the network sees ``X * scale``.

        Returns
        -------
        ndarray of shape (n, outputs)

        Examples
        --------
        >>> import nnext as nn
        >>> model = nn.Sequential(nn.Linear(2, 1), dtype="float64")
        >>> model.compile(loss="mse", optimizer=nn.SGD(lr=0.1))
        >>> y = model.forward([[1.0, 2.0]])
        >>> dX = model.backward(2 * (y - 1.0))
        >>> model.step()
        """
        return self._core.forward(X, bool(training), self._flatten, scale)

    def backward(self, dY: npt.ArrayLike) -> Array:
        """Compute all gradients from that of the last ``forward``'s output.

        Parameters
        ----------
        dY : array_like of shape (n, outputs)

        Returns
        -------
        ndarray of shape (n, features)
            The gradient of X, or of ``X * scale``. Those of the parameters are in ``grads()``.

        Raises
        ------
        RuntimeError
            Without a ``forward(X, training=True)`` before.

        Examples
        --------
        >>> import nnext as nn
        >>> model = nn.Sequential(nn.ReLU())
        >>> y = model.forward([[1.0, -1.0]])
        >>> model.backward([[5.0, 5.0]])
        array([[5., 0.]], dtype=float32)
        """
        return self._core.backward(dY)

    def grads(self) -> dict[str, Array]:
        """Return the gradients of the last ``backward`` or ``loss_and_grads``, under the names of ``state_dict``.

        Frozen layers have zero gradients.

        Raises
        ------
        RuntimeError
            When there are none, or a step has used them up.

        Examples
        --------
        >>> import nnext as nn
        >>> model = nn.Sequential(nn.Linear(2, 1), dtype="float64")
        >>> y = model.forward([[1.0, 2.0]])
        >>> dX = model.backward([[1.0]])
        >>> model.grads()["0.weight"]
        array([[1., 2.]])
        """
        return dict(zip(self._parameter_names(), self._core.get_gradients(), strict=True))

    def step(self) -> None:
        """Change the parameters along the last gradients, by the compiled optimizer.

        Raises
        ------
        RuntimeError
            Without ``compile``, or without gradients.

        Examples
        --------
        >>> import nnext as nn
        >>> model = nn.Sequential(nn.Linear(2, 1))
        >>> model.compile(loss="mse", optimizer=nn.SGD(lr=0.1))
        >>> loss, grads = model.loss_and_grads([[1.0, 2.0]], [3.0])
        >>> model.step()
        """
        if self.optimizer is None:
            raise RuntimeError("[step] the model has no optimizer; call compile(loss=..., optimizer=...) first")
        self._core.step(self.optimizer.lr)

    def loss_and_grads(
        self, X: npt.ArrayLike, y: npt.ArrayLike, sample_weight: npt.ArrayLike | None = None, scale: float = 1.0
    ) -> tuple[float, dict[str, Array]]:
        """Return the loss on a batch and its gradients, in training mode. Changes no parameter.

        Dropout uses the mask of the step to come, so that repeated calls agree.

        Parameters
        ----------
        X, y, sample_weight, scale
            As in ``fit``.

        Returns
        -------
        loss : float
        grads : dict of str to ndarray
            Under the names of ``state_dict``.

        Examples
        --------
        >>> import nnext as nn
        >>> model = nn.MLP([4, 3, 2])
        >>> model.compile(loss="cross_entropy")
        >>> loss, grads = model.loss_and_grads([[1, 2, 3, 4]], [1])
        >>> grads["2.bias"].shape
        (2,)
        """
        loss = training.loss_and_gradients(self, X, y, sample_weight, scale)
        return loss, self.grads()

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the model to a safetensors file: architecture, parameters, settings and state of the training.

        Parameters
        ----------
        path : str or path-like
            Replaced as a whole: an interrupted save leaves the old file.

        Examples
        --------
        >>> import nnext as nn, tempfile, os
        >>> model = nn.MLP([4, 3, 2])
        >>> path = os.path.join(tempfile.mkdtemp(), "m.safetensors")
        >>> model.save(path)
        >>> nn.load(path).count_params()
        23
        """
        from nnext import io

        io.save(self, path)


class MLP(Sequential):
    """A multilayer perceptron: Linear layers with an activation, and dropout if wanted, between them.

    Parameters
    ----------
    sizes : sequence of int
        Features, units of each hidden layer, outputs: at least two numbers.
    activation : str or Layer
        "identity", "relu", "leaky_relu", "tanh", "sigmoid", "softmax", or a layer. The output has none.
    dropout : float
        Probability of an element to be dropped after each hidden activation.
    batch_norm : bool
        Batch normalization is not part of this version; only False is taken.
    seed, dtype
        As in Sequential.

    Raises
    ------
    ValueError, TypeError
        For values out of range.

    Examples
    --------
    >>> import nnext as nn
    >>> nn.MLP([4, 3, 2]).layers[1]
    ReLU()
    """

    def __init__(
        self,
        sizes: Sequence[int],
        activation: str | Layer = "relu",
        dropout: float = 0.0,
        batch_norm: bool = False,
        seed: int = 0,
        dtype: npt.DTypeLike = "float32",
    ) -> None:
        if not isinstance(sizes, Iterable):
            raise TypeError(f"[MLP] sizes is {sizes!r}; give at least features and outputs, for example [4, 2]")
        sizes = list(sizes)
        if len(sizes) < 2:
            raise ValueError(f"[MLP] sizes is {sizes!r}; give at least features and outputs, for example [4, 2]")
        if batch_norm:
            raise ValueError("[MLP] batch_norm=True, but this version has no BatchNorm1d layer; use batch_norm=False")
        if not isinstance(activation, Layer):
            activation = ACTIVATIONS[_check.choice("MLP", "activation", activation, ACTIVATIONS)]()
        hidden = [activation] + ([Dropout(dropout)] if dropout else [])
        layers: list[Layer] = []
        for i, (in_features, out_features) in enumerate(pairwise(sizes)):
            layers += [*(hidden if i else []), Linear(in_features, out_features)]
        super().__init__(*layers, seed=seed, dtype=dtype)


def _check_batch_size(operation: str, batch_size: int | None) -> None:
    if batch_size is not None:
        _check.integer(operation, "batch_size", batch_size, low=1)
