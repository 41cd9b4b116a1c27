"""PyTorch: eager with the fastest of its optimizers, torch.compile, TorchScript, and autocast to bf16."""

from __future__ import annotations

import contextlib
import time
import warnings
from functools import singledispatch
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from torch import nn

from benchmarks.libraries.base import Building, Call, LeftOutError, Library, Stepping, Training
from benchmarks.sequence_works import Convolutional, Recurrent
from benchmarks.works import Net, Samples, Weights

SETTINGS = ({"fused": True}, {"foreach": True}, {"foreach": False})  # of the optimizers


class Use(Library):
    """PyTorch.

    Parameters
    ----------
    threads : int
    mode : {"eager", "compile", "script", "bf16"}
    """

    def __init__(self, threads: int, mode: str = "eager") -> None:
        super().__init__(threads)
        self.mode = mode
        if mode == "bf16":
            self.tolerance = 2e-2  # bf16 has 8 bits
        warnings.filterwarnings("ignore")  # TorchScript is deprecated; it is still PyTorch's quickest prediction
        if threads:
            torch.set_num_threads(threads)
        torch.manual_seed(0)

    def about(self) -> str:
        return f"torch {torch.__version__}, {torch.backends.cpu.get_cpu_capability()}, {self.mode}"

    def cast(self) -> contextlib.AbstractContextManager[Any]:
        """Return the context in which the network runs."""
        return torch.autocast("cpu", torch.bfloat16) if self.mode == "bf16" else contextlib.nullcontext()

    def matmul(self, a: np.ndarray, b: np.ndarray) -> Call:
        x, w = torch.from_numpy(a), torch.from_numpy(b)
        if self.mode == "bf16":
            x, w = x.bfloat16(), w.bfloat16()
        out = torch.empty((len(a), b.shape[1]), dtype=x.dtype)
        torch.mm(x, w, out=out)
        return _without_gradients(lambda: torch.mm(x, w, out=out))

    def activation(self, name: str, x: np.ndarray) -> Call:
        t = torch.from_numpy(x)
        out = torch.empty_like(t)
        calls: dict[str, Call] = {
            "relu": lambda: torch.clamp_min(t, 0, out=out),
            "tanh": lambda: torch.tanh(t, out=out),
            "sigmoid": lambda: torch.sigmoid(t, out=out),
            "softmax": lambda: torch.softmax(t, 1, out=out),
        }
        return _without_gradients(calls[name])

    def prediction(self, net: Net, weights: Weights, x: np.ndarray) -> Call:
        model: Any = _model(net, weights).eval()
        rows = torch.from_numpy(x)
        with torch.inference_mode():
            if self.mode == "script":
                model = torch.jit.optimize_for_inference(torch.jit.freeze(torch.jit.trace(model, rows)))
            elif self.mode == "compile":
                model = _compiled(model)
                model(rows)
        return _without_gradients(lambda: model(rows))

    def stepping(self, net: Recurrent, weights: Weights, x: np.ndarray) -> Stepping:
        cell = getattr(nn, f"{net.cell}Cell")(*net.sizes)
        _load(cell, weights)
        zeros = torch.zeros((1, net.sizes[1]))

        def step(x_t: torch.Tensor, state: Any) -> tuple[torch.Tensor, Any]:
            state = cell(x_t, state)
            return (state[0] if net.cell == "LSTM" else state), state

        start = (zeros, zeros) if net.cell == "LSTM" else zeros
        return Stepping(lambda: start, step, torch.from_numpy(x).split(1), torch.inference_mode)

    def building(self, net: Net) -> Building:
        return Building(lambda: _layers(net), lambda built: [p.detach() for p in built.parameters()])

    def training(self, net: Net, samples: Samples) -> Training:
        if self.mode == "script":
            raise LeftOutError("TorchScript is compared where one row is predicted")
        return _Training(net, samples, self)


class _without_gradients:  # noqa: N801 - it stands where a function would
    """A call in inference mode, entered once: entering it takes longer than a small call."""

    def __init__(self, call: Call) -> None:
        self.call = call

    def __call__(self) -> np.ndarray:
        with torch.inference_mode():
            result: torch.Tensor = self.call()
            return result.float().numpy()

    def run(self, n: int) -> None:
        with torch.inference_mode():
            for _ in range(n):
                self.call()


@singledispatch
def _layers(net: Net) -> nn.Sequential:
    activation = {"relu": nn.ReLU, "tanh": nn.Tanh}[net.activation]
    layers: list[nn.Module] = []
    for n_in, n_out in pairwise(net.sizes):
        layers += [nn.Linear(n_in, n_out), activation()]
    return nn.Sequential(*layers[:-1])


