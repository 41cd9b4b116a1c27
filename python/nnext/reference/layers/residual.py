"""Residual: what some layers compute, added to what goes into them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Self

from nnext.reference.arrays import Array
from nnext.reference.layers.base import Draw, Layer
from nnext.reference.layers.chain import Chain, within

__all__ = ["Residual"]


@dataclass
class Residual(Layer):
    """``y = body(x) + shortcut(x)``; a branch without layers gives x itself. Source: He et al., CVPR 2016.

    Examples
    --------
    >>> import numpy as np
    >>> from nnext.reference import Linear
    >>> layer = Residual(Chain([Linear(np.array([[2.0]]))], [0]), Chain([], []))
    >>> y, saved = layer.forward(np.array([[3.0]]), None)
    >>> dx, grads = layer.backward(np.array([[1.0]]), saved)
    >>> y, dx, grads
    (array([[9.]]), array([[3.]]), {'body.0.weight': array([[3.]])})
    """

    body: Chain
    shortcut: Chain

    @classmethod
    def build(cls, config: Mapping[str, Any], tensors: Mapping[str, Array], inner: Iterator[int]) -> Self:
        """Build the layers of both branches, the body's first."""
        body, shortcut = (
            Chain.build(config.get(branch, []), within(tensors, f"{branch}."), inner, inner)
            for branch in ("body", "shortcut")
        )
        return cls(body, shortcut)

    @classmethod
    def start(cls, config: Mapping[str, Any], seed: int, number: int, inner: Iterator[int]) -> dict[str, Array]:
        """Let the layers of both branches begin, the body's first."""
        return {
            f"{branch}.{name}": values
            for branch in ("body", "shortcut")
            for name, values in Chain.start(config.get(branch, []), seed, inner, inner).items()
        }

    def _both(self, kind: str) -> dict[str, Array]:
        branches = {"body": self.body, "shortcut": self.shortcut}
        return {f"{name}.{key}": a for name, branch in branches.items() for key, a in branch.named(kind).items()}

    def parameters(self) -> dict[str, Array]:
        """Return the weights of both branches."""
        return self._both("parameters")

    def buffers(self) -> dict[str, Array]:
        """Return the buffers of both branches."""
        return self._both("buffers")

    def tensors(self) -> dict[str, Array]:
        """Return both, layer by layer."""
        return self._both("tensors")

    def forward(self, x: Array, draw: Draw | None) -> tuple[Array, tuple[list[Any], list[Any]]]:
        """Add what both branches make of x."""
        y, body = self.body.forward(x, draw)
        z, shortcut = self.shortcut.forward(x, draw)
        return y + z, (body, shortcut)

    def backward(self, dy: Array, saved: tuple[list[Any], list[Any]]) -> tuple[Array, dict[str, Array]]:
        """Both branches get dy, and x the sum of what they give."""
        dx, grads = self.body.backward(dy, saved[0])
        dz, more = self.shortcut.backward(dy, saved[1])
        named = {"body": grads, "shortcut": more}
        return dx + dz, {f"{name}.{key}": g for name, own in named.items() for key, g in own.items()}

    def update(self, saved: tuple[list[Any], list[Any]]) -> None:
        """Let the layers of both branches change their buffers."""
        self.body.update(saved[0])
        self.shortcut.update(saved[1])
