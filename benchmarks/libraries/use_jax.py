"""JAX: everything compiled by jit, state donated; an epoch as one lax.scan over its batches, or a call for each."""

from __future__ import annotations

from functools import partial, singledispatch
from typing import Any

import jax
import numpy as np
from jax import lax
from jax import numpy as jnp

from benchmarks.libraries.base import Call, Library, Stepping, Training
from benchmarks.sequence_works import Convolutional, Recurrent
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
        forward = jax.jit(lambda rows: _outputs(net, parameters, rows))
        return lambda: forward(rows).block_until_ready()

    def stepping(self, net: Recurrent, weights: Weights, x: np.ndarray) -> Stepping:
        ((w_ih, w_hh, b_ih, b_hh),) = _parameters(net, weights)
        cell, zeros = CELLS[net.cell], jnp.zeros((1, net.sizes[1]))

        @jax.jit
        def step(x_t: jax.Array, state: Any) -> Any:
            return cell(state, x_t @ w_ih + b_ih, w_hh, b_hh)

        def wait(x_t: jax.Array, state: Any) -> tuple[jax.Array, Any]:
            state = step(x_t, state)
            return state[0].block_until_ready(), state

        start = (zeros, zeros) if net.cell == "LSTM" else (zeros,)
        return Stepping(lambda: start, wait, [jnp.asarray(x_t) for x_t in x[:, None]])

    def training(self, net: Net, samples: Samples) -> Training:
        return _Training(net, samples)


Parameters = list[tuple[jax.Array, ...]]  # of each layer


def _parameters(net: Net, weights: Weights) -> Parameters:
    """Return each layer's parameters: matrices (in, out), kernels (kernel, in, out)."""
    layers: dict[str, tuple[jax.Array, ...]] = {}
    for name, w in weights.items():
        layer = name.split(".")[0]
        layers[layer] = (*layers.get(layer, ()), jnp.asarray(w.T))
    return list(layers.values())


@singledispatch
def _outputs(net: Net, parameters: Parameters, x: jax.Array) -> jax.Array:
    activate = {"relu": lambda y: jnp.maximum(y, 0), "tanh": jnp.tanh}[net.activation]
    for i, (w, b) in enumerate(parameters):
        x = (activate(x) if i else x) @ w + b
    return x


def _rnn(state: Any, z: jax.Array, w_hh: jax.Array, b_hh: jax.Array) -> Any:
    return (jnp.tanh(z + state[0] @ w_hh + b_hh),)


def _gru(state: Any, z: jax.Array, w_hh: jax.Array, b_hh: jax.Array) -> Any:
    (h,) = state
    of_x, of_h = jnp.split(z, 3, axis=1), jnp.split(h @ w_hh + b_hh, 3, axis=1)
    r, u = (jax.nn.sigmoid(of_x[gate] + of_h[gate]) for gate in (0, 1))
    return ((1 - u) * jnp.tanh(of_x[2] + r * of_h[2]) + u * h,)


def _lstm(state: Any, z: jax.Array, w_hh: jax.Array, b_hh: jax.Array) -> Any:
    h, c = state
    i, f, g, o = jnp.split(z + h @ w_hh + b_hh, 4, axis=1)
    c = jax.nn.sigmoid(f) * c + jax.nn.sigmoid(i) * jnp.tanh(g)
    return jax.nn.sigmoid(o) * jnp.tanh(c), c


CELLS = {"RNN": _rnn, "GRU": _gru, "LSTM": _lstm}


@_outputs.register
def _recurrent(net: Recurrent, parameters: Parameters, x: jax.Array) -> jax.Array:
    """Scan over the steps.

    Unrolling is no quicker; nor is x's part as one product for all steps, but by 6% in an RNN's prediction for one row.
    """
    (w_ih, w_hh, b_ih, b_hh), *linear = parameters
    cell, zeros = CELLS[net.cell], jnp.zeros((len(x), net.sizes[1]), x.dtype)
    start = (zeros, zeros) if net.cell == "LSTM" else (zeros,)

    def step(state: Any, x_t: jax.Array) -> tuple[Any, None]:
        return cell(state, x_t @ w_ih + b_ih, w_hh, b_hh), None

    (h, *_), _ = lax.scan(step, start, x.swapaxes(0, 1))
    for w, b in linear:
        h = h @ w + b
    return h


@_outputs.register
def _convolutional(net: Convolutional, parameters: Parameters, x: jax.Array) -> jax.Array:
    """Convolve with channels last, as XLA's CPU kernels want them."""
    *convolutions, (w, b) = parameters
    y = x.swapaxes(1, 2)
    for kernel, bias in convolutions:
        y = lax.conv_general_dilated(y, kernel, (1,), "VALID", dimension_numbers=("NWC", "WIO", "NWC"))
        y = jnp.maximum(y + bias, 0)
    return y.mean(axis=1) @ w + b


def _loss(parameters: Parameters, x: jax.Array, y: jax.Array, net: Net) -> jax.Array:
    z = _outputs(net, parameters, x)
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


def _batch(
    state: Any, X: jax.Array, y: jax.Array, order: Any, at: Any, lr: Any, update: Any, net: Net
) -> tuple[Any, jax.Array]:
    """Train on a batch, from place `at` of an order or of the samples as they lie (None); return state and loss."""
    if order is None:
        rows_X, rows_y = lax.dynamic_slice_in_dim(X, at, net.batch), lax.dynamic_slice_in_dim(y, at, net.batch)
    else:
        rows = lax.dynamic_slice_in_dim(order, at, net.batch)
        rows_X, rows_y = X[rows], y[rows]
    loss, grads = jax.value_and_grad(_loss)(state[0], rows_X, rows_y, net)
    return update(state, grads, lr), loss


_compiled = partial(jax.jit, static_argnames=("update", "net"), donate_argnames="state")
_step = _compiled(_batch)


@_compiled
def _scan(state: Any, X: jax.Array, y: jax.Array, order: Any, lr: Any, update: Any, net: Net) -> Any:
    """Train one epoch; return the state and the losses of the batches."""
    places = jnp.arange(0, len(X) // net.batch * net.batch, net.batch)
    return lax.scan(lambda state, at: _batch(state, X, y, order, at, lr, update, net), state, places)


def _steps(state: Any, X: jax.Array, y: jax.Array, order: Any, lr: Any, update: Any, net: Net) -> Any:
    """Do the same by a call for each batch: within a scan the gradient of a convolution takes 40 times as long."""
    losses, order = [], None if order is None else jnp.asarray(order)
    for at in range(0, len(X) // net.batch * net.batch, net.batch):
        state, loss = _step(state, X, y, order, at, lr, update, net)
        losses.append(loss)
    return state, jnp.stack(losses)


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
        epoch = _scan if type(self.net) is Net else _steps
        self.state, losses = epoch(self.state, X, y, order, self.lr, update, self.net)
        return losses

    def train(self, epochs: int, shuffle: bool) -> None:
        for _ in range(epochs):
            order = self.random.permutation(len(self.X)).astype(np.int32) if shuffle else None
            self.epoch(self.X, self.y, order)
        jax.block_until_ready(self.state)

    def first_loss(self, n: int) -> float:
        return float(self.epoch(self.X[:n], self.y[:n], None).mean())

    def outputs(self, X: np.ndarray) -> np.ndarray:
        return np.asarray(jax.jit(partial(_outputs, self.net))(self.state[0], X))
