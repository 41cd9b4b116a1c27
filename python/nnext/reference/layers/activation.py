"""Activations: layers without parameters, each a function with its gradient."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from nnext import layers as descriptions
from nnext.reference import activations
from nnext.reference.arrays import Array, channels_first, channels_last
from nnext.reference.layers.base import Draw, Layer

__all__ = ["Activation"]


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
    options: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def describes(cls, kind: str) -> bool:
        """Tell whether there is a function of the type's name in `activations`."""
        return getattr(descriptions.Layer.types().get(kind), "name", "") in activations.__all__

    @classmethod
    def build(cls, config: Mapping[str, Any], tensors: Mapping[str, Array], inner: Iterator[int]) -> Self:
        """Take the functions of that name, and the settings as their options."""
        name = descriptions.Layer.types()[config["type"]].name
        options = {key: value for key, value in config.items() if key != "type"}
        return cls(getattr(activations, name), getattr(activations, f"{name}_grad"), options)

    def forward(self, x: Array, draw: Draw | None) -> tuple[Array, Array]:
        """Apply the function to every element (Softmax: over features, those of each step, or channels)."""
        return channels_first(self.function(channels_last(x), **self.options)), x

    def backward(self, dy: Array, saved: Array) -> tuple[Array, dict[str, Array]]:
        """Apply the gradient."""
        return channels_first(self.gradient(channels_last(saved), channels_last(dy), **self.options)), {}
