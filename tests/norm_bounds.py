"""The error bounds of normalizations, for tests/layer_bounds.py.

All bring numbers to mean 0 and variance 1 along the first axis of a matrix: BatchNorm has a column for each channel,
of all places of the batch, LayerNorm one for each sample or step. RMSNorm does as if the mean were 0.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

import layer_bounds
from layer_bounds import Bounds, Passed
from nnext import reference
from nnext.reference.arrays import channels_first, channels_last
from tolerance import Array, eps


@dataclass
class _Normalized:
    """Numbers along the first axis, what they became, and bounds of what stands between x and y."""

    xhat: Array
    deviation: Array
    terms: float  # how many roundings a sum along the axis has
    unit: float
    e_xhat: Array
    inverse: Array  # of the deviation's relative error
    centred: bool = True

    @classmethod
    def of(cls, x: Array, e: Array, xhat: Array, deviation: Array, terms: float, unit: float) -> "_Normalized":
        """Let mean and variance be those of x."""
        distance = np.abs(xhat) * deviation  # of x from the mean
        e_mean = e.mean(axis=0) + terms * unit * np.abs(x).mean(axis=0)
        e_distance = e + e_mean + unit * distance
        e_variance = 2 * (distance * e_distance).mean(axis=0) + terms * unit * (distance**2).mean(axis=0)
        inverse = e_variance / (2 * deviation**2) + 2 * unit
        return cls(xhat, deviation, terms, unit, e_distance / deviation + np.abs(xhat) * inverse, inverse)

    @classmethod
    def uncentred(
        cls, x: Array, e: Array, xhat: Array, deviation: Array, terms: float, unit: float, e_eps: float
    ) -> "_Normalized":
        """Let the mean be 0, and the variance the mean of x^2, to which an eps is added that may be off, too."""
        e_variance = 2 * (np.abs(x) * e).mean(axis=0) + terms * unit * (x * x).mean(axis=0) + e_eps
        inverse = e_variance / (2 * deviation**2) + 2 * unit
        e_xhat = e / deviation + np.abs(xhat) * (inverse + unit)
        return cls(xhat, deviation, terms, unit, e_xhat, inverse, centred=False)

    @classmethod
    def given(cls, e: Array, xhat: Array, deviation: Array, terms: float, unit: float) -> "_Normalized":
        """Let them be told."""
        inverse = np.full(xhat.shape[1], 2 * unit)
        e_distance = e + unit * np.abs(xhat) * deviation
        return cls(xhat, deviation, terms, unit, e_distance / deviation + np.abs(xhat) * inverse, inverse)

    def products(self, dy: Array, error: Array) -> tuple[Array, Array]:
        """Return the bounds of dy and of dy xhat as terms of sums along the axis."""
        g = np.abs(dy)
        e_dot = error * np.abs(self.xhat) + g * self.e_xhat + self.terms * self.unit * g * np.abs(self.xhat)
        return error + self.terms * self.unit * g, e_dot

    def back(self, dy: Array, error: Array) -> Array:
        """Return the bound of the gradient of x, ``(dy - mean(dy) - xhat mean(dy xhat)) / deviation``."""
        e_sum, e_dot = self.products(dy, error)
        xhat, mean, dot = self.xhat, self.centred * dy.mean(axis=0), (dy * self.xhat).mean(axis=0)
        roundings = 2 * self.unit * (np.abs(dy) + np.abs(mean) + np.abs(xhat * dot))
        e_inner = (
            error
            + self.centred * e_sum.mean(axis=0)
            + self.e_xhat * np.abs(dot)
            + np.abs(xhat) * e_dot.mean(axis=0)
            + roundings
        )
        return np.asarray((e_inner + np.abs(dy - mean - xhat * dot) * (self.inverse + 2 * self.unit)) / self.deviation)


# ---- Over the batch -------------------------------------------------------------------------------------------------


def _rows(x: Array) -> Array:
    """Return samples, or the places of images, as rows."""
    x = channels_last(x)
    return x.reshape(-1, x.shape[-1])


def _as(x: Array, rows: Array) -> Array:
    """Turn rows back into the shape of x."""
    return channels_first(rows.reshape(channels_last(x).shape))


def _over_batch(at: Passed) -> _Normalized:
    saved, n = at.saved, len(at.x)
    x, e, xhat = _rows(at.x), _rows(at.e), _rows(saved.xhat)
    terms = len(x) // n * min(n, 32) + n / 32 + 3  # chains of the places of 32 samples
    if saved.mean is None:
        return _Normalized.given(e, xhat, saved.deviation, terms, at.unit)
    return _Normalized.of(x, e, xhat, saved.deviation, terms, at.unit)


def _weight(layer: Any) -> Array:
    return np.ones(layer.running_mean.shape) if layer.weight is None else np.abs(layer.weight)


@layer_bounds.forward.register(reference.BatchNorm1d)
@layer_bounds.forward.register(reference.BatchNorm2d)
def _(layer: Any, at: Passed) -> Array:
    w, bound = _weight(layer), _over_batch(at)
    return _as(at.x, w * bound.e_xhat + at.unit * (w * np.abs(bound.xhat) + np.abs(_rows(at.y))))


@layer_bounds.backward.register(reference.BatchNorm1d)
@layer_bounds.backward.register(reference.BatchNorm2d)
def _(layer: Any, at: Passed, dy: Array, error: Array) -> Bounds:
    bound, g, error = _over_batch(at), _rows(dy), _rows(error)
    bounds = {}
    if layer.weight is not None:
        e_sum, e_dot = bound.products(g, error)
        dot = np.abs((g * bound.xhat).sum(axis=0))
        bounds = {"weight": e_dot.sum(axis=0) + dot * (bound.inverse + at.unit), "bias": e_sum.sum(axis=0)}
    if at.saved.mean is None:
        through = (error + np.abs(g) * (bound.inverse + 2 * at.unit)) / bound.deviation
    else:
        through = bound.back(g, error)
    return _as(at.x, _weight(layer) * through), bounds


# ---- Over each sample -----------------------------------------------------------------------------------------------


RowNorm = reference.LayerNorm | reference.RMSNorm


def _columns(layer: RowNorm, x: Array) -> Array:
    """Return what is normalized together as columns."""
    return x.reshape(-1, int(np.prod(layer.normalized_shape))).T


def _over_samples(layer: RowNorm, at: Passed) -> _Normalized:
    x, e, xhat = (_columns(layer, a) for a in (at.x, at.e, at.saved.xhat))
    deviation, terms = at.saved.deviation.reshape(-1), len(x) + 3
    if isinstance(layer, reference.LayerNorm):
        return _Normalized.of(x, e, xhat, deviation, terms, at.unit)
    e_eps = at.eps - eps("float64") if layer.eps is None else 0  # the reference has that of its own dtype
    return _Normalized.uncentred(x, e, xhat, deviation, terms, at.unit, e_eps)


def _weight_column(layer: RowNorm) -> Any:
    return 1.0 if layer.weight is None else np.abs(layer.weight).reshape(-1, 1)


@layer_bounds.forward.register
def _(layer: RowNorm, at: Passed) -> Array:
    w, bound = _weight_column(layer), _over_samples(layer, at)
    y = np.abs(_columns(layer, at.y))
    return (w * bound.e_xhat + at.unit * (2 * w * np.abs(bound.xhat) + y)).T.reshape(at.y.shape)


@layer_bounds.backward.register
def _(layer: RowNorm, at: Passed, dy: Array, error: Array) -> Bounds:
    bound, w = _over_samples(layer, at), _weight_column(layer)
    g, e = _columns(layer, dy), _columns(layer, error)
    rows, size = g.shape[1] + 1, np.abs(g)
    of_weight = e * np.abs(bound.xhat) + size * bound.e_xhat + rows * at.unit * size * np.abs(bound.xhat)
    sums = {"weight": of_weight.sum(axis=1), "bias": (e + rows * at.unit * size).sum(axis=1)}
    bounds = {name: sums[name].reshape(layer.normalized_shape) for name in layer.parameters()}
    signed = g if layer.weight is None else g * layer.weight.reshape(-1, 1)
    back = bound.back(signed, w * e + at.unit * w * size)
    return back.T.reshape(at.x.shape), bounds
