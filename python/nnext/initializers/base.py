"""What all initializers have in common."""

from __future__ import annotations

from typing import Self

from nnext._described import Described

__all__ = ["Initializer"]


class Initializer(Described, kind="initializer"):
    """Base of the initializers: a distribution with its parameters.

    Examples
    --------
    >>> import nnext as nn
    >>> layer = nn.Linear(2, 1, weight_init="orthogonal")
    >>> layer.weight_init, isinstance(layer.weight_init, nn.initializers.Initializer)
    (orthogonal(), True)
    """

    @classmethod
    def names(cls) -> dict[str, type[Self]]:
        """Return the initializers by name: the classes are called as people call them."""
        return cls.types()
