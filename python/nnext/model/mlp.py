"""MLP: the multilayer perceptron in one call."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

from nnext.layers import Dropout, Layer, Linear
from nnext.model.sequential import Sequential

if TYPE_CHECKING:
    import numpy.typing as npt


class MLP(Sequential):
    """A multilayer perceptron: Linear layers with an activation, and dropout if wanted, between them.

    Parameters
    ----------
    sizes : sequence of int
        Features, units of each hidden layer, outputs: at least two numbers.
    activation : str or Layer
        A layer, or the name of an activation: "relu", "tanh" ... The output has none.
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
            activation = Layer.find("MLP", "activation", activation)
        hidden = [activation] + ([Dropout(dropout)] if dropout else [])
        layers: list[Layer] = []
        for i, (in_features, out_features) in enumerate(pairwise(sizes)):
            layers += [*(hidden if i else []), Linear(in_features, out_features)]
        super().__init__(*layers, seed=seed, dtype=dtype)
