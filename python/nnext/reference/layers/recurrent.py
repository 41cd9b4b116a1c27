"""Recurrent layers: levels of states, each of which reads what the one below gives at every step.

A good order to read: `cells` has the equations of a step, `through_time` the loops over the steps.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np

from nnext import layers as descriptions
from nnext.reference.arrays import Array
from nnext.reference.initializers import drawn
from nnext.reference.layers.base import Draw, Layer
from nnext.reference.layers.cells import CELLS, Cell
from nnext.reference.layers.dropout import Dropout
from nnext.reference.layers.through_time import Direction

__all__ = ["GRU", "LSTM", "RNN"]


@dataclass
class _Recurrent(Layer):
    """Levels on top of each other, each with one direction or two, whose states stand side by side."""

    levels: Sequence[Sequence[Direction]]
    return_sequences: bool = False
    dropout: float = 0.0
    numbers: Sequence[int] = ()  # of the Dropout before each level but the first
    stateful: bool = False

    @classmethod
    def build(cls, config: Mapping[str, Any], tensors: Mapping[str, Array], inner: Iterator[int]) -> Self:
        """Build the levels around their arrays."""
        d: Any = descriptions.Layer.from_config(config)

        def direction(level: int, reverse: bool) -> Direction:
            ih, hh, bias_ih, bias_hh = _names(level, reverse)
            return Direction(_cell(d), tensors[ih], tensors[hh], tensors.get(bias_ih), tensors.get(bias_hh), reverse)

        levels = [[direction(k, reverse) for reverse in _ways(d)] for k in range(d.num_layers)]
        numbers = [dropout for dropout, _ in _inner_numbers(d, inner)]
        return cls(levels, d.return_sequences, d.dropout, numbers, d.stateful)

    @classmethod
    def start(cls, config: Mapping[str, Any], seed: int, number: int, inner: Iterator[int]) -> dict[str, Array]:
        """Draw each gate's part for itself: gate g of the level's parameter i as if it were parameter i + 8 g."""
        d: Any = descriptions.Layer.from_config(config)
        size, gates, arrays = d.hidden_size, _cell(d).gates, {}
        for k, level in enumerate([number, *(level for _, level in _inner_numbers(d, inner))]):
            features = d.input_size if k == 0 else size * len(_ways(d))
            of_each = [  # initializer, fan_in and shape of a gate's part
                (d.weight_init, features, (size, features)),
                (d.recurrent_init, size, (size, size)),
                (d.bias_init, features, (size,)),
                (d.bias_init, size, (size,)),
            ][: 4 if d.bias else 2]
            names = [name for reverse in _ways(d) for name in _names(k, reverse)[: len(of_each)]]
            for i, name in enumerate(names):
                init, fan_in, shape = of_each[i % len(of_each)]
                arrays[name] = np.concatenate(
                    [
                        drawn(init, shape, seed=seed, layer=level, parameter=i + 8 * g, fans=(fan_in, size))
                        for g in range(gates)
                    ]
                )
        return arrays

    def image_axes(self) -> int:
        """Return 0: sequences have their features last."""
        return 0

    def parameters(self) -> dict[str, Array]:
        """Return the arrays of all levels."""
        return {
            name: array
            for k, level in enumerate(self.levels)
            for direction in level
            for name, array in zip(_names(k, direction.reverse), direction.parameters().values(), strict=False)
        }

    def forward(self, x: Array, draw: Draw | None) -> tuple[Array, Any]:
        """(n, T, F) -> (n, T, D H) or, without `return_sequences`, (n, D H)."""
        features = self.levels[0][0].weight_ih.shape[1]
        if x.ndim != 3 or x.shape[2] != features:
            raise ValueError(
                f"[{type(self).__name__.lower()}] x has shape {x.shape} but the layer expects (rows, steps, "
                f"{features}); change input_size or what comes before the layer"
            )
        if self.stateful and draw is not None:
            raise ValueError("[reference] a layer is stateful, but here each batch starts from 0; leave stateful out")
        saved = []
        for k, level in enumerate(self.levels):
            mask: Array | float = 1.0
            if k > 0 and self.dropout > 0:
                x, mask = Dropout(self.dropout).forward(x, draw and replace(draw, layer=self.numbers[k - 1]))
            went = [direction.forward(x) for direction in level]
            x = np.concatenate([h for h, _ in went], axis=2)
            saved.append((mask, [kept for _, kept in went]))
        if self.return_sequences:
            return x, (x.shape, saved)
        return np.hstack([h[:, t] for h, t in self.ends(x)]), (x.shape, saved)

    def ends(self, h: Array) -> Iterator[tuple[Array, int]]:
        """Part the states of both directions, and return with each the step that it reads last."""
        level = self.levels[-1]
        for direction, own in zip(level, np.split(h, len(level), axis=2), strict=True):
            yield own, direction.times(h)[-1]

    def spread(self, dy: Array, shape: tuple[int, ...]) -> Array:
        """(n, D H) -> (n, T, D H): 0 but where a direction ends; with `return_sequences` it is that already."""
        if self.return_sequences:
            return dy
        spread = np.zeros(shape, dy.dtype)
        for (part, t), own in zip(self.ends(spread), np.split(dy, len(self.levels[-1]), axis=1), strict=True):
            part[:, t] = own  # a view
        return spread

    def backward(self, dy: Array, saved: Any) -> tuple[Array, dict[str, Array]]:
        """Go back from the top: a level's x gets what all its directions give."""
        shape, levels = saved
        dy = self.spread(dy, shape)
        grads: dict[str, Array] = {}
        for k, (mask, kept) in reversed(list(enumerate(levels))):
            level, parts = self.levels[k], np.split(dy, len(self.levels[k]), axis=2)
            back = [direction.backward(part, own) for direction, part, own in zip(level, parts, kept, strict=True)]
            dy = mask * np.sum([dx for dx, _ in back], axis=0)
            for direction, (_, own) in zip(level, back, strict=True):
                grads |= dict(zip(_names(k, direction.reverse), own.values(), strict=False))
        return dy, grads


