"""Layers in a row: a network, or a branch of a layer that holds some."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

from nnext.reference.arrays import Array
from nnext.reference.layers.base import Draw, Layer, find

__all__ = ["Chain"]


@dataclass
class Chain:
    """Layers, each with the number that names its random numbers. Arrays have names such as "0.weight".

    Examples
    --------
    >>> import numpy as np
    >>> from nnext.reference import Linear
    >>> y, saved = Chain([Linear(np.array([[2.0]]))] * 2, [0, 1]).forward(np.array([[3.0]]), None)
    >>> y
    array([[12.]])
    """

    layers: Sequence[Layer]
    numbers: Sequence[int]

    @classmethod
    def build(
        cls,
        configs: Sequence[Mapping[str, Any]],
        tensors: Mapping[str, Array],
        numbers: Iterator[int],
        inner: Iterator[int],
    ) -> Self:
        """Build the layers that the configurations describe, around given arrays."""
        layers, taken = [], []
        for i, config in enumerate(configs):
            taken.append(next(numbers))
            layers.append(find(config).build(config, within(tensors, f"{i}."), inner))
        return cls(layers, taken)

    @staticmethod
    def start(
        configs: Sequence[Mapping[str, Any]], seed: int, numbers: Iterator[int], inner: Iterator[int]
    ) -> dict[str, Array]:
        """Return the arrays that the layers start from; PyTorch's where the configuration does not say."""
        return {
            f"{i}.{name}": values
            for i, config in enumerate(configs)
            for name, values in find(config).start(config, seed, next(numbers), inner).items()
        }

    def named(self, kind: str) -> dict[str, Array]:
        """Return the "parameters", "buffers" or "tensors", which are both, of all layers."""
        arrays = (getattr(layer, kind)() for layer in self.layers)
        return {f"{i}.{name}": array for i, own in enumerate(arrays) for name, array in own.items()}

    def image_axes(self) -> int | None:
        """Return what the first layer says that says something; None where none does: channels are last."""
        return next((axes for layer in self.layers if (axes := layer.image_axes()) is not None), None)

    def forward(self, x: Array, draw: Draw | None, stop: int | None = None) -> tuple[Array, list[Any]]:
        """Go through the layers, the first `stop` of them if it is given."""
        saved = []
        for layer, number in list(zip(self.layers, self.numbers, strict=True))[:stop]:
            x, kept = layer.forward(x, None if draw is None else replace(draw, layer=number))
            saved.append(kept)
        return x, saved

    def backward(self, dy: Array, saved: Sequence[Any]) -> tuple[Array, dict[str, Array]]:
        """Go back through the layers that `forward` went through."""
        grads: dict[str, Array] = {}
        for i in reversed(range(len(saved))):
            dy, own = self.layers[i].backward(dy, saved[i])
            grads |= {f"{i}.{name}": g for name, g in own.items()}
        return dy, grads

    def update(self, saved: Sequence[Any]) -> None:
        """Let each layer that `forward` went through change its buffers."""
        for layer, kept in zip(self.layers, saved, strict=False):
            layer.update(kept)


def within(tensors: Mapping[str, Array], prefix: str) -> dict[str, Array]:
    """Return the arrays whose names begin so, under the rest of their names."""
    return {name.removeprefix(prefix): array for name, array in tensors.items() if name.startswith(prefix)}
