"""Layers: each goes forward, ``y = f(x)``, and backward, from the loss's gradient in y to the one in x.

`forward` also returns what its `backward` will need. The chain rule is all there is to it: the gradient that a layer
hands back is the ``dy`` of the layer before it. Rows are samples throughout.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from nnext import layers as descriptions
from nnext.reference import activations, random
from nnext.reference.arrays import Array
from nnext.reference.products import matmul

__all__ = ["Activation", "Dropout", "Flatten", "Linear"]


@dataclass(frozen=True)
class Draw:
    """Where a training step finds its random numbers; there is none outside of training."""

    seed: int
    layer: int
    step: int


class Layer:
    """A layer without parameters; those with some override `parameters` and `build`."""

    @classmethod
    def build(cls, settings: Mapping[str, Any], parameters: Mapping[str, Array]) -> Self:
        """Build the layer from the settings in a configuration, around the given parameters."""
        return cls(**settings)

    def parameters(self) -> dict[str, Array]:
        """Return the weights by name: the arrays themselves, so that an optimizer can change them."""
        return {}

    def forward(self, x: Array, draw: Draw | None) -> tuple[Array, Any]:
        """Return ``y`` and what `backward` needs."""
        raise NotImplementedError

    def backward(self, dy: Array, saved: Any) -> tuple[Array, dict[str, Array]]:
        """Return ``dx`` and the gradients of the parameters."""
        raise NotImplementedError


@dataclass
class Linear(Layer):
    """``y = x W^T + b``: every output is a weighted sum of all inputs.

    Parameters
    ----------
    weight : array of shape (out_features, in_features)
    bias : array of shape (out_features,), or None for none

    Examples
    --------
    >>> import numpy as np
    >>> layer = Linear(np.array([[1.0, 2.0]]), bias=np.array([0.5]))
    >>> y, saved = layer.forward(np.array([[3.0, 4.0]]), None)
    >>> dx, grads = layer.backward(np.array([[1.0]]), saved)
    >>> y, dx, grads["weight"], grads["bias"]
    (array([[11.5]]), array([[1., 2.]]), array([[3., 4.]]), array([1.]))
    """

    weight: Array
    bias: Array | None = None

    @classmethod
    def build(cls, settings: Mapping[str, Any], parameters: Mapping[str, Array]) -> Self:
        """Build the layer around its arrays, whose sizes are its own."""
        return cls(parameters["weight"], parameters.get("bias"))

    def parameters(self) -> dict[str, Array]:
        """Return weight and bias."""
        return {"weight": self.weight} | ({} if self.bias is None else {"bias": self.bias})

    def forward(self, x: Array, draw: Draw | None) -> tuple[Array, Array]:
        """(n, in_features) -> (n, out_features)."""
        if x.ndim != 2 or x.shape[1] != self.weight.shape[1]:
            raise ValueError(
                f"[linear] x has shape {x.shape} but the layer expects (rows, {self.weight.shape[1]}); "
                "change in_features, or put Flatten before the layer"
            )
        y = matmul(x, self.weight, transpose_b=True)
        return (y if self.bias is None else y + self.bias), x

    def backward(self, dy: Array, saved: Array) -> tuple[Array, dict[str, Array]]:
        """``dx = dy W``, ``dW = dy^T x``, ``db = sum of dy over the rows``."""
        grads = {"weight": matmul(dy, saved, transpose_a=True)}
        if self.bias is not None:
            grads["bias"] = dy.sum(axis=0)
        return matmul(dy, self.weight), grads


@dataclass
class Activation(Layer):
    """An activation: a function and its gradient, with `options` such as the leaky ReLU's slope.

    Examples
    --------
    >>> import numpy as np
    >>> y, saved = Activation(activations.relu, activations.relu_grad).forward(np.array([[-1.0, 2.0]]), None)
    >>> y
    array([[0., 2.]])
    """

    function: Callable[..., Array]
    gradient: Callable[..., Array]
    options: dict[str, float] = field(default_factory=dict)

    def forward(self, x: Array, draw: Draw | None) -> tuple[Array, Array]:
        """Apply the function to every element (Softmax: to every row)."""
        return self.function(x, **self.options), x

    def backward(self, dy: Array, saved: Array) -> tuple[Array, dict[str, Array]]:
        """Apply the gradient."""
        return self.gradient(saved, dy, **self.options), {}


@dataclass
class Dropout(Layer):
    """In training, zero each element with probability p and scale the rest by ``1 / (1 - p)``; else change nothing.

    Source: Srivastava et al., JMLR 15 (2014).

    Examples
    --------
    >>> import numpy as np
    >>> y, mask = Dropout(0.5).forward(np.ones((1, 4)), Draw(seed=0, layer=0, step=0))
    >>> y
    array([[2., 0., 0., 2.]])
    """

    p: float = 0.5

    def forward(self, x: Array, draw: Draw | None) -> tuple[Array, Array | float]:
        """Multiply with a new mask."""
        if draw is None:
            return x, 1.0
        mask = random.dropout_mask(x.shape, self.p, draw.seed, draw.layer, draw.step).astype(x.dtype)
        return x * mask, mask

    def backward(self, dy: Array, saved: Array | float) -> tuple[Array, dict[str, Array]]:
        """Multiply with the same mask."""
        return dy * saved, {}


@dataclass
class Flatten(Layer):
    """(n, ...) -> (n, features): each sample becomes one row.

    Examples
    --------
    >>> import numpy as np
    >>> y, shape = Flatten().forward(np.ones((10, 28, 28)), None)
    >>> y.shape
    (10, 784)
    """

    def forward(self, x: Array, draw: Draw | None) -> tuple[Array, tuple[int, ...]]:
        """Reshape."""
        return x.reshape(len(x), -1), x.shape

    def backward(self, dy: Array, saved: tuple[int, ...]) -> tuple[Array, dict[str, Array]]:
        """Reshape back."""
        return dy.reshape(saved), {}


def from_config(config: Mapping[str, Any], parameters: Mapping[str, Array]) -> Layer:
    """Build the layer that an `nnext` layer's ``config()`` describes, around the given parameters.

    An activation is the function of its name in `activations`; every other layer is the class of its name above.

    Examples
    --------
    >>> from_config({"type": "Dropout", "p": 0.2}, {})
    Dropout(p=0.2)
    """
    kind, settings = config["type"], {key: value for key, value in config.items() if key != "type"}
    name = getattr(descriptions.Layer.types().get(kind), "name", "")
    if name in activations.__all__:
        return Activation(getattr(activations, name), getattr(activations, f"{name}_grad"), settings)
    known = {layer.__name__: layer for layer in Layer.__subclasses__()}
    if kind not in known:
        names = ", ".join([*known, *descriptions.Layer.names()])
        raise ValueError(f"[reference] no layer of type {kind!r}; known are {names}")
    return known[kind].build(settings, parameters)
