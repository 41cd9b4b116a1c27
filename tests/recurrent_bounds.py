"""The error bounds of recurrent layers and of Embedding, for tests/layer_bounds.py.

A step feeds the next, so errors are followed by numbers that carry theirs with them (`Rounded`) through the equations
of a step, forward and back. Each operation adds what it may round off; a sum as if its terms were rounded, too, since
the core may add them in another order.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

import layer_bounds
from layer_bounds import Bounds, Passed
from nnext import reference
from tolerance import ULP, Array

Recurrent = reference.RNN | reference.GRU | reference.LSTM


@dataclass
class Rounded:
    """Exact numbers and bounds of the errors that they have where each operation is rounded by `unit`."""

    v: Array
    e: Array
    unit: float

    def __add__(self, other: "Rounded") -> "Rounded":
        size = np.abs(self.v) + np.abs(other.v)
        return Rounded(self.v + other.v, self.e + other.e + self.unit * size, self.unit)

    def __sub__(self, other: "Rounded") -> "Rounded":
        return self + Rounded(-other.v, other.e, self.unit)

    def __mul__(self, other: "Rounded") -> "Rounded":
        v = self.v * other.v
        e = self.e * np.abs(other.v) + np.abs(self.v) * other.e + self.e * other.e
        return Rounded(v, e + self.unit * np.abs(v), self.unit)

    def __getitem__(self, key: Any) -> "Rounded":
        return Rounded(self.v[key], self.e[key], self.unit)

    def from_1(self) -> "Rounded":
        """1 - it, of which both are at most 1."""
        return Rounded(1 - self.v, self.e + self.unit, self.unit)

    def of(self, function: Callable[..., Array], gradient: Callable[..., Array]) -> "Rounded":
        """Apply tanh or sigmoid: their curvature is at most 0.77."""
        y = function(self.v)
        e = gradient(self.v, self.e) + 0.77 / 2 * self.e**2
        return Rounded(y, e + 2 * ULP * self.unit * np.abs(y), self.unit)

    def tanh(self) -> "Rounded":
        return self.of(reference.tanh, reference.tanh_grad)

    def sigmoid(self) -> "Rounded":
        return self.of(reference.sigmoid, reference.sigmoid_grad)

    def by(self, w: Array, terms: int, b: Array | float = 0.0) -> "Rounded":
        """Multiply with the transpose of a matrix that is exact, as a part of sums of so many terms."""
        size = np.abs(self.v) @ np.abs(w).T + np.abs(b)
        return Rounded(self.v @ w.T + b, self.e @ np.abs(w).T + terms * self.unit * size, self.unit)

    def gates(self, count: int) -> list["Rounded"]:
        parts = zip(*(np.split(a, count, axis=1) for a in (self.v, self.e)), strict=True)
        return [Rounded(v, e, self.unit) for v, e in parts]


def zeros(shape: tuple[int, ...], unit: float) -> Rounded:
    return Rounded(np.zeros(shape), np.zeros(shape), unit)


def beside(parts: Sequence[Rounded]) -> Rounded:
    return Rounded(*(np.concatenate(a, axis=-1) for a in ([p.v for p in parts], [p.e for p in parts])), parts[0].unit)


# ---- A step, and back -----------------------------------------------------------------------------------------------

State = list[Rounded]


def _tanh_step(a: Rounded, b: Rounded, state: State) -> tuple[State, Any]:
    h = (a + b).tanh()
    return [h], h


def _tanh_back(d: State, h: Rounded) -> tuple[Rounded, Rounded, State]:
    da = d[0] * (h * h).from_1()
    return da, da, [zeros(h.v.shape, h.unit)]


def _relu_step(a: Rounded, b: Rounded, state: State) -> tuple[State, Any]:
    s = a + b
    return [Rounded(np.maximum(s.v, 0), s.e, s.unit)], s


def _relu_back(d: State, s: Rounded) -> tuple[Rounded, Rounded, State]:
    close = np.abs(s.v) <= s.e  # within its error of the kink either slope is right
    e = np.where(close, np.abs(d[0].v) + d[0].e, (s.v > 0) * d[0].e)
    da = Rounded(np.where(s.v > 0, d[0].v, 0), e, s.unit)
    return da, da, [zeros(s.v.shape, s.unit)]


def _gru_step(a: Rounded, b: Rounded, state: State) -> tuple[State, Any]:
    (h,), (a_r, a_z, a_n), (b_r, b_z, b_n) = state, a.gates(3), b.gates(3)
    r, z = (a_r + b_r).sigmoid(), (a_z + b_z).sigmoid()
    n = (a_n + r * b_n).tanh()
    new = z.from_1() * n + z * h
    new.e = new.e + 2 * new.unit * (np.abs(n.v) + np.abs(h.v))  # also as n + z (h - n)
    return [new], (r, z, n, b_n, h)


def _gru_back(d: State, kept: Any) -> tuple[Rounded, Rounded, State]:
    r, z, n, b_n, h = kept
    dn = d[0] * z.from_1() * (n * n).from_1()
    dz = d[0] * (h - n) * z * z.from_1()
    dr = dn * b_n * r * r.from_1()
    return beside([dr, dz, dn]), beside([dr, dz, dn * r]), [d[0] * z]


def _lstm_step(a: Rounded, b: Rounded, state: State) -> tuple[State, Any]:
    i, f, g, o = (a + b).gates(4)
    i, f, g, o = i.sigmoid(), f.sigmoid(), g.tanh(), o.sigmoid()
    c = f * state[1] + i * g
    return [o * c.tanh(), c], (i, f, g, o, state[1], c.tanh())


def _lstm_back(d: State, kept: Any) -> tuple[Rounded, Rounded, State]:
    i, f, g, o, c, shown = kept
    dc = d[1] + d[0] * o * (shown * shown).from_1()
    di, df, do = dc * g * i * i.from_1(), dc * c * f * f.from_1(), d[0] * shown * o * o.from_1()
    da = beside([di, df, dc * i * (g * g).from_1(), do])
    return da, da, [zeros(c.v.shape, c.unit), dc * f]


CELLS: dict[Any, tuple[Callable[..., Any], Callable[..., Any]]] = {
    reference.layers.cells.tanh_step: (_tanh_step, _tanh_back),
    reference.layers.cells.relu_step: (_relu_step, _relu_back),
    reference.layers.cells.gru_step: (_gru_step, _gru_back),
    reference.layers.cells.lstm_step: (_lstm_step, _lstm_back),
}


# ---- Through time ---------------------------------------------------------------------------------------------------


def _through(way: Any, x: Rounded) -> tuple[Rounded, dict[int, Any]]:
    """Return the states of one direction, and what the way back needs of each step."""
    step, _ = CELLS[way.cell.step]
    size, terms = way.weight_hh.shape[1], x.v.shape[2] + way.weight_hh.shape[1] + 2
    bias_ih, bias_hh = (0.0 if b is None else b for b in (way.bias_ih, way.bias_hh))
    state, y, kept = [zeros((len(x.v), size), x.unit)] * way.cell.states, zeros((*x.v.shape[:2], size), x.unit), {}
    for t in way.times(x.v):
        h = state[0]
        state, inside = step(x[:, t].by(way.weight_ih, terms, bias_ih), h.by(way.weight_hh, terms, bias_hh), state)
        y.v[:, t], y.e[:, t], kept[t] = state[0].v, state[0].e, (h, inside)
    return y, kept


def _back(way: Any, x: Rounded, kept: dict[int, Any], dy: Rounded) -> tuple[Rounded, list[Array]]:
    """Return the gradient of x, and the bounds of those of the parameters, in their order."""
    _, step_back = CELLS[way.cell.step]
    d, dx = [zeros(dy.v[:, 0].shape, dy.unit)] * way.cell.states, zeros(x.v.shape, x.unit)
    bounds, rows = [np.zeros(a.shape) for a in way.parameters().values()], x.v.shape[0] * x.v.shape[1] + 1
    for t in reversed(way.times(x.v)):
        h, inside = kept[t]
        da, db, d = step_back([d[0] + dy[:, t], *d[1:]], inside)
        d = [d[0] + db.by(way.weight_hh.T, len(way.weight_hh) + 2), *d[1:]]
        back = da.by(way.weight_ih.T, len(way.weight_ih) + 1)
        dx.v[:, t], dx.e[:, t] = back.v, back.e
        for i, (g, seen) in enumerate(((da, x[:, t]), (db, h))):
            size = np.abs(g.v)
            terms = g.e.T @ np.abs(seen.v) + size.T @ seen.e + rows * g.unit * (size.T @ np.abs(seen.v))
            bounds[i] = bounds[i] + terms
            if way.bias_ih is not None:
                bounds[2 + i] = bounds[2 + i] + (g.e + rows * g.unit * size).sum(axis=0)
    return dx, bounds


def _levels(layer: Recurrent, at: Passed) -> Iterator[tuple[Rounded, list[dict[int, Any]], Rounded]]:
    """Return the input of each level, what its directions keep, and what they give."""
    x = Rounded(at.x, at.e, at.unit)
    for level, (mask, _) in zip(layer.levels, at.saved[1], strict=True):
        x = Rounded(x.v * mask, (x.e + 2 * (np.ndim(mask) > 0) * x.unit * np.abs(x.v)) * mask, x.unit)
        went = [_through(way, x) for way in level]
        y = beside([y for y, _ in went])
        yield x, [kept for _, kept in went], y
        x = y


@layer_bounds.forward.register
def _(layer: reference.RNN | reference.GRU | reference.LSTM, at: Passed) -> Array:
    *_, (_, _, y) = _levels(layer, at)
    return y.e if layer.return_sequences else np.hstack([e[:, t] for e, t in layer.ends(y.e)])


@layer_bounds.backward.register
def _(layer: reference.RNN | reference.GRU | reference.LSTM, at: Passed, dy: Array, error: Array) -> Bounds:
    unit, names = at.unit, iter(reversed(layer.parameters()))
    d = Rounded(layer.spread(dy, at.saved[0]), layer.spread(error, at.saved[0]), unit)
    bounds: dict[str, Array] = {}
    levels = list(_levels(layer, at))
    for level, (mask, _), (x, kept, _) in zip(*map(reversed, (layer.levels, at.saved[1], levels)), strict=True):
        back = [_back(way, x, own, part) for way, own, part in zip(level, kept, _parts(d, len(level)), strict=True)]
        d = back[0][0] if len(back) == 1 else back[0][0] + back[1][0]
        d = Rounded(d.v * mask, (d.e + 2 * (np.ndim(mask) > 0) * unit * np.abs(d.v)) * mask, unit)
        bounds |= {next(names): bound for _, own in reversed(back) for bound in reversed(own)}
    return d.e, bounds


def _parts(d: Rounded, count: int) -> list[Rounded]:
    parts = zip(*(np.split(a, count, axis=2) for a in (d.v, d.e)), strict=True)
    return [Rounded(v, e, d.unit) for v, e in parts]


# ---- Embedding ------------------------------------------------------------------------------------------------------


@layer_bounds.forward.register
def _(layer: reference.Embedding, at: Passed) -> Array:
    return np.zeros(at.y.shape)  # vectors are copied


@layer_bounds.backward.register
def _(layer: reference.Embedding, at: Passed, dy: Array, error: Array) -> Bounds:
    count = np.bincount(at.x.astype(int).ravel(), minlength=len(layer.weight))[:, None]
    through, size = (layer.backward(g, at.saved)[1]["weight"] for g in (error, np.abs(dy)))
    return np.zeros(at.x.shape), {"weight": through + count * at.unit * size}
