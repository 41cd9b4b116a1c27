"""A network: layers in a row, a loss at the end, an optimizer that follows the loss downhill."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count
from typing import Any

import numpy as np
import numpy.typing as npt

from nnext.losses import Loss
from nnext.reference import random
from nnext.reference.arrays import Array, as_images, in_lines
from nnext.reference.heads import head
from nnext.reference.layers import Chain, Draw, Layer, inner_numbers
from nnext.reference.optimizers import SGD
from nnext.reference.optimizers.base import Optimizer, clipped, limited
from nnext.reference.targets import counted


class Network:
    """Layers in a row, trained by backpropagation, in plain NumPy.

    Parameters
    ----------
    layers : sequence of Layer
        The first takes the input, the last gives the output.
    loss : str or nnext.losses.Loss
        Its name, such as "mse", or an object. ``cross_entropy`` takes logits, or probabilities when the last layer is
        Softmax.
    optimizer : Optimizer, optional
        `SGD()` when absent.
    seed : int
        Decides dropout and the order of the samples.
    dtype : {"float32", "float64"}
        Type of every number.
    clip_norm : float, optional
        How long the gradients of a step may be together; longer ones are scaled down to it.
    clip_value : float, optional
        How large each of their elements may then be.

    Examples
    --------
    >>> net = Network.from_config(
    ...     [
    ...         {"type": "Linear", "in_features": 2, "out_features": 8, "bias": True},
    ...         {"type": "Tanh"},
    ...         {"type": "Linear", "in_features": 8, "out_features": 2, "bias": True},
    ...     ],
    ...     loss="cross_entropy",
    ...     optimizer=SGD(lr=0.5, momentum=0.9),
    ... )
    >>> X, y = np.array([[0, 0], [0, 1], [1, 0], [1, 1]]), np.array([0, 1, 1, 0])
    >>> history = net.fit(X, y, epochs=100, batch_size=4)
    >>> net.predict(X).argmax(axis=1)
    array([0, 1, 1, 0])
    """

    def __init__(
        self,
        layers: Sequence[Layer],
        loss: str | Loss = "mse",
        optimizer: Optimizer | None = None,
        seed: int = 0,
        dtype: str = "float64",
        clip_norm: float | None = None,
        clip_value: float | None = None,
    ) -> None:
        self._chain = Chain(list(layers), range(len(layers)))
        self.loss = Loss.find("reference", "loss", loss)
        self.optimizer = SGD() if optimizer is None else optimizer
        self.seed = seed
        self.dtype = np.dtype(dtype)
        self.clip_norm, self.clip_value = clip_norm, clip_value
        self.steps = 0  # optimizer steps and epochs over the network's whole life: they name the random streams
        self.epochs = 0
        self._saved: list[Any] = []
        self._shape: tuple[int, ...] = ()  # of the last X
        self._grads: dict[str, Array] = {}

    @classmethod
    def from_config(
        cls,
        configs: Sequence[dict[str, Any]],
        parameters: dict[str, Array] | None = None,
        loss: str | Loss = "mse",
        optimizer: Optimizer | None = None,
        seed: int = 0,
        dtype: str = "float64",
        clip_norm: float | None = None,
        numbering: tuple[int, int] = (0, 0),
        clip_value: float | None = None,
    ) -> Network:
        """Build a network from its layers' descriptions, such as ``{"type": "Dropout", "p": 0.2}``.

        `parameters` holds weights by name ("0.weight", "0.bias", ...), and buffers; without it Linear layers draw
        PyTorch's default. `numbering` says how many layers of a larger network came before, of which random numbers
        go on: those that no other held, and those that were held.
        """
        before, inner = numbering
        if parameters is None:
            parameters = Chain.start(configs, seed, count(before), inner_numbers(inner))
        own = {name: np.array(values, dtype=dtype) for name, values in parameters.items()}
        chain = Chain.build(configs, own, count(before), inner_numbers(inner))
        return cls(chain.layers, loss, optimizer, seed, dtype, clip_norm, clip_value)

    @classmethod
    def from_model(
        cls,
        model: Any,
        loss: str | Loss = "mse",
        optimizer: Optimizer | None = None,
        clip_norm: float | None = None,
        clip_value: float | None = None,
    ) -> Network:
        """Build the same network as an `nnext` model, with copies of its weights, its seed and its dtype.

        The new network has made no training step yet, so a fit agrees with the model's when the model is as new. The
        names of a slice begin with "0" here.
        """
        configs, numbering = [layer.config() for layer in model.layers], model.engine.numbering
        first, _ = numbering
        parameters = {}
        for name, array in model.state_dict().items():
            place, _, rest = name.partition(".")
            parameters[f"{int(place) - first}.{rest}"] = array
        dtype = str(np.dtype(model.dtype))
        return cls.from_config(
            configs, parameters, loss, optimizer, model.seed, dtype, clip_norm, numbering, clip_value
        )

    @property
    def layers(self) -> Sequence[Layer]:
        """The layers, first to last."""
        return self._chain.layers

    def state_dict(self) -> dict[str, Array]:
        """Return copies of all weights and buffers by name."""
        return {name: array.copy() for name, array in self._chain.named("tensors").items()}

    # ---- One step -----------------------------------------------------------------------------------------------

    def forward(self, X: npt.ArrayLike, training: bool = False) -> Array:
        """Return the output for the rows of X, and remember what `backward` needs. Only training drops elements."""
        return self._shown(self._forward(X, training, len(self.layers)))

    def _forward(self, X: npt.ArrayLike, training: bool, stop: int) -> Array:
        draw = Draw(self.seed, 0, self.steps) if training else None
        x = np.asarray(X, dtype=self.dtype)
        self._shape = x.shape
        y, self._saved = self._chain.forward(self._samples(x), draw, stop)
        return y

    def _samples(self, x: Array) -> Array:
        return as_images(x, self._chain.image_axes())

    def _are_signals(self, y: Array) -> bool:
        return self._chain.image_axes() == 1 and y.ndim == 4

    def _shown(self, y: Array) -> Array:
        return y[:, :, 0] if self._are_signals(y) else y

    def _compared(self, y: Array, *given: npt.ArrayLike | None) -> list[Any]:
        """Return targets and weights as the outputs y lie: those of signals have the axis of lines, too."""
        return [in_lines(values) if self._are_signals(y) and values is not None else values for values in given]

    def backward(self, dY: npt.ArrayLike) -> Array:
        """Take the loss's gradient in the output of the last `forward`, give the one in its input, and keep `grads`."""
        dy = np.asarray(dY, dtype=self.dtype)
        dy = in_lines(dy) if self._chain.image_axes() == 1 and dy.ndim == 3 else dy
        dx, self._grads = self._chain.backward(dy, self._saved)
        return dx.reshape(self._shape)

    def grads(self) -> dict[str, Array]:
        """Return the gradients of the last `backward`, under the names of `state_dict`."""
        return dict(self._grads)

    def step(self) -> None:
        """Change the weights along the last gradients, and buffers by the last `forward`.

        With `clip_norm` all gradients together are at most so long (`clipped`), with `clip_value` none of their
        elements is larger (`limited`).

        Examples
        --------
        >>> from nnext.reference import Linear
        >>> net = Network([Linear(np.array([[2.0]]))], loss="mse", optimizer=SGD(lr=0.1))
        >>> loss, grads = net.loss_and_grads([[1.0]], [[5.0]])
        >>> net.step()
        >>> loss, grads["0.weight"], net.state_dict()["0.weight"]
        (9.0, array([[-6.]]), array([[2.6]]))
        """
        grads = self._grads if self.clip_norm is None else clipped(self._grads, self.clip_norm)
        grads = grads if self.clip_value is None else limited(grads, self.clip_value)
        self.optimizer.step(self._chain.named("parameters"), grads)
        self._chain.update(self._saved)
        self.steps += 1

    def loss_and_grads(
        self, X: npt.ArrayLike, y: npt.ArrayLike, sample_weight: npt.ArrayLike | None = None, training: bool = True
    ) -> tuple[float, dict[str, Array]]:
        """Return the loss on a batch and its gradients. `training` decides whether Dropout drops."""
        loss, loss_grad, stop = head(self.layers, self.loss)
        y_pred = self._forward(X, training, stop)
        y, sample_weight = self._compared(y_pred, y, sample_weight)
        self.backward(loss_grad(y_pred, y, sample_weight))
        return float(loss(y_pred, y, sample_weight)), self.grads()

    def _descend(self, X: Array, y: Array, weight: Array) -> float:
        """Take a step for a batch: ``sum_i w_i l_i / rows`` with weights whose mean over all samples is 1."""
        share = float(weight.mean())
        loss, grads = self.loss_and_grads(X, y, weight)
        self._grads = {name: share * g for name, g in grads.items()}
        self.step()
        return share * loss

    # ---- Whole data sets ----------------------------------------------------------------------------------------

    def predict(self, X: npt.ArrayLike) -> Array:
        """Return the output for the rows of X."""
        return self._shown(self._chain.forward(self._samples(np.asarray(X, dtype=self.dtype)), None)[0])

    def evaluate(self, X: npt.ArrayLike, y: npt.ArrayLike, sample_weight: npt.ArrayLike | None = None) -> float:
        """Return the loss on X and y."""
        loss, _, stop = head(self.layers, self.loss)
        y_pred = self._forward(X, False, stop)
        return float(loss(y_pred, *self._compared(y_pred, y, sample_weight)))

    def fit(
        self,
        X: npt.ArrayLike,
        y: npt.ArrayLike,
        epochs: int = 1,
        batch_size: int = 32,
        shuffle: bool = True,
        sample_weight: npt.ArrayLike | None = None,
        rates: Sequence[float] | None = None,
    ) -> dict[str, list[float]]:
        """Train: every epoch goes through all samples once, in batches, with one step of the optimizer a batch.

        Parameters
        ----------
        X : array of shape (n, ...)
            Features, sequences (n, T, F), images (n, C, H, W) or signals (n, C, L); these two also without C.
        y : array of shape (n,) or (n, outputs)
        epochs, batch_size : int
            The last batch of an epoch may be smaller.
        shuffle : bool
            Take the samples in a new order in every epoch, the same that the C++ core takes.
        sample_weight : array of shape (n,) or, where the loss is a mean over outputs, (n, outputs), optional
            Divided by their mean over all samples, so that a batch of those that count much counts more.
        rates : sequence of float, optional
            The learning rate of each step of all epochs; by default the optimizer keeps its own.

        Returns
        -------
        dict
            ``{"loss": [...]}``: per epoch the weighted mean of the samples' losses, each before the step of its batch.

        Examples
        --------
        The second sample counts three times as much, so 1.5 where the first one counts 0.5:

        >>> from nnext.reference import Linear
        >>> net = Network([Linear(np.array([[0.0]]))], loss="mse", optimizer=SGD(lr=0.5))
        >>> net.fit([[1], [0]], [1.0, 2.0], batch_size=1, sample_weight=[1, 3], shuffle=False)
        {'loss': [3.25]}
        >>> net.state_dict()["0.weight"]
        array([[0.5]])
        """
        X, y, weight = counted(np.asarray(X, dtype=self.dtype), np.asarray(y), sample_weight)
        steps = epochs * -(-len(X) // batch_size)
        if rates is not None and len(rates) != steps:
            raise ValueError(f"[fit] there are {len(rates)} rates but {steps} steps; give one for each")
        lr = iter(() if rates is None else rates)
        history = []
        for _ in range(epochs):
            order = np.arange(len(X))
            if shuffle:
                order = random.permutation(len(X), self.seed, random.stream(random.SHUFFLE, 0, self.epochs))
            total = 0.0
            for start in range(0, len(X), batch_size):
                rows = order[start : start + batch_size]
                self.optimizer.lr = next(lr, self.optimizer.lr)
                total += len(rows) * self._descend(X[rows], y[rows], weight[rows])
            self.epochs += 1
            history.append(total / len(X))
        return {"loss": history}
