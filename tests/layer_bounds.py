"""The error bounds of each layer, forward and back, for tests/error_bounds.py. A layer without a row is an error."""

from dataclasses import dataclass
from functools import singledispatch
from typing import Any

import numpy as np

from cases import activation_case
from nnext import reference
from nnext.reference import activations
from tolerance import ULP, Array

Bounds = tuple[Array, dict[str, Array]]  # of dx and of the parameters' gradients


@dataclass
class Passed:
    """What went through a layer: x and y, bounds of their errors, and what the reference saved."""

    x: Array
    e: Array
    y: Array
    e_y: Array
    saved: Any
    eps: float

    @property
    def unit(self) -> float:
        """How far a number may be rounded, relative to it."""
        return self.eps / 2


@singledispatch
def forward(layer: Any, at: Passed) -> Array:
    """Return the bound of y's error."""
    raise NotImplementedError(f"no error bounds for {layer!r}")


@singledispatch
def backward(layer: Any, at: Passed, dy: Array, error: Array) -> Bounds:
    """Return the bounds of the errors of dx and of the parameters' gradients, for dy with a bound of its error."""
    raise NotImplementedError(f"no error bounds for {layer!r}")


# ---- Linear ---------------------------------------------------------------------------------------------------------


@forward.register
def _(layer: reference.Linear, at: Passed) -> Array:
    w, b = np.abs(layer.weight), 0 if layer.bias is None else np.abs(layer.bias)
    return at.e @ w.T + (at.x.shape[1] + 1) * at.unit * (np.abs(at.x) @ w.T + b)  # a chain of FMAs from the bias on


@backward.register
def _(layer: reference.Linear, at: Passed, dy: Array, error: Array) -> Bounds:
    w, g, x, n = np.abs(layer.weight), np.abs(dy), np.abs(at.x), len(dy)
    bounds = {"weight": error.T @ x + g.T @ at.e + (n + 1) * at.unit * (g.T @ x)}
    if layer.bias is not None:
        bounds["bias"] = error.sum(axis=0) + n * at.unit * g.sum(axis=0)
    return error @ w + (w.shape[0] + 1) * at.unit * (g @ w), bounds


# ---- Activations ----------------------------------------------------------------------------------------------------


@forward.register
def _(layer: reference.Activation, at: Passed) -> Array:
    if layer.function is activations.softmax:
        distance = np.ptp(at.x, axis=1, keepdims=True)
        relative = 2 * at.e.max(axis=1, keepdims=True) + at.eps * (distance + 2 * ULP + at.x.shape[1] + 2)
        return np.asarray(at.y * relative)
    case = activation_case(layer.function.__name__, layer.options)
    return np.asarray(case.slope * at.e + case.ulp(at.x) * at.eps * np.abs(at.y))


@backward.register
def _(layer: reference.Activation, at: Passed, dy: Array, error: Array) -> Bounds:
    g, y = np.abs(dy), at.y
    if layer.function is activations.softmax:
        total = (g * y).sum(axis=1, keepdims=True)
        spread = y * (error + ((error * y) + g * at.e_y).sum(axis=1, keepdims=True))
        return spread + at.e_y * (g + total) + at.eps * (y.shape[1] + 4) * y * (g + total), {}
    case = activation_case(layer.function.__name__, layer.options)
    if case.curvature is None:  # within its error of the kink either slope is right
        return case.slope * error + g * (np.abs(at.x) <= at.e) + case.gradient(at.x) * at.eps * g, {}
    return case.slope * error + g * (case.curvature * at.e + case.gradient(at.x) * at.eps), {}


# ---- Dropout and Flatten --------------------------------------------------------------------------------------------


@forward.register
def _(layer: reference.Dropout, at: Passed) -> Array:
    drops = np.ndim(at.saved) > 0
    return np.asarray((at.e + 2 * drops * at.unit * np.abs(at.x)) * at.saved)  # 1 / (1 - p) is rounded, too


@backward.register
def _(layer: reference.Dropout, at: Passed, dy: Array, error: Array) -> Bounds:
    return (error + 2 * at.unit * np.abs(dy)) * at.saved, {}


@forward.register
def _(layer: reference.Flatten, at: Passed) -> Array:
    return at.e


@backward.register
def _(layer: reference.Flatten, at: Passed, dy: Array, error: Array) -> Bounds:
    return error, {}


# ---- Batch normalization --------------------------------------------------------------------------------------------


@dataclass
class _Normalized:
    """Bounds of what stands between x and y."""

    xhat: Array
    inverse: Array  # of the deviation's relative error
    terms: float  # how many roundings a sum over the rows has, in chains of 32


def _normalized(layer: reference.BatchNorm1d, at: Passed) -> _Normalized:
    deviation, x = at.saved.deviation, at.x
    terms = min(len(x), 32) + len(x) / 32 + 3
    distance = np.abs(at.saved.xhat) * deviation  # of x from the mean
    if at.saved.mean is None:
        e_mean, inverse = np.zeros(x.shape[1]), np.full(x.shape[1], 2 * at.unit)
        e_distance = at.e + at.unit * distance
    else:
        e_mean = at.e.mean(axis=0) + terms * at.unit * np.abs(x).mean(axis=0)
        e_distance = at.e + e_mean + at.unit * distance
        e_variance = 2 * (distance * e_distance).mean(axis=0) + terms * at.unit * (distance**2).mean(axis=0)
        inverse = e_variance / (2 * deviation**2) + 2 * at.unit
    return _Normalized(e_distance / deviation + np.abs(at.saved.xhat) * inverse, inverse, terms)


def _weight(layer: reference.BatchNorm1d) -> Array:
    return np.ones(layer.running_mean.shape) if layer.weight is None else np.abs(layer.weight)


@forward.register
def _(layer: reference.BatchNorm1d, at: Passed) -> Array:
    w = _weight(layer)
    return np.asarray(w * _normalized(layer, at).xhat + at.unit * (w * np.abs(at.saved.xhat) + np.abs(at.y)))


@backward.register
def _(layer: reference.BatchNorm1d, at: Passed, dy: Array, error: Array) -> Bounds:
    bound, xhat, g = _normalized(layer, at), at.saved.xhat, np.abs(dy)
    e_dot = error * np.abs(xhat) + g * bound.xhat + bound.terms * at.unit * g * np.abs(xhat)
    e_sum = error + bound.terms * at.unit * g
    bounds = {}
    if layer.weight is not None:
        bounds["weight"] = e_dot.sum(axis=0) + np.abs((dy * xhat).sum(axis=0)) * (bound.inverse + at.unit)
        bounds["bias"] = e_sum.sum(axis=0)
    scale = _weight(layer) / at.saved.deviation
    if at.saved.mean is None:
        return scale * (error + g * (bound.inverse + 2 * at.unit)), bounds
    mean, dot = dy.mean(axis=0), (dy * xhat).mean(axis=0)
    inner = dy - mean - xhat * dot
    roundings = 2 * at.unit * (g + np.abs(mean) + np.abs(xhat * dot))
    e_inner = error + e_sum.mean(axis=0) + bound.xhat * np.abs(dot) + np.abs(xhat) * e_dot.mean(axis=0) + roundings
    return scale * (e_inner + np.abs(inner) * (bound.inverse + 2 * at.unit)), bounds
