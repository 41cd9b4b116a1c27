"""Branches: several lists of layers that all read x, and whose outputs are joined."""

from __future__ import annotations

from collections.abc import Sequence

from nnext._fields import choice, lists
from nnext.layers.base import Layer, LayerLike

__all__ = ["Branches"]


class Branches(Layer):
    """What several branches make of x, side by side or added. Szegedy et al., CVPR 2015.

    Parameters
    ----------
    *branches : list of Layer
        The layers of each branch, first to last: at least two branches. An empty list leaves x as it is. Branches may
        hold others.
    join : {"concat", "add"}
        "concat" puts the features of all branches one after the other, or the channels of images and the features of
        sequences at each place; "add" adds what they give.

    Raises
    ------
    ValueError, TypeError
        For fewer than two branches, or for what is no layer; from the network, when what the branches give does not fit
        together: other places of "concat", other shapes of "add".

    Notes
    -----
    As the layer 2 of a network its arrays are "2.branches.0.0.weight", "2.branches.1.0.weight" and so on in
    ``state_dict``. ``freeze("2")`` keeps all of it, ``freeze("2.branches.0")`` one branch, ``freeze("2.branches.0.1")``
    one layer. The branches' gradients in x are added in their order.

    Examples
    --------
    >>> import nnext as nn
    >>> nn.Sequential(nn.Branches([], [nn.ReLU()])).predict([[1.0, -2.0]])
    array([[ 1., -2.,  1.,  0.]], dtype=float32)
    >>> nn.Sequential(nn.Branches([], [nn.ReLU()], join="add")).predict([[1.0, -2.0]])
    array([[ 2., -2.]], dtype=float32)
    """

    branches: tuple[tuple[Layer, ...], ...] = lists(of=Layer)
    join: str = choice(names=("concat", "add"), default="concat")

    def __init__(self, *branches: Sequence[LayerLike], join: str = "concat") -> None:
        self.settle({"branches": branches, "join": join})

    def check(self) -> None:
        """Refuse what joins nothing."""
        if len(self.branches) < 2:
            raise ValueError(
                f"[Branches] the number of branches is {len(self.branches)}; give two lists of layers or more, for "
                "example [], [ReLU()]"
            )

    def chains(self) -> dict[str, tuple[Layer, ...]]:
        """Return the branches by the names that they have in paths."""
        return {f"branches.{i}": branch for i, branch in enumerate(self.branches)}

    def evaluating(self) -> Layer:
        """Return the branches as they evaluate."""
        return Branches(*([layer.evaluating() for layer in branch] for branch in self.branches), join=self.join)
