"""The error bounds of each layer, forward and back, for tests/error_bounds.py. A layer without a row is an error."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import singledispatch, wraps
from typing import Any

import numpy as np

from activation_cases import activation_case
from nnext import reference
from nnext.reference import activations
from nnext.reference.arrays import channels_first, channels_last, lines_of_steps, steps_of_lines
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


def along_lines(bound: Callable[..., Any]) -> Callable[..., Any]:
    """Let bounds of images be those of sequences, too, as the reference does with layers over one axis."""

    @wraps(bound)
    def of_steps(layer: Any, at: Passed, *gradients: Array) -> Any:
        if at.x.ndim != 3:
            return bound(layer, at, *gradients)
        x, e, y, e_y = map(lines_of_steps, (at.x, at.e, at.y, at.e_y))
        lines = Passed(x, e, y, e_y, layer.forward(x, None)[1], at.eps)
        result = bound(layer, lines, *map(lines_of_steps, gradients))
        return (steps_of_lines(result[0]), result[1]) if gradients else steps_of_lines(result)

    return of_steps


# ---- Linear ---------------------------------------------------------------------------------------------------------


@forward.register
def _(layer: reference.Linear, at: Passed) -> Array:
    w, b = np.abs(layer.weight), 0 if layer.bias is None else np.abs(layer.bias)
    return at.e @ w.T + (at.x.shape[-1] + 1) * at.unit * (np.abs(at.x) @ w.T + b)  # a chain of FMAs from the bias on


@backward.register
def _(layer: reference.Linear, at: Passed, dy: Array, error: Array) -> Bounds:
    w, g = np.abs(layer.weight), np.abs(dy)
    dx = error @ w + (w.shape[0] + 1) * at.unit * (g @ w)
    x, e, g, error = (a.reshape(-1, a.shape[-1]) for a in (np.abs(at.x), at.e, g, error))  # steps are rows
    n = len(g)
    bounds = {"weight": error.T @ x + g.T @ e + (n + 1) * at.unit * (g.T @ x)}
    if layer.bias is not None:
        bounds["bias"] = error.sum(axis=0) + n * at.unit * g.sum(axis=0)
    return dx, bounds


# ---- Activations ----------------------------------------------------------------------------------------------------


@forward.register
def _(layer: reference.Activation, at: Passed) -> Array:
    if layer.function is activations.softmax:
        return channels_first(_softmax(channels_last(at.x), channels_last(at.e), channels_last(at.y), at.eps))
    if layer.function is activations.log_softmax:
        return channels_first(_log_softmax(channels_last(at.x), channels_last(at.e), channels_last(at.y), at.eps))
    case = activation_case(layer.function.__name__, layer.options)
    return np.asarray(case.slope * at.e + case.ulp(at.x) * at.eps * np.abs(at.y))


def _softmax(x: Array, e: Array, y: Array, eps: float) -> Array:
    distance = np.ptp(x, axis=-1, keepdims=True)
    return np.asarray(y * (2 * e.max(axis=-1, keepdims=True) + eps * (distance + 2 * ULP + x.shape[-1] + 2)))


def _log_softmax(x: Array, e: Array, y: Array, eps: float) -> Array:
    p, distance = np.exp(y), x.max(axis=-1, keepdims=True) - x
    log_sum = -distance - y  # whose sum's terms are rounded, and their distances before
    e_sum = (p * (e + eps / 2 * distance)).sum(axis=-1, keepdims=True) + eps * (ULP + x.shape[-1] / 2)
    return np.asarray(e + e_sum + eps / 2 * (distance + np.abs(y)) + ULP * eps * np.abs(log_sum))


@backward.register
def _(layer: reference.Activation, at: Passed, dy: Array, error: Array) -> Bounds:
    g = np.abs(dy)
    if layer.function is activations.log_softmax:
        last = map(channels_last, (dy, error, at.y, at.e_y))
        return channels_first(_log_softmax_back(*last, at.eps)), {}
    if layer.function is activations.softmax:
        last = map(channels_last, (g, error, at.y, at.e_y))
        return channels_first(_softmax_back(*last, at.eps)), {}
    case = activation_case(layer.function.__name__, layer.options)
    jumps = sum(np.abs(at.x - kink) <= at.e for kink in case.kinks)  # within its error of a kink either slope is right
    return case.slope * error + g * (jumps + case.curvature * at.e + case.gradient(at.x) * at.eps), {}


def _softmax_back(g: Array, error: Array, y: Array, e_y: Array, eps: float) -> Array:
    total = (g * y).sum(axis=-1, keepdims=True)
    spread = y * (error + ((error * y) + g * e_y).sum(axis=-1, keepdims=True))
    return np.asarray(spread + e_y * (g + total) + eps * (y.shape[-1] + 4) * y * (g + total))


def _log_softmax_back(dy: Array, error: Array, y: Array, e_y: Array, eps: float) -> Array:
    p, total = np.exp(y), np.abs(dy.sum(axis=-1, keepdims=True))
    e_total = (error + y.shape[-1] * eps / 2 * np.abs(dy)).sum(axis=-1, keepdims=True)
    return np.asarray(error + p * (e_total + total * (e_y + eps * ULP)) + eps * (np.abs(dy) + p * total))


@forward.register
def _(layer: reference.PReLU, at: Passed) -> Array:
    w = channels_first(np.abs(layer.weight) + np.zeros(channels_last(at.x).shape))
    return np.asarray(np.maximum(w, 1) * at.e + at.unit * np.abs(at.y))


@backward.register
def _(layer: reference.PReLU, at: Passed, dy: Array, error: Array) -> Bounds:
    x, e, g, error = (channels_last(a) for a in (at.x, at.e, np.abs(dy), error))
    w, close = layer.weight, np.abs(x) <= e  # within its error of the kink either slope is right
    dx = np.maximum(np.abs(w), 1) * error + close * g * np.abs(1 - w) + at.unit * np.abs(w) * g
    count = x.size // len(w) + 1
    terms = (x <= e) * (error * np.abs(x) + g * e + count * at.unit * np.abs(x) * g)
    return channels_first(dx), {"weight": terms.reshape(-1, len(w)).sum(axis=0)}


# ---- Noise, Reshape and Flatten -------------------------------------------------------------------------------------


@forward.register
def _(layer: reference.Dropout, at: Passed) -> Array:
    drops = np.ndim(at.saved) > 0
    return np.asarray((at.e + 2 * drops * at.unit * np.abs(at.x)) * at.saved)  # 1 / (1 - p) is rounded, too


@forward.register
def _(layer: reference.AlphaDropout, at: Passed) -> Array:
    if np.ndim(at.saved) == 0:
        return at.e
    scaled = at.saved * at.x  # and then shifted
    return np.asarray(at.e * at.saved + at.unit * (2 * np.abs(scaled) + np.abs(at.y - scaled) + np.abs(at.y)))


@backward.register
def _(layer: reference.Dropout | reference.AlphaDropout, at: Passed, dy: Array, error: Array) -> Bounds:
    return (error + 2 * at.unit * np.abs(dy)) * at.saved, {}


@forward.register
def _(layer: reference.GaussianNoise, at: Passed) -> Array:
    drops = np.ndim(at.saved) > 0
    return np.asarray(at.e + 5 * at.eps * np.abs(at.saved) + drops * at.unit * np.abs(at.y))  # kernels/noise.kernel.cpp


@backward.register
def _(layer: reference.GaussianNoise, at: Passed, dy: Array, error: Array) -> Bounds:
    return error, {}


@forward.register
def _(layer: reference.Flatten | reference.Reshape, at: Passed) -> Array:
    return at.e.reshape(at.y.shape)


@backward.register
def _(layer: reference.Flatten | reference.Reshape, at: Passed, dy: Array, error: Array) -> Bounds:
    return error.reshape(at.x.shape), {}


# ---- Convolution ----------------------------------------------------------------------------------------------------


def _of_sizes(layer: reference.Conv1d | reference.Conv2d) -> Any:
    """Return the convolution with the sizes of the weights, without a bias: what a chain of errors goes through."""
    return replace(layer, weight=np.abs(layer.weight), bias=None)


@forward.register
@along_lines
def _(layer: reference.Conv1d | reference.Conv2d, at: Passed) -> Array:
    sizes, terms = _of_sizes(layer), layer.weight[0].size + 1
    b = 0 if layer.bias is None else np.abs(layer.bias)[:, None, None]
    through, rounded = (sizes.forward(x, None)[0] for x in (at.e, np.abs(at.x)))
    return np.asarray(through + terms * at.unit * (rounded + b))  # as Linear, a chain for each place


@backward.register
@along_lines
def _(layer: reference.Conv1d | reference.Conv2d, at: Passed, dy: Array, error: Array) -> Bounds:
    sizes, g, x = _of_sizes(layer), np.abs(dy), np.abs(at.x)
    through, e_weight = sizes.backward(error, sizes.forward(x, None)[1])
    rounded, weight = sizes.backward(g, sizes.forward(x, None)[1])
    _, from_x = sizes.backward(g, sizes.forward(at.e, None)[1])
    terms, places = layer.weight[:, 0].size // layer.groups, dy[:, 0].size
    bounds = {
        "weight": e_weight["weight"] + from_x["weight"] + (places + 1) * at.unit * weight["weight"],
        "bias": (error + places * at.unit * g).sum(axis=(0, 2, 3)),
    }
    return through + (terms + 1) * at.unit * rounded, {name: bounds[name] for name in layer.parameters()}


# ---- Pooling --------------------------------------------------------------------------------------------------------


@forward.register
@along_lines
def _(layer: reference.MaxPool1d | reference.MaxPool2d, at: Passed) -> Array:
    return layer.windows().of(at.e).max(axis=(4, 5))  # a maximum moves at most as far as what it is of


@backward.register
@along_lines
def _(layer: reference.MaxPool1d | reference.MaxPool2d, at: Passed, dy: Array, error: Array) -> Bounds:
    windows, seen = layer.windows(), layer.seen(at.x)
    e = windows.of(at.e).reshape(seen.shape)
    first = seen.argmax(axis=-1)[..., None]
    largest, e_largest = (np.take_along_axis(a, first, axis=-1) for a in (seen, e))
    close = largest - seen < e + e_largest  # within its error any of these may be the largest
    several = close.sum(axis=-1, keepdims=True) > 1
    g, error = np.abs(dy)[..., None], error[..., None]
    here = np.zeros(seen.shape)
    np.put_along_axis(here, first, error + seen.shape[-1] * at.unit * g, axis=-1)  # what windows give is added up
    back = here + close * several * (g + error)
    return windows.sums(back.reshape(*seen.shape[:4], *layer.kernel_size), at.x.shape), {}


@forward.register
@along_lines
def _(layer: reference.AvgPool1d | reference.AvgPool2d, at: Passed) -> Array:
    size = layer.kernel_size[0] * layer.kernel_size[1]
    through, rounded = (layer.forward(x, None)[0] for x in (at.e, np.abs(at.x)))
    return np.asarray(through + (size + 2) * at.unit * rounded)


@backward.register
@along_lines
def _(layer: reference.AvgPool1d | reference.AvgPool2d, at: Passed, dy: Array, error: Array) -> Bounds:
    size = layer.kernel_size[0] * layer.kernel_size[1]
    through, rounded = (layer.backward(g, at.saved)[0] for g in (error, np.abs(dy)))
    return through + (size + 2) * at.unit * rounded, {}


@forward.register
@along_lines
def _(layer: reference.GlobalAvgPool1d | reference.GlobalAvgPool2d, at: Passed) -> Array:
    size = at.x.shape[2] * at.x.shape[3]
    return np.asarray((at.e + (size + 2) * at.unit * np.abs(at.x)).mean(axis=(2, 3)))


@backward.register
@along_lines
def _(layer: reference.GlobalAvgPool1d | reference.GlobalAvgPool2d, at: Passed, dy: Array, error: Array) -> Bounds:
    return layer.backward(error + 2 * at.unit * np.abs(dy), at.saved)[0], {}


@forward.register
@along_lines
def _(layer: reference.GlobalMaxPool1d, at: Passed) -> Array:
    return np.asarray(at.e.max(axis=(2, 3)))


@backward.register
@along_lines
def _(layer: reference.GlobalMaxPool1d, at: Passed, dy: Array, error: Array) -> Bounds:
    largest = at.x == at.y[:, :, None, None]
    e_largest = (at.e * largest).max(axis=(2, 3), keepdims=True)
    close = at.y[:, :, None, None] - at.x <= at.e + e_largest  # within its error any of these may be the largest
    several = close.sum(axis=(2, 3), keepdims=True) > 1
    g, error = np.abs(dy)[:, :, None, None], error[:, :, None, None]
    return largest * error + close * several * (g + error), {}


# ---- Attention ------------------------------------------------------------------------------------------------------


@dataclass
class _Attended:
    """Bounds of what stands between x and y of an AttentionPooling: of z, which tanh is of, of u and of the shares."""

    x: Array
    e: Array
    e_z: Array
    e_u: Array
    e_shares: Array

    @classmethod
    def of(cls, layer: reference.AttentionPooling, at: Passed) -> "_Attended":
        x, e = (steps_of_lines(np.abs(a)) for a in (at.x, at.e))
        weight, context, (_, u, shares, _) = np.abs(layer.weight), np.abs(layer.context), at.saved
        e_z = e @ weight.T + (x.shape[-1] + 1) * at.unit * (x @ weight.T + np.abs(layer.bias))
        e_u = e_z + ULP * at.eps * np.abs(u)
        e_score = e_u @ context + len(context) * at.unit * (np.abs(u) @ context)
        return cls(x, e, e_z, e_u, _softmax(u @ layer.context, e_score, shares, at.eps))


@forward.register
def _(layer: reference.AttentionPooling, at: Passed) -> Array:
    between, shares = _Attended.of(layer, at), at.saved.shares
    terms = (between.e_shares + shares.shape[1] * at.unit * shares)[..., None] * between.x
    return np.asarray((terms + shares[..., None] * between.e).sum(axis=1))


@backward.register
def _(layer: reference.AttentionPooling, at: Passed, dy: Array, error: Array) -> Bounds:
    between, (x, u, shares, lines) = _Attended.of(layer, at), at.saved
    g, error = np.abs(dy)[:, None], error[:, None]
    weight, context, unit = np.abs(layer.weight), np.abs(layer.context), at.unit
    size, steps = (between.x * g).sum(axis=-1), between.x.shape[0] * between.x.shape[1]
    e_size = (between.e * g + between.x * error).sum(axis=-1) + between.x.shape[-1] * unit * size
    e_de = _softmax_back(size, e_size, shares, between.e_shares, at.eps)
    de = np.abs(activations.softmax_grad(u @ layer.context, (x * dy[:, None]).sum(axis=-1)))
    slope, u = 1 - u * u, np.abs(u)
    dz = de[..., None] * context * slope
    e_dz = context * (e_de[..., None] * slope + de[..., None] * 2 * u * between.e_u) + 5 * unit * dz
    dx = e_dz @ weight + (len(context) + 2) * unit * (dz @ weight)
    dx += (between.e_shares + 2 * unit * shares)[..., None] * g + shares[..., None] * error
    over = (tuple(range(2)), tuple(range(2)))
    bounds = {
        "weight": np.tensordot(e_dz + steps * unit * dz, between.x, over) + np.tensordot(dz, between.e, over),
        "bias": (e_dz + steps * unit * dz).sum(axis=(0, 1)),
        "context": np.tensordot(e_de + steps * unit * de, u, over) + np.tensordot(de, between.e_u, over),
    }
    return (lines_of_steps(dx) if lines else dx), bounds
