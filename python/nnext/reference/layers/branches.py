"""Branches: several lists of layers that all read x, and whose outputs are joined."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from nnext.reference.arrays import Array
from nnext.reference.layers.chain import Chain
from nnext.reference.layers.parallel import Parallel, added

__all__ = ["Branches"]


@dataclass
class Branches(Parallel):
    """What the branches give, side by side ("concat") or added; one without layers gives x itself.

    Side by side are features, those of each step of a sequence, or the channels of images. Source: Szegedy et al.,
    CVPR 2015.

    Examples
    --------
    >>> from nnext.reference import Linear
    >>> layer = Branches([Chain([], []), Chain([Linear(np.array([[2.0]]))], [0])])
    >>> y, saved = layer.forward(np.array([[3.0]]), None)
    >>> dx, grads = layer.backward(np.array([[1.0, 10.0]]), saved)
    >>> y, dx, grads
    (array([[3., 6.]]), array([[21.]]), {'branches.1.0.weight': array([[30.]])})
    """

    branches: Sequence[Chain]
    how: str = "concat"

    @classmethod
    def build(cls, config: Mapping[str, Any], tensors: Mapping[str, Array], inner: Iterator[int]) -> Self:
        """Build the layers of all branches, the first's first."""
        return cls(list(cls.build_chains(config, tensors, inner)), config.get("join", "concat"))

    def chains(self) -> dict[str, Chain]:
        """Return the branches."""
        return {f"branches.{i}": branch for i, branch in enumerate(self.branches)}

    def join(self, outputs: Sequence[Array]) -> Array:
        """Put them side by side, or add them in their order."""
        if self.how == "add":
            return added(outputs)
        return np.concatenate(outputs, axis=_channels(outputs[0]))

    def parts(self, dy: Array, outputs: Sequence[Array]) -> Sequence[Array]:
        """Each gets what it gave, or all get dy."""
        if self.how == "add":
            return [dy] * len(outputs)
        axis = _channels(dy)
        return np.split(dy, np.cumsum([y.shape[axis] for y in outputs])[:-1], axis=axis)


def _channels(y: Array) -> int:
    """Return the axis of channels, or of features."""
    return 1 if y.ndim == 4 else -1