def _cell(description: Any) -> Cell:
    return CELLS[getattr(description, "nonlinearity", type(description).__name__)]


def _ways(description: Any) -> list[bool]:
    """Return for each direction whether it is the reverse one."""
    return [False, True] if description.bidirectional else [False]


def _names(level: int, reverse: bool) -> list[str]:
    """Return what a direction's arrays are called; PyTorch's names."""
    end = f"l{level}_reverse" if reverse else f"l{level}"
    return [f"{name}_{end}" for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")]


def _inner_numbers(description: Any, inner: Iterator[int]) -> list[tuple[int, int]]:
    """Return for each level but the first, which has the layer's, the numbers of the Dropout before it and its own."""
    drops = description.dropout > 0
    return [(next(inner) if drops else -1, next(inner)) for _ in range(1, description.num_layers)]


@dataclass
class RNN(_Recurrent):
    """``h_t = tanh(W_ih x_t + b_ih + W_hh h_(t-1) + b_hh)``, or its ReLU. Source: Elman, Cognitive Science 14 (1990).

    Examples
    --------
    >>> layer = RNN([[Direction(CELLS["tanh"], np.array([[1.0]]), np.array([[2.0]]))]])
    >>> y, saved = layer.forward(np.array([[[0.0], [1.0]]]), None)
    >>> dx, grads = layer.backward(np.array([[1.0]]), saved)
    >>> y.round(3), dx.round(3)
    (array([[0.762]]), array([[[0.84],
            [0.42]]]))
    """


@dataclass
class GRU(_Recurrent):
    """A state that gates update. Source: Cho et al., EMNLP 2014.

    Examples
    --------
    >>> layer = GRU([[Direction(CELLS["GRU"], np.ones((3, 1)), np.ones((3, 1)))]], return_sequences=True)
    >>> layer.forward(np.array([[[0.0], [1.0]]]), None)[0].round(3)
    array([[[0.   ],
            [0.205]]])
    """


@dataclass
class LSTM(_Recurrent):
    """A cell that keeps what gates let in. Source: Hochreiter and Schmidhuber, Neural Computation 9 (1997).

    Examples
    --------
    >>> layer = LSTM([[Direction(CELLS["LSTM"], np.ones((4, 1)), np.ones((4, 1)))]], return_sequences=True)
    >>> layer.forward(np.array([[[0.0], [1.0]]]), None)[0].round(3)
    array([[[0.  ],
            [0.37]]])
    """

    @classmethod
    def start(cls, config: Mapping[str, Any], seed: int, number: int, inner: Iterator[int]) -> dict[str, Array]:
        """Add `forget_bias` to what the forget gates begin with."""
        d: Any = descriptions.Layer.from_config(config)
        arrays = super().start(config, seed, number, inner)
        for name in arrays:
            if name.startswith("bias_ih"):
                arrays[name][d.hidden_size : 2 * d.hidden_size] += d.forget_bias
        return arrays