class _Last(nn.Module):
    """The state after the last step, of what a recurrent layer gives."""

    def forward(self, given: tuple[torch.Tensor, Any]) -> torch.Tensor:
        return given[0][:, -1]


@_layers.register
def _recurrent(net: Recurrent) -> nn.Sequential:
    n_in, hidden, *outputs = net.sizes
    recurrent = getattr(nn, net.cell)(n_in, hidden, batch_first=True)
    return nn.Sequential(recurrent, _Last(), *(nn.Linear(hidden, n) for n in outputs))


@_layers.register
def _convolutional(net: Convolutional) -> nn.Sequential:
    *channels, outputs = net.sizes
    layers = [layer for a, b in pairwise(channels) for layer in (nn.Conv1d(a, b, net.kernel), nn.ReLU())]
    return nn.Sequential(*layers, nn.AdaptiveAvgPool1d(1), nn.Flatten(), nn.Linear(channels[-1], outputs))


def _model(net: Net, weights: Weights) -> nn.Sequential:
    model = _layers(net)
    _load(model, weights)
    return model


def _load(model: nn.Module, weights: Weights) -> None:
    """Set the parameters in their order, which is that of the weights: layers without any move the names."""
    named = zip(model.state_dict(), weights.values(), strict=True)
    model.load_state_dict({name: torch.from_numpy(w) for name, w in named})


def _compiled(function: Any) -> Any:
    torch._dynamo.reset()  # noqa: SLF001
    return torch.compile(function, mode="max-autotune-no-cudagraphs", dynamic=False)


class _Training(Training):
    def __init__(self, net: Net, samples: Samples, use: Use) -> None:
        self.net, self.use = net, use
        self.X, self.y = torch.from_numpy(samples.X), torch.from_numpy(samples.y)
        self.batch_X = torch.empty((net.batch, *net.sample_shape))
        self.batch_y = torch.empty(net.batch, dtype=torch.int64)
        self.settings = SETTINGS[0]
        self.compiled = use.mode == "compile"
        self.restart(net.weights())
        self.settings = min(SETTINGS, key=self.trial)

    def trial(self, settings: dict[str, bool]) -> float:
        """Return the time of some steps with one kind of optimizer."""
        self.settings = settings
        self.restart(self.net.weights())
        times = []
        for _ in range(4):
            started = time.perf_counter()
            self.step(self.X[: self.net.batch], self.y[: self.net.batch])
            times.append(time.perf_counter() - started)
        return min(times)

    def restart(self, weights: Weights) -> None:
        if not hasattr(self, "model"):
            self.model = _model(self.net, weights)
            self.loss = _compiled(self.plain_loss) if self.compiled else self.plain_loss
        _load(self.model, weights)
        self.optimizer = getattr(torch.optim, self.net.optimizer)(
            self.model.parameters(), lr=self.net.lr, **self.settings
        )

    def set_rate(self, lr: float) -> None:
        for group in self.optimizer.param_groups:
            group["lr"] = lr

    def plain_loss(self, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        with self.use.cast():
            z = self.model(x)
            if self.net.sizes[-1] == 1:
                return nn.functional.binary_cross_entropy_with_logits(z[:, 0], y.to(z.dtype))
            return nn.functional.cross_entropy(z, y)

    def step(self, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        loss: torch.Tensor = self.loss(x, y)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        self.optimizer.step()
        return loss.detach()

    def epoch(self, order: torch.Tensor) -> None:
        for rows in order.split(self.net.batch):
            x, y = self.batch_X[: len(rows)], self.batch_y[: len(rows)]
            torch.index_select(self.X, 0, rows, out=x)
            torch.index_select(self.y, 0, rows, out=y)
            self.step(x, y)

    def in_order(self, n: int) -> list[torch.Tensor]:
        """Go through the first n samples as they lie; return the losses, still tensors."""
        batches = zip(self.X[:n].split(self.net.batch), self.y[:n].split(self.net.batch), strict=True)
        return [self.step(x, y) for x, y in batches]

    def train(self, epochs: int, shuffle: bool) -> None:
        for _ in range(epochs):
            if shuffle:
                self.epoch(torch.randperm(len(self.X)))
            else:
                self.in_order(len(self.X))

    def first_loss(self, n: int) -> float:
        return float(torch.stack(self.in_order(n)).double().mean())

    def outputs(self, X: np.ndarray) -> np.ndarray:
        with torch.inference_mode(), self.use.cast():
            result: np.ndarray = self.model(torch.from_numpy(X)).float().numpy()
            return result
