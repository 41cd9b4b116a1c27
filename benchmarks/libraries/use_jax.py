"""JAX: everything compiled by jit, an epoch as one lax.scan over its batches, state donated."""

from __future__ import annotations

from functools import partial
from typing import Any

import jax
import numpy as np
from jax import lax
from jax import numpy as jnp

from benchmarks.libraries.base import Call, Library, Training
from benchmarks.works import Net, Samples, Weights


class Use(Library):
    """JAX. The number of threads is that of the process's CPUs or PJRT_NPROC, told by the harness."""

    def __init__(self, threads: int) -> None:
        super().__init__(threads)
        jax.config.update("jax_enable_x64", True)
        jax.config.update("jax_cpu_enable_async_dispatch", False)  # a thread to hand over to takes 40 us

    def about(self) -> str:
        return f"JAX {jax.__version__}, jit"

    def matmul(self, a: np.ndarray, b: np.ndarray) -> Call:
        x, w = jnp.asarray(a), jnp.asarray(b)
        product = jax.jit(jnp.matmul)
        return lambda: product(x, w).block_until_ready()

    def activation(self, name: str, x: np.ndarray) -> Call:
        functions = {"relu": jax.nn.relu, "tanh": jnp.tanh, "sigmoid": jax.nn.sigmoid, "softmax": jax.nn.softmax}
        function, t = jax.jit(functions[name]), jnp.asarray(x)
        return lambda: function(t).block_until_ready()

    def prediction(self, net: Net, weights: Weights, x: np.ndarray) -> Call:
        parameters = _parameters(net, weights)
        rows = jnp.asarray(x)  # NumPy's would be copied in every call, which doubles the time
        forward = jax.jit(lambda rows: _outputs(parameters, rows, net.activation))
        return lambda: forward(rows).block_until_ready()

    def training(self, net: Net, samples: Samples) -> Training:
        return _Training(net, samples)


Parameters = list[tuple[jax.Array, jax.Array]]


def _parameters(net: Net, weights: Weights) -> Parameters:
    return [
        (jnp.asarray(weights[f"{2 * i}.weight"].T), jnp.asarray(weights[f"{2 * i}.bias"]))
        for i in range(len(net.sizes) - 1)
    ]


def _outputs(parameters: Parameters, x: jax.Array, activation: str) -> jax.Array:
    activate = {"relu": lambda y: jnp.maximum(y, 0), "tanh": jnp.tanh}[activation]
    for i, (w, b) in enumerate(parameters):
        x = (activate(x) if i else x) @ w + b
    return x


def _loss(parameters: Parameters, x: jax.Array, y: jax.Array, activation: str) -> jax.Array:
    z = _outputs(parameters, x, activation)
    if z.shape[1] == 1:
        return jnp.mean(jax.nn.softplus(z[:, 0]) - z[:, 0] * y)
    return jnp.mean(jax.nn.logsumexp(z, axis=1) - jnp.take_along_axis(z, y[:, None], axis=1)[:, 0])


def _sgd(state: Any, grads: Any, lr: Any) -> Any:
    (parameters,) = state
    return (jax.tree.map(lambda p, g: p - lr * g, parameters, grads),)


def _adam(state: Any, grads: Any, lr: Any, beta1: float = 0.9, beta2: float = 0.999, eps: float = 1e-8) -> Any:
    parameters, m, v, t = state
    t = t + 1
    # t is a float64: 1 - 0.999**t would keep four digits of a float32.
    size, correction = (jnp.float32(scalar) for scalar in (lr / (1 - beta1**t), (1 - beta2**t) ** -0.5))
    m = jax.tree.map(lambda m, g: beta1 * m + (1 - beta1) * g, m, grads)
    v = jax.tree.map(lambda v, g: beta2 * v + (1 - beta2) * g * g, v, grads)
    parameters = jax.tree.map(lambda p, m, v: p - size * m / (jnp.sqrt(v) * correction + eps), parameters, m, v)
    return parameters, m, v, t


@partial(jax.jit, static_argnames=("update", "batch", "activation"), donate_argnames="state")
def _epoch(
    state: Any, X: jax.Array, y: jax.Array, order: Any, lr: Any, update: Any, batch: int, activation: str
) -> Any:
    """Train one epoch, in an order or as the samples lie (None); return the state and the losses of the batches."""

    def step(state: Any, at: jax.Array) -> Any:
        if order is None:
            rows_X, rows_y = lax.dynamic_slice_in_dim(X, at, batch), lax.dynamic_slice_in_dim(y, at, batch)
        else:
            rows = lax.dynamic_slice_in_dim(order, at, batch)
            rows_X, rows_y = X[rows], y[rows]
        loss, grads = jax.value_and_grad(_loss)(state[0], rows_X, rows_y, activation)
        return update(state, grads, lr), loss

    whole = len(X) // batch * batch
    return lax.scan(step, state, jnp.arange(0, whole, batch))


class _Training(Training):
    """The samples beyond the last whole batch of an epoch are left out: a scan has steps of one shape."""

    def __init__(self, net: Net, samples: Samples) -> None:
        self.net = net
        self.X, self.y = jnp.asarray(samples.X), jnp.asarray(samples.y.astype(np.int32))
        self.random = np.random.default_rng(0)

    def restart(self, weights: Weights) -> None:
        parameters = _parameters(self.net, weights)
        zeros = [jax.tree.map(jnp.zeros_like, parameters) for _ in range(2)]
        self.state: Any = (parameters,) if self.net.optimizer == "SGD" else (parameters, *zeros, jnp.float64(0))
        self.set_rate(self.net.lr)

    def set_rate(self, lr: float) -> None:
        self.lr = jnp.float32(lr)

    def epoch(self, X: jax.Array, y: jax.Array, order: np.ndarray | None) -> jax.Array:
        update = {"SGD": _sgd, "Adam": _adam}[self.net.optimizer]
        self.state, losses = _epoch(self.state, X, y, order, self.lr, update, self.net.batch, self.net.activation)
        return losses

    def train(self, epochs: int, shuffle: bool) -> None:
        for _ in range(epochs):
            order = self.random.permutation(len(self.X)).astype(np.int32) if shuffle else None
            self.epoch(self.X, self.y, order)
        jax.block_until_ready(self.state)

    def first_loss(self, n: int) -> float:
        return float(self.epoch(self.X[:n], self.y[:n], None).mean())

    def outputs(self, X: np.ndarray) -> np.ndarray:
        return np.asarray(jax.jit(_outputs, static_argnames="activation")(self.state[0], X, self.net.activation))
