"""Residual: what some layers compute, added to what goes into them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from nnext.reference.arrays import Array
from nnext.reference.layers.chain import Chain
from nnext.reference.layers.parallel import Parallel, added

__all__ = ["Residual"]


@dataclass
class Residual(Parallel):
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
        return cls(*cls.build_chains(config, tensors, inner))

    def chains(self) -> dict[str, Chain]:
        """Return both branches."""
        return {"body": self.body, "shortcut": self.shortcut}

    def join(self, outputs: Sequence[Array]) -> Array:
        """Add them."""
        return added(outputs)

    def parts(self, dy: Array, outputs: Sequence[Array]) -> Sequence[Array]:
        """Both get dy."""
        return [dy, dy]
