"""Residual: what some layers compute, added to what goes into them."""

from __future__ import annotations

from collections.abc import Sequence

from nnext._fields import several
from nnext.layers.base import Layer, LayerLike

__all__ = ["Residual"]


class Residual(Layer):
    """``y = body(x) + shortcut(x)``: layers that only have to learn what to add to x. He et al., CVPR 2016.

    Parameters
    ----------
    *layers : Layer, class of layers, str, or one list of them
        The body, first to last, as in `Sequential`: at least one. A Residual may hold others.
    shortcut : Layer or sequence of Layer, optional
        Layers that x goes through on the other way, such as one Linear where the body changes the number of features.
        None, or none of them, leaves x as it is.

    Raises
    ------
    ValueError, TypeError
        Without a body, or for what is no layer; from the network, when body and shortcut do not give as many features.

    Notes
    -----
    As the layer 2 of a network its arrays are "2.body.0.weight", "2.shortcut.0.weight" and so on in ``state_dict``.
    ``freeze("2")`` keeps all of it, ``freeze("2.body.0")`` one layer.

    Examples
    --------
    >>> import nnext as nn
    >>> block = nn.Residual(nn.Linear(2, 2, weight_init="zeros", bias_init="zeros"), nn.ReLU())
    >>> nn.Sequential(block).predict([[1.0, -2.0]])  # a body that adds nothing
    array([[ 1., -2.]], dtype=float32)
    >>> model = nn.Sequential(nn.Residual(nn.Linear(4, 3), shortcut=nn.Linear(4, 3, bias=False)))
    >>> list(model.state_dict())
    ['0.body.0.weight', '0.body.0.bias', '0.shortcut.0.weight']
    """

    body: tuple[Layer, ...] = several(of=Layer)
    shortcut: tuple[Layer, ...] = several(of=Layer, optional=True)

    def __init__(
        self, *layers: LayerLike | Sequence[LayerLike], shortcut: LayerLike | Sequence[LayerLike] | None = None
    ) -> None:
        self.settle({"body": layers, "shortcut": shortcut})

    def check(self) -> None:
        """Refuse to add nothing."""
        if not self.body:
            raise ValueError("[Residual] there are no layers; give at least one, for example Linear(8, 8)")

    def chains(self) -> dict[str, tuple[Layer, ...]]:
        """Return both branches by the names that they have in paths."""
        return {"body": self.body, "shortcut": self.shortcut}

    def evaluating(self) -> Layer:
        """Return the sum of what both branches give when they evaluate."""
        return Residual(
            *(layer.evaluating() for layer in self.body), shortcut=[layer.evaluating() for layer in self.shortcut]
        )
