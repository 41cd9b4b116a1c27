"""What all layers of the reference have in common, and how one comes of a description."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import count
from typing import Any, Self

from nnext import layers as descriptions
from nnext.reference.arrays import Array


@dataclass(frozen=True)
class Draw:
    """Where a training step finds its random numbers; there is none outside of training."""

    seed: int
    layer: int
    step: int


def inner_numbers(before: int = 0) -> Iterator[int]:
    """Return the numbers of layers that others hold, in their order; the others are numbered by their place."""
    return count((1 << 13) + before)


class Layer:
    """A layer without numbers of its own; those with some override `parameters`, `build` and `start`."""

    @classmethod
    def describes(cls, kind: str) -> bool:
        """Tell whether configurations of that type mean this layer."""
        return kind == cls.__name__

    @classmethod
    def build(cls, config: Mapping[str, Any], tensors: Mapping[str, Array], inner: Iterator[int]) -> Self:
        """Build the layer from its configuration around given arrays; `inner` numbers the layers that it holds."""
        return cls(**{key: value for key, value in config.items() if key != "type"})

    @classmethod
    def start(cls, config: Mapping[str, Any], seed: int, number: int, inner: Iterator[int]) -> dict[str, Array]:
        """Return the arrays that such a layer starts from, by name."""
        return {}

    def parameters(self) -> dict[str, Array]:
        """Return the weights by name: the arrays themselves, so that an optimizer can change them."""
        return {}

    def buffers(self) -> dict[str, Array]:
        """Return what the layer itself changes with a step, such as running statistics: the arrays themselves."""
        return {}

    def tensors(self) -> dict[str, Array]:
        """Return parameters and buffers."""
        return self.parameters() | self.buffers()

    def image_axes(self) -> int | None:
        """Return how many axes x has after that of channels: 2 of images, 1 of signals; 0 for any, None if unsaid."""
        return None

    def forward(self, x: Array, draw: Draw | None) -> tuple[Array, Any]:
        """Return ``y`` and what `backward` needs."""
        raise NotImplementedError

    def backward(self, dy: Array, saved: Any) -> tuple[Array, dict[str, Array]]:
        """Return ``dx`` and the gradients of the parameters."""
        raise NotImplementedError

    def update(self, saved: Any) -> None:
        """Take a step: change the buffers by what the last `forward` in training has saved."""


def check_images(operation: str, x: Array, channels: int | None = None) -> None:
    """Refuse what is no array of images, or of images with other channels."""
    if x.ndim != 4 or channels not in (None, x.shape[1]):
        raise ValueError(
            f"[{operation}] x has shape {x.shape} but the layer expects (rows, {channels or 'channels'}, height, "
            "width); change the channels, or what comes before the layer"
        )


def find(config: Mapping[str, Any]) -> type[Layer]:
    """Return the class of the layer that an `nnext` layer's ``config()`` describes."""
    known = [layer for layer in _derived(Layer) if not layer.__subclasses__()]
    for layer in known:
        if layer.describes(config["type"]):
            return layer
    names = ", ".join([*(layer.__name__ for layer in known), *descriptions.Layer.names()])
    raise ValueError(f"[reference] no layer of type {config['type']!r}; known are {names}")


def _derived(cls: type[Layer]) -> Iterator[type[Layer]]:
    for derived in cls.__subclasses__():
        yield derived
        yield from _derived(derived)


def from_config(config: Mapping[str, Any], tensors: Mapping[str, Array]) -> Layer:
    """Build the layer that an `nnext` layer's ``config()`` describes, around the given parameters and buffers.

    Examples
    --------
    >>> from nnext.reference import Dropout
    >>> from_config({"type": "Dropout", "p": 0.2}, {})
    Dropout(p=0.2)
    """
    return find(config).build(config, tensors, inner_numbers())
