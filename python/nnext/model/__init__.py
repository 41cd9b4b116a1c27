"""Sequential and MLP: a network, its parameters, its training and its predictions."""

from nnext.model.mlp import MLP
from nnext.model.sequential import Sequential

__all__ = ["MLP", "Sequential"]
