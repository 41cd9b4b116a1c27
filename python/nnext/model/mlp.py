"""MLP: the multilayer perceptron in one call."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

from nnext import _check
from nnext._calls import takes_hints
from nnext._unknown import hint, shown
from nnext.layers import BatchNorm1d, Dropout, Layer, Linear
from nnext.layers.base import LayerLike
from nnext.model.sequential import Sequential

if TYPE_CHECKING:
    import numpy.typing as npt


class MLP(Sequential):
    """A multilayer perceptron: Linear layers with an activation, and more if wanted, between them.

    Parameters
    ----------
    sizes : sequence of int
        Features, units of each hidden layer, outputs: at least two numbers.
    activation : str, Layer or class of layers
        A layer, or the name of an activation: "relu", "gelu", "tanh" ... The output has none.
    dropout : float
        Probability of an element to be dropped after each hidden activation.
    batch_norm : bool
        Whether each hidden Linear layer is followed by a `BatchNorm1d`, before the activation.
    seed, dtype
        As in Sequential.

    Raises
    ------
    ValueError, TypeError
        For values out of range.

    Examples
    --------
    >>> import nnext as nn
    >>> nn.MLP([4, 3, 2]).layers
    (Linear(4, 3), ReLU(), Linear(3, 2))
    >>> nn.MLP([4, 3, 2], activation="gelu", dropout=0.1, batch_norm=True).layers
    (Linear(4, 3), BatchNorm1d(3), GELU(), Dropout(p=0.1), Linear(3, 2))
    """

    @takes_hints
    def __init__(
        self,
        sizes: Sequence[int],
        activation: LayerLike = "relu",
        dropout: float = 0.0,
        *,
        batch_norm: bool = False,
        seed: int = 0,
        dtype: npt.DTypeLike = "float32",
    ) -> None:
        if not isinstance(sizes, Iterable):
            raise TypeError(f"[MLP] sizes is {shown(sizes)}; {hint(['MLP('], '*')}")
        sizes = list(sizes)
        if len(sizes) < 2:
            raise ValueError(f"[MLP] sizes is {sizes!r}; give at least features and outputs, for example [4, 2]")
        drops = _check.number("MLP", "dropout", dropout, low=0, below=1) > 0
        after = [Layer.find("MLP", "activation", activation), *([Dropout(dropout)] if drops else [])]
        normalizes = _check.flag("MLP", "batch_norm", batch_norm)
        layers: list[Layer] = []
        for in_features, out_features in pairwise(sizes[:-1]):
            layers += [Linear(in_features, out_features), *([BatchNorm1d(out_features)] if normalizes else []), *after]
        layers.append(Linear(sizes[-2], sizes[-1]))
        super().__init__(*layers, seed=seed, dtype=dtype)
