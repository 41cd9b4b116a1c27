"""How far rounding can take a whole network's outputs and gradients from the exact ones: a running error analysis.

Next to every exact value travels a bound of its error, layer by layer, forward and back (N. J. Higham, *Accuracy and
Stability of Numerical Algorithms*, 2nd ed., section 3.3). First order in eps; the callers double it for the rest. The
exact values are the reference's, in float64: for float32 networks its own errors do not count, for float64 networks
they are of the same size as the core's.
"""

from typing import Any

import numpy as np

from nnext import reference
from nnext.reference import activations
from tolerance import ULP, eps

Array = np.ndarray


class Bounded:
    """A reference network in float64 that knows the errors of its twin in `dtype`."""

    def __init__(self, network: reference.Network, dtype: str) -> None:
        self.network, self.eps = network, eps(dtype)
        self.values: list[Array] = []  # what goes into each layer, and what comes out of the last
        self.errors: list[Array] = []
        self.gradients: dict[str, Array] = {}  # errors of the parameters' gradients
        self.input_gradient: Array

    def forward(self, X: Array, training: bool) -> Array:
        """Return the outputs; their bounds are `errors[-1]`."""
        network = self.network
        output = network.forward(X, training=training)
        self.values, self.errors = [np.asarray(X, np.float64)], [np.zeros(X.shape)]
        for i, layer in enumerate(network.layers):
            draw = reference.layers.Draw(network.seed, i, network.steps) if training else None
            y, saved = layer.forward(self.values[-1], draw)
            self.errors.append(self._forward_error(layer, self.values[-1], self.errors[-1], y, saved))
            self.values.append(y)
        return output

    def _forward_error(self, layer: Any, x: Array, e: Array, y: Array, saved: Any) -> Array:
        if isinstance(layer, reference.Linear):
            w, b = np.abs(layer.weight), 0 if layer.bias is None else np.abs(layer.bias)
            return e @ w.T + (x.shape[1] + 2) * self.eps * (np.abs(x) @ w.T + b)
        if isinstance(layer, reference.Dropout):
            return (e + self.eps * np.abs(x)) * saved
        if isinstance(layer, reference.Flatten):
            return e
        if layer.function is activations.softmax:
            distance = np.ptp(x, axis=1, keepdims=True)
            return y * (2 * e.max(axis=1, keepdims=True) + self.eps * (distance + 2 * ULP + x.shape[1] + 2))
        return e + ULP * self.eps * np.abs(y)  # the other activations have slopes of at most 1

    def backward(self, dy: Array, error: Array) -> None:
        """Go back from a gradient of the last value in `values` and its bound."""
        for i in reversed(range(len(self.values) - 1)):
            layer, x, e = self.network.layers[i], self.values[i], self.errors[i]
            if isinstance(layer, reference.Linear):
                self.gradients[f"{i}.weight"] = (
                    error.T @ np.abs(x) + np.abs(dy).T @ e + (len(x) + 2) * self.eps * (np.abs(dy).T @ np.abs(x))
                )
                self.gradients[f"{i}.bias"] = error.sum(axis=0) + len(x) * self.eps * np.abs(dy).sum(axis=0)
                w = np.abs(layer.weight)
                error, dy = error @ w + (w.shape[0] + 2) * self.eps * (np.abs(dy) @ w), dy @ layer.weight
                continue
            error = self._backward_error(layer, i, dy, error)
            dy = self._backward(layer, i, dy)
        self.input_gradient = error

    def _backward(self, layer: Any, i: int, dy: Array) -> Array:
        draw = reference.layers.Draw(self.network.seed, i, self.network.steps)
        return layer.backward(dy, layer.forward(self.values[i], draw)[1])[0]

    def _backward_error(self, layer: Any, i: int, dy: Array, error: Array) -> Array:
        x, y, e_x, e_y, g = self.values[i], self.values[i + 1], self.errors[i], self.errors[i + 1], np.abs(dy)
        if isinstance(layer, reference.Dropout):
            return np.abs(self._backward(layer, i, error)) + self.eps * np.abs(self._backward(layer, i, g))
        if isinstance(layer, reference.Flatten):
            return error
        if layer.function is activations.softmax:
            total, n = (g * y).sum(axis=1, keepdims=True), x.shape[1]
            spread = y * (error + (error * y).sum(axis=1, keepdims=True) + (g * e_y).sum(axis=1, keepdims=True))
            return spread + e_y * (g + total) + self.eps * (n + 4) * y * (g + total)
        if layer.function in (activations.relu, activations.leaky_relu):
            return error + g * (np.abs(x) <= e_x) + self.eps * g  # within its error of the kink either slope is right
        return error + g * (2 * e_y + 4 * self.eps)  # tanh' = 1 - y^2, sigmoid' = y (1 - y)

    def loss(self, name: str, y: Array, share: Array) -> tuple[Array, Array]:
        """Return the gradient of a loss of the last value, and its bound; `share` is w / sum(w) of each row."""
        p, e, k = self.values[-1], self.errors[-1], self.values[-1].shape[1]
        gradient = getattr(reference, f"{name}_grad")(p, y, share)
        share = share[:, None]
        if name == "mse":
            return gradient, share / k * (2 * e + 4 * self.eps * (np.abs(p) + np.abs(y.reshape(p.shape))))
        if name == "bce_with_logits":
            return gradient, share / k * (e + (ULP + 3) * self.eps)
        distance = np.ptp(p, axis=1, keepdims=True)
        error = share * (2 * e.max(axis=1, keepdims=True) + self.eps * (distance + 2 * ULP + k + 4))
        return gradient, np.broadcast_to(error, p.shape)
