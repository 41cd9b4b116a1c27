"""How far rounding can take a whole network's outputs and gradients from the exact ones: a running error analysis.

Next to every exact value travels a bound of its error, layer by layer, forward and back (N. J. Higham, *Accuracy and
Stability of Numerical Algorithms*, 2nd ed., section 3.3). First order in eps; the callers double it for the rest. The
exact values are the reference's, in float64: for float32 networks its own errors do not count, for float64 networks
they are of the same size as the core's. tests/layer_bounds.py has the bounds of each layer.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

import layer_bounds
import norm_bounds  # noqa: F401 (it has rows of layer_bounds)
import recurrent_bounds  # noqa: F401 (it too)
from layer_bounds import Passed
from nnext import reference
from nnext.reference.arrays import as_images
from tolerance import ULP, Array, eps


def as_samples(layers: Sequence[Any], x: Array) -> Array:
    """Return x as a network of the reference gives it to these layers: signals are images of one line."""
    return as_images(x, reference.Chain(layers, []).image_axes())


@dataclass
class Trace:
    """A layer with what went through it, and those of the layers that it holds, branch by branch."""

    layer: Any
    passed: Passed
    branches: dict[str, list["Trace"]] = field(default_factory=dict)


class Bounded:
    """A reference network in float64 that knows the errors of its twin in `dtype`."""

    def __init__(self, network: reference.Network, dtype: str) -> None:
        self.network, self.eps = network, eps(dtype)
        self.output, self.error = np.empty(0), np.empty(0)
        self.gradients: dict[str, Array] = {}  # errors of the parameters' gradients
        self.input_gradient: Array
        self._traces: list[Trace] = []
        self._shape: tuple[int, ...] = ()  # of x

    def forward(self, X: Array, training: bool) -> Array:
        """Return the outputs; their bounds are `error`."""
        network, x = self.network, np.asarray(X, np.float64)
        draw = reference.layers.Draw(network.seed, 0, network.steps) if training else None
        self._shape, x = x.shape, as_samples(network.layers, x)
        self._traces = self._through(network.layers, range(len(network.layers)), x, np.zeros(x.shape), draw)
        last, y = self._traces[-1].passed, network.forward(X, training=training)
        self.output, self.error = y, last.e_y.reshape(y.shape)
        return y

    def _through(self, layers: Any, numbers: Any, x: Array, e: Array, draw: Any) -> list[Trace]:
        traces = []
        for layer, number in zip(layers, numbers, strict=True):
            own = None if draw is None else replace(draw, layer=number)
            y, saved = layer.forward(x, own)
            trace = Trace(layer, Passed(x, e, y, np.zeros(y.shape), saved, self.eps))
            if isinstance(layer, reference.Residual | reference.Branches):
                trace.passed.e_y = self._join(trace, draw)
            else:
                trace.passed.e_y = layer_bounds.forward(layer, trace.passed)
            traces.append(trace)
            x, e = trace.passed.y, trace.passed.e_y
        return traces

    def _join(self, trace: Trace, draw: Any) -> Array:
        """Go through the branches; return the bound of what they give together."""
        at, errors = trace.passed, []
        for name, chain in trace.layer.chains().items():
            inner = trace.branches[name] = self._through(chain.layers, chain.numbers, at.x, at.e, draw)
            errors.append(inner[-1].passed.e_y if inner else at.e)
        outputs, _ = at.saved
        adds = outputs[0].shape == at.y.shape  # else they lie side by side
        return np.asarray(trace.layer.join(errors) + (self._rounded(outputs) if adds else 0))

    def _rounded(self, terms: Any) -> Array:
        """Return what is rounded off when these are added in their order."""
        sums = np.cumsum(terms, axis=0)
        return np.asarray(self.eps / 2 * np.abs(sums[1:]).sum(axis=0))

    def backward(self, dy: Array, error: Array) -> None:
        """Go back from a gradient of the output and its bound."""
        shape = self._traces[-1].passed.y.shape
        _, bound, self.gradients = self._back(self._traces, dy.reshape(shape), error.reshape(shape))
        self.input_gradient = bound.reshape(self._shape)

    def _back(self, traces: list[Trace], dy: Array, error: Array) -> tuple[Array, Array, dict[str, Array]]:
        bounds: dict[str, Array] = {}
        for i, trace in reversed(list(enumerate(traces))):
            if trace.branches:
                error, own = self._fork(trace, dy, error)
            else:
                error, own = layer_bounds.backward(trace.layer, trace.passed, dy, error)
            dy = trace.layer.backward(dy, trace.passed.saved)[0]
            bounds |= {f"{i}.{name}": bound for name, bound in own.items()}
        return dy, error, bounds

    def _fork(self, trace: Trace, dy: Array, error: Array) -> layer_bounds.Bounds:
        """Go back through the branches, whose gradients in x are added in their order."""
        layer, (outputs, _) = trace.layer, trace.passed.saved
        own: dict[str, Array] = {}
        gradients, errors = [], []
        parts = zip(trace.branches.items(), layer.parts(dy, outputs), layer.parts(error, outputs), strict=True)
        for (name, inner), part, e_part in parts:
            dx, e, within = self._back(inner, part, e_part)
            gradients.append(dx)
            errors.append(e)
            own |= {f"{name}.{key}": bound for key, bound in within.items()}
        return sum(errors) + self._rounded(gradients), own

    def loss(self, name: str, y: Array, share: Array, arguments: dict[str, Any]) -> tuple[Array, Array]:
        """Return the gradient of a loss of the output, and its bound; `share` is w / sum(w) of each row."""
        p, e, k = self.output, self.error, self.output.shape[1]
        gradient = getattr(reference, f"{name}_grad")(p, y, share, **arguments)
        share = share[:, None]
        if name in ("mse", "huber"):
            return gradient, share / k * (2 * e + 4 * self.eps * (np.abs(p) + np.abs(y.reshape(p.shape))))
        if name == "log_cosh":  # tanh: of slope 1 at most, and as large as 1
            distance = np.abs(p) + np.abs(y.reshape(p.shape))
            return gradient, share / k * (e + self.eps * (distance + ULP + 3))
        if name == "bce_with_logits":
            return gradient, share / k * (e + (ULP + 3) * self.eps)
        if name not in ("cross_entropy", "kl_div"):
            raise NotImplementedError(f"no error bounds for the loss {name}")
        distance = np.ptp(p, axis=1, keepdims=True)
        error = share * (2 * e.max(axis=1, keepdims=True) + self.eps * (distance + 2 * ULP + k + 4))
        return gradient, np.broadcast_to(error, p.shape)


def bounded(model: Any, layers: int | None = None) -> Bounded:
    """Return the reference of the first layers of a model, in float64 with the model's own weights."""
    configs = [layer.config() for layer in model.layers[:layers]]
    network = reference.Network.from_config(configs, model.state_dict(), seed=model.seed, dtype="float64")
    return Bounded(network, str(model.dtype))
