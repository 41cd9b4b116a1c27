"""The loops over the steps of a sequence, and back: backpropagation through time.

Source: Werbos, Proceedings of the IEEE 78 (1990).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from nnext.reference.arrays import Array
from nnext.reference.layers.cells import Cell
from nnext.reference.products import matmul


@dataclass
class Direction:
    """One way through the steps of a sequence: from the first to the last, or back from the last if it is `reverse`.

    Parameters
    ----------
    cell : Cell
    weight_ih : array of shape (gates H, F)
    weight_hh : array of shape (gates H, H)
    bias_ih, bias_hh : array of shape (gates H,), or None for none
    reverse : bool

    Examples
    --------
    >>> from nnext.reference.layers.cells import CELLS
    >>> layer = Direction(CELLS["relu"], np.array([[1.0]]), np.array([[2.0]]))
    >>> h, saved = layer.forward(np.array([[[1.0], [1.0], [1.0]]]))
    >>> h.ravel()
    array([1., 3., 7.])
    >>> dx, grads = layer.backward(np.array([[[0.0], [0.0], [1.0]]]), saved)
    >>> dx.ravel(), grads["weight_hh"]
    (array([4., 2., 1.]), array([[5.]]))
    """

    cell: Cell
    weight_ih: Array
    weight_hh: Array
    bias_ih: Array | None = None
    bias_hh: Array | None = None
    reverse: bool = False

    def parameters(self) -> dict[str, Array]:
        """Return the arrays by name."""
        arrays = {name: getattr(self, name) for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")}
        return {name: array for name, array in arrays.items() if array is not None}

    def times(self, x: Array) -> range:
        """Return the steps in the order in which they are read."""
        return range(x.shape[1])[:: -1 if self.reverse else 1]

    def forward(self, x: Array) -> tuple[Array, Any]:
        """(n, T, F) -> (n, T, H): the state h at each step."""
        size = self.weight_hh.shape[1]
        state = (np.zeros((len(x), size), x.dtype),) * self.cell.states
        y, kept = np.empty((*x.shape[:2], size), x.dtype), {}
        for t in self.times(x):
            h = state[0]
            a, b = matmul(x[:, t], self.weight_ih, transpose_b=True), matmul(h, self.weight_hh, transpose_b=True)
            if self.bias_ih is not None:
                a, b = a + self.bias_ih, b + self.bias_hh
            state, inside = self.cell.step(a, b, state)
            y[:, t], kept[t] = state[0], (h, inside)
        return y, (x, kept)

    def backward(self, dy: Array, saved: Any) -> tuple[Array, dict[str, Array]]:
        """Add up what each step gives, from the last to the first: a state acts on y and on all steps after it."""
        x, kept = saved
        dx, grads = np.empty_like(x), {name: np.zeros_like(array) for name, array in self.parameters().items()}
        d = (np.zeros_like(dy[:, 0]),) * self.cell.states
        for t in reversed(self.times(x)):
            h, inside = kept[t]
            da, db, d = self.cell.step_back((d[0] + dy[:, t], *d[1:]), inside)
            d = (d[0] + matmul(db, self.weight_hh), *d[1:])
            dx[:, t] = matmul(da, self.weight_ih)
            grads["weight_ih"] += matmul(da, x[:, t], transpose_a=True)
            grads["weight_hh"] += matmul(db, h, transpose_a=True)
            if self.bias_ih is not None:
                grads["bias_ih"] += da.sum(axis=0)
                grads["bias_hh"] += db.sum(axis=0)
        return dx, grads
