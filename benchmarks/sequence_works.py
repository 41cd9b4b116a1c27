"""Networks over one axis, described as those of `works` are: a recurrent layer, or convolutions, and a Linear layer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from benchmarks.works import Net, Weights, true_linear

GATES = {"RNN": 1, "GRU": 3, "LSTM": 4}


@dataclass(frozen=True)
class Recurrent(Net):
    """A recurrent layer over sequences (steps, features), and a Linear layer on the state after the last step.

    Parameters
    ----------
    sizes : tuple of int
        Features, hidden, outputs; without outputs there is no Linear layer.
    cell : {"RNN", "GRU", "LSTM"}
    steps : int
    """

    cell: str = "LSTM"
    steps: int = 28

    @property
    def layers(self) -> str:
        """As in the tables: LSTM 28-128-10."""
        return f"{self.cell} {super().layers}"

    @property
    def flops(self) -> float:
        """The recurrent layer's products of one step: forward, gradient of the weights, and of the state."""
        n_in, hidden = self.sizes[:2]
        return self._flops(2 * n_in + 3 * hidden)

    @property
    def forward_flops(self) -> float:
        """The recurrent layer's products of one prediction of a batch; those of the Linear layer are 0.3% at most."""
        return self._flops(sum(self.sizes[:2]))

    def _flops(self, columns: int) -> float:
        return 2.0 * self.batch * self.steps * GATES[self.cell] * self.sizes[1] * columns

    @property
    def sample_shape(self) -> tuple[int, ...]:
        """Steps and features."""
        return (self.steps, self.sizes[0])

    def shapes(self) -> dict[str, tuple[tuple[int, ...], float]]:
        """Return PyTorch's: all are bounded by 1 / sqrt(hidden)."""
        n_in, hidden, *outputs = self.sizes
        rows = GATES[self.cell] * hidden
        shapes: dict[str, tuple[int, ...]] = {
            "0.weight_ih_l0": (rows, n_in),
            "0.weight_hh_l0": (rows, hidden),
            "0.bias_ih_l0": (rows,),
            "0.bias_hh_l0": (rows,),
        }
        for n in outputs:
            shapes |= {"1.weight": (n, hidden), "1.bias": (n,)}
        return {name: (shape, hidden**-0.5) for name, shape in shapes.items()}

    def true_states(self, x: np.ndarray, weights: Weights) -> np.ndarray:
        """Return the state after each step of the sequences x, (steps, n, hidden), computed in float64."""
        w_ih, w_hh, b_ih, b_hh = (np.asarray(w, np.float64) for w in list(weights.values())[:4])
        h = c = np.zeros((len(x), self.sizes[1]))
        states = []
        for x_t in np.asarray(x, np.float64).swapaxes(0, 1):
            of_x, of_h = (np.split(part, GATES[self.cell], axis=1) for part in (x_t @ w_ih.T + b_ih, h @ w_hh.T + b_hh))
            gates = [a + b for a, b in zip(of_x, of_h, strict=True)]
            if self.cell == "RNN":
                h = np.tanh(gates[0])
            elif self.cell == "GRU":
                r, z = map(_sigmoid, gates[:2])
                h = (1 - z) * np.tanh(of_x[2] + r * of_h[2]) + z * h
            else:
                i, f, o = (_sigmoid(gates[gate]) for gate in (0, 1, 3))
                c = f * c + i * np.tanh(gates[2])
                h = o * np.tanh(c)
            states.append(h)
        return np.stack(states)

    def true_outputs(self, x: np.ndarray, weights: Weights) -> np.ndarray:
        """Return what the network gives for sequences x."""
        h: np.ndarray = self.true_states(x, weights)[-1]
        return true_linear(h, weights, 1) if len(self.sizes) > 2 else h


def _sigmoid(x: np.ndarray) -> np.ndarray:
    y: np.ndarray = 1 / (1 + np.exp(-x))
    return y


@dataclass(frozen=True)
class Convolutional(Net):
    """Conv1d layers with ReLU over signals (channels, length), the mean over what is left, and a Linear layer.

    Parameters
    ----------
    sizes : tuple of int
        Channels of the signal and of each convolution, outputs.
    kernel, length : int
    """

    kernel: int = 5
    length: int = 128

    @property
    def layers(self) -> str:
        """As in the tables: Conv1d 9-64-64-6."""
        return f"Conv1d {super().layers}"

    @property
    def flops(self) -> float:
        """The products of one step; the signal's own gradient is not needed."""
        return 3 * self.forward_flops - self._products()[0]

    @property
    def forward_flops(self) -> float:
        """The products of one prediction of a batch."""
        return sum(self._products())

    def _products(self) -> list[float]:
        """Return the FLOPs of each layer's product; a convolution leaves kernel - 1 places less."""
        *convolutions, (n_in, n_out) = pairwise(self.sizes)
        places = [self.length - (i + 1) * (self.kernel - 1) for i in range(len(convolutions))]
        products = [2.0 * n * self.kernel * a * b for n, (a, b) in zip(places, convolutions, strict=True)]
        return [self.batch * product for product in (*products, 2.0 * n_in * n_out)]

    @property
    def sample_shape(self) -> tuple[int, ...]:
        """Channels and length."""
        return (self.sizes[0], self.length)

    def shapes(self) -> dict[str, tuple[tuple[int, ...], float]]:
        """Return PyTorch's: a convolution has channels * kernel inputs."""
        *convolutions, (n_in, n_out) = pairwise(self.sizes)
        shapes: dict[str, tuple[tuple[int, ...], float]] = {}
        for i, (a, b) in enumerate(convolutions):
            bound = (a * self.kernel) ** -0.5
            shapes |= {f"{2 * i}.weight": ((b, a, self.kernel), bound), f"{2 * i}.bias": ((b,), bound)}
        last = self.linear
        return shapes | {f"{last}.weight": ((n_out, n_in), n_in**-0.5), f"{last}.bias": ((n_out,), n_in**-0.5)}

    @property
    def linear(self) -> int:
        """The place of the Linear layer: behind each convolution with its ReLU, and the mean."""
        return 2 * len(self.sizes) - 3

    def true_outputs(self, x: np.ndarray, weights: Weights) -> np.ndarray:
        """Return what the network gives for signals x, computed in float64."""
        y = np.asarray(x, np.float64)
        for i in range(len(self.sizes) - 2):
            windows = np.lib.stride_tricks.sliding_window_view(y, self.kernel, axis=2)  # (n, channels, places, kernel)
            y = np.einsum("nclk,ock->nol", windows, weights[f"{2 * i}.weight"].astype(np.float64), optimize=True)
            y = np.maximum(y + weights[f"{2 * i}.bias"][:, None], 0)
        return true_linear(y.mean(axis=2), weights, self.linear)


KINDS: Mapping[str, type[Net]] = {kind.__name__: kind for kind in (Net, Recurrent, Convolutional)}


def described(description: Mapping[str, Any]) -> Any:
    """Build the network that `Net.description` tells, of whatever kind."""
    return KINDS[description["kind"]].of(description)


LSTM, GRU, RNN = (Recurrent((28, 128, 10), 64, batches=20, cell=cell) for cell in ("LSTM", "GRU", "RNN"))
STEPPED = Recurrent((32, 32), 1, batches=1)
SIGNALS = Convolutional((9, 64, 64, 6), 64, batches=20)  # as long as a window of a phone's sensors
