"""What all layers have in common."""

from __future__ import annotations

import math

from nnext._described import Described
from nnext.initializers import Initializer, orthogonal

__all__ = ["Activation", "Layer"]


class Layer(Described, kind="layer"):
    """Base of all layers: an immutable description. The network's C++ core owns the numbers.

    Examples
    --------
    >>> import nnext as nn
    >>> nn.Dropout(0.2).config()
    {'type': 'Dropout', 'p': 0.2}
    >>> nn.Layer.from_config({"type": "Linear", "in_features": 4, "out_features": 2})
    Linear(4, 2)
    """

    @property
    def output_range(self) -> tuple[float, float] | None:
        """Return between what its outputs lie when it evaluates; None: as what goes into it."""
        return -math.inf, math.inf

    def chains(self) -> dict[str, tuple[Layer, ...]]:
        """Return the layers that it holds in rows, by the names that these have in paths; most hold none."""
        return {}

    def evaluating(self) -> Layer:
        """Return a layer that does in training, too, what this one does when it evaluates; most are that themselves.

        Its arrays have the same names in the same order. Running statistics need no other layer: those of a frozen one
        are what it goes by.
        """
        return self


LayerLike = Layer | type[Layer] | str  # what stands for a layer: a class or a name for one with default settings


class Activation(Layer, abstract=True):
    """Base of the element-wise activations. Their ``name`` is that of the function in `nnext.functional`.

    Examples
    --------
    >>> import nnext as nn
    >>> isinstance(nn.ReLU(), nn.layers.Activation), isinstance(nn.Softmax(), nn.layers.Activation)
    (True, False)
    """


def refuse_orthogonal_bias(operation: str, bias_init: Initializer | str | None) -> None:
    """Refuse a bias that cannot be."""
    if isinstance(bias_init, orthogonal):
        raise ValueError(f"[{operation}] bias_init is 'orthogonal', which is for weights; use 'zeros' or 'uniform'")
