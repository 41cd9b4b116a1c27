"""Cells of recurrent layers: what one step of a sequence makes of the state, and the way back of that step.

A cell is given two sums, each for all its gates side by side, of H numbers a gate::

    a = x_t W_ih^T + b_ih        what comes in
    b = h W_hh^T + b_hh          what the state says

``*_step`` takes them and the state, and returns the new state and what the way back needs. ``*_step_back`` takes the
gradient of the new state, and returns those of a, of b, and of the old state beyond its part in b. The first array of a
state is h, which others see.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from nnext.reference.activations import relu, sigmoid, tanh
from nnext.reference.arrays import Array

State = tuple[Array, ...]  # arrays of shape (n, H)


def tanh_step(a: Array, b: Array, state: State) -> tuple[State, Array]:
    """``h = tanh(a + b)``. Source: Elman, Cognitive Science 14 (1990).

    Examples
    --------
    >>> tanh_step(np.array([[1.0]]), np.array([[-1.0]]), (np.array([[0.5]]),))
    ((array([[0.]]),), array([[0.]]))
    """
    h = tanh(a + b)
    return (h,), h


def tanh_step_back(d: State, h: Array) -> tuple[Array, Array, State]:
    """``da = db = dh (1 - h^2)``.

    Examples
    --------
    >>> tanh_step_back((np.array([[2.0]]),), np.array([[0.5]]))
    (array([[1.5]]), array([[1.5]]), (array([[0.]]),))
    """
    da = d[0] * (1 - h * h)
    return da, da, (np.zeros_like(h),)


def relu_step(a: Array, b: Array, state: State) -> tuple[State, Array]:
    """``h = max(0, a + b)``. Source: Le, Jaitly and Hinton, arXiv:1504.00941.

    Examples
    --------
    >>> relu_step(np.array([[1.0]]), np.array([[2.0]]), (np.array([[0.5]]),))
    ((array([[3.]]),), array([[3.]]))
    """
    h = relu(a + b)
    return (h,), h


def relu_step_back(d: State, h: Array) -> tuple[Array, Array, State]:
    """``da = db = dh`` where h is not 0.

    Examples
    --------
    >>> relu_step_back((np.array([[2.0, 2.0]]),), np.array([[0.5, 0.0]]))[0]
    array([[2., 0.]])
    """
    da = np.where(h == 0, 0, d[0])
    return da, da, (np.zeros_like(h),)


def gru_step(a: Array, b: Array, state: State) -> tuple[State, Any]:
    """``h = (1 - z) n + z h``. Source: Cho et al., EMNLP 2014; r is after the product, as in PyTorch.

    Examples
    --------
    >>> gru_step(np.zeros((1, 3)), np.zeros((1, 3)), (np.array([[0.5]]),))[0]
    (array([[0.25]]),)
    """
    (h,) = state
    (a_r, a_z, a_n), (b_r, b_z, b_n) = _gates(a, 3), _gates(b, 3)
    r = sigmoid(a_r + b_r)
    z = sigmoid(a_z + b_z)
    n = tanh(a_n + r * b_n)
    return ((1 - z) * n + z * h,), (r, z, n, b_n, h)


def gru_step_back(d: State, kept: Any) -> tuple[Array, Array, State]:
    """Go back line by line: the part of n in b passes through r.

    Examples
    --------
    >>> kept = gru_step(np.zeros((1, 3)), np.zeros((1, 3)), (np.array([[0.5]]),))[1]
    >>> gru_step_back((np.array([[1.0]]),), kept)
    (array([[0.   , 0.125, 0.5  ]]), array([[0.   , 0.125, 0.25 ]]), (array([[0.5]]),))
    """
    ((dh,), (r, z, n, b_n, h)) = d, kept
    dn = dh * (1 - z) * (1 - n * n)  # before the tanh
    dz = dh * (h - n) * z * (1 - z)  # before the sigmoid, as dr
    dr = dn * b_n * r * (1 - r)
    return np.hstack([dr, dz, dn]), np.hstack([dr, dz, dn * r]), (dh * z,)


def lstm_step(a: Array, b: Array, state: State) -> tuple[State, Any]:
    """``c = f c + i g`` and ``h = o tanh(c)``.

    Sources: Hochreiter and Schmidhuber, Neural Computation 9 (1997); for the forget gate f Gers, Schmidhuber and
    Cummins, Neural Computation 12 (2000).

    Examples
    --------
    >>> lstm_step(np.zeros((1, 4)), np.zeros((1, 4)), (np.array([[0.5]]), np.array([[2.0]])))[0]
    (array([[0.38079708]]), array([[1.]]))
    """
    _, c = state
    i, f, g, o = _gates(a + b, 4)
    i, f, g, o = sigmoid(i), sigmoid(f), tanh(g), sigmoid(o)
    new = f * c + i * g
    return (o * tanh(new), new), (i, f, g, o, c, tanh(new))


def lstm_step_back(d: State, kept: Any) -> tuple[Array, Array, State]:
    """Go back line by line: c has a gradient from the steps after, and one through h.

    Examples
    --------
    >>> kept = lstm_step(np.zeros((1, 4)), np.zeros((1, 4)), (np.array([[0.5]]), np.array([[0.0]])))[1]
    >>> lstm_step_back((np.array([[1.0]]), np.array([[0.0]])), kept)[0]
    array([[0.  , 0.  , 0.25, 0.  ]])
    """
    (dh, dc), (i, f, g, o, c, tanh_c) = d, kept
    dc = dc + dh * o * (1 - tanh_c * tanh_c)
    di = dc * g * i * (1 - i)
    df = dc * c * f * (1 - f)
    dg = dc * i * (1 - g * g)
    do = dh * tanh_c * o * (1 - o)
    da = np.hstack([di, df, dg, do])
    return da, da, (np.zeros_like(dh), dc * f)


def _gates(values: Array, count: int) -> list[Array]:
    """Part what lies side by side."""
    return np.split(values, count, axis=1)


class Cell(NamedTuple):
    """The two functions of a step, how many gates it has, and how many arrays a state."""

    step: Callable[[Array, Array, State], tuple[State, Any]]
    step_back: Callable[[State, Any], tuple[Array, Array, State]]
    gates: int = 1
    states: int = 1


CELLS = {
    "tanh": Cell(tanh_step, tanh_step_back),
    "relu": Cell(relu_step, relu_step_back),
    "GRU": Cell(gru_step, gru_step_back, gates=3),
    "LSTM": Cell(lstm_step, lstm_step_back, gates=4, states=2),
}
