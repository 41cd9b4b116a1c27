"""Embedding: a vector for each of so many words, categories or other whole numbers."""

from __future__ import annotations

from dataclasses import KW_ONLY

from nnext._fields import nested, size
from nnext.initializers import Initializer, normal
from nnext.layers.base import Layer

__all__ = ["Embedding"]


class Embedding(Layer):
    """``y_t = weight[x_t]``: the vector of each number of a sequence, (T,) -> (T, E).

    Bengio, Ducharme, Vincent and Jauvin, JMLR 3 (2003); the product of `weight` with one-hot rows, without them.

    Parameters
    ----------
    num_embeddings, embedding_dim : int
        How many vectors there are, for the numbers from 0 to num_embeddings - 1, and how many numbers E each has.
    padding_idx : int or None
        The number that fills sequences up: its vector starts as 0 and gets no gradient. A negative one counts from the
        end, and is kept counted from the start.
    weight_init : Initializer, str or None
        Start values of the vectors; None is the default, normal numbers of mean 0 and standard deviation 1, as in
        PyTorch. For those by sizes fan_in is num_embeddings, as of one-hot rows, and fan_out embedding_dim.

    Raises
    ------
    ValueError, TypeError
        For values out of range or an unknown initializer; from the network, when x has numbers that are no whole ones
        from 0 to num_embeddings - 1.

    Notes
    -----
    ``weight`` has shape (num_embeddings, embedding_dim) in ``state_dict``, as in PyTorch. An optimizer's momentum or
    weight_decay acts on the vector of padding_idx as on others: it is 0 and its gradient is 0, so it stays.

    Examples
    --------
    >>> import numpy as np
    >>> import nnext as nn
    >>> model = nn.Sequential(nn.Embedding(4, 2, padding_idx=0))
    >>> model.load_state_dict({"0.weight": [[0, 0], [1, 2], [3, 4], [5, 6]]})
    >>> model.predict(np.array([[3, 1, 0]]))
    array([[[5., 6.],
            [1., 2.],
            [0., 0.]]], dtype=float32)
    """

    num_embeddings: int = size()
    embedding_dim: int = size()
    _: KW_ONLY
    padding_idx: int | None = size(default=None, low=-(2**31), optional=True)
    weight_init: Initializer | str | None = nested(of=Initializer, default=normal(0.0, 1.0))

    def check(self) -> None:
        """Refuse the number of no vector."""
        n = self.num_embeddings
        if self.padding_idx is None:
            return
        if not -n <= self.padding_idx < n:
            raise ValueError(
                f"[Embedding] padding_idx is {self.padding_idx} but num_embeddings is {n}; give a whole number from "
                f"{-n} to {n - 1}"
            )
        object.__setattr__(self, "padding_idx", self.padding_idx % n)
